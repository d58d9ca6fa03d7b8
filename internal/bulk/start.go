package bulk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// A Start asks for a plan to be run as its preview showed it.
type Start struct {
	Actor  auth.Actor
	PlanID string
	Mark   string // Plan.Mark of what was shown
	Reason string
	Count  string    // the number of accounts, as it was typed
	At     time.Time // when to begin; zero for at once
}

// MaxAhead is how far ahead a run can be scheduled.
const MaxAhead = 90 * 24 * time.Hour

// ErrOther is the cause of a fault.Conflict about a Start or an approval: other
// accounts are left out by now than the person saw.
var ErrOther = errors.New("the plan is not as it was shown")

// Start begins the run, or has it wait for its time or for another editor. It fails
// with fault.Forbidden, fault.NotFound, with fault.Invalid about a field or when
// nothing would change, and with fault.Conflict when the plan has expired, runs
// already, or is not as it was shown. When all that is right and the run is a grave one,
// it fails with auth.ErrProofNeeded unless the person has proved a short time ago who
// they are.
func (r *Runs) Start(ctx context.Context, s Start) error {
	if err := mayModify(s.Actor); err != nil {
		return err
	}
	reason, err := reseller.CleanReason(s.Reason, false)
	if err != nil {
		return err
	}
	plan, err := r.Get(ctx, s.PlanID)
	if err != nil {
		return err
	}
	sum := plan.Sum()
	now := db.Time(db.Micros(r.now()))
	run := Run{PlanID: plan.ID, State: Running, Actor: s.Actor, Reason: reason, ApplyAt: s.At, Asked: now, Started: now}
	run.Actor.Role = 0
	step := "started"
	switch {
	case r.o.Approval.wants(tallyOf(plan.Items)):
		run.State, run.Started, step = Waiting, time.Time{}, "requested"
	case s.At.After(now):
		run.State, run.Started, step = Scheduled, time.Time{}, "scheduled"
	}
	err = r.db.Write(ctx, func(tx *sql.Tx) error {
		if err := r.mayStart(ctx, tx, plan, sum, s, reason); err != nil {
			return err
		}
		if err := insertRun(ctx, tx, run); err != nil {
			return err
		}
		if err := r.settleBarred(ctx, tx, plan); err != nil {
			return err
		}
		return r.record(ctx, tx, s.Actor, step, run)
	})
	if err != nil {
		return err
	}
	if run.State == Running {
		r.kickOff(s.PlanID)
	}
	return nil
}

// wants reports whether another editor must approve a plan.
func (a Approval) wants(t *tally) bool {
	return a.All || slices.ContainsFunc(a.Flags, func(key wave.Key) bool {
		f := t.Flags[key]
		return t.Issued[key] > 0 || f != nil && f.Sum.TurnOn+f.Sum.TurnOff > 0
	})
}

// NeedsApproval reports whether the plan, as it is now, would wait for another editor.
func (r *Runs) NeedsApproval(v *Preview) bool { return r.o.Approval.wants(v.tally) }

// mayStart says why plan cannot be run, if it cannot, and else takes it: a start or a
// box that comes after it finds another version.
func (r *Runs) mayStart(ctx context.Context, tx *sql.Tx, plan *Plan, sum Sum, s Start, reason string) error {
	var there int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM bulk_runs WHERE plan_id = $1", plan.ID).Scan(&there); err != nil {
		return fmt.Errorf("read a run: %w", err)
	}
	now := r.now()
	fields := make(map[string]fault.Text)
	if reason == "" && r.o.ReasonRequired {
		fields["reason"] = fault.Say("invalid.reason")
	}
	if plan.MustType(sum) && s.Count != strconv.Itoa(sum.Accounts) {
		fields["count"] = fault.Say("bulk.count_wrong", "count", sum.Accounts)
	}
	switch {
	case s.At.IsZero():
	case !s.At.After(now):
		fields["at"] = fault.Say("bulk.at_past")
	case s.At.After(now.Add(MaxAhead)):
		fields["at"] = fault.Say("bulk.at_far", "days", int(MaxAhead.Hours()/24))
	}
	switch {
	case there > 0:
		return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.runs_already")}
	case plan.Expired(now):
		return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.expired")}
	case plan.Mark() != s.Mark:
		return lookAgain()
	case sum.Changes == 0:
		return &fault.Error{Kind: fault.Invalid, Say: fault.Say("bulk.sum_none")}
	case len(fields) > 0:
		return &fault.Error{Kind: fault.Invalid, Fields: fields}
	}
	if err := r.checkProof(ctx, plan, sum); err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, "UPDATE bulk_plans SET version = version + 1 WHERE id = $1 AND version = $2", plan.ID, plan.Version)
	if err != nil {
		return fmt.Errorf("take a plan: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, lookAgain())
	}
	return nil
}

func lookAgain() error {
	return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.look_again"), Err: ErrOther}
}

func insertRun(ctx context.Context, tx *sql.Tx, run Run) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO bulk_runs (plan_id, state, why, moved, actor_issuer, actor_subject, actor_name, actor_email,
		approver_issuer, approver_subject, approver_name, approver_email, approved_at, by_name, reason,
		denied, troubles, not_before, apply_at, slice, slice_until, asked_at, started_at, finished_at)
		VALUES ($1, $2, '', 0, $3, $4, $5, $6, '', '', '', '', 0, '', $7, 0, 0, 0, $8, '', 0, $9, $10, 0)`,
		run.PlanID, string(run.State), run.Actor.Issuer, run.Actor.Subject, run.Actor.Name, run.Actor.Email, run.Reason,
		db.Micros(run.ApplyAt), db.Micros(run.Asked), db.Micros(run.Started))
	if err != nil {
		return fmt.Errorf("start a run: %w", err)
	}
	return nil
}

// settleBarred ends the accounts that a run cannot do anything for.
func (r *Runs) settleBarred(ctx context.Context, tx *sql.Tx, plan *Plan) error {
	type end struct {
		state change.State
		key   string
	}
	ends := make(map[end][]int)
	for _, i := range plan.Items {
		if i.LeftOut || i.InRun() {
			continue
		}
		e := end{change.Failed, "bulk.item_gone"}
		switch {
		case i.Before == nil:
		case i.Flawed:
			e.key = "change.flawed"
		case len(i.Cells()) > 0 && i.Cells()[0].Outcome == Missing:
			e.key = "bulk.item_missing"
		default:
			e = end{change.Conflict, "conflict.plan"}
		}
		ends[e] = append(ends[e], i.Place)
	}
	for e, places := range ends {
		for part := range slices.Chunk(places, insertRows) {
			if err := r.endItems(ctx, tx, plan.ID, part, e.state, "", fault.Say(e.key)); err != nil {
				return err
			}
		}
	}
	return nil
}

// endItem records what became of an account.
func (r *Runs) endItem(ctx context.Context, tx *sql.Tx, planID string, place int, state change.State, changeID string, say fault.Text) error {
	return r.endItems(ctx, tx, planID, []int{place}, state, changeID, say)
}

// endItems records that the same became of all these accounts, at most insertRows.
func (r *Runs) endItems(ctx context.Context, tx *sql.Tx, planID string, of []int, state change.State, changeID string, say fault.Text) error {
	words := ""
	if say.Key != "" {
		b, err := json.Marshal(fault.Text{Key: say.Key, Args: printed(say.Args)})
		if err != nil {
			return err
		}
		words = string(b)
	}
	list, args := oneOf([]any{string(state), changeID, storable(words), db.Micros(r.now()), planID}, of)
	_, err := tx.ExecContext(ctx, `UPDATE bulk_items SET state = $1, change_id = $2, say = $3, claimed_by = '', finished_at = $4,
		account = CASE WHEN account = '' THEN coalesce((SELECT c.account FROM changes c WHERE c.id = $2), '') ELSE account END
		WHERE plan_id = $5 AND place IN (`+list+")", args...)
	if err != nil {
		return fmt.Errorf("record what became of an account: %w", err)
	}
	return nil
}

// printed returns args as texts: a number would come back as another one.
func printed(args []any) []any {
	out := make([]any, len(args))
	for n, a := range args {
		out[n] = fmt.Sprint(a)
	}
	return out
}

func (r *Runs) record(ctx context.Context, tx *sql.Tx, by auth.Actor, step string, run Run) error {
	if r.o.Audit == nil {
		return nil
	}
	var accounts int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM bulk_items WHERE plan_id = $1 AND left_out = 0", run.PlanID).Scan(&accounts)
	if err != nil {
		return fmt.Errorf("count accounts: %w", err)
	}
	return r.o.Audit.RecordRun(ctx, tx, by, step, run, accounts)
}
