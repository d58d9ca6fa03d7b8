package waveapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"waveadmin/internal/fault"
)

// A token is what the API knows us by for a while. It lives in memory only.
type token struct {
	header  secret    // of Authorization, such as "Bearer eyJ…"
	access  secret    // the second half of header
	renew   time.Time // from here on a new one is fetched in the background
	expires time.Time
	gen     uint64 // counts fetches; 0 is no token
}

// refusalHold is how long a refusal by the token endpoint, or of a token that is
// brand new, is believed before it is tried again.
const refusalHold = 30 * time.Second

var errClosed = errors.New("the client is closed")

// A tokenSource holds the token of the moment. All callers share one fetch, which
// lives on when one of them gives up.
type tokenSource struct {
	fetch  func(context.Context) (token, error)
	limit  time.Duration // of one fetch with its repetitions
	ctx    context.Context
	cancel context.CancelCauseFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	current token
	gen     uint64
	flight  *flight // the fetch under way, nil for none
	refusal error   // of the last fetch
	holdTo  time.Time
	stuckTo time.Time // brand-new tokens were refused: a newer one is no use until then
}

// A flight is one fetch; tok and err are set before done is closed.
type flight struct {
	done chan struct{}
	tok  token
	err  error
}

func newTokenSource(fetch func(context.Context) (token, error), limit time.Duration) *tokenSource {
	s := &tokenSource{fetch: fetch, limit: limit}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
}

func (s *tokenSource) close() {
	s.cancel(errClosed)
	s.done.Wait()
}

// get returns a token that has not expired. It waits for a fetch only when there
// is none, and for no longer than ctx. Its faults are Unavailable, Busy and
// Denied: nothing was sent to the API.
func (s *tokenSource) get(ctx context.Context) (token, error) {
	tok, f, err := s.look()
	if f == nil {
		return tok, err
	}
	select {
	case <-f.done:
		return f.tok, f.err
	case <-ctx.Done():
		return token{}, fault.New(fault.Unavailable, fmt.Errorf("waiting for a token: %w", context.Cause(ctx)))
	}
}

// look returns the token, or the fetch to wait for, or the error to report.
func (s *tokenSource) look() (token, *flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	usable := s.current.gen != 0 && now.Before(s.current.expires)
	due := !usable || !now.Before(s.current.renew)
	switch {
	case !due || s.flight != nil:
	case s.ctx.Err() != nil:
		if !usable {
			return token{}, nil, fault.New(fault.Unavailable, errClosed)
		}
	case now.Before(s.holdTo):
		if !usable {
			return token{}, nil, s.refusal
		}
	default:
		f := &flight{done: make(chan struct{})}
		s.flight = f
		s.done.Go(func() { s.fly(f) })
	}
	if usable {
		return s.current, nil, nil
	}
	return token{}, s.flight, nil
}

// fly fetches for everyone who waits on f.
func (s *tokenSource) fly(f *flight) {
	ctx, cancel := context.WithTimeout(s.ctx, s.limit)
	defer cancel()
	tok, err := s.fetch(ctx)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	if err == nil {
		s.gen++
		tok.gen = s.gen
		s.current = tok
	} else {
		now := time.Now()
		s.refusal, s.holdTo = err, now.Add(holdAfter(err))
		s.current.renew = now.Add(refusalHold) // while the old one lasts there is no hurry
	}
	f.tok, f.err = tok, err
	close(f.done)
}

// holdAfter says how long to leave the token endpoint alone.
func holdAfter(err error) time.Duration {
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && f.Kind == fault.Denied:
		return refusalHold
	case ok && f.Kind == fault.Busy:
		return f.RetryAfter
	}
	return 0
}

// invalidate forgets the token that the API has just refused, unless a newer one
// is there already. It reports whether trying again makes sense.
func (s *tokenSource) invalidate(gen uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.stuckTo) {
		return s.current.gen != gen
	}
	if s.current.gen == gen {
		s.current = token{}
	}
	return true
}

// stuck notes that a token was refused that had replaced a refused one: until the
// hold is over, a refusal is not the token's fault.
func (s *tokenSource) stuck() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stuckTo = time.Now().Add(refusalHold)
}
