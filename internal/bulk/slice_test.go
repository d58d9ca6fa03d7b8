package bulk_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

// exec writes to the database behind the back of all.
func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(w.t.Context(), query, args...)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// A run that a server left is taken over once its hold is over: what Wave has not done
// is tried again, and what it has is not.
func TestRun_takesOver(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		off := wave.Wanted{"invoice": false}
		var items []bulk.DraftItem
		for _, id := range []wave.UserID{"claimed", "lost", "refused", "doubted", "arrived"} {
			w.add(id, off)
			items = append(items, bulk.DraftItem{UserID: id, Want: wave.Wanted{"invoice": true}})
		}
		p := w.make(items...)
		idle := bulk.NewRuns(w.plans, bulk.RunOptions{Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate, ReasonRequired: true})
		w.start(idle, p) // nobody works on it
		w.exec("UPDATE bulk_runs SET slice = 'dead/1', slice_until = $1 WHERE plan_id = $2", time.Now().Add(2*time.Second).UnixMicro(), p.ID)
		w.exec("UPDATE bulk_items SET state = 'running', claimed_by = 'dead/1' WHERE plan_id = $1", p.ID)
		doubted := w.attempt(p, "doubted", change.InDoubt, 0)
		w.attempt(p, "lost", change.Failed, 0)
		w.attempt(p, "refused", change.Failed, 400)
		w.attempt(p, "arrived", change.Done, 200)
		r := w.runs(nil)
		w.until("it is taken over", func() bool {
			_, c, err := r.Run(t.Context(), p.ID)
			return err == nil && c[change.Done] == 3 && c[change.Failed] == 1 && c[change.Running] == 1
		})
		if got := w.sent(); len(got) != 2 || got[0] != "claimed" || got[1] != "lost" {
			t.Errorf("Wave was asked to change %v", got)
		}
		doubted.State, doubted.Detail = change.Failed, "not in the list"
		if _, err := w.ledger.Settle(t.Context(), doubted); err != nil {
			t.Fatal(err)
		}
		if _, c := w.ended(r, p.ID); c[change.Done] != 4 || len(w.sent()) != 3 {
			t.Errorf("in the end: %v, %v", c, w.sent())
		}
	})
}

// Clocks of servers may be some seconds apart: what a server did last is not taken for
// older than what was done before on one whose clock is ahead.
func TestRun_takesOverFromAServerWhoseClockIsBehind(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		w.add("a", wave.Wanted{"invoice": false})
		p := w.make(bulk.DraftItem{UserID: "a", Want: wave.Wanted{"invoice": true}})
		idle := bulk.NewRuns(w.plans, bulk.RunOptions{Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate, ReasonRequired: true})
		w.start(idle, p)
		right := w.ledger
		ahead, err := change.NewLedger(t.Context(), w.db, change.Options{Fold: i18n.Fold, Now: func() time.Time { return time.Now().Add(8 * time.Second) }})
		if err != nil {
			t.Fatal(err)
		}
		w.ledger = ahead
		first := w.attempt(p, "a", change.Failed, 0)
		w.ledger = right
		second := w.attempt(p, "a", change.Done, 200)
		w.exec("UPDATE bulk_items SET state = 'running', claimed_by = 'dead/1', change_id = $1 WHERE plan_id = $2", first.ID, p.ID)
		r := w.runs(nil)
		if _, c := w.ended(r, p.ID); c[change.Done] != 1 || len(w.sent()) != 0 || w.get(p.ID).Items[0].ChangeID != second.ID {
			t.Errorf("in the end: %v by change %s, want %s; calls %v", c, w.get(p.ID).Items[0].ChangeID, second.ID, w.sent())
		}
	})
}

// attempt records a change that a run has made of an account.
func (w *world) attempt(p *bulk.Plan, id wave.UserID, state change.State, status int) change.Change {
	w.t.Helper()
	ctx := w.t.Context()
	account, _ := w.wave.Get(id)
	after := account.Meta.With("invoice", true)
	c, err := w.ledger.Open(ctx, change.Change{
		Kind: change.Meta, Account: id, Email: account.Email, Actor: misaki, Source: change.Bulk, RunID: p.ID, Wanted: wave.Wanted{"invoice": true},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	c.Before, c.After = &account.Meta, &after
	if c, err = w.ledger.Intend(ctx, c); err != nil {
		w.t.Fatal(err)
	}
	c.State, c.Status = state, status
	if c, err = w.ledger.Close(ctx, c); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// Of several servers one works on a run at a time.
func TestRun_oneSliceAtATime(t *testing.T) {
	t.Parallel()
	url := dbtest.Postgres.Ready(t)
	w := newWorldAt(t, url, 60, 30)
	p := w.make(turned(w)...)
	a := w.runs(nil)
	w.start(a, p)
	w.runs(nil)
	w.runs(nil)
	seen := map[string]bool{}
	w.until("it is over", func() bool {
		rows, err := w.db.Read().QueryContext(t.Context(), "SELECT DISTINCT claimed_by FROM bulk_items WHERE plan_id = $1 AND state = 'running'", p.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n := 0
		for rows.Next() {
			var by string
			if err := rows.Scan(&by); err != nil {
				t.Fatal(err)
			}
			seen[by] = true
			n++
		}
		if n > 1 {
			t.Fatalf("%d slices are at work at once: %v", n, seen)
		}
		run, _, err := a.Run(t.Context(), p.ID)
		return err == nil && !run.Finished.IsZero()
	})
	if len(seen) == 0 || len(w.sent()) != 60 {
		t.Errorf("%d slices, %d calls", len(seen), len(w.sent()))
	}
}

// All accounts that there is room for are under way before one has ended: they end in
// bursts, and a run that claims a few for each burst leaves most of its rate unused.
func TestRun_claimsAllThereIsRoomFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 130)
	p := w.make(turned(w)...)
	defer w.wave.Fail(sandbox.Fault{Op: sandbox.OpList, Hang: true})()
	w.start(w.runs(nil), p)
	w.until("all are under way", func() bool {
		var n int
		err := w.db.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM bulk_items WHERE plan_id = $1 AND state = 'running'", p.ID).Scan(&n)
		return err == nil && n == 130
	})
	if sent := w.sent(); len(sent) > 0 {
		t.Errorf("without a list Wave was asked to change %v", sent)
	}
}

// However long a run waits for what Wave says of an account, and however many servers
// look for runs, one job waits with it.
func TestRun_waitsWithOneJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.Postgres.Ready(t), 0)
	w.add("doubted", wave.Wanted{"invoice": false})
	p := w.make(bulk.DraftItem{UserID: "doubted", Want: wave.Wanted{"invoice": true}})
	idle := bulk.NewRuns(w.plans, bulk.RunOptions{Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate, ReasonRequired: true})
	w.start(idle, p)
	w.exec("UPDATE bulk_items SET state = 'running', claimed_by = 'dead/1' WHERE plan_id = $1", p.ID)
	doubt := w.attempt(p, "doubted", change.InDoubt, 0)
	count := func(query string) (n int) {
		if err := w.db.Read().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	looked := func() int { // how often jobs have looked in vain
		return count("SELECT coalesce(sum((metadata->>'snoozes')::int), 0) FROM river_job")
	}
	for range 3 { // each looks at once
		w.runs(nil)
		before := looked()
		w.until("a job has looked twice more", func() bool { return looked() >= before+2 })
	}
	if n := count("SELECT count(*) FROM river_job WHERE finalized_at IS NULL"); n != 1 {
		t.Errorf("%d jobs wait", n)
	}
	doubt.State = change.Done
	if _, err := w.ledger.Settle(t.Context(), doubt); err != nil {
		t.Fatal(err)
	}
	if _, c := w.ended(idle, p.ID); c[change.Done] != 1 {
		t.Errorf("in the end: %v", c)
	}
}

// Who may not stop a run does not disturb it either.
func TestRun_goesOnWhenAStopIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 10)
	p := w.make(turned(w)...)
	defer w.wave.Fail(sandbox.Fault{Op: sandbox.OpList, Hang: true})()
	r := w.runs(nil)
	w.start(r, p)
	under := func() (by string, n int) {
		err := w.db.Read().QueryRowContext(t.Context(), "SELECT coalesce(max(claimed_by), ''), count(*) FROM bulk_items WHERE plan_id = $1 AND state = 'running'", p.ID).Scan(&by, &n)
		if err != nil {
			t.Fatal(err)
		}
		return by, n
	}
	w.until("all are under way", func() bool { _, n := under(); return n == 10 })
	first, _ := under()
	for _, stop := range []func(context.Context, auth.Actor, string) error{r.Pause, r.Cancel} {
		if err := stop(t.Context(), sam, p.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a viewer: %v", err)
		}
	}
	time.Sleep(500 * time.Millisecond) // in which the accounts would be given back
	if by, n := under(); by != first || n != 10 {
		t.Errorf("%d accounts are under way by %s, they were by %s", n, by, first)
	}
}

// turned wants one flag of each account to be the other way.
func turned(w *world) (items []bulk.DraftItem) {
	for _, a := range w.wave.Accounts() {
		items = append(items, bulk.DraftItem{UserID: a.UserID, Want: wave.Wanted{"open_api": !a.Meta.On("open_api")}})
	}
	return items
}

// Who starts a run does not wait for a queue that does not answer: the run is found later.
func TestStart_whileTheQueueHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.Postgres.Ready(t), 0)
	w.add("a", wave.Wanted{"invoice": false})
	w.add("b", wave.Wanted{"invoice": false})
	r := w.runs(nil)
	first := w.make(bulk.DraftItem{UserID: "a", Want: wave.Wanted{"invoice": true}})
	w.start(r, first)
	w.ended(r, first.ID) // the queue is at work
	p := w.make(bulk.DraftItem{UserID: "b", Want: wave.Wanted{"invoice": true}})
	tx, err := w.db.Aside().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE river_job"); err != nil {
		t.Fatal(err)
	}
	started := make(chan error, 1)
	go func() {
		started <- r.Start(t.Context(), bulk.Start{Actor: misaki, PlanID: p.ID, Mark: p.Mark(), Reason: "why"})
	}()
	select {
	case err := <-started:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the person still waits")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, c := w.ended(r, p.ID); c[change.Done] != 1 {
		t.Errorf("in the end: %v", c)
	}
}

// A rest that was set by a clock which was put back since is not waited for: none is that
// long.
func TestRun_goesOnAfterTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 2)
		idle := bulk.NewRuns(w.plans, bulk.RunOptions{Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate, ReasonRequired: true})
		p := w.make(turned(w)...)
		w.start(idle, p)
		w.exec("UPDATE bulk_runs SET not_before = $1, slice_until = $1 WHERE plan_id = $2", time.Now().Add(time.Hour).UnixMicro(), p.ID)
		if _, c := w.ended(w.runs(nil), p.ID); c[change.Done] != 2 {
			t.Errorf("counts = %v", c)
		}
	})
}
