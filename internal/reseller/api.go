// Package reseller holds all accounts as Wave last said (Directory) and is the
// one way to change one (Service). A page and a bulk run call the same methods,
// so every change is checked, merged and recorded alike.
package reseller

import (
	"context"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/wave"
)

// API is the part of waveapi.Client that this package needs. Each method does
// one call of the API and tells in a fault what became of it: Unavailable and
// Busy mean that it was surely not done, Uncertain that it may have been.
type API interface {
	List(ctx context.Context) ([]wave.Reseller, error)
	ListBillingGroups(ctx context.Context) ([]wave.BillingGroup, error)
	Create(ctx context.Context, n wave.NewReseller) error
	ReplaceMeta(ctx context.Context, id wave.UserID, m wave.Meta) error
	ReplacePassword(ctx context.Context, id wave.UserID, p wave.NewPassword) error
	Delete(ctx context.Context, id wave.UserID) error
}

// A MetaChange asks for some flags of one account to be set.
type MetaChange struct {
	Actor  auth.Actor
	UserID wave.UserID
	Seen   wave.Seen   // what the form showed; at least the touched flags
	Want   wave.Wanted // only the touched flags
	Reason string
	// What the person staged it from, if anything: ID of the done meta change that
	// it takes back, or of the change to whose outcome it goes back.
	UndoOf, RestoreOf string

	// Of an item of a bulk run: the run, and the flags that must still be as they were
	// planned, though they are not touched. One that is not asks with PlanMoved.
	RunID string
	Guard wave.Wanted
}

// MetaResult is a meta change that succeeded, or had nothing to do.
type MetaResult struct {
	Change  change.Change // State Done or NoChange; the zero Change when nothing was wanted
	Account wave.Reseller // as read back
	Apply   []wave.Moved  // what the write changed
	Others  []Other       // what others changed meanwhile and stays
	Left    []wave.Key    // of an undo: flags that someone changed since, left as they are
}

// Other is a flag that someone else changed between the form and the save.
type Other struct {
	wave.Moved
	By string    // empty when it was not changed through this program
	At time.Time // when, or when that was seen; zero when it is not known
}

// A ConflictError is the cause of a fault.Conflict about a meta change: what the
// person must look at before anything is sent. Nothing was sent.
type ConflictError struct {
	Account wave.Reseller // as it is now
	Merged  wave.Merged
	Others  []Other // flags that moved; of an undo those since the change, by whomever, the actor included
	Why     ConflictReason
	Holder  string // for BeingChanged and BeingSettled: display name of whose change that is
}

func (e *ConflictError) Error() string { return "conflict: " + string(e.Why) }

// ConflictReason says why a change stopped to ask.
type ConflictReason string

const (
	ManyMoved    ConflictReason = "many"    // more than 5 other flags moved
	RelatedMoved ConflictReason = "related" // a parent or a child of a wanted flag moved
	Strict       ConflictReason = "strict"  // the settings ask whenever something moved
	UndoMoved    ConflictReason = "undo"    // flags of the change that an undo takes back were changed since
	PlanMoved    ConflictReason = "plan"    // a flag of a bulk run's plan that was as wanted is so no more
	BeingChanged ConflictReason = "locked"  // another change of the account is under way
	BeingSettled ConflictReason = "doubt"   // it is not known yet what became of one
)

// A GoneError is the cause of a fault.Conflict about a meta change of an account
// that this program knew and that is not there any more. Nothing was changed.
type GoneError struct {
	Account wave.Reseller // what is still known: at least UserID, and nearly always Email
	By      string        // who deleted it; empty when that was not done through this program
	At      time.Time     // zero likewise
}

func (e *GoneError) Error() string { return "account " + string(e.Account.UserID) + " is gone" }

// A DoubtError is the cause of a fault.Uncertain about a change that was sent.
// The change is recorded and being settled.
type DoubtError struct {
	Change change.Change
	Err    error
}

func (e *DoubtError) Error() string { return "in doubt: " + e.Err.Error() }

func (e *DoubtError) Unwrap() error { return e.Err }

// An Undo asks for a done meta change to be taken back, as far as its flags still
// have the values that it set.
type Undo struct {
	Actor      auth.Actor
	UserID     wave.UserID
	ChangeID   string
	LeaveMoved bool // the person knows that flags were changed since, and leaves those
}

// A Decision is a person's word about a change in doubt.
type Decision struct {
	Actor    auth.Actor
	ChangeID string
	Applied  bool
	Reason   string // required
}

// A Creation asks for a new account.
type Creation struct {
	Actor    auth.Actor
	SubmitID string // 8 to 64 characters, one a submission: the same one twice creates once
	Reason   string
	RunID    string // of the bulk run that it is an item of
	wave.NewReseller
}

// A PasswordChange asks for a new password of an account.
type PasswordChange struct {
	Actor    auth.Actor
	UserID   wave.UserID
	SubmitID string // optional; see Creation
	Reason   string
	RunID    string // of the bulk run that it is an item of
	wave.NewPassword
}

// A Deletion asks for an account to be deleted.
type Deletion struct {
	Actor   auth.Actor
	UserID  wave.UserID
	Confirm string // must be the account's email
	Reason  string
	RunID   string // of the bulk run that it is an item of
}

// Rules are the settings that Service obeys.
type Rules struct {
	PasswordMin, PasswordMax int // in characters
	StrictConflicts          bool
	ReasonRequired           bool // for changes from a page
}
