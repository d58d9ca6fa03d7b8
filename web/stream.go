package web

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"waveadmin/internal/auth"
)

const (
	maxStreams = 2               // open pages of one person that are told by themselves
	askAgain   = 2 * time.Second // whether the person may still read
)

// isStream reports whether an answer goes on for as long as a page is open, and asksStream
// whether a browser asks for one: it does so by itself, and again after each end.
func isStream(answer http.Header) bool {
	return strings.HasPrefix(answer.Get("Content-Type"), eventStream)
}

func asksStream(r *http.Request) bool { return r.Header.Get("Accept") == eventStream }

const eventStream = "text/event-stream"

// streams counts the streams of each person, over their sessions as inFlight does.
type streams struct {
	mu   sync.Mutex
	open map[auth.Actor]int
}

// enter takes a place of who, which leave gives back. It reports false when they have as
// many as anyone may.
func (s *streams) enter(who auth.Actor) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[who] >= maxStreams {
		return nil, false
	}
	s.open[who]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[who]--; s.open[who] == 0 {
			delete(s.open, who)
		}
	}, true
}

// stream is around answers that go on, which count apart from other requests. Their
// context ends when the session is over or of another role, and when the server stops.
// Who has too many gets a 204: the page does without.
func (s *site) stream(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor := auth.ActorFrom(r.Context())
		leave, ok := s.streams.enter(auth.Actor{Issuer: actor.Issuer, Subject: actor.Subject})
		if !ok {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		defer leave()
		if r.Method == http.MethodHead { // nothing would ever be sent
			w.WriteHeader(http.StatusOK)
			return
		}
		defer s.metrics.streamOpen()()

		ctx, cancel := context.WithCancel(r.Context())
		var watching sync.WaitGroup
		watching.Go(func() {
			defer cancel()
			s.mayGoOn(ctx, r, actor.Role)
		})
		defer watching.Wait()
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// mayGoOn returns when a stream of r has to end: also when that cannot be told.
func (s *site) mayGoOn(ctx context.Context, r *http.Request, role auth.Role) {
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.stopping:
			return
		case <-tick.C:
		}
		now, err := s.actorNow(r)
		if err != nil || now.Role != role {
			return
		}
	}
}
