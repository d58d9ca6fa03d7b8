// Package bulk does the same to many accounts at once: it changes flags, issues
// accounts, replaces passwords or deletes. A plan is computed and stored when it is
// previewed, and a run does exactly that plan: each account through reseller.Service,
// as a click does.
package bulk

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

const (
	// ValidFor is how long after its preview a plan may be run.
	ValidFor = 15 * time.Minute
	// MaxCells is how many cells a draft from outside may have, and MaxAccounts how
	// many accounts any draft.
	MaxCells    = 20_000
	MaxAccounts = 20_000
	// CountFrom is the number of accounts from which it must be typed to start a run.
	CountFrom = 50
)

// Kind is what a plan does to its accounts.
type Kind string

const (
	Flags     Kind = "flags"    // sets flags
	Creations Kind = "create"   // issues accounts, with automatic passwords
	Passwords Kind = "password" // gives new automatic passwords
	Deletions Kind = "delete"
)

// A Draft is what someone asks to be planned. Each account stands in it once.
type Draft struct {
	Kind     Kind   // Flags when empty
	Source   string // one of Sources
	Items    []DraftItem
	Unknown  []string     // what was asked for and names no account
	Problems []fault.Text // what else was asked for and cannot be done
	Reason   string
	OfRun    string // the run that it takes back or tries again; empty for none
	// FileProblems is the list of Problems, and of others, by the id of KeepProblems;
	// empty for none.
	FileProblems string
}

// Sources are where a draft can come from.
var Sources = []string{"table", "matrix", "flag", "preset", "compare", "revert", "retry", "file"}

// DraftItem is one account of a draft.
type DraftItem struct {
	UserID  wave.UserID // empty of Creations
	New     *NewAccount // of Creations alone
	Seen    wave.Seen   // what the person saw of the wanted flags; what it lacks is not compared
	Want    wave.Wanted
	LeftOut bool
	UndoOf  string // the change that it takes back; empty for none
}

// NewAccount is an account that is to be issued. Its password is automatic.
type NewAccount struct {
	Email     string    `json:"email"`
	CompanyID string    `json:"company_id"`
	Group     string    `json:"group"` // name of the billing group, for the eye; empty when it is not known
	Notify    bool      `json:"notify"`
	Meta      wave.Meta `json:"meta"`
	Preset    string    `json:"preset"` // id of the preset that it is to follow; empty for none
}

// A Plan is a draft as it was previewed. It never changes, but for LeftOut of its
// items.
type Plan struct {
	ID       string
	Kind     Kind
	Source   string
	Author   auth.Actor // without Role
	Reason   string
	Unknown  []string
	Problems []fault.Text
	OfRun    string
	AsOf     time.Time // of the list that it is computed from
	Created  time.Time
	Expires  time.Time
	Items    []Item
	Version  int64 // steps when accounts are left out

	FileProblems string // as of the draft
}

// Expired reports whether it is too late to run p.
func (p *Plan) Expired(now time.Time) bool { return !now.Before(p.Expires) }

// Mark names which accounts are left out, so that a page can say what it showed.
func (p *Plan) Mark() string {
	var out []int
	for _, i := range p.Items {
		if i.LeftOut {
			out = append(out, i.Place)
		}
	}
	return markOf(out)
}

// markOf is the Mark of a plan of which the accounts at these places are left out.
func markOf(places []int) string {
	sum := fnv.New64a()
	for _, place := range places {
		fmt.Fprintf(sum, "%d ", place)
	}
	return strconv.FormatUint(sum.Sum64(), 36)
}

// An Item is one account of a plan, and what the run has made of it.
type Item struct {
	Kind    Kind        // of the plan
	Place   int         // from 1
	Account wave.UserID // empty of one that is to be issued, until it is
	New     *NewAccount // of Creations alone
	Email   string      // empty when there is no such account
	Group   string
	Want    wave.Wanted
	Seen    wave.Seen
	Before  *wave.Meta // nil when there is, or was, no such account
	Flawed  bool       // the list has it broken, so nothing is sent to it
	LeftOut bool
	UndoOf  string

	State    change.State // Queued before the run
	ChangeID string       // the last one; empty when nothing had to be recorded
	Say      fault.Text   // why it ended so; the zero Text when that needs no words
	Finished time.Time
}

// A Run is the doing of a plan.
type Run struct {
	PlanID   string
	State    RunState
	Why      Pause      // of a run that is paused, or that ended before it began
	Moved    int        // accounts that were not as previewed any more when that was looked at
	Actor    auth.Actor // who started it, without Role
	Approver auth.Actor // likewise; the zero Actor for none
	Approved time.Time  // zero likewise
	By       string     // who paused or cancelled it; empty when it stopped by itself
	Reason   string
	ApplyAt  time.Time // zero for at once
	Asked    time.Time // when it was asked for
	Started  time.Time // zero while it waits for its time or for someone
	Finished time.Time // zero while it is not over
}

// RunState is where a run stands.
type RunState string

const (
	Waiting   RunState = "waiting"   // for another editor
	Scheduled RunState = "scheduled" // for its time
	Running   RunState = "running"
	Paused    RunState = "paused"
	Cancelled RunState = "cancelled" // what was not begun is not done
	Done      RunState = "done"
)

// Pause is why a run waits for a person.
type Pause string

const (
	ByPerson     Pause = "person"
	Denied       Pause = "denied" // Wave refused this server three times in a row
	RoleLost     Pause = "role"   // who started it may not change accounts any more
	WaveAway     Pause = "away"   // Wave did not answer for long
	TargetsMoved Pause = "moved"  // accounts are not as previewed any more
)
