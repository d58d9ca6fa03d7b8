package audit

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"waveadmin/internal/auth"
)

const (
	// A refusal costs who is refused nothing, so refusals are rationed: some at
	// once, then two a minute, which is below 2 MB a day. What is above is counted.
	refusalsAtOnce = 60
	refusalEvery   = 30 * time.Second

	recordPatience = 5 * time.Second // of an event that no transaction waits for
	maxPath        = 200             // bytes of a refused path
)

// SignedIn records in tx, which makes the session, that who came in. When it
// fails there must be no session.
func (l *Log) SignedIn(ctx context.Context, tx *sql.Tx, who auth.Actor) error {
	return l.Append(ctx, tx, Event{Kind: SignIn, Actor: who, Details: map[string]any{"role": who.Role.String()}})
}

// SignedOut records that who left. That the event could not be recorded is only
// logged: nobody is kept from leaving.
func (l *Log) SignedOut(ctx context.Context, who auth.Actor) {
	l.try(ctx, Event{Kind: SignOut, Actor: who})
}

// EndedByProvider records in tx, which ends the session of who, that the provider
// asked for it. When it fails the session must go on.
func (l *Log) EndedByProvider(ctx context.Context, tx *sql.Tx, who auth.Actor) error {
	return l.Append(ctx, tx, Event{Kind: SignOut, Actor: who, Details: map[string]any{"by": "provider"}})
}

// LogoutRefused records why a logout token ended no session. It is rationed as
// SignInRefused is.
func (l *Log) LogoutRefused(ctx context.Context, reason string) {
	l.refused(ctx, Event{Kind: LogoutRefused}, map[string]any{"reason": reason})
}

// SignedInAgain records in tx, which gives the session a new id, that who went through
// the provider again and why. When it fails the session must be as it was.
func (l *Log) SignedInAgain(ctx context.Context, tx *sql.Tx, who auth.Actor, why string) error {
	return l.Append(ctx, tx, Event{Kind: SignInAgain, Actor: who, Details: map[string]any{"role": who.Role.String(), "why": why}})
}

// SessionsEnded records in tx, which ends them, that sessions of who were ended. When it
// fails they must go on.
func (l *Log) SessionsEnded(ctx context.Context, tx *sql.Tx, who auth.Actor, e auth.Ending) error {
	details := map[string]any{"why": e.Why, "count": e.Count}
	if e.By != "" {
		details["by"] = e.By
	}
	return l.Append(ctx, tx, Event{Kind: SessionsEnded, Actor: who, Details: details})
}

// SignInRefused records why nobody was signed in. Who is the zero Actor unless
// the provider's word for it was good. Refusals are rationed, and an event that
// could not be recorded is only logged.
func (l *Log) SignInRefused(ctx context.Context, who auth.Actor, reason string) {
	l.refused(ctx, Event{Kind: SignInRefused, Actor: who}, map[string]any{"reason": reason})
}

// WriteRefused records that a write was answered with 401 or 403. It is rationed
// as SignInRefused is.
func (l *Log) WriteRefused(ctx context.Context, method, path string, status int) {
	l.refused(ctx, Event{Kind: Refused, Actor: auth.ActorFrom(ctx)},
		map[string]any{"method": method, "path": path[:min(len(path), maxPath)], "status": status})
}

func (l *Log) refused(ctx context.Context, e Event, details map[string]any) {
	q := &l.unknown
	if e.Actor.Subject != "" {
		q = &l.people // strangers must not use up the ration of those that are known
	}
	ok, unrecorded := q.take(l.now())
	if !ok {
		return
	}
	if unrecorded > 0 {
		details["unrecorded_before"] = unrecorded
	}
	e.Details = details
	l.try(ctx, e)
}

// tellUnrecorded records how many refusals went without an event, if any did.
func (l *Log) tellUnrecorded(ctx context.Context) {
	for _, q := range []*quota{&l.people, &l.unknown} {
		if n := q.takeUnrecorded(); n > 0 {
			l.try(ctx, Event{Kind: Refused, Details: map[string]any{"unrecorded_before": n, "of_strangers": q == &l.unknown}})
		}
	}
}

// try records e though whoever caused it may have left.
func (l *Log) try(ctx context.Context, e Event) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	if err := l.Record(ctx, e); err != nil {
		l.log.ErrorContext(ctx, "audit event lost", "kind", string(e.Kind), "err", err)
	}
}

// quota rations events.
type quota struct {
	limit      *rate.Limiter
	mu         sync.Mutex
	unrecorded int
}

func newQuota() quota { return quota{limit: rate.NewLimiter(rate.Every(refusalEvery), refusalsAtOnce)} }

// take reports whether one more may be recorded, and how many could not be since
// the last one that could.
func (q *quota) take(now time.Time) (ok bool, unrecorded int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.limit.AllowN(now, 1) {
		q.unrecorded++
		return false, 0
	}
	unrecorded, q.unrecorded = q.unrecorded, 0
	return true, unrecorded
}

func (q *quota) takeUnrecorded() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.unrecorded
	q.unrecorded = 0
	return n
}
