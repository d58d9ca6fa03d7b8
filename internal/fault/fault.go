// Package fault defines the one error type that crosses layers. A fault says
// what kind of thing went wrong, which sentence may be shown to a person, and,
// for the log only, why.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind sorts faults by what can be done about them.
type Kind int

const (
	Internal        Kind = iota // ours; nothing the person can do
	Invalid                     // the input breaks a rule; see Error.Fields
	NotFound                    // the thing is gone or never was
	Unauthenticated             // nobody is signed in, or no longer
	Forbidden                   // the person may not do this
	Conflict                    // someone else changed it meanwhile
	TooLarge                    // the request is larger than we read
	Unavailable                 // the Wave API did not do it; safe to try again
	Busy                        // the Wave API did not do it because we called too often; see Error.RetryAfter
	Rejected                    // the Wave API read the request and refused it; trying again is no use
	Denied                      // the Wave API refuses this server: its token or its role
	Uncertain                   // a write was sent and its outcome is not known
)

// Kinds lists every Kind, for tables that must be complete.
var Kinds = []Kind{
	Internal, Invalid, NotFound, Unauthenticated, Forbidden, Conflict,
	TooLarge, Unavailable, Busy, Rejected, Denied, Uncertain,
}

var names = [...]string{
	"internal", "invalid", "not_found", "unauthenticated", "forbidden", "conflict",
	"too_large", "unavailable", "busy", "rejected", "denied", "uncertain",
}

func (k Kind) String() string { return names[k] }

// Text is a sentence of the catalogues with its arguments: name, value, name,
// value, as i18n.T takes them.
type Text struct {
	Key  string
	Args []any
}

// Say returns the Text of key with args.
func Say(key string, args ...any) Text { return Text{Key: key, Args: args} }

// Error is a fault. Its zero Kind is Internal, so forgetting the kind is safe.
type Error struct {
	Kind       Kind
	Say        Text            // the sentence to show; empty for the kind's own
	Fields     map[string]Text // form field -> what is wrong with it, for Invalid
	RetryAfter time.Duration   // for Busy and Unavailable, zero when nobody named one
	Err        error           // cause; logged, never shown
}

// New returns a fault of kind k whose cause is err.
func New(k Kind, err error) *Error { return &Error{Kind: k, Err: err} }

// Field returns an Invalid fault about one form field.
func Field(name, key string, args ...any) *Error {
	return &Error{Kind: Invalid, Fields: map[string]Text{name: Say(key, args...)}}
}

// Error returns a line for the log. It is never shown to a person.
func (e *Error) Error() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("%v: %v", e.Kind, e.Err)
	case e.Say.Key != "":
		return fmt.Sprintf("%v: %s", e.Kind, e.Say.Key)
	case len(e.Fields) > 0:
		return fmt.Sprintf("%v: %v", e.Kind, e.Fields)
	}
	return e.Kind.String()
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf reports the kind of err: Internal for an error that is not a fault.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Kind
	}
	return Internal
}

// Is reports whether err is a fault of kind k. A nil err is none.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// SentenceOf returns what may be said about err: its own sentence, else that of
// its kind, whose key is "error." and the kind's name.
func SentenceOf(err error) Text {
	if f, ok := errors.AsType[*Error](err); ok && f.Say.Key != "" {
		return f.Say
	}
	return Say("error." + KindOf(err).String())
}
