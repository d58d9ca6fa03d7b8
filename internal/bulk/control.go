package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// Pause lets the calls in flight end and makes no other. It fails with
// fault.Forbidden, fault.NotFound, and with fault.Conflict unless the run is running.
func (r *Runs) Pause(ctx context.Context, by auth.Actor, id string) error {
	err := r.steer(ctx, by, id, []RunState{Running}, func(ctx context.Context, tx *sql.Tx, run *Run) error {
		run.State, run.Why, run.By = Paused, ByPerson, by.Display()
		return r.take(ctx, tx, by, "paused", *run)
	})
	if err == nil {
		r.stop(id)
	}
	return err
}

// Resume goes on with a run that is paused, as the person who says so when whoever
// started it may not any more. It fails as Pause does, and with auth.ErrProofNeeded as
// Start does.
func (r *Runs) Resume(ctx context.Context, by auth.Actor, id string) error {
	if err := mayModify(by); err != nil {
		return err
	}
	plan, err := r.Preview(ctx, id)
	if err != nil {
		return err
	}
	err = r.steer(ctx, by, id, []RunState{Paused}, func(ctx context.Context, tx *sql.Tx, run *Run) error {
		if err := r.checkProof(ctx, plan.Plan, plan.Sum); err != nil {
			return err
		}
		if run.Why == RoleLost {
			run.Actor = by
		}
		run.State, run.Why, run.By = Running, "", ""
		if run.Started.IsZero() { // its time came when accounts had moved
			run.Started = db.Time(db.Micros(r.now()))
		}
		if err := r.take(ctx, tx, by, "resumed", *run); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE bulk_runs SET denied = 0, troubles = 0, not_before = 0 WHERE plan_id = $1", id)
		return err
	})
	if err == nil {
		r.kickOff(id)
	}
	return err
}

// Cancel lets the calls in flight end, and gives up all other accounts; a run that
// waits never begins. It fails as Pause does.
func (r *Runs) Cancel(ctx context.Context, by auth.Actor, id string) error {
	err := r.steer(ctx, by, id, []RunState{Waiting, Scheduled, Running, Paused}, func(ctx context.Context, tx *sql.Tx, run *Run) error {
		run.State, run.Why, run.By = Cancelled, "", by.Display()
		return r.giveUp(ctx, tx, by, *run)
	})
	if err == nil {
		r.stop(id)
	}
	return err
}

// giveUp ends what was not begun of run, which by cancels, and with it the run unless
// accounts are under way.
func (r *Runs) giveUp(ctx context.Context, tx *sql.Tx, by auth.Actor, run Run) error {
	_, err := tx.ExecContext(ctx, `UPDATE bulk_items SET state = 'cancelled', finished_at = $1 WHERE plan_id = $2 AND state = 'queued' AND left_out = 0`,
		db.Micros(r.now()), run.PlanID)
	if err != nil {
		return fmt.Errorf("cancel a run: %w", err)
	}
	if err := r.take(ctx, tx, by, "cancelled", run); err != nil {
		return err
	}
	_, err = r.finish(ctx, tx, run)
	return err
}

// steer takes a step of a run that a person asks for.
func (r *Runs) steer(ctx context.Context, by auth.Actor, id string, from []RunState, do func(context.Context, *sql.Tx, *Run) error) error {
	if err := mayModify(by); err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *sql.Tx) error {
		run, err := readRun(ctx, tx, id)
		if err != nil {
			return err
		}
		may := false
		for _, state := range from {
			may = may || run.State == state
		}
		if !may {
			return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.not_now")}
		}
		return do(ctx, tx, run)
	})
}

// readRun returns the run of a plan, or fails with fault.NotFound.
func readRun(ctx context.Context, q querier, id string) (*Run, error) {
	var scan runScan
	err := q.QueryRowContext(ctx, "SELECT "+runColumns+" FROM bulk_runs r WHERE r.plan_id = $1", id).Scan(scan.places()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noPlan(id)
	}
	if err != nil {
		return nil, fmt.Errorf("read a run: %w", err)
	}
	return scan.run(id), nil
}

// take writes where run stands after a step that by has taken, and records that.
func (r *Runs) take(ctx context.Context, tx *sql.Tx, by auth.Actor, step string, run Run) error {
	if err := saveRun(ctx, tx, run); err != nil {
		return err
	}
	return r.record(ctx, tx, by, step, run)
}

// saveRun writes where the run stands.
func saveRun(ctx context.Context, tx *sql.Tx, run Run) error {
	_, err := tx.ExecContext(ctx, `UPDATE bulk_runs SET state = $1, why = $2, moved = $3, by_name = $4, actor_issuer = $5, actor_subject = $6,
		actor_name = $7, actor_email = $8, approver_issuer = $9, approver_subject = $10, approver_name = $11, approver_email = $12,
		approved_at = $13, started_at = $14 WHERE plan_id = $15`, string(run.State), string(run.Why), run.Moved, run.By,
		run.Actor.Issuer, run.Actor.Subject, run.Actor.Name, run.Actor.Email,
		run.Approver.Issuer, run.Approver.Subject, run.Approver.Name, run.Approver.Email,
		db.Micros(run.Approved), db.Micros(run.Started), run.PlanID)
	if err != nil {
		return fmt.Errorf("record where a run stands: %w", err)
	}
	return nil
}

// finish ends the run if nothing of it is left, and reports whether it is over.
func (r *Runs) finish(ctx context.Context, tx *sql.Tx, run Run) (bool, error) {
	var left int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM bulk_items WHERE plan_id = $1 AND left_out = 0 AND state IN ('queued', 'running')", run.PlanID).Scan(&left)
	if err != nil || left > 0 {
		return false, err
	}
	if run.State != Cancelled {
		run.State, run.Why = Done, ""
		if err := saveRun(ctx, tx, run); err != nil {
			return false, err
		}
	}
	res, err := tx.ExecContext(ctx, "UPDATE bulk_runs SET finished_at = $1 WHERE plan_id = $2 AND finished_at = 0", db.Micros(r.now()), run.PlanID)
	if err != nil {
		return false, fmt.Errorf("end a run: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return true, err // by another server
	}
	return true, r.record(ctx, tx, run.Actor, "finished", run)
}

// Retry makes a plan of the accounts that the run did not bring to what was wanted.
// It fails with fault.Invalid when there are none, and as Make does.
func (r *Runs) Retry(ctx context.Context, by auth.Actor, id string) (*Plan, error) {
	plan, err := r.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	d := Draft{Kind: plan.Kind, Source: "retry", Reason: plan.Reason, OfRun: id}
	if run, _, err := r.Run(ctx, id); err != nil {
		return nil, err
	} else if run != nil {
		d.Reason = run.Reason // as it was given at the start
	}
	for _, i := range plan.Items {
		switch {
		case i.LeftOut || i.State != change.Failed && i.State != change.Conflict && i.State != change.Cancelled:
		default:
			d.Items = append(d.Items, i.draft())
		}
	}
	if len(d.Items) == 0 {
		return nil, &fault.Error{Kind: fault.Invalid, Say: fault.Say("bulk.nothing_failed")}
	}
	return r.Make(ctx, by, d)
}

// Revert makes a plan that takes back what the run did: each flag that it changed and
// that still has the value which it wrote. One that was not set becomes off. It fails
// with fault.Invalid when no flag was changed, and as Make does.
func (r *Runs) Revert(ctx context.Context, by auth.Actor, id string) (*Plan, error) {
	plan, err := r.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range plan.Items {
		if i.State == change.Done && i.ChangeID != "" {
			ids = append(ids, i.ChangeID)
		}
	}
	done, err := r.o.Ledger.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	d := Draft{Source: "revert", OfRun: id}
	for _, i := range plan.Items {
		if c, ok := done[i.ChangeID]; ok && len(c.Moved()) > 0 {
			item := DraftItem{UserID: i.Account, UndoOf: c.ID, Want: wave.Wanted{}, Seen: wave.Seen{}}
			for _, m := range c.Moved() {
				item.Want[m.Key], item.Seen[m.Key] = m.From == wave.On, m.To
			}
			d.Items = append(d.Items, item)
		}
	}
	if len(d.Items) == 0 {
		return nil, &fault.Error{Kind: fault.Invalid, Say: fault.Say("bulk.nothing_done")}
	}
	return r.Make(ctx, by, d)
}
