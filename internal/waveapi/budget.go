package waveapi

import (
	"sync"
	"time"
)

const (
	budgetShare = 0.1 // of a repetition, that a call earns
	budgetDrip  = 0.1 // of one, that a second earns: a quiet server makes few calls
	budgetFull  = 10  // repetitions that can be saved up
)

// A budget keeps repetitions from adding to the load of an API that fails because
// of its load: in any span of time there are no more of them than a tenth of the
// calls, one in ten seconds, and what was saved up before. It is safe for
// concurrent use.
type budget struct {
	mu   sync.Mutex
	left float64 // repetitions
	at   time.Time
}

func newBudget() *budget { return &budget{left: budgetFull, at: time.Now()} }

// earn counts a call that is no repetition.
func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(budgetShare)
}

// spend takes one repetition, and reports false when none is left.
func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(0)
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// add brings left up to date. The caller holds mu.
func (b *budget) add(n float64) {
	now := time.Now()
	b.left = min(b.left+n+now.Sub(b.at).Seconds()*budgetDrip, budgetFull)
	b.at = now
}
