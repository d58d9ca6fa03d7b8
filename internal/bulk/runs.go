package bulk

import (
	"cmp"
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// Service is the part of reseller.Service that runs need.
type Service interface {
	ChangeMeta(ctx context.Context, c reseller.MetaChange) (reseller.MetaResult, error)
	Create(ctx context.Context, c reseller.Creation) (change.Change, wave.Reseller, error)
	ReplacePassword(ctx context.Context, p reseller.PasswordChange) (change.Change, error)
	Delete(ctx context.Context, d reseller.Deletion) (change.Change, error)
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

// Promises is the part of preset.Store that runs need: that the account which a
// submission creates follows a preset.
type Promises interface {
	Promise(ctx context.Context, by auth.Actor, submitID, presetID string) error
}

// Recorder records a step of a run in the audit log, inside the transaction that
// takes it: requested, approved, scheduled, started, paused, resumed, cancelled or
// finished. When it fails the step is not taken.
type Recorder interface {
	RecordRun(ctx context.Context, tx *sql.Tx, by auth.Actor, step string, r Run, accounts int) error
}

// RunOptions are what Runs work with.
type RunOptions struct {
	Service Service
	Lists   Lists
	Ledger  Ledger
	Roles   Roles    // nil when all may
	Presets Promises // nil for none
	Audit   Recorder // nil for none
	// Approval tells which plans another editor must approve.
	Approval Approval
	// Proved reports whether the person of ctx has proved a short time ago who they are,
	// which grave runs demand; see Start, Approve and Resume. Nil when none do.
	Proved func(ctx context.Context) bool
	// Rate is how many calls a second Wave takes from this server; 80 if 0.
	Rate           int
	ReasonRequired bool
	Log            *slog.Logger // nil for the default one
}

// Approval is which plans wait for a second person: all, or those that change one of
// the flags. The zero Approval is none.
type Approval struct {
	All   bool
	Flags []wave.Key
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
