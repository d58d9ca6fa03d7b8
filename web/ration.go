package web

import (
	"hash/maphash"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/go-chi/chi/v5/middleware"
)

const (
	// Each sign-in takes two: the way to the provider and the way back. What one
	// address may do is enough for an office behind it, all of whom begin at nine.
	signInBurst = 300
	signInEvery = 200 * time.Millisecond
	rationSlots = 1 << 14
)

// ration bounds how often each of any number of addresses may do something: a
// burst at first, then one each interval. It never grows: an address has a slot by
// a hash that nobody outside knows, and few share one. It is safe for concurrent use.
type ration struct {
	every time.Duration
	burst int
	seed  maphash.Seed

	mu   sync.Mutex
	paid [rationSlots]time.Time // until when what was taken is paid for
}

func newRation(every time.Duration, burst int) *ration {
	return &ration{every: every, burst: burst, seed: maphash.MakeSeed()}
}

// take takes one for who. When there is none it returns how long to wait.
func (l *ration) take(who netip.Prefix, now time.Time) (wait time.Duration, ok bool) {
	slot := maphash.Comparable(l.seed, who) % rationSlots
	l.mu.Lock()
	defer l.mu.Unlock()
	paid := l.paid[slot]
	if paid.Before(now) {
		paid = now
	}
	if wait := paid.Sub(now) - time.Duration(l.burst-1)*l.every; wait > 0 {
		return wait, false
	}
	l.paid[slot] = paid.Add(l.every)
	return 0, true
}

// rationSignIn bounds what strangers can make us write and ask the provider. What
// is too much is answered with 429 and when to come back.
func (s *site) rationSignIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait, ok := s.signIns.take(network(clientOf(r)), time.Now()); !ok {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			s.fail(w, r, refusal{http.StatusTooManyRequests, "error.ration"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// clientOf returns the address that clientAddress found, or none.
func clientOf(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddr(middleware.GetClientIP(r.Context())) // the zero Addr of none
	return addr
}
