package waveapi

import (
	"errors"
	"sync"
	"time"
)

const (
	breakerRun   = 8               // failures in a row that open it: two calls with all their repetitions
	breakerPause = 5 * time.Second // from opening to the first probe, and from one that failed to the next
	breakerProbe = 2 * time.Minute // after it a probe that nobody has told of counts as lost; longer than a list takes
)

// errAway is the cause of a call that was not made because those before it failed.
var errAway = errors.New("not sent: the last calls all failed, and it is not time for the next try")

// A breaker spares an end that is away, and the people who would wait for it: after
// a run of failures it is open, and lets only one call through at a time, to see
// whether the end is back. A failure is a call without a whole answer, or one that
// says that the server is not well. It is safe for concurrent use.
type breaker struct {
	mu       sync.Mutex
	failures int       // in a row, while closed
	next     time.Time // when the next probe may start; zero while closed
}

// A verdict is what a call tells of the other end.
type verdict int

const (
	noVerdict verdict = iota // the caller left before anything could be told
	wellBeing                // it answered, whatever it was that it said
	failing
)

// rest returns how long calls are still refused, 0 when the next one is not.
func (b *breaker) rest() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left()
}

// left is rest for who holds mu. Of a probe under way nobody knows how long it
// takes; others may ask again after a pause.
func (b *breaker) left() time.Duration {
	if b.next.IsZero() {
		return 0
	}
	return min(max(time.Until(b.next), 0), breakerPause)
}

// enter lets a call through, or returns how long calls are still refused. Whoever
// it lets through must leave.
func (b *breaker) enter() (probe bool, rest time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if rest = b.left(); rest > 0 || b.next.IsZero() {
		return false, rest
	}
	b.next = time.Now().Add(breakerProbe)
	return true, 0
}

// leave ends a call, and reports whether its verdict has opened or closed b. What a
// call tells that began before b opened is news only if it is good.
func (b *breaker) leave(probe bool, v verdict) (opened, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := !b.next.IsZero()
	switch {
	case v == wellBeing:
		b.failures, b.next = 0, time.Time{}
		return false, open
	case open && probe && v == noVerdict:
		b.next = time.Now() // another one may try
	case open && probe:
		b.next = time.Now().Add(breakerPause)
	case !open && v == failing:
		if b.failures++; b.failures >= breakerRun {
			b.next = time.Now().Add(breakerPause)
			return true, false
		}
	}
	return false, false
}
