package waveapi

import (
	"context"
	"log/slog"
	"slices"
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

	mu   sync.Mutex
	left []time.Time // when the last calls left, a ring of twice the full rate; onTheWay while that is not known
	next int         // index into left
}

// onTheWay is the time of a call that may start and has not been written yet.
var onTheWay = time.Unix(1<<40, 0)

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
		left:     make([]time.Time, 2*perSecond),
	}
	if slots != nil {
		p.shared = newSharedSlots(slots, perSecond, log)
	}
	return p
}

// wait returns when a call may start, or with an error when ctx ends before. It
// returns at once if the deadline of ctx is sure to pass first. A patient call
// starts only while no other waits. Left is to be called when the call was written, or
// came to nothing; again is no harm.
func (p *pacer) wait(ctx context.Context, patient bool) (left func(), err error) {
	leave, err := p.lanes.enter(ctx, patient)
	if err != nil {
		return nil, err
	}
	defer leave()
	if p.shared != nil {
		if err := p.shared.wait(ctx, p.lanes.waiting()); err != nil {
			return nil, err
		}
	}
	allowed := p.throttle.now()
	if rate.Limit(allowed) != p.limiter.Limit() {
		p.limiter.SetLimit(rate.Limit(allowed))
	}
	if err := p.limiter.Wait(ctx); err != nil {
		return nil, err
	}
	for {
		left, d := p.start()
		if d <= 0 {
			return left, nil
		}
		if err := sleep(ctx, d); err != nil {
			return nil, err
		}
	}
}

// start counts a call that starts now and returns what is to be told when it has left,
// or says how long it must still wait. A machine that is busy can write a call long
// after it started, beside later ones; so what counts is when calls left.
func (p *pacer) start() (left func(), wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	allowed := max(int(p.throttle.now()), 1)
	var recent []time.Time
	for _, at := range p.left {
		if !at.IsZero() && now.Sub(at) < pacerWindow {
			recent = append(recent, at)
		}
	}
	if over := len(recent) - allowed; over >= 0 {
		slices.SortFunc(recent, time.Time.Compare)
		if last := recent[over]; last != onTheWay {
			return nil, pacerWindow - now.Sub(last)
		}
		return nil, time.Millisecond
	}
	i := p.next
	p.left[i] = onTheWay
	p.next = (p.next + 1) % len(p.left)
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.left[i] = time.Now()
	}), 0
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
