package bulk_test

import (
	"database/sql"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

var hana = auth.Actor{Issuer: "idp", Subject: "2", Name: "Hana", Role: auth.Editor}

// pair is a plan that turns one flag of two accounts on.
func (w *world) pair() *bulk.Plan {
	w.t.Helper()
	on := wave.Wanted{"invoice": true}
	return w.make(bulk.DraftItem{UserID: "a", Want: on}, bulk.DraftItem{UserID: "b", Want: on})
}

func (w *world) state(r *bulk.Runs, id string) *bulk.Run {
	w.t.Helper()
	run, _, err := r.Run(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return run
}

func startOf(p *bulk.Plan) bulk.Start {
	return bulk.Start{Actor: misaki, PlanID: p.ID, Mark: p.Mark(), Reason: "why"}
}

func TestStart_schedules(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		off := wave.Wanted{"invoice": false}
		w.add("a", off)
		w.add("b", off)
		r := w.runs(nil)
		for name, at := range map[string]time.Time{"bulk.at_past": time.Now().Add(-time.Minute), "bulk.at_far": time.Now().Add(bulk.MaxAhead + time.Hour)} {
			s := startOf(w.pair())
			s.At = at
			if f, ok := r.Start(t.Context(), s).(*fault.Error); !ok || f.Fields["at"].Key != name {
				t.Errorf("%s: %v", name, f)
			}
		}
		begins, moves, cancelled := w.pair(), w.pair(), w.pair()
		for n, p := range []*bulk.Plan{cancelled, moves, begins} {
			s := startOf(p)
			s.At = time.Now().Add(time.Hour + time.Duration(n)*time.Minute)
			if err := r.Start(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		if run := w.state(r, begins.ID); run.State != bulk.Scheduled || !run.Started.IsZero() || len(w.sent()) != 0 {
			t.Fatalf("run = %+v", run)
		}
		if err := r.Cancel(t.Context(), hana, cancelled.ID); err != nil {
			t.Fatal(err)
		}
		comes := func(id string) {
			err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), "UPDATE bulk_runs SET apply_at = 1 WHERE plan_id = $1", id)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		comes(cancelled.ID)
		comes(begins.ID)
		if run, c := w.ended(r, begins.ID); c[change.Done] != 2 || run.Started.IsZero() {
			t.Errorf("at its time: %+v, %v", run, c)
		}
		comes(moves.ID) // both accounts are otherwise by now
		w.until("the other waits for a person", func() bool { return w.state(r, moves.ID).State == bulk.Paused })
		if run := w.state(r, moves.ID); run.Why != bulk.TargetsMoved || run.Moved != 2 {
			t.Errorf("run = %+v", run)
		}
		if run, c := w.ended(r, cancelled.ID); run.State != bulk.Cancelled || c[change.Cancelled] != 2 {
			t.Errorf("the one that was cancelled: %+v, %v", run, c)
		}
		if err := r.Resume(t.Context(), misaki, moves.ID); err != nil {
			t.Fatal(err)
		}
		if _, c := w.ended(r, moves.ID); c[change.NoChange] != 2 || len(w.sent()) != 2 {
			t.Errorf("resumed: %v, %d calls", c, len(w.sent()))
		}
	})
}

func TestApprove(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		off := wave.Wanted{"invoice": false, "open_api": false}
		w.add("a", off)
		w.add("b", off)
		r := w.runs(func(o *bulk.RunOptions) { o.Approval.Flags = []wave.Key{"invoice"} })
		free := w.make(bulk.DraftItem{UserID: "a", Want: wave.Wanted{"open_api": true}})
		if err := r.Start(t.Context(), startOf(free)); err != nil {
			t.Fatal(err)
		}
		w.ended(r, free.ID) // needs nobody
		p, void := w.pair(), w.pair()
		for _, p := range []*bulk.Plan{p, void} {
			if err := r.Start(t.Context(), startOf(p)); err != nil {
				t.Fatal(err)
			}
		}
		if run := w.state(r, p.ID); run.State != bulk.Waiting {
			t.Fatalf("run = %+v", run)
		}
		for name, tt := range map[string]struct {
			by   auth.Actor
			mark string
			say  string
		}{
			"oneself":     {misaki, p.Mark(), "bulk.approve_own"},
			"a viewer":    {sam, p.Mark(), "error.forbidden_editor"},
			"other boxes": {hana, "x", "bulk.look_again"},
		} {
			if err := r.Approve(t.Context(), tt.by, p.ID, tt.mark); fault.SentenceOf(err).Key != tt.say {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := r.Approve(t.Context(), hana, p.ID, p.Mark()); err != nil {
			t.Fatal(err)
		}
		run, c := w.ended(r, p.ID)
		if c[change.Done] != 2 || run.Actor.Subject != misaki.Subject || run.Approver.Subject != hana.Subject || run.Approved.IsZero() {
			t.Errorf("approved: %+v, %v", run, c)
		}
		calls := len(w.sent())
		if err := r.Approve(t.Context(), hana, void.ID, void.Mark()); fault.SentenceOf(err).Key != "bulk.void" {
			t.Errorf("of accounts that have changed: %v", err)
		}
		if run, c := w.ended(r, void.ID); run.State != bulk.Cancelled || run.Why != bulk.TargetsMoved || run.Moved != 2 || c[change.Cancelled] != 2 || len(w.sent()) != calls {
			t.Errorf("void: %+v, %v", run, c)
		}
		if err := r.Approve(t.Context(), hana, p.ID, p.Mark()); fault.SentenceOf(err).Key != "bulk.not_now" {
			t.Errorf("twice: %v", err)
		}
	})
}

// A run that cannot begin, whatever is wrong with it, keeps no other from its time.
func TestStart_oneThatCannotBeginHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		off := wave.Wanted{"invoice": false}
		w.add("a", off)
		w.add("b", off)
		broken, whole := w.pair(), w.pair()
		idle := bulk.NewRuns(w.plans, bulk.RunOptions{Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate})
		for n, p := range []*bulk.Plan{broken, whole} {
			s := startOf(p)
			s.At = time.Now().Add(time.Hour)
			if err := idle.Start(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			w.exec("UPDATE bulk_runs SET apply_at = $1 WHERE plan_id = $2", n+1, p.ID)
		}
		w.exec("UPDATE bulk_items SET wanted = '{' WHERE plan_id = $1 AND place = 2", broken.ID)
		r := w.runs(nil)
		if _, c := w.ended(r, whole.ID); c[change.Done] != 2 {
			t.Errorf("counts = %v", c)
		}
		if run := w.state(r, broken.ID); run.State != bulk.Scheduled {
			t.Errorf("the other is %s", run.State)
		}
	})
}
