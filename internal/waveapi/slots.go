package waveapi

import (
	"context"
	"log/slog"
	"time"
)

// Slots are the moments at which calls may start, shared by all servers that use
// the API with one client id.
type Slots interface {
	// Take takes the next n slots of perSecond. It returns how long it is from now
	// to the first of them, negative when that is overdue, and from each to the next.
	// Slots that are not used are lost.
	Take(ctx context.Context, n int, perSecond float64) (first, gap time.Duration, err error)
	// Slow halves the rate of all servers, from where it recovers; see Recovery.
	Slow(ctx context.Context, perSecond float64) error
}

const (
	slotsAtOnce = 5                      // more make a person on another server wait, fewer ask the database more often
	slotStale   = 100 * time.Millisecond // an older one would add to a burst

	// aloneShare is the part of the rate that a server takes while it cannot ask:
	// the others may do the same.
	aloneShare = 3
)

// sharedSlots hands out slots that were taken together. It is safe for concurrent
// use.
type sharedSlots struct {
	slots Slots
	full  float64
	log   *slog.Logger
	turn  chan struct{} // guards what follows; a channel, so that waiting ends with a context
	ready []time.Time
	alone time.Time // the last slot that was taken without asking; zero while asking works
}

// newSharedSlots shares perSecond calls in any second. As with one server a few are kept
// back, see pacerWindow: a slot may be used late, beside those of other servers.
func newSharedSlots(slots Slots, perSecond int, log *slog.Logger) *sharedSlots {
	return &sharedSlots{slots: slots, full: float64(perSecond) / pacerWindow.Seconds(), log: log, turn: make(chan struct{}, 1)}
}

// wait returns at the next slot, or with an error when ctx ends before. Waiting is
// how many calls there are to take slots for.
func (s *sharedSlots) wait(ctx context.Context, waiting int) error {
	at, err := s.next(ctx, waiting)
	if err != nil {
		return err
	}
	if end, ok := ctx.Deadline(); ok && end.Before(at) {
		return context.DeadlineExceeded
	}
	if d := time.Until(at); d > 0 {
		return sleep(ctx, d)
	}
	return nil
}

func (s *sharedSlots) next(ctx context.Context, waiting int) (time.Time, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	}
	now := time.Now()
	for len(s.ready) > 0 && now.Sub(s.ready[0]) > slotStale {
		s.ready = s.ready[1:]
	}
	if len(s.ready) == 0 {
		if err := s.take(ctx, min(max(waiting, 1), slotsAtOnce)); err != nil {
			return time.Time{}, err
		}
	}
	at := s.ready[0]
	s.ready = s.ready[1:]
	return at, nil
}

// take fills ready. It fails only with ctx: while the database is away the server
// goes on alone, with a part of the rate.
func (s *sharedSlots) take(ctx context.Context, n int) error {
	first, gap, err := s.slots.Take(ctx, n, s.full)
	now := time.Now()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		if s.alone.IsZero() {
			s.log.Warn("the rate cannot be shared with other servers: going on with a third of it", "err", err)
		}
		gap = time.Duration(float64(time.Second) * aloneShare / s.full)
		s.alone = later(now, s.alone.Add(gap))
		s.ready = append(s.ready[:0], s.alone)
		return nil
	}
	s.alone = time.Time{}
	s.ready = s.ready[:0]
	for i := range n {
		s.ready = append(s.ready, now.Add(first+time.Duration(i)*gap))
	}
	return nil
}

// slow tells all servers that the rate is too high.
func (s *sharedSlots) slow(ctx context.Context) {
	if err := s.slots.Slow(context.WithoutCancel(ctx), s.full); err != nil {
		s.log.Warn("other servers could not be told that the rate is too high", "err", err)
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
