package reseller_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// fakeWave is the API with state. It refuses what the real one refuses.
type fakeWave struct {
	mu       sync.Mutex
	accounts map[wave.UserID]wave.Reseller
	groups   []wave.BillingGroup
	calls    []string
	sent     map[string]int
	faults   map[string]func(n int) reaction // by operation; n counts from 1
	gate     chan struct{}                   // a list call takes one, if set
	slow     map[string]time.Duration        // what calls take, by operation; set before the first, or by setSlow
	created  int
}

// reaction is what goes wrong with one call.
type reaction struct {
	err   error // what the caller gets
	apply bool  // whether it is done all the same
	first func(w *fakeWave)
}

func newWave(accounts ...wave.Reseller) *fakeWave {
	w := &fakeWave{accounts: map[wave.UserID]wave.Reseller{}, sent: map[string]int{}, faults: map[string]func(int) reaction{}}
	for _, a := range accounts {
		w.accounts[a.UserID] = a
	}
	return w
}

func account(id wave.UserID, on ...wave.Key) wave.Reseller {
	var m wave.Meta
	for _, f := range wave.Flags {
		m = m.With(f.Key, slices.Contains(on, f.Key))
	}
	return wave.Reseller{
		UserID: id, Email: string(id) + "@example.com", Meta: m,
		BillingGroup: wave.BillingGroup{CompanyID: "c-" + string(id), ID: "bg-" + string(id), Name: "株式会社" + string(id)},
		Registered:   time.Date(2020, 1, 1, 1, 0, 0, 0, time.UTC),
	}
}

// on makes calls of op go wrong.
func (w *fakeWave) on(op string, f func(n int) reaction) *fakeWave {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults[op] = f
	return w
}

// setSlow says what calls take from now on.
func (w *fakeWave) setSlow(slow map[string]time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slow = slow
}

func always(err error, apply bool) func(int) reaction {
	return func(int) reaction { return reaction{err: err, apply: apply} }
}

// nth makes the nth call of an operation go wrong.
func nth(n int, err error, apply bool) func(int) reaction {
	return func(i int) reaction {
		if i == n {
			return reaction{err: err, apply: apply}
		}
		return reaction{apply: true}
	}
}

// do runs one call: apply is what it does to the accounts.
func (w *fakeWave) do(ctx context.Context, op string, id any, apply func() error) error {
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Unavailable, err)
	}
	w.mu.Lock()
	takes := w.slow[op]
	w.mu.Unlock()
	time.Sleep(takes)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent[op]++
	if op != "list" {
		w.calls = append(w.calls, fmt.Sprintf("%s %v", op, id))
	}
	r := reaction{apply: true}
	if f := w.faults[op]; f != nil {
		r = f(w.sent[op])
	}
	if r.first != nil {
		r.first(w)
	}
	if r.apply {
		if err := apply(); err != nil {
			return err
		}
	}
	return r.err
}

func (w *fakeWave) List(ctx context.Context) ([]wave.Reseller, error) {
	if w.gate != nil {
		select {
		case <-w.gate:
		case <-ctx.Done():
			return nil, fault.New(fault.Unavailable, ctx.Err())
		}
	}
	var list []wave.Reseller
	err := w.do(ctx, "list", "", func() error {
		list = slices.Collect(maps.Values(w.accounts))
		return nil
	})
	return list, err
}

func (w *fakeWave) ListBillingGroups(ctx context.Context) ([]wave.BillingGroup, error) {
	var list []wave.BillingGroup
	err := w.do(ctx, "groups", "", func() error { list = w.groups; return nil })
	return list, err
}

func (w *fakeWave) known(id wave.UserID) error {
	if _, ok := w.accounts[id]; !ok {
		return fault.New(fault.NotFound, fmt.Errorf("no account %s", id))
	}
	return nil
}

func (w *fakeWave) Create(ctx context.Context, n wave.NewReseller) error {
	return w.do(ctx, "create", n.Email, func() error {
		for _, a := range w.accounts {
			if strings.EqualFold(a.Email, n.Email) {
				return fault.New(fault.Rejected, fmt.Errorf("email %s exists", n.Email))
			}
		}
		if (n.Input == wave.Custom) != (n.Password != "") {
			return fault.New(fault.Rejected, fmt.Errorf("input %s with password %q", n.Input, n.Password))
		}
		w.created++
		id := wave.UserID(fmt.Sprintf("new-%d", w.created))
		w.accounts[id] = wave.Reseller{UserID: id, Email: n.Email, BillingGroup: wave.BillingGroup{CompanyID: n.CompanyID}, Meta: n.Meta}
		return nil
	})
}

func (w *fakeWave) ReplaceMeta(ctx context.Context, id wave.UserID, m wave.Meta) error {
	return w.do(ctx, "meta", id, func() error {
		if err := w.known(id); err != nil {
			return err
		}
		a := w.accounts[id]
		a.Meta, a.Updated = m, time.Now()
		w.accounts[id] = a
		return nil
	})
}

func (w *fakeWave) ReplacePassword(ctx context.Context, id wave.UserID, p wave.NewPassword) error {
	return w.do(ctx, "password", id, func() error {
		if err := w.known(id); err != nil {
			return err
		}
		if (p.Input == wave.Custom) != (p.Password != "") {
			return fault.New(fault.Rejected, fmt.Errorf("input %s with password %q", p.Input, p.Password))
		}
		a := w.accounts[id]
		a.PasswordUpdated = time.Now().Add(time.Second)
		w.accounts[id] = a
		return nil
	})
}

func (w *fakeWave) Delete(ctx context.Context, id wave.UserID) error {
	return w.do(ctx, "delete", id, func() error {
		if err := w.known(id); err != nil {
			return err
		}
		delete(w.accounts, id)
		return nil
	})
}

// set changes flags outside the program.
func (w *fakeWave) set(id wave.UserID, on bool, keys ...wave.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setLocked(id, on, keys...)
}

func (w *fakeWave) setLocked(id wave.UserID, on bool, keys ...wave.Key) {
	a := w.accounts[id]
	for _, key := range keys {
		a.Meta = a.Meta.With(key, on)
	}
	w.accounts[id] = a
}

func (w *fakeWave) get(id wave.UserID) (wave.Reseller, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.accounts[id]
	return a, ok
}

func (w *fakeWave) count(op string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent[op]
}

func newDirectory(t testing.TB, api reseller.API) *reseller.Directory {
	t.Helper()
	return reseller.NewDirectory(api, reseller.DirectoryOptions{MaxAge: 30 * time.Second, Fold: strings.ToLower, Log: slog.New(slog.DiscardHandler)})
}
