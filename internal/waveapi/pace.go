package waveapi

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A pacer spaces calls out. The API counts calls a second, in a way that it does
// not tell. The limiter alone lets burst more than the rate into some seconds, so
// a window over the last calls stands beside it.
type pacer struct {
	limiter *rate.Limiter

	mu     sync.Mutex
	starts []time.Time // of the last calls, a ring as long as the rate
	oldest int         // index into starts
}

const (
	// Less loses rate when the machine is busy, more makes the calls bunch.
	pacerBurst = 8
	// A second, and room for the way to the API taking longer for one call than for the next.
	pacerWindow = time.Second + 25*time.Millisecond
)

// newPacer returns a pacer that lets at most perSecond calls start in any second.
func newPacer(perSecond int) *pacer {
	return &pacer{
		limiter: rate.NewLimiter(rate.Limit(perSecond), min(pacerBurst, perSecond)),
		starts:  make([]time.Time, perSecond),
	}
}

// wait returns when a call may start, or with an error when ctx ends before. It
// returns at once if the deadline of ctx is sure to pass first.
func (p *pacer) wait(ctx context.Context) error {
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
	if first := p.starts[p.oldest]; !first.IsZero() && now.Sub(first) < pacerWindow {
		return pacerWindow - now.Sub(first)
	}
	p.starts[p.oldest] = now
	p.oldest = (p.oldest + 1) % len(p.starts)
	return 0
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
