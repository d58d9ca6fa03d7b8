package waveapi

import (
	"context"
	"sync"
	"sync/atomic"
)

// lanes put the calls that people wait for before those that are patient: of the
// patient ones only one at a time waits for the rate, and only while no other call
// does. So a run of thousands costs a person one slot.
type lanes struct {
	turn    chan struct{} // held by the patient call that is next
	patient atomic.Int32  // calls that wait for turn or have it

	mu     sync.Mutex
	people int
	none   chan struct{} // closed when people falls to 0; nil while it is 0
}

func newLanes() lanes { return lanes{turn: make(chan struct{}, 1)} }

// enter waits until it is the call's turn to wait for the rate. Whoever it
// succeeds for must call leave once the call may start, or does not want to.
func (l *lanes) enter(ctx context.Context, patient bool) (leave func(), err error) {
	if !patient {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.people++; l.people == 1 {
			l.none = make(chan struct{})
		}
		return l.served, nil
	}
	l.patient.Add(1)
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		l.patient.Add(-1)
		return nil, context.Cause(ctx)
	}
	leave = func() {
		<-l.turn
		l.patient.Add(-1)
	}
	for {
		none := l.busy()
		if none == nil {
			return leave, nil
		}
		select {
		case <-none:
		case <-ctx.Done():
			leave()
			return nil, context.Cause(ctx)
		}
	}
}

// served ends the wait of a call that is not patient.
func (l *lanes) served() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.people--; l.people == 0 {
		close(l.none)
		l.none = nil
	}
}

// busy returns a channel that is closed when nobody waits before the patient, or
// nil when nobody does.
func (l *lanes) busy() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.none
}

// waiting returns how many calls are in both lanes.
func (l *lanes) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.people + int(l.patient.Load())
}
