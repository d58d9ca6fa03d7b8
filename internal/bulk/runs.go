package bulk

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
)

// Service is the part of reseller.Service that runs need.
type Service interface {
	ChangeMeta(ctx context.Context, c reseller.MetaChange) (reseller.MetaResult, error)
}

// Lists is the part of reseller.Directory that runs need.
type Lists interface {
	NotBefore(ctx context.Context, t time.Time) (*reseller.Snapshot, error)
}

// Ledger is the part of change.Ledger that runs need.
type Ledger interface {
	GetMany(ctx context.Context, ids []string) (map[string]change.Change, error)
}

// Roles tells what a person may do now, or false when that is not known: they have
// signed out.
type Roles interface {
	RoleOf(ctx context.Context, who auth.Actor) (auth.Role, bool, error)
}

// Recorder records a step of a run in the audit log, inside the transaction that
// takes it: started, paused, resumed, cancelled or finished. When it fails the step
// is not taken.
type Recorder interface {
	RecordRun(ctx context.Context, tx *sql.Tx, by auth.Actor, step string, r Run, accounts int) error
}

// RunOptions are what Runs work with.
type RunOptions struct {
	Service Service
	Lists   Lists
	Ledger  Ledger
	Roles   Roles
	Audit   Recorder // nil for none
	// Rate is how many calls a second Wave takes from this server; 80 if 0.
	Rate           int
	ReasonRequired bool
	Log            *slog.Logger // nil for the default one
}

// Runs does plans. The rows of their accounts say what was done, and the ledger what
// became of it: a process that dies takes nothing with it. It is safe for concurrent
// use, also of several processes on one database.
type Runs struct {
	*Plans
	o      RunOptions
	me     string // this process
	slices atomic.Int64

	mu     sync.Mutex
	active map[string]context.CancelFunc // ends the slice that is at work on a run

	kick atomic.Pointer[func(planID string)] // starts work on a run now; see Work
}

// NewRuns returns the runs of p.
func NewRuns(p *Plans, o RunOptions) *Runs {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.Rate = cmp.Or(o.Rate, 80)
	return &Runs{Plans: p, o: o, me: uuid.NewString(), active: make(map[string]context.CancelFunc)}
}

// A Start asks for a plan to be run as its preview showed it.
type Start struct {
	Actor  auth.Actor
	PlanID string
	Mark   string // Plan.Mark of what was shown
	Reason string
	Count  string // the number of accounts, as it was typed
}

// ErrOther is the cause of a fault.Conflict about a Start: other accounts are left
// out by now than the person saw.
var ErrOther = errors.New("the plan is not as it was shown")

// Start begins the run. It fails with fault.Forbidden, fault.NotFound, with
// fault.Invalid about a field or when nothing would change, and with fault.Conflict
// when the plan has expired, runs already, or is not as it was shown.
func (r *Runs) Start(ctx context.Context, s Start) error {
	if err := mayModify(s.Actor); err != nil {
		return err
	}
	reason, err := reseller.CleanReason(s.Reason, false)
	if err != nil {
		return err
	}
	err = r.db.Write(ctx, func(tx *sql.Tx) error {
		plan, err := readPlan(ctx, tx, s.PlanID)
		if err != nil {
			return err
		}
		if err := r.mayStart(ctx, tx, plan, s, reason); err != nil {
			return err
		}
		run := Run{PlanID: plan.ID, State: Running, Actor: s.Actor, Reason: reason, Started: db.Time(db.Micros(r.now()))}
		run.Actor.Role = 0
		if err := insertRun(ctx, tx, run); err != nil {
			return err
		}
		if err := r.settleBarred(ctx, tx, plan); err != nil {
			return err
		}
		return r.record(ctx, tx, s.Actor, "started", run)
	})
	if err != nil {
		return err
	}
	r.kickOff(s.PlanID)
	return nil
}

func (r *Runs) mayStart(ctx context.Context, tx *sql.Tx, plan *Plan, s Start, reason string) error {
	var there int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM bulk_runs WHERE plan_id = $1", plan.ID).Scan(&there); err != nil {
		return fmt.Errorf("read a run: %w", err)
	}
	sum := plan.Sum()
	fields := make(map[string]fault.Text)
	if reason == "" && r.o.ReasonRequired {
		fields["reason"] = fault.Say("invalid.reason")
	}
	if sum.Accounts >= CountFrom && s.Count != strconv.Itoa(sum.Accounts) {
		fields["count"] = fault.Say("bulk.count_wrong", "count", sum.Accounts)
	}
	switch {
	case there > 0:
		return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.runs_already")}
	case plan.Expired(r.now()):
		return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.expired")}
	case plan.Mark() != s.Mark:
		return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.look_again"), Err: ErrOther}
	case sum.Changes == 0:
		return &fault.Error{Kind: fault.Invalid, Say: fault.Say("bulk.sum_none")}
	case len(fields) > 0:
		return &fault.Error{Kind: fault.Invalid, Fields: fields}
	}
	return nil
}

func insertRun(ctx context.Context, tx *sql.Tx, run Run) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO bulk_runs (plan_id, state, why, actor_issuer, actor_subject, actor_name, actor_email, by_name,
		reason, denied, troubles, not_before, started_at, finished_at) VALUES ($1, 'running', '', $2, $3, $4, $5, '', $6, 0, 0, 0, $7, 0)`,
		run.PlanID, run.Actor.Issuer, run.Actor.Subject, run.Actor.Name, run.Actor.Email, run.Reason, db.Micros(run.Started))
	if err != nil {
		return fmt.Errorf("start a run: %w", err)
	}
	return nil
}

// settleBarred ends the accounts that a run cannot do anything for.
func (r *Runs) settleBarred(ctx context.Context, tx *sql.Tx, plan *Plan) error {
	for _, i := range plan.Items {
		if i.LeftOut || i.InRun() {
			continue
		}
		state, say := change.Failed, fault.Say("bulk.item_gone")
		switch {
		case i.Before == nil:
		case i.Flawed:
			say = fault.Say("change.flawed")
		case len(i.Cells()) > 0 && i.Cells()[0].Outcome == Missing:
			say = fault.Say("bulk.item_missing")
		default:
			state, say = change.Conflict, fault.Say("conflict.plan")
		}
		if err := r.endItem(ctx, tx, plan.ID, i.Place, state, "", say); err != nil {
			return err
		}
	}
	return nil
}

// endItem records what became of an account.
func (r *Runs) endItem(ctx context.Context, tx *sql.Tx, planID string, place int, state change.State, changeID string, say fault.Text) error {
	words := ""
	if say.Key != "" {
		b, err := json.Marshal(fault.Text{Key: say.Key, Args: printed(say.Args)})
		if err != nil {
			return err
		}
		words = string(b)
	}
	_, err := tx.ExecContext(ctx, `UPDATE bulk_items SET state = $1, change_id = $2, say = $3, claimed_by = '', claim_until = 0, finished_at = $4
		WHERE plan_id = $5 AND place = $6`, string(state), changeID, storable(words), db.Micros(r.now()), planID, place)
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

func (r *Runs) kickOff(planID string) {
	if kick := r.kick.Load(); kick != nil {
		(*kick)(planID)
	}
}

// hold lets stop end a slice that is at work on a run, until the returned function is
// called.
func (r *Runs) hold(planID string, cancel context.CancelFunc) (leave func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active[planID] = cancel
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.active, planID)
	}
}

// stop ends the slice of this process that is at work on a run. Those of others see
// for themselves.
func (r *Runs) stop(planID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.active[planID]; cancel != nil {
		cancel()
	}
}
