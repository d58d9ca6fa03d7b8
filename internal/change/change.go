// Package change is the ledger: one row for each requested write. The row is at
// once the intent, which is committed before the call, the lock on the account
// while it is open, the record after a crash, and a line of the history.
package change

import (
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/wave"
)

// State is where a change stands. Final states do not change, and the database
// refuses what does not follow. In doubt is settled by a recorded reading, or by
// the word of a person.
//
//	queued   → running | cancelled
//	running  → sent | no_change | conflict | failed | cancelled
//	sent     → done | failed | in_doubt
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

// States lists every State, in the order in which people are offered them.
var States = []State{Done, NoChange, Conflict, Failed, InDoubt, Cancelled, Queued, Running, Sent}

// Kind is what a change does.
type Kind string

const (
	Meta     Kind = "meta"
	Create   Kind = "create"
	Password Kind = "password"
	Delete   Kind = "delete"
	Email    Kind = "email" // only outside: the API has no call for it
)

// Kinds lists every Kind, in the order in which people are offered them.
var Kinds = []Kind{Meta, Create, Password, Delete, Email}

// Source is where a change was asked for.
type Source string

const (
	Page    Source = "page"    // one account's page
	Bulk    Source = "bulk"    // an item of a run
	Outside Source = "outside" // not through this program; seen in the list
)

// A Change is one requested write and what became of it, or what a list showed
// that nobody asked for here: then Source is Outside, Actor is the zero one,
// Created is when Wave was asked for that list, and the state is Done. It never
// holds a password.
type Change struct {
	ID       string // sorts by time of creation
	Kind     Kind
	State    State
	Account  wave.UserID // empty for a create until the account is found
	Email    string      // of the account when the change was asked for; of an email change, the new one
	Company  string      // its company id, by which a create is settled
	Actor    auth.Actor  // without Role
	Reason   string
	Source   Source
	SubmitID string // one submission of a form; empty for none
	UndoOf   string // ID of the change that this one takes back
	// ID of the change to whose outcome this one brings the account back.
	RestoreOf string
	RunID     string

	Wanted wave.Wanted // the touched flags, of a meta change
	Before *wave.Meta  // read under the lock, of meta and delete
	After  *wave.Meta  // what was sent, of meta and create
	Input  wave.InputType
	Notify bool

	PasswordBefore time.Time // of a password change: the password time of the account under the lock

	// When Wave was asked for the list on which the write rests: after the lock was taken,
	// or of an item of a run some seconds before. Zero until sent.
	Listed time.Time

	Status int    // HTTP status of the API's answer, 0 for none
	Fault  string // kind of the fault that ended it; empty when done
	Detail string // for the log and the operator: the start of the API's error
	Holds  bool   // has the lock. In doubt without it, and no password: left to a person

	Decided Decision // by whom a doubt was ended, if by a person

	EmailBefore string    // of an email change
	Since       time.Time // outside: when it was not so yet; zero when that is not known

	Created  time.Time
	SentAt   time.Time // zero until sent
	Finished time.Time // zero while not final
}

// A Decision is a person's word about a change whose outcome no reading told.
type Decision struct {
	By     auth.Actor // without Email and Role; the zero Actor for nobody
	Reason string
}

// Moved returns the flags that the change set, from what they were to what they
// became, or nothing if either is not recorded.
func (c Change) Moved() []wave.Moved {
	if c.Before == nil || c.After == nil {
		return nil
	}
	return wave.Diff(*c.Before, *c.After)
}

// ListAge returns how old the list was on which the write rests, when it was sent, or
// false when that is not recorded.
func (c Change) ListAge() (time.Duration, bool) {
	if c.Listed.IsZero() || c.SentAt.IsZero() {
		return 0, false
	}
	return max(c.SentAt.Sub(c.Listed), 0), true
}

// Last is the newest done change of an account.
type Last struct {
	At time.Time
	By string // display name of the actor
	ID string
}
