package auth

import (
	"context"
	"errors"
	"time"
)

const (
	// proofAge is how old a proof of who someone is may be for what cannot be taken back.
	proofAge = 10 * time.Minute
	// proofAsked is what the provider is asked for: less than is demanded, so that
	// clocks which differ and the way back do not make it ask twice.
	proofAsked = proofAge / 2
	// roleAge is how long the provider's word for a role counts. What is not a page of
	// its own gets as long again as a session may be idle, so that nobody is stopped in
	// the middle of a form.
	roleAge = time.Hour
)

// Standing is what the session of a request says beside the Actor.
type Standing struct {
	Key string // of the session; see Session
	// Recent: the person proved to the provider who they are a short time ago, or the
	// settings do not demand it.
	Recent bool
	// Kept is the key of the person for what their browsers keep: none when it could not
	// be made.
	Kept KeptKey
	// Left is how long the session goes on unless it is used again, and Most in any case.
	Left, Most time.Duration
	// Due: the next page goes through the provider, which has to be asked for the role
	// again. Over: everything does.
	Due, Over bool
}

type standingKey struct{}

// WithStanding returns a context in which s is what the session says.
func WithStanding(ctx context.Context, s Standing) context.Context {
	return context.WithValue(ctx, standingKey{}, s)
}

// StandingOf returns the Standing of ctx. The zero one is neither recent nor due.
func StandingOf(ctx context.Context) Standing {
	s, _ := ctx.Value(standingKey{}).(Standing)
	return s
}

// ErrProofNeeded says that the person first has to prove again who they are: the
// last time is too long ago for what they ask. Nothing was done.
var ErrProofNeeded = errors.New("signed in too long ago for this")

func (a *Auth) standing(row string, rec record) Standing {
	now := a.cfg.Now()
	most := rec.ends.Sub(now)
	return Standing{
		Key:    keyOf(row),
		Left:   min(rec.seen.Add(a.cfg.Idle).Sub(now), most),
		Most:   most,
		Kept:   rec.kept,
		Recent: !a.cfg.StepUp || !rec.proved.IsZero() && now.Sub(rec.proved) <= proofAge,
		Due:    now.Sub(rec.checked) >= roleAge,
		Over:   now.Sub(rec.checked) >= roleAge+a.cfg.Idle,
	}
}
