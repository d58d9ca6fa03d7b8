// Package change is the ledger: one row for each requested write. The row is at
// once the intent, which is committed before the call, the lock on the account
// while it is open, the record after a crash, and a line of the history.
package change

import (
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/wave"
)

// State is where a change stands. Final states do not change, but in doubt is
// settled by a recorded reading.
//
//	queued → running → sent → done | no_change | conflict | failed | in_doubt | cancelled
//	in_doubt → done | failed
type State string

const (
	Queued    State = "queued"    // part of a run, waiting for its turn
	Running   State = "running"   // holds the lock, nothing sent yet
	Sent      State = "sent"      // the intent is committed; the call may have left
	Done      State = "done"      // read back, or answered with success
	NoChange  State = "no_change" // the account was as wanted already; no call
	Conflict  State = "conflict"  // someone else's change asks for a decision; no call
	Failed    State = "failed"    // surely not applied
	InDoubt   State = "in_doubt"  // sent, answer lost, not yet settled
	Cancelled State = "cancelled" // withdrawn before the call
)

// Open reports whether the change is under way.
func (s State) Open() bool { return s == Running || s == Sent }

// Kind is what a change does.
type Kind string

const (
	Meta     Kind = "meta"
	Create   Kind = "create"
	Password Kind = "password"
	Delete   Kind = "delete"
)

// Source is where a change was asked for.
type Source string

const (
	Page    Source = "page"    // one account's page
	Bulk    Source = "bulk"    // an item of a run
	Outside Source = "outside" // not through this program; seen in the list
)

// A Change is one requested write and what became of it. It never holds a
// password.
type Change struct {
	ID       string // sorts by time of creation
	Kind     Kind
	State    State
	Account  wave.UserID // empty for a create until the account is found
	Email    string      // of the account when the change was asked for
	Company  string      // its company id, by which a create is settled
	Actor    auth.Actor  // without Role
	Reason   string
	Source   Source
	SubmitID string // one submission of a form; empty for none
	UndoOf   string // ID of the change that this one takes back
	RunID    string

	Wanted wave.Wanted // the touched flags, of a meta change
	Before *wave.Meta  // read under the lock, of meta and delete
	After  *wave.Meta  // what was sent, of meta and create
	Input  wave.InputType
	Notify bool

	PasswordBefore time.Time // of a password change: the password time of the account under the lock

	Status int    // HTTP status of the API's answer, 0 for none
	Fault  string // kind of the fault that ended it; empty when done
	Detail string // for the log and the operator: the start of the API's error
	Holds  bool   // has the lock. In doubt without it, and no password: left to a person

	Created  time.Time
	SentAt   time.Time // zero until sent
	Finished time.Time // zero while not final
}

// Moved returns the flags that the change set, from what they were to what they
// became, or nothing if either is not recorded.
func (c Change) Moved() []wave.Moved {
	if c.Before == nil || c.After == nil {
		return nil
	}
	return wave.Diff(*c.Before, *c.After)
}

// Last is the newest done change of an account.
type Last struct {
	At time.Time
	By string // display name of the actor
	ID string
}
