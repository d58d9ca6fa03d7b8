package reseller

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
)

const (
	tendEvery  = 10 * time.Second // a third of a lease
	closeEvery = time.Second      // an outcome that could not be recorded is tried again
)

// work is what this process has open in the ledger.
type work struct {
	mu       sync.Mutex
	under    map[string]bool      // changes that a call works on
	waiting  map[string]time.Time // those of them that wait for a list which may be hurried, of then or later
	unclosed []change.Change      // whose outcome could not be recorded yet
}

// begin opens c in the ledger. Whoever it succeeds for must close it, and defer
// leave.
func (s *Service) begin(ctx context.Context, c change.Change) (change.Change, error) {
	c, err := s.ledger.Open(ctx, c)
	if err != nil {
		return c, err
	}
	s.work.mu.Lock()
	defer s.work.mu.Unlock()
	s.work.under[c.ID] = true
	return c, nil
}

// waits notes that a change waits for a list of t or later, until over is called.
func (w *work) waits(id string, t time.Time) (over func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting[id] = t
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.waiting, id)
	}
}

// waitsFor reports whether this process works on a change, and from when the list must
// be that it waits for, zero when it waits for none.
func (w *work) waitsFor(id string) (list time.Time, here bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waiting[id], w.under[id]
}

// lastWait returns from when a list must be for all that wait, zero when none does.
func (w *work) lastWait() (list time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.waiting {
		if t.After(list) {
			list = t
		}
	}
	return list
}

// end reports whether the change was under way, which it is no longer.
func (s *Service) end(id string) bool {
	s.work.mu.Lock()
	defer s.work.mu.Unlock()
	was := s.work.under[id]
	delete(s.work.under, id)
	return was
}

// close records how c ended. What cannot be recorded is left to Run, and the
// account stays locked until then.
func (s *Service) close(ctx context.Context, c change.Change) (change.Change, error) {
	s.end(c.ID)
	closed, err := s.ledger.Close(context.WithoutCancel(ctx), c)
	if err != nil {
		s.log.Error("the outcome of a change could not be recorded", "change", c.ID, "state", c.State, "err", err)
		s.work.mu.Lock()
		s.work.unclosed = append(s.work.unclosed, c)
		s.work.mu.Unlock()
	}
	if err != nil || c.State == change.InDoubt {
		s.wakeRun()
	}
	return closed, err
}

// leave closes c if nobody did: the code that worked on it has panicked. It is
// deferred with the variable that is told of the steps of c.
func (s *Service) leave(ctx context.Context, c *change.Change) {
	if !s.end(c.ID) {
		return
	}
	c.Fault, c.Detail = fault.Internal.String(), "the server panicked"
	if c.State != change.Sent {
		c.State = change.Failed
	} else {
		c.State = change.InDoubt
	}
	_, _ = s.close(ctx, *c)
}

func (s *Service) wakeRun() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tend records the outcomes that could not be, and ends the changes of this
// process that nobody works on. It returns when to call it again.
func (s *Service) tend(ctx context.Context) time.Duration {
	s.work.mu.Lock()
	unclosed := s.work.unclosed
	s.work.unclosed = nil
	s.work.mu.Unlock()
	var left []change.Change
	for _, c := range unclosed {
		_, err := s.ledger.Close(ctx, c)
		if _, moved := errors.AsType[*change.StateError](err); err != nil && !moved {
			left = append(left, c)
		}
	}

	s.work.mu.Lock()
	s.work.unclosed = append(s.work.unclosed, left...)
	working := slices.Collect(maps.Keys(s.work.under))
	s.work.mu.Unlock()
	failed, inDoubt, err := s.ledger.Expire(ctx, working)
	switch {
	case err != nil && ctx.Err() == nil:
		s.log.Error("abandoned changes could not be looked for", "err", err)
	case failed+inDoubt > 0:
		s.log.Warn("changes were abandoned", "failed", failed, "in_doubt", inDoubt)
	}
	if len(left) > 0 {
		return closeEvery
	}
	return tendEvery
}
