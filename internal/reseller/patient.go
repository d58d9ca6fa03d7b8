package reseller

import (
	"context"
	"fmt"
	"sync"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
)

const (
	// patientGap is how far the lists of a run are apart, from start to start: each is
	// the fresh reading of the writes after it and reads back those before. More would
	// keep accounts locked for longer, less would take calls from the writes.
	patientGap = 2500 * time.Millisecond

	// hurriedGap is the same while a person waits for an account that a run has.
	hurriedGap = 300 * time.Millisecond
)

// patientAge is how old a list may be, beside the time that it took, when a write of a
// run that rests on it begins. What is changed outside in that time is overwritten, as
// the API knows no conditions.
const patientAge = 5 * time.Second

type patientKey struct{}

// Patiently returns a context with which a write lets the calls that people wait
// for go first, also in the database, and shares its lists with others like it. It is
// for runs of many.
func Patiently(ctx context.Context) context.Context {
	return context.WithValue(change.Behind(ctx), patientKey{}, true)
}

// IsPatient reports whether ctx comes from Patiently.
func IsPatient(ctx context.Context) bool { return ctx.Value(patientKey{}) != nil }

// patientTurns is how many patient writes are opened and being sent at a time. All
// others wait with nothing committed, so that a run which is cancelled stops with these.
const patientTurns = 16

// turn returns when a write may be opened and sent, at once unless it is patient. Leave ends the turn, once. It fails with fault.Unavailable when ctx ends
// first.
func (s *Service) turn(ctx context.Context) (leave func(), err error) {
	if !IsPatient(ctx) {
		return func() {}, nil
	}
	select {
	case s.turns <- struct{}{}:
		return sync.OnceFunc(func() { <-s.turns }), nil
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, fmt.Errorf("wait for a turn: %w", ctx.Err()))
	}
}

// awaitOthers returns when a list that began at t or later is there or on its way, or
// may be asked for because the last one began long enough ago. It fails with the fault of
// one that began at t or later, and with fault.Unavailable when ctx ends first.
func (d *Directory) awaitOthers(ctx context.Context, t time.Time) error {
	for {
		due, err := d.listDue(t)
		if due == nil {
			return err
		}
		select {
		case <-due:
		case <-ctx.Done():
			return fault.New(fault.Unavailable, fmt.Errorf("wait for the account list: %w", ctx.Err()))
		}
	}
}

// listDue returns nil when there is nothing to wait for, or a channel that is closed
// when to look again. It fails as the last list did, if that began at t or later: others
// who ask again and again while Wave is away would put off its own for ever.
func (d *Directory) listDue(t time.Time) (<-chan struct{}, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.coming(t) {
		return nil, nil
	}
	if list := d.listed.Load(); list != nil && !list.asOf.Before(t) {
		return nil, nil
	}
	if d.err != nil && !d.status.LastTry.Before(t) {
		return nil, d.err
	}
	rest := d.untilDue()
	if rest <= 0 {
		return nil, nil
	}
	if d.due == nil {
		d.due = make(chan struct{})
		d.dueTimer = time.AfterFunc(rest, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.due != nil { // else hurry has set the timer once more as it went off
				close(d.due)
				d.due = nil
			}
		})
	}
	return d.due, nil
}

// untilDue is how long the next list of a run may not begin yet. The caller holds mu.
func (d *Directory) untilDue() time.Duration {
	gap := patientGap
	if d.hurried {
		gap = hurriedGap
	}
	return gap - time.Since(d.launched)
}

// coming reports whether a list of t or later is on its way. The caller holds mu.
func (d *Directory) coming(t time.Time) bool {
	return d.queued != nil || d.running != nil && !d.running.started.Before(t)
}

// hurry lets the list of t or later begin soon that some wait for patiently, unless it
// is on its way. So however many are in a hurry, there is one list at a time for all.
func (d *Directory) hurry(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.due == nil || d.coming(t) {
		return
	}
	d.hurried = true
	d.dueTimer.Reset(max(d.untilDue(), 0))
}
