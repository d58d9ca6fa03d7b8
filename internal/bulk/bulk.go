// Package bulk changes flags of many accounts at once. A plan is computed and
// stored when it is previewed, and a run does exactly that plan: each account
// through reseller.Service, as a click does.
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

// A Draft is what someone asks to be planned. Each account stands in it once.
type Draft struct {
	Source  string // one of Sources
	Items   []DraftItem
	Unknown []string // what was asked for and names no account
	Reason  string
	OfRun   string // the run that it takes back or tries again; empty for none
}

// Sources are where a draft can come from.
var Sources = []string{"table", "matrix", "flag", "preset", "compare", "revert", "retry"}

// DraftItem is one account of a draft.
type DraftItem struct {
	UserID  wave.UserID
	Seen    wave.Seen // what the person saw of the wanted flags; what it lacks is not compared
	Want    wave.Wanted
	LeftOut bool
	UndoOf  string // the change that it takes back; empty for none
}

// A Plan is a draft as it was previewed. It never changes, but for LeftOut of its
// items.
type Plan struct {
	ID      string
	Source  string
	Author  auth.Actor // without Role
	Reason  string
	Unknown []string
	OfRun   string
	AsOf    time.Time // of the list that it is computed from
	Created time.Time
	Expires time.Time
	Items   []Item
}

// Expired reports whether it is too late to run p.
func (p *Plan) Expired(now time.Time) bool { return !now.Before(p.Expires) }

// Mark names which accounts are left out, so that a page can say what it showed.
func (p *Plan) Mark() string {
	sum := fnv.New64a()
	for _, i := range p.Items {
		if i.LeftOut {
			fmt.Fprintf(sum, "%d ", i.Place)
		}
	}
	return strconv.FormatUint(sum.Sum64(), 36)
}

// An Item is one account of a plan, and what the run has made of it.
type Item struct {
	Place   int // from 1
	Account wave.UserID
	Email   string // empty when there is no such account
	Group   string
	Want    wave.Wanted
	Seen    wave.Seen
	Before  *wave.Meta // nil when there is no such account
	Flawed  bool       // the list has it broken, so nothing is sent to it
	LeftOut bool
	UndoOf  string

	State    change.State // Queued before the run
	ChangeID string       // empty when nothing had to be recorded
	Say      fault.Text   // why it ended so; the zero Text when that needs no words
	Finished time.Time
}

// A Run is the doing of a plan.
type Run struct {
	PlanID   string
	State    RunState
	Why      Pause      // of a run that is paused
	Actor    auth.Actor // who started it, without Role
	By       string     // who paused or cancelled it; empty when it stopped by itself
	Reason   string
	Started  time.Time
	Finished time.Time // zero while it is not over
}

// RunState is where a run stands.
type RunState string

const (
	Running   RunState = "running"
	Paused    RunState = "paused"
	Cancelled RunState = "cancelled" // what was not begun is not done
	Done      RunState = "done"
)

// Pause is why a run waits for a person.
type Pause string

const (
	ByPerson Pause = "person"
	Denied   Pause = "denied" // Wave refused this server three times in a row
	RoleLost Pause = "role"   // who started it may not change accounts any more
	WaveAway Pause = "away"   // Wave did not answer for long
)
