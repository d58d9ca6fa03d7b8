package auth

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"
)

const (
	// Keys are fetched again for every token with an unknown key or a bad
	// signature: whoever sends such tokens gets this many fetches.
	keyFetches   = 5
	keyFetchRate = rate.Limit(1.0 / 15)
)

var (
	errKeyBudget = errors.New("keys were fetched too often just now")
	errNoKeys    = errors.New("the provider does not answer with its keys")
)

// budget is a transport for keys that fails when it is used too often.
type budget struct {
	now  func() time.Time
	left *rate.Limiter
	next http.RoundTripper
	down atomic.Bool // whether the last fetch got no answer
}

func (b *budget) RoundTrip(r *http.Request) (*http.Response, error) {
	if !b.left.AllowN(b.now(), 1) {
		b.down.Store(false) // as far as we know
		return nil, errKeyBudget
	}
	resp, err := b.next.RoundTrip(r)
	b.down.Store(err != nil || outage(resp.StatusCode))
	return resp, err
}

// noKeysKey is where a context holds a *bool, see withoutKeys.
type noKeysKey struct{}

// withoutKeys returns a context in which missing tells whether a signature could
// not be checked because the provider does not answer. The verifier of go-oidc
// drops the cause of its errors.
func withoutKeys(ctx context.Context) (_ context.Context, missing *bool) {
	missing = new(bool)
	return context.WithValue(ctx, noKeysKey{}, missing), missing
}

// keyLife is how long keys are believed without looking whether the provider has
// withdrawn one. The key set of go-oidc only ever looks for keys that it lacks.
const keyLife = 15 * time.Minute

// keySet is the provider's keys, fetched by a budget. It is safe for concurrent
// use.
type keySet struct {
	by    *budget
	fetch func() oidc.KeySet

	mu    sync.Mutex
	known oidc.KeySet // nil at first
	since time.Time
	next  oidc.KeySet // takes the place of known once it has fetched
}

// VerifySignature implements oidc.KeySet. When it is time to look at the keys again
// and they cannot be had, those of before will do.
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	now := k.by.now()
	k.mu.Lock()
	if k.next == nil && now.Sub(k.since) >= keyLife {
		k.next = k.fetch() // one for all who come now
	}
	known, next := k.known, k.next
	k.mu.Unlock()
	if next != nil {
		payload, err := next.VerifySignature(ctx, jwt)
		if !unfetched(err) {
			k.mu.Lock()
			if k.next == next {
				k.known, k.since, k.next = next, now, nil
			}
			k.mu.Unlock()
			return payload, err
		}
		if known == nil {
			return nil, k.note(ctx, err)
		}
	}
	payload, err := known.VerifySignature(ctx, jwt)
	return payload, k.note(ctx, err)
}

// unfetched reports whether err is that keys could not be fetched: go-oidc wraps
// the cause of that, and nothing for a bad signature.
func unfetched(err error) bool { return errors.Unwrap(err) != nil }

// note tells withoutKeys of err and returns it.
func (k *keySet) note(ctx context.Context, err error) error {
	if missing, ok := ctx.Value(noKeysKey{}).(*bool); ok && unfetched(err) {
		*missing = k.by.down.Load()
	}
	return err
}
