package reseller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// A flight is one refresh that any number of callers wait for.
type flight struct {
	started time.Time // written before others see it run
	done    chan struct{}
	listed  *Snapshot // these three are written before done is closed
	snap    *Snapshot // listed, with what was done meanwhile
	err     error
}

// wait returns the fault of f, or fault.Unavailable when ctx ends first.
func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return fault.New(fault.Unavailable, fmt.Errorf("wait for the account list: %w", ctx.Err()))
	}
}

// snapshot returns what pages are to show after f; see wait.
func (f *flight) snapshot(ctx context.Context) (*Snapshot, error) {
	if err := f.wait(ctx); err != nil {
		return nil, err
	}
	return f.snap, nil
}

// ask returns a list that began at t or later, or the refresh that brings it. Of many
// who wait for one list none asks for a second when the first was quick.
func (d *Directory) ask(t time.Time) (*Snapshot, *flight) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if list := d.listed.Load(); list != nil && !list.asOf.Before(t) {
		return list, nil
	}
	return nil, d.joinLocked(t)
}

// join returns a refresh that starts at t or later: the one that runs, the one
// behind it, or a new one.
func (d *Directory) join(t time.Time) *flight {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.joinLocked(t)
}

// joinLocked is join for a caller that holds mu.
func (d *Directory) joinLocked(t time.Time) *flight {
	switch {
	case d.running == nil:
		return d.launch(&flight{done: make(chan struct{})})
	case !d.running.started.Before(t):
		return d.running
	case d.queued == nil:
		d.queued = &flight{done: make(chan struct{})}
	}
	return d.queued
}

// attempt returns the refresh that runs, or starts one unless Wave was away a
// moment ago. Failing is the error of the last refresh, nil when it went well.
func (d *Directory) attempt(now time.Time) (f *flight, failing error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running != nil {
		return d.running, d.err
	}
	if d.err != nil {
		pause := min(retryPause<<min(d.failures-1, 10), retryMax)
		if d.snap.Load() == nil {
			pause = min(pause, retryNothing)
		}
		if now.Sub(d.status.LastTry) < pause {
			return nil, d.err
		}
	}
	return d.launch(&flight{done: make(chan struct{})}), d.err
}

// launch starts f. The caller holds mu.
func (d *Directory) launch(f *flight) *flight {
	f.started = d.o.Now()
	d.launched, d.hurried = time.Now(), false
	d.running = f
	d.flying.Go(func() { d.fly(f) })
	return f
}

// fly does the refresh f, then starts the one that waits behind it.
func (d *Directory) fly(f *flight) {
	ctx, cancel := context.WithTimeout(d.life, listTimeout)
	defer cancel()
	began := f.started
	list, asOf, err := d.list(ctx, began)
	var snap, listed *Snapshot
	if err == nil {
		snap = newSnapshot(list, asOf, d.o.Fold, d.snap.Load())
		snap.answered = d.o.Now()
		d.took.Store(int64(snap.answered.Sub(asOf)))
		listed = snap
		d.listed.Store(listed)
		select {
		case d.news <- struct{}{}:
		default:
		}
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
	d.status.LastTry, d.status.Failed, d.status.LastError = began, err != nil, 0
	if err != nil {
		d.failures++
		d.status.LastError = fault.KindOf(err)
		d.o.Log.Warn("the account list could not be read", "err", err, "failures", d.failures)
	} else {
		d.failures = 0
		d.recent = slices.DeleteFunc(d.recent, func(r replacement) bool { return r.at.Before(asOf) })
		for _, r := range d.recent {
			snap = r.over(snap)
		}
		d.noteGone(d.snap.Load(), snap)
		d.snap.Store(snap)
		d.o.Log.Debug("the account list was read", "accounts", snap.Len(), "took", d.o.Now().Sub(began))
	}
	f.listed, f.snap, f.err = listed, snap, err
	d.running = nil
	close(f.done)
	if next := d.queued; next != nil {
		d.queued = nil
		d.launch(next)
	}
}

// smallList is the number of accounts from which a loss of half is suspicious.
const smallList = 20

// list reads all accounts. A list that lost more than half of them is believed
// only when a second one says the same. AsOf is when the one returned was asked
// for.
func (d *Directory) list(ctx context.Context, started time.Time) (list []wave.Reseller, asOf time.Time, err error) {
	if list, err = d.api.List(ctx); err != nil {
		return nil, asOf, unread(err)
	}
	before := 0
	if snap := d.snap.Load(); snap != nil {
		before = snap.Len()
	}
	if before < smallList || len(list)*2 >= before {
		return list, started, nil
	}
	d.o.Log.Warn("the account list lost more than half: asking again", "before", before, "now", len(list))
	started = d.o.Now()
	again, err := d.api.List(ctx)
	if err != nil {
		return nil, asOf, unread(err)
	}
	if len(again)*2 < before && len(again) != len(list) {
		return nil, asOf, fault.New(fault.Unavailable, fmt.Errorf("the account list is unsteady: %d, then %d, then %d accounts", before, len(list), len(again)))
	}
	return again, started, nil
}

// unread is the fault of a list call: whatever happened, nothing was changed.
func unread(err error) error {
	if fault.Is(err, fault.Uncertain) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fault.New(fault.Unavailable, err)
	}
	return err
}
