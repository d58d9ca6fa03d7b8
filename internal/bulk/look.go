package bulk

import (
	"context"
	"sync"
	"time"

	"waveadmin/internal/change"
)

// Readings are the parts of Plans that tell how a run goes.
type Readings interface {
	Progress(ctx context.Context, id string) (*Progress, error)
	Items(ctx context.Context, id string, state change.State, limit, offset int) ([]Item, error)
}

// forgetAfter is how long a look is kept that nobody asks for.
const forgetAfter = time.Minute

// Looks lets all who watch a run share what is read of it: however many they are, it is
// read once in the time for which they take the same. It is safe for concurrent use.
type Looks struct {
	of Readings

	mu   sync.Mutex
	runs map[string]*watched
}

// watched is a run that someone looks at.
type watched struct {
	used time.Time // under the lock of Looks

	turn chan struct{} // is full while someone reads
	last *Look
}

// NewLooks returns looks at the runs of r.
func NewLooks(r Readings) *Looks { return &Looks{of: r, runs: make(map[string]*watched)} }

// A Look is a run as it stood at a moment, for all who look at it then. It is safe for
// concurrent use; nobody writes to what it holds.
type Look struct {
	*Progress
	of    Readings
	begun time.Time

	mu    sync.Mutex
	pages map[page][]Item
}

type page struct {
	state         change.State
	limit, offset int
}

// Look returns how the run of a plan stood at most maxAge ago; 0 is for a reading that
// begins now. It fails as Plans.Progress does.
func (l *Looks) Look(ctx context.Context, id string, maxAge time.Duration) (*Look, error) {
	asked := time.Now()
	run := l.watched(id, asked)
	select {
	case run.turn <- struct{}{}:
		defer func() { <-run.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if run.last != nil && !run.last.begun.Before(asked.Add(-maxAge)) {
		return run.last, nil
	}
	begun := time.Now()
	p, err := l.of.Progress(ctx, id)
	if err != nil {
		return nil, err
	}
	run.last = &Look{Progress: p, of: l.of, begun: begun, pages: make(map[page][]Item)}
	return run.last, nil
}

// watched returns the entry of a run, and drops those that nobody asks for.
func (l *Looks) watched(id string, now time.Time) *watched {
	l.mu.Lock()
	defer l.mu.Unlock()
	run := l.runs[id]
	if run == nil {
		for other, w := range l.runs {
			if now.Sub(w.used) > forgetAfter {
				delete(l.runs, other)
			}
		}
		run = &watched{turn: make(chan struct{}, 1)}
		l.runs[id] = run
	}
	run.used = now
	return run
}

// Items returns a part of the accounts as Plans.Items does, at the moment in which
// someone first asked k for that part.
func (k *Look) Items(ctx context.Context, state change.State, limit, offset int) ([]Item, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := page{state, limit, offset}
	if items, ok := k.pages[at]; ok {
		return items, nil
	}
	items, err := k.of.Items(ctx, k.Plan.ID, state, limit, offset)
	if err == nil {
		k.pages[at] = items
	}
	return items, err
}
