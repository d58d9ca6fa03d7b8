package waveapi

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A pacer spaces calls out. The API counts calls a second, in a way that it does
// not tell. The limiter alone lets burst more than the rate into some seconds, so
// a window over the last calls stands beside it. With other servers on the same
// API the two only guard what the shared slots allow.
type pacer struct {
	lanes    lanes
	throttle throttle
	shared   *sharedSlots // nil when this is the only server
	limiter  *rate.Limiter

	mu     sync.Mutex
	starts []time.Time // of the last calls, a ring as long as the full rate
	next   int         // index into starts
}

const (
	// Less loses rate when the machine is busy, more makes the calls bunch.
	pacerBurst = 8
	// A second, and room for the way to the API taking longer for one call than for the next.
	pacerWindow = time.Second + 25*time.Millisecond
)

// newPacer returns a pacer that lets at most perSecond calls start in any second.
// Slots may be nil.
func newPacer(perSecond int, slots Slots, log *slog.Logger) *pacer {
	p := &pacer{
		lanes:    newLanes(),
		throttle: throttle{full: float64(perSecond)},
		limiter:  rate.NewLimiter(rate.Limit(perSecond), min(pacerBurst, perSecond)),
		starts:   make([]time.Time, perSecond),
	}
	if slots != nil {
		p.shared = newSharedSlots(slots, float64(perSecond), log)
	}
	return p
}

// wait returns when a call may start, or with an error when ctx ends before. It
// returns at once if the deadline of ctx is sure to pass first. A patient call
// starts only while no other waits.
func (p *pacer) wait(ctx context.Context, patient bool) error {
	leave, err := p.lanes.enter(ctx, patient)
	if err != nil {
		return err
	}
	defer leave()
	if p.shared != nil {
		if err := p.shared.wait(ctx, p.lanes.waiting()); err != nil {
			return err
		}
	}
	allowed := p.throttle.now()
	if rate.Limit(allowed) != p.limiter.Limit() {
		p.limiter.SetLimit(rate.Limit(allowed))
	}
	if err := p.limiter.Wait(ctx); err != nil {
		return err
	}
	for {
		d := p.start()
		if d <= 0 {
			return nil
		}
		if err := sleep(ctx, d); err != nil {
			return err
		}
	}
}

// start counts a call that starts now and returns 0, or says how long it must
// still wait.
func (p *pacer) start() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	back := min(int(p.throttle.now()), len(p.starts)) // as many calls ago must be a window ago
	if first := p.starts[(p.next-back+len(p.starts))%len(p.starts)]; !first.IsZero() && now.Sub(first) < pacerWindow {
		return pacerWindow - now.Sub(first)
	}
	p.starts[p.next] = now
	p.next = (p.next + 1) % len(p.starts)
	return 0
}

// slow halves the rate for a while: the API said that it is too much.
func (p *pacer) slow(ctx context.Context) (allowed float64, slowed bool) {
	allowed, slowed = p.throttle.slow()
	if slowed && p.shared != nil {
		p.shared.slow(ctx)
	}
	return allowed, slowed
}

// sleep waits for d, or fails when ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
