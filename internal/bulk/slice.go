package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"waveadmin/internal/db"
)

const (
	sliceTime  = 5 * time.Minute  // for which a job begins accounts
	holdTime   = 30 * time.Second // that a run stays held without a sign of life
	holdRenew  = 10 * time.Second
	stateEvery = 500 * time.Millisecond // in which a pause by another server is seen
	lateMost   = 10 * time.Second       // by which a job comes back later than it should
	orphanRest = 2 * time.Second        // until what became of accounts that others left is looked for again
	gather     = 20 * time.Millisecond  // for which what ends is gathered before it is recorded

	// No rest lasts longer, with clocks that differ: one that does is of a clock that was
	// set back since. Of a hold nobody can say so, who has a clock that may be wrong.
	restMost = 3 * time.Minute
)

// workers returns how many accounts are under way at a time, of all runs together.
// Each waits for a list before its call and for one after it, which come 2.5 seconds
// and the time of a list apart and are shared: some 5.5 s of calls are under way.
func (r *Runs) workers() int { return min(max(7*r.o.Rate, 8), 700) }

// share returns how many of them a run has.
func (r *Runs) share() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(r.workers()/max(len(r.active), 1), 1)
}

// A slice is one job's work on a run. It holds the run: of all servers' slices, one is
// at work on it.
type slice struct {
	*Runs
	id  string // of the slice; what it has claimed is marked with it
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
		return after{more: true, rest: rest}, s.letGo(ctx, rest)
	}
	if lost, err := s.roleLost(ctx); err != nil || lost {
		return after{}, errors.Join(err, s.letGo(ctx, 0))
	}
	job := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer r.hold(planID, cancel)()
	alive, done := context.WithCancel(context.WithoutCancel(ctx))
	defer done()
	var renewing sync.WaitGroup
	renewing.Go(func() { s.renew(alive, cancel) })
	failed := s.accounts(ctx)
	done()
	renewing.Wait()
	then, err := s.leave(context.WithoutCancel(ctx), failed == nil && job.Err() == nil)
	if failed != nil {
		return after{}, failed
	}
	return then, err
}

// renew says that the slice is alive, until ctx ends, and calls stop when the run is
// no longer to go on, or not by this slice.
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
		if n%int(holdRenew/stateEvery) != 0 {
			continue
		}
		held, err := s.extend(ctx)
		if err == nil && !held {
			stop()
		}
		if err == nil && held {
			_, err = s.roleLost(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.o.Log.Warn("the hold of a run could not be renewed", "run", s.run.PlanID, "err", err)
		}
	}
}

// accounts does account after account until the time of the slice is over or there is
// none to claim, with as many under way at a time as its share allows. What became of
// them is recorded together with what comes next, many in one transaction: they end
// in bursts, as each waits for a list that they share. It returns when all that it
// began has ended. When a transaction fails it claims nothing more, and what it could
// not record is left to the slice that comes after it.
func (s *slice) accounts(ctx context.Context) error {
	ended := make(chan *result, s.workers())
	var waiting []*result
	under := 0
	var failed error
	for {
		room := 0
		if failed == nil && ctx.Err() == nil && time.Now().Before(s.end) {
			room = max(s.share()-under, 0)
		}
		var next []Item
		if failed == nil && (room > 0 || len(waiting) > 0) {
			next, failed = s.step(context.WithoutCancel(ctx), waiting, room)
		}
		waiting = nil
		for _, item := range next {
			under++
			go func() { ended <- s.do(ctx, item) }()
		}
		if under == 0 {
			return failed
		}
		if len(next) > 0 && under < s.share() {
			continue // one transaction does not claim all that there is room for
		}
		waiting = append(waiting, <-ended)
		sleep(ctx, gather)
		for more := true; more; {
			select {
			case res := <-ended:
				waiting = append(waiting, res)
			default:
				more = false
			}
		}
		under -= len(waiting)
	}
}

// roleLost pauses the run when whoever started it may not change accounts any more,
// and reports whether that is so.
func (s *slice) roleLost(ctx context.Context) (bool, error) {
	lost, err := s.roleIsLost(ctx, s.run.Actor)
	if err != nil || !lost {
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
	return s.take(ctx, tx, run.Actor, "paused", *run)
}

// leave says what is left of the run, ends it when nothing is, and lets go of it. Back
// says whether the job comes back to what is left.
func (s *slice) leave(ctx context.Context, back bool) (then after, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		run, err := readRun(ctx, tx, s.run.PlanID)
		if err != nil {
			return err
		}
		over, err := s.finish(ctx, tx, *run)
		if err != nil {
			return err
		}
		rest, err := s.rest(ctx, tx, run.PlanID)
		if err != nil {
			return err
		}
		if then = (after{more: !over && run.State == Running, rest: rest}); !then.more || !back {
			rest = 0
		}
		return s.letGoIn(ctx, tx, rest)
	})
	if err != nil {
		return after{}, fmt.Errorf("end the work on a run: %w", err)
	}
	return then, nil
}

// rest returns how long the run is to wait: for Wave, or for what others have left
// when nothing else is left.
func (s *slice) rest(ctx context.Context, tx *sql.Tx, planID string) (time.Duration, error) {
	var until, queued int64
	err := tx.QueryRowContext(ctx, `SELECT r.not_before, (SELECT count(*) FROM bulk_items i WHERE i.plan_id = r.plan_id AND i.state = 'queued' AND i.left_out = 0)
		FROM bulk_runs r WHERE r.plan_id = $1`, planID).Scan(&until, &queued)
	if err != nil {
		return 0, err
	}
	rest := max(0, time.Duration(until-db.Micros(s.now()))*time.Microsecond)
	if queued == 0 {
		rest = max(rest, orphanRest)
	}
	return rest, nil
}
