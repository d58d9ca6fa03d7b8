package waveapi

import (
	"sync"
	"time"
)

const (
	// Calls that were under way together are refused together: that is one sign.
	throttleOnce = time.Second
	// Recovery is the share of the full rate that comes back in a second: from half
	// to all of it in ten.
	Recovery = 0.05
	// SlowestRate is the calls a second below which no refusal brings the rate.
	SlowestRate = 1
)

// A throttle is the rate in force: all of it until the API says that it is too
// much, then half of what it was, and from there it grows again. It is safe for
// concurrent use.
type throttle struct {
	full float64 // calls a second

	mu  sync.Mutex
	low float64
	at  time.Time // when it fell to low; zero for never
}

// now returns the calls a second that are allowed at this moment.
func (t *throttle) now() float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current()
}

func (t *throttle) current() float64 {
	if t.at.IsZero() {
		return t.full
	}
	return min(t.full, t.low+time.Since(t.at).Seconds()*Recovery*t.full)
}

// slow halves the rate, unless that was done less than a second ago, and returns
// what it is then.
func (t *throttle) slow() (allowed float64, slowed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.at.IsZero() && time.Since(t.at) < throttleOnce {
		return t.current(), false
	}
	t.low = max(t.current()/2, min(SlowestRate, t.full))
	t.at = time.Now()
	return t.low, true
}
