package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
)

// enter holds the run, takes over what others have left, and returns the run if there
// is something to do in it, with the rest that it still takes.
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
		now := s.now()
		res, err := tx.ExecContext(ctx, `UPDATE bulk_runs SET slice = $1, slice_until = $2, not_before = CASE WHEN not_before > $5 THEN 0 ELSE not_before END
			WHERE plan_id = $3 AND (slice = '' OR slice_until < $4)`,
			s.id, db.Micros(now.Add(holdTime)), planID, db.Micros(now), db.Micros(now.Add(restMost)))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 { // another slice is at work
			return err
		}
		if err := s.takeOver(ctx, tx, planID); err != nil {
			return err
		}
		s.run.PlanID = planID
		over, err := s.finish(ctx, tx, *found)
		if err != nil {
			return err
		}
		if over || found.State != Running {
			return s.letGoIn(ctx, tx, 0)
		}
		var until int64
		if err := tx.QueryRowContext(ctx, "SELECT not_before FROM bulk_runs WHERE plan_id = $1", planID).Scan(&until); err != nil {
			return err
		}
		run, rest = found, max(0, time.Duration(until-db.Micros(now))*time.Microsecond)
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("begin to work on a run: %w", err)
	}
	return run, rest, nil
}

// extend renews the hold, takes over what others have left, and reports whether this
// slice still holds the run.
func (s *slice) extend(ctx context.Context) (held bool, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE bulk_runs SET slice_until = $1 WHERE plan_id = $2 AND slice = $3",
			db.Micros(s.now().Add(holdTime)), s.run.PlanID, s.id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if held = n > 0; err != nil || !held {
			return err
		}
		return s.takeOver(ctx, tx, s.run.PlanID)
	})
	return held, err
}

// letGo ends the hold. When its job comes back after a rest, idle does not name the run
// before it should have: each who looked would send one more job to wait.
func (s *slice) letGo(ctx context.Context, rest time.Duration) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error { return s.letGoIn(ctx, tx, rest) })
}

func (s *slice) letGoIn(ctx context.Context, tx *sql.Tx, rest time.Duration) error {
	var until int64
	if rest > 0 {
		until = db.Micros(s.now().Add(rest + lateMost))
	}
	_, err := tx.ExecContext(ctx, "UPDATE bulk_runs SET slice = '', slice_until = $1 WHERE plan_id = $2 AND slice = $3", until, s.run.PlanID, s.id)
	return err
}

// takeOver ends or gives back the accounts that other slices have left: the ledger
// says what was done. Nothing is sent. One whose change is open or may still arrive
// waits for that, and one that a reading has shown not to be changed is tried again.
func (s *slice) takeOver(ctx context.Context, tx *sql.Tx, planID string) error {
	left, err := readItems(ctx, tx, "i.plan_id = $1 AND i.state = 'running' AND i.claimed_by <> $2", planID, s.id)
	if err != nil {
		return err
	}
	for _, i := range left {
		c, err := newestChange(ctx, tx, planID, i)
		switch {
		case err != nil:
			return err
		case c == nil: // nothing left this program
			err = s.requeue(ctx, tx, planID, i.Place, "")
		case c.state.Open(), c.state == change.InDoubt && c.holds:
			continue
		case c.state == change.Cancelled, c.state == change.Failed && c.untold():
			err = s.requeue(ctx, tx, planID, i.Place, c.id)
		default:
			err = s.endItem(ctx, tx, planID, i.Place, c.state, c.id, fault.Text{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// attempt is a change that a run has made of an account.
type attempt struct {
	id          string
	state       change.State
	sent, holds bool
	status      int
	decided     bool // by a person, who was in doubt
}

// untold reports whether a change that failed did so without a word of Wave: it was not
// sent, or was seen not to have arrived.
func (a *attempt) untold() bool { return a.status == 0 && !a.decided }

// newestChange returns the last change of an account in a run since the one that its
// row names, or nil.
func newestChange(ctx context.Context, tx *sql.Tx, planID string, i Item) (*attempt, error) {
	a := attempt{}
	var sent int64
	var holds, decided bool
	where, arg := "account = $2", string(i.Account)
	if i.New != nil {
		where, arg = "email = $2", i.New.Email
	}
	err := tx.QueryRowContext(ctx, `SELECT id, state, sent_at, lock_key IS NOT NULL, upstream_status, decided_issuer <> '' FROM changes
		WHERE run_id = $1 AND `+where+" AND id > $3 ORDER BY id DESC LIMIT 1", planID, arg, i.ChangeID).
		Scan(&a.id, &a.state, &sent, &holds, &a.status, &decided)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what a run made of an account: %w", err)
	}
	a.sent, a.holds, a.decided = sent > 0, holds, decided
	return &a, nil
}

// requeue gives an account back, which is tried again unless the run was cancelled.
// What was tried last is remembered, so that it is not taken for what comes.
func (s *slice) requeue(ctx context.Context, tx *sql.Tx, planID string, place int, changeID string) error {
	_, err := tx.ExecContext(ctx, `UPDATE bulk_items SET claimed_by = '', change_id = CASE WHEN $3 = '' THEN change_id ELSE $3 END,
		state = CASE (SELECT state FROM bulk_runs WHERE plan_id = $1) WHEN 'cancelled' THEN 'cancelled' ELSE 'queued' END,
		finished_at = CASE (SELECT state FROM bulk_runs WHERE plan_id = $1) WHEN 'cancelled' THEN $4 ELSE finished_at END
		WHERE plan_id = $1 AND place = $2`, planID, place, changeID, db.Micros(s.now()))
	return err
}

// step records what became of accounts, and claims the next ones, at most room.
func (s *slice) step(ctx context.Context, ended []*result, room int) (next []Item, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		next = nil
		for _, res := range ended {
			if err := s.keep(ctx, tx, *res); err != nil {
				return err
			}
		}
		if room == 0 {
			return nil
		}
		var err error
		next, err = readItems(ctx, tx, `i.plan_id = $1 AND i.state = 'queued' AND i.left_out = 0
			AND EXISTS (SELECT 1 FROM bulk_runs r WHERE r.plan_id = $1 AND r.state = 'running' AND r.slice = $2 AND r.not_before <= $3)
			ORDER BY i.place LIMIT $4`, s.run.PlanID, s.id, db.Micros(s.now()), min(room, insertRows))
		if err != nil || len(next) == 0 {
			return err
		}
		places := make([]int, len(next))
		for n, i := range next {
			places[n] = i.Place
		}
		list, args := oneOf([]any{s.id, s.run.PlanID}, places)
		_, err = tx.ExecContext(ctx, `UPDATE bulk_items SET state = 'running', claimed_by = $1
			WHERE plan_id = $2 AND place IN (`+list+")", args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim accounts of a run: %w", err)
	}
	return next, nil
}
