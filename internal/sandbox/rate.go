package sandbox

import (
	"sync"
	"time"
)

// window lets at most max calls through in any second. A call that it refuses
// does not count. The zero window lets all through.
type window struct {
	max  int
	mu   sync.Mutex
	last []time.Time // of the last max calls, a ring
	next int
}

func (w *window) allow(now time.Time) bool {
	if w.max <= 0 {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.last) < w.max {
		w.last = append(w.last, now)
		return true
	}
	if now.Sub(w.last[w.next]) < time.Second {
		return false
	}
	w.last[w.next] = now
	w.next = (w.next + 1) % w.max
	return true
}
