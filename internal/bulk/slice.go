package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

const (
	sliceTime  = 5 * time.Minute  // for which a job begins accounts
	claimTime  = 30 * time.Second // that an account stays claimed without a sign of life
	claimRenew = 10 * time.Second
	stateEvery = 500 * time.Millisecond // in which a pause by another server is seen
	deniedMost = 3                      // refusals by Wave in a row that pause a run

	// While Wave is away the run rests, each time twice as long, and pauses in the end.
	restFirst    = 2 * time.Second
	restLongest  = 30 * time.Second
	troublesMost = 20
)

// workers returns how many accounts are under way at a time. Each waits for a list
// before its call and for one after it, which come some seconds apart and are shared,
// and its turn comes while those before it are sent.
func (r *Runs) workers() int { return min(max(5*r.o.Rate, 8), 400) }

// A slice is one job's work on a run.
type slice struct {
	*Runs
	id  string // names what it has claimed
	run Run
	end time.Time
}

// after says what is to come after a slice.
type after struct {
	more bool
	rest time.Duration // before that
}

// work does a part of a run: it claims account after account until its time is over
// or nothing is left. When another slice is at work on the run, it does nothing.
func (r *Runs) work(ctx context.Context, planID string) (after, error) {
	s := &slice{Runs: r, id: fmt.Sprintf("%s/%d", r.me, r.slices.Add(1)), end: time.Now().Add(sliceTime)}
	run, rest, err := s.enter(ctx, planID)
	if err != nil || run == nil {
		return after{}, err
	}
	s.run = *run
	if rest > 0 {
		return after{more: true, rest: rest}, nil
	}
	if lost, err := s.roleLost(ctx); err != nil || lost {
		return after{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer r.hold(planID, cancel)()
	alive, done := context.WithCancel(context.WithoutCancel(ctx))
	defer done()
	var renewing sync.WaitGroup
	renewing.Go(func() { s.renew(alive, cancel) })
	var working sync.WaitGroup
	failed := make(chan error, r.workers())
	for range r.workers() {
		working.Go(func() {
			if err := s.items(ctx); err != nil {
				failed <- err
			}
		})
	}
	working.Wait()
	done()
	renewing.Wait()
	select {
	case err := <-failed:
		return after{}, err
	default:
	}
	return s.leave(context.WithoutCancel(ctx))
}

// enter takes over what others have left, and returns the run if there is something
// to do in it, with the rest that it still takes.
func (s *slice) enter(ctx context.Context, planID string) (run *Run, rest time.Duration, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		run, rest = nil, 0
		found, err := readRun(ctx, tx, planID)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil || !found.Finished.IsZero() {
			return err
		}
		if err := s.takeOver(ctx, tx, planID); err != nil {
			return err
		}
		var busy int
		now := db.Micros(s.now())
		err = tx.QueryRowContext(ctx, "SELECT count(*) FROM bulk_items WHERE plan_id = $1 AND state = 'running'", planID).Scan(&busy)
		if err != nil || busy > 0 { // whoever works on it ends it
			return err
		}
		if over, err := s.finish(ctx, tx, *found); err != nil || over || found.State != Running {
			return err
		}
		var until int64
		if err := tx.QueryRowContext(ctx, "SELECT not_before FROM bulk_runs WHERE plan_id = $1", planID).Scan(&until); err != nil {
			return err
		}
		run, rest = found, max(0, time.Duration(until-now)*time.Microsecond)
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("begin to work on a run: %w", err)
	}
	return run, rest, nil
}

// takeOver ends or gives back the accounts whose claim is over: the ledger says what
// was done. Nothing is sent, and one whose change is still open waits for that.
func (s *slice) takeOver(ctx context.Context, tx *sql.Tx, planID string) error {
	lost, err := readItems(ctx, tx, "i.plan_id = $1 AND i.state = 'running' AND i.claim_until < $2", planID, db.Micros(s.now()))
	if err != nil {
		return err
	}
	for _, i := range lost {
		id, state, sent, err := newestChange(ctx, tx, planID, i.Account)
		switch {
		case err != nil:
			return err
		case state.Open():
			continue
		case state == change.Done || state == change.NoChange || state == change.Conflict || state == change.InDoubt, state == change.Failed && sent:
			err = s.endItem(ctx, tx, planID, i.Place, state, id, fault.Text{})
		default: // nothing left this program
			err = requeue(ctx, tx, planID, i.Place)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// newestChange returns the last change of an account in a run, or zero values.
func newestChange(ctx context.Context, tx *sql.Tx, planID string, account wave.UserID) (id string, state change.State, sent bool, err error) {
	var at int64
	err = tx.QueryRowContext(ctx, "SELECT id, state, sent_at FROM changes WHERE run_id = $1 AND account = $2 ORDER BY id DESC LIMIT 1",
		planID, string(account)).Scan(&id, &state, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", false, nil
	}
	return id, state, at > 0, err
}

func requeue(ctx context.Context, tx *sql.Tx, planID string, place int) error {
	_, err := tx.ExecContext(ctx, `UPDATE bulk_items SET claimed_by = '', claim_until = 0,
		state = CASE (SELECT state FROM bulk_runs WHERE plan_id = $1) WHEN 'cancelled' THEN 'cancelled' ELSE 'queued' END
		WHERE plan_id = $1 AND place = $2`, planID, place)
	return err
}

// roleLost pauses the run when whoever started it may not change accounts any more.
func (s *slice) roleLost(ctx context.Context) (bool, error) {
	if s.o.Roles == nil {
		return false, nil
	}
	role, known, err := s.o.Roles.RoleOf(ctx, s.run.Actor)
	if err != nil || !known || role >= auth.Editor {
		return false, err
	}
	return true, s.db.Write(ctx, func(tx *sql.Tx) error { return s.pause(ctx, tx, RoleLost) })
}

// pause stops the run, which waits for a person then.
func (s *slice) pause(ctx context.Context, tx *sql.Tx, why Pause) error {
	run, err := readRun(ctx, tx, s.run.PlanID)
	if err != nil || run.State != Running {
		return err
	}
	s.stop(run.PlanID)
	run.State, run.Why, run.By = Paused, why, ""
	if err := saveRun(ctx, tx, *run); err != nil {
		return err
	}
	return s.record(ctx, tx, run.Actor, "paused", *run)
}

// renew says that the slice is alive, until ctx ends, and calls stop when the run is
// no longer to go on.
func (s *slice) renew(ctx context.Context, stop func()) {
	ticker := time.NewTicker(stateEvery)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if run, err := readRun(ctx, s.db.Read(), s.run.PlanID); err == nil && run.State != Running {
			stop()
		}
		if n%int(claimRenew/stateEvery) != 0 {
			continue
		}
		err := s.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE bulk_items SET claim_until = $1 WHERE plan_id = $2 AND state = 'running' AND claimed_by = $3",
				db.Micros(s.now().Add(claimTime)), s.run.PlanID, s.id)
			return err
		})
		if err != nil && ctx.Err() == nil {
			s.o.Log.Warn("the claims of a run could not be renewed", "run", s.run.PlanID, "err", err)
		}
	}
}

// items does account after account. What became of one is recorded in the
// transaction that claims the next.
func (s *slice) items(ctx context.Context) error {
	var ended *result
	for {
		item, err := s.step(context.WithoutCancel(ctx), ended, ctx.Err() == nil && time.Now().Before(s.end))
		if err != nil || item == nil {
			return err
		}
		ended = s.do(ctx, *item)
		_, doubt := errors.AsType[*reseller.DoubtError](ended.err)
		ended.stopped = ended.err != nil && ctx.Err() != nil && !doubt
	}
}

// step records what became of an account, if any, and claims the next, if it may and
// there is one.
func (s *slice) step(ctx context.Context, ended *result, claim bool) (next *Item, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		next = nil
		if ended != nil {
			if err := s.keep(ctx, tx, *ended); err != nil {
				return err
			}
		}
		if !claim {
			return nil
		}
		now := s.now()
		found, err := readItems(ctx, tx, `i.plan_id = $1 AND i.state = 'queued' AND i.left_out = 0
			AND EXISTS (SELECT 1 FROM bulk_runs r WHERE r.plan_id = $1 AND r.state = 'running' AND r.not_before <= $2)
			ORDER BY i.place LIMIT 1`, s.run.PlanID, db.Micros(now))
		if err != nil || len(found) == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE bulk_items SET state = 'running', claimed_by = $1, claim_until = $2 WHERE plan_id = $3 AND place = $4",
			s.id, db.Micros(now.Add(claimTime)), s.run.PlanID, found[0].Place)
		if err == nil {
			next = &found[0]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim an account of a run: %w", err)
	}
	return next, nil
}

// leave says what is left of the run, and ends it when nothing is.
func (s *slice) leave(ctx context.Context) (then after, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		run, err := readRun(ctx, tx, s.run.PlanID)
		if err != nil {
			return err
		}
		over, err := s.finish(ctx, tx, *run)
		if err != nil {
			return err
		}
		var until int64
		if err := tx.QueryRowContext(ctx, "SELECT not_before FROM bulk_runs WHERE plan_id = $1", run.PlanID).Scan(&until); err != nil {
			return err
		}
		then = after{
			more: !over && run.State == Running,
			rest: max(0, time.Duration(until-db.Micros(s.now()))*time.Microsecond),
		}
		return nil
	})
	if err != nil {
		return after{}, fmt.Errorf("end the work on a run: %w", err)
	}
	return then, nil
}

// A result is what became of an account.
type result struct {
	item  Item
	err   error
	state change.State // when there is no error
	// The work was ended before anything was sent.
	stopped bool
}

// do changes one account, as a click does.
func (s *slice) do(ctx context.Context, i Item) *result {
	moves, stay := i.Split()
	if len(moves) == 0 {
		return s.look(ctx, i, stay)
	}
	actor := s.run.Actor
	actor.Role = auth.Editor // when the run began; see roleLost
	done, err := s.o.Service.ChangeMeta(reseller.Patiently(auth.WithActor(ctx, actor)), reseller.MetaChange{
		Actor: actor, UserID: i.Account, Seen: wave.SeenIn(*i.Before), Want: moves, Guard: stay,
		Reason: s.run.Reason, UndoOf: i.UndoOf, RunID: s.run.PlanID,
	})
	return &result{item: i, err: err, state: done.Change.State}
}

// look sees whether an account that was as wanted still is. No call changes it.
func (s *slice) look(ctx context.Context, i Item, stay wave.Wanted) *result {
	snap, err := s.o.Lists.NotBefore(reseller.Patiently(ctx), s.run.Started)
	if err != nil {
		return &result{item: i, err: err}
	}
	account, ok := snap.Get(i.Account)
	if !ok {
		return &result{item: i, err: &fault.Error{Kind: fault.Conflict, Say: fault.Say("conflict.gone"), Err: &reseller.GoneError{}}}
	}
	for key, on := range stay {
		if account.Meta.On(key) != on {
			return &result{item: i, err: &fault.Error{Kind: fault.Conflict, Say: fault.Say("conflict.plan")}}
		}
	}
	return &result{item: i, state: change.NoChange}
}

// keep records a result, unless the account was taken over meanwhile: then others say
// what became of it.
func (s *slice) keep(ctx context.Context, tx *sql.Tx, res result) error {
	var mine int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM bulk_items WHERE plan_id = $1 AND place = $2 AND state = 'running' AND claimed_by = $3",
		s.run.PlanID, res.item.Place, s.id).Scan(&mine)
	if err != nil || mine == 0 {
		return err
	}
	id, _, sent, err := newestChange(ctx, tx, s.run.PlanID, res.item.Account)
	if err != nil {
		return err
	}
	kind := fault.KindOf(res.err)
	_, doubt := errors.AsType[*reseller.DoubtError](res.err)
	_, gone := errors.AsType[*reseller.GoneError](res.err)
	switch {
	case res.err == nil:
		if err := s.counters(ctx, tx, "denied = 0, troubles = 0"); err != nil {
			return err
		}
		return s.endItem(ctx, tx, s.run.PlanID, res.item.Place, res.state, id, fault.Text{})
	case doubt:
		return s.endItem(ctx, tx, s.run.PlanID, res.item.Place, change.InDoubt, id, fault.Text{})
	case kind == fault.Unavailable || kind == fault.Busy || res.stopped,
		kind == fault.Internal && !sent: // as of a database that was away for a moment
		if err := requeue(ctx, tx, s.run.PlanID, res.item.Place); err != nil || res.stopped {
			return err
		}
		return s.trouble(ctx, tx, res.err)
	case kind == fault.Conflict && !gone:
		return s.endItem(ctx, tx, s.run.PlanID, res.item.Place, change.Conflict, id, fault.SentenceOf(res.err))
	case kind == fault.Denied && !sent: // the list or a token: it says nothing of this account
		if err := requeue(ctx, tx, s.run.PlanID, res.item.Place); err != nil {
			return err
		}
		return s.denied(ctx, tx)
	case kind == fault.Denied:
		if err := s.denied(ctx, tx); err != nil {
			return err
		}
	}
	return s.endItem(ctx, tx, s.run.PlanID, res.item.Place, change.Failed, id, fault.SentenceOf(res.err))
}

// counters sets what is counted of a run.
func (s *slice) counters(ctx context.Context, tx *sql.Tx, set string, args ...any) error {
	_, err := tx.ExecContext(ctx, "UPDATE bulk_runs SET "+set+" WHERE plan_id = $1", append([]any{s.run.PlanID}, args...)...)
	return err
}

// denied counts refusals in a row, and pauses the run after some.
func (s *slice) denied(ctx context.Context, tx *sql.Tx) error {
	if err := s.counters(ctx, tx, "denied = denied + 1"); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT denied FROM bulk_runs WHERE plan_id = $1", s.run.PlanID).Scan(&n); err != nil || n < deniedMost {
		return err
	}
	return s.pause(ctx, tx, Denied)
}

// trouble lets the run rest while Wave is away, and pauses it after long. The accounts
// that fail together count once.
func (s *slice) trouble(ctx context.Context, tx *sql.Tx, cause error) error {
	now := s.now()
	var n int
	var until int64
	err := tx.QueryRowContext(ctx, "SELECT troubles, not_before FROM bulk_runs WHERE plan_id = $1", s.run.PlanID).Scan(&n, &until)
	if err != nil || until > db.Micros(now) {
		return err
	}
	if n++; n >= troublesMost {
		return s.pause(ctx, tx, WaveAway)
	}
	rest := min(restFirst<<min(n-1, 5), restLongest)
	if f, ok := errors.AsType[*fault.Error](cause); ok {
		rest = max(rest, min(f.RetryAfter, time.Minute))
	}
	return s.counters(ctx, tx, "troubles = $2, not_before = $3", n, db.Micros(now.Add(rest)))
}
