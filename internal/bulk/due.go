package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// Approve lets a run that waits for another editor begin, or wait for its time. Mark is
// Plan.Mark of the preview that they saw. A plan whose accounts are not as previewed
// any more is void: the run is cancelled. It fails with fault.Conflict then, when the
// run does not wait, and when mark is another one; with fault.Forbidden for who may not
// change accounts and for the person who asked; with fault.NotFound; with the fault
// of the list; and with auth.ErrProofNeeded as Start does.
func (r *Runs) Approve(ctx context.Context, by auth.Actor, id, mark string) error {
	if err := mayModify(by); err != nil {
		return err
	}
	plan, err := r.Get(ctx, id)
	if err != nil {
		return err
	}
	if plan.Mark() != mark {
		return lookAgain()
	}
	if err := r.checkProof(ctx, plan, plan.Sum()); err != nil {
		return err
	}
	snap, err := r.accounts.Refresh(ctx)
	if err != nil {
		return err
	}
	moved := movedSince(plan, snap)
	var run *Run
	err = r.db.Write(ctx, func(tx *sql.Tx) error {
		run, err = readRun(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case run.State != Waiting:
			return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.not_now")}
		case run.Actor.Issuer == by.Issuer && run.Actor.Subject == by.Subject:
			return &fault.Error{Kind: fault.Forbidden, Say: fault.Say("bulk.approve_own")}
		case moved > 0:
			run.State, run.Why, run.Moved = Cancelled, TargetsMoved, moved
			return r.giveUp(ctx, tx, by, *run)
		}
		run.approve(by, db.Time(db.Micros(r.now())))
		return r.take(ctx, tx, by, "approved", *run)
	})
	switch {
	case err != nil:
		return err
	case moved > 0:
		return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.void", "count", moved)}
	case run.State == Running:
		r.kickOff(id)
	}
	return nil
}

// approve lets run, which waits for another editor, begin or wait for its time.
func (run *Run) approve(by auth.Actor, now time.Time) {
	run.Approver, run.Approved = by, now
	run.Approver.Role = 0
	if run.ApplyAt.After(now) {
		run.State = Scheduled
		return
	}
	run.State, run.Started = Running, now
}

// movedSince counts the accounts of a plan that snap has otherwise than the preview.
func movedSince(p *Plan, snap *reseller.Snapshot) (n int) {
	for _, i := range p.Items {
		if i.InRun() && i.movedIn(snap) {
			n++
		}
	}
	return n
}

func (i Item) movedIn(snap *reseller.Snapshot) bool {
	if i.New != nil {
		_, there := snap.ByEmail(i.New.Email)
		return there
	}
	account, there := snap.Get(i.Account)
	if !there || (account.Flaw != wave.NoFlaw) != i.Flawed || account.Email != i.Email {
		return true
	}
	for key := range i.Want {
		if account.Meta.On(key) != i.Before.On(key) {
			return true
		}
	}
	return false
}

// beginDue begins the runs whose time has come. One that has accounts which are not as
// previewed any more, or whose author may not change accounts any more, waits for a
// person. Without a list of now all wait for the next call; one that cannot begin for
// another reason waits alone.
func (r *Runs) beginDue(ctx context.Context) error {
	due, err := r.due(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	snap, err := r.accounts.Refresh(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range due {
		if err := r.begin(ctx, id, snap); err != nil {
			errs = append(errs, fmt.Errorf("run %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (r *Runs) due(ctx context.Context) ([]string, error) {
	return r.ids(ctx, "SELECT plan_id FROM bulk_runs WHERE finished_at = 0 AND state = 'scheduled' AND apply_at <= $1 ORDER BY apply_at, plan_id",
		db.Micros(r.now()))
}

func (r *Runs) begin(ctx context.Context, id string, snap *reseller.Snapshot) error {
	plan, err := r.Get(ctx, id)
	if err != nil {
		return err
	}
	asked, err := readRun(ctx, r.db.Read(), id)
	if err != nil {
		return err
	}
	lost, err := r.roleIsLost(ctx, asked.Actor)
	if err != nil {
		return err
	}
	moved := movedSince(plan, snap)
	began := false
	err = r.db.Write(ctx, func(tx *sql.Tx) error {
		run, err := readRun(ctx, tx, id)
		if err != nil || run.State != Scheduled { // begun by another server, or cancelled
			return err
		}
		step := "paused"
		switch {
		case lost:
			run.State, run.Why = Paused, RoleLost
		case moved > 0:
			run.State, run.Why, run.Moved = Paused, TargetsMoved, moved
		default:
			run.State, run.Started = Running, db.Time(db.Micros(r.now()))
			step, began = "started", true
		}
		return r.take(ctx, tx, run.Actor, step, *run)
	})
	if err == nil && began {
		r.kickOff(id)
	}
	return err
}

// roleIsLost reports whether someone who asked for a run may not change accounts any
// more. Of who has signed out that is not known, and no loss.
func (r *Runs) roleIsLost(ctx context.Context, who auth.Actor) (bool, error) {
	if r.o.Roles == nil {
		return false, nil
	}
	role, known, err := r.o.Roles.RoleOf(ctx, who)
	if err != nil {
		return false, fmt.Errorf("what the author of a run may do: %w", err)
	}
	return known && role < auth.Editor, nil
}
