package web

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"sync"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/views"
)

const (
	// maxFormBytes is enough for the form of one account, all flags and a reason.
	maxFormBytes = 64 << 10
	// maxBulkBytes is enough for a plan of 20,000 cells, the ids of as many accounts, or
	// a file of presets.
	maxBulkBytes = 4 << 20
	// maxImportBytes is enough for the largest file of accounts, and the form around it.
	maxImportBytes = 2<<20 + 16<<10
)

// formLimit returns how many bytes of a form are read: much only at some addresses, of
// people who may do something with it.
func formLimit(r *http.Request) int64 {
	switch r.URL.Path {
	case views.BulkListURL, views.BulkNewURL, views.PresetImportURL:
		if auth.ActorFrom(r.Context()).MayModify() {
			return maxBulkBytes
		}
	case views.ImportURL:
		if auth.ActorFrom(r.Context()).MayModify() {
			return maxImportBytes
		}
	}
	return maxFormBytes
}

// readForm reads the form of a write, so that a handler finds it parsed: too
// large is 413, and a form that is none is Invalid. The one form with a file is left to
// its handler, which reads it as it arrives and says itself when it is too large.
func (s *site) readForm(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !safe(r.Method) {
			if err := parseForm(w, r); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func parseForm(w http.ResponseWriter, r *http.Request) error {
	limit := formLimit(r)
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.URL.Path == views.ImportURL && media == "multipart/form-data" {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		return nil
	}
	if r.ContentLength > limit { // before a byte is read
		return fault.New(fault.TooLarge, fmt.Errorf("form of %d bytes", r.ContentLength))
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if r.ContentLength != 0 && media != "application/x-www-form-urlencoded" {
		return fault.New(fault.Invalid, fmt.Errorf("a body of type %q", media))
	}
	if err := r.ParseForm(); err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return fault.New(fault.TooLarge, tooLarge)
		}
		return fault.New(fault.Invalid, err)
	}
	return nil
}

const (
	maxInFlight = 8               // requests of one person at a time
	maxWait     = 3 * time.Second // for one of them to end
)

// inFlight bounds how many requests of one person are worked on at once. It
// counts persons and not sessions: opening more sessions buys nothing.
type inFlight struct {
	mu    sync.Mutex
	slots map[auth.Actor]*slots
}

type slots struct {
	taken chan struct{}
	users int // who hold or wait; at zero the entry goes
}

// limitInFlight makes a person's ninth request wait for one of the others, and
// refuses it after maxWait with a 503 that says when to come back.
func (s *site) limitInFlight(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor := auth.ActorFrom(r.Context())
		if actor.Subject == "" {
			next.ServeHTTP(w, r)
			return
		}
		leave, err := s.inFlight.enter(r.Context(), auth.Actor{Issuer: actor.Issuer, Subject: actor.Subject})
		if err != nil {
			s.fail(w, r, err)
			return
		}
		defer leave()
		next.ServeHTTP(w, r)
	})
}

// enter takes a slot of who, which leave gives back. Its fault is Busy; it
// returns the error of ctx if that ends first.
func (f *inFlight) enter(ctx context.Context, who auth.Actor) (leave func(), err error) {
	own := f.join(who)
	leave = func() {
		<-own.taken
		f.part(who, own)
	}
	select {
	case own.taken <- struct{}{}:
		return leave, nil
	default:
	}

	wait := time.NewTimer(maxWait)
	defer wait.Stop()
	select {
	case own.taken <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-wait.C:
		err = &fault.Error{Kind: fault.Busy, Say: fault.Say("error.in_flight"), RetryAfter: maxWait}
	}
	f.part(who, own)
	return nil, err
}

func (f *inFlight) join(who auth.Actor) *slots {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := f.slots[who]
	if own == nil {
		own = &slots{taken: make(chan struct{}, maxInFlight)}
		f.slots[who] = own
	}
	own.users++
	return own
}

func (f *inFlight) part(who auth.Actor, own *slots) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(f.slots, who)
	}
}
