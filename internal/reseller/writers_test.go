package reseller_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// writers turn one flag each, of the same accounts, before two servers.
type writers struct {
	api      *fakeWave
	servers  []*reseller.Service
	db       *db.DB // of one of them
	accounts []wave.UserID
}

// newWriters returns writers whose servers keep their ledger by wrap.
func newWriters(t *testing.T, wrap func(*change.Ledger) reseller.Ledger) *writers {
	w := &writers{accounts: []wave.UserID{"u1", "u2", "u3", "u4", "u5", "u6"}}
	var all []wave.Reseller
	for _, id := range w.accounts {
		all = append(all, account(id))
	}
	w.api = newWave(all...)
	url := dbtest.Postgres.Ready(t)
	for range 2 {
		w.db = dbtest.Open(t, url)
		ledger, err := change.NewLedger(t.Context(), w.db, change.Options{Fold: strings.ToLower})
		if err != nil {
			t.Fatal(err)
		}
		dir := newDirectory(t, w.api)
		t.Cleanup(dir.Close)
		w.servers = append(w.servers, reseller.NewService(w.api, dir, wrap(ledger), reseller.Rules{}, slog.New(slog.DiscardHandler), nil))
	}
	return w
}

// theirs are the flags of the writers, none of which is related to another.
var theirs = []wave.Key{"invoice", "open_api", "usage_tag", "usage_group", "dashboard_graph", "usage_crosstag", "users_management", "budgetalerts"}

// run lets each writer do so many changes, half of them before each server. It
// returns how often a flag had another value than its writer was told, when they
// came back to it and in the end; what could not be told counts, too.
func (w *writers) run(t *testing.T, changes int) (lost int) {
	var mu sync.Mutex
	lose := func(why string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if lost++; lost <= 3 {
			t.Logf(why, args...)
		}
	}
	var wg sync.WaitGroup
	for i, key := range theirs {
		wg.Go(func() {
			actor := auth.Actor{Issuer: "idp", Subject: fmt.Sprint(i), Role: auth.Editor}
			told := make(map[wave.UserID]bool)
			for n := 0; n < changes; {
				id := w.accounts[n%len(w.accounts)] // all go the same way, and meet
				on := !told[id]
				if now, _ := w.api.get(id); now.Meta.On(key) == on {
					lose("%s of %s is %v again", key, id, on)
				}
				r, err := w.servers[(i+n)%2].ChangeMeta(t.Context(), set(actor, id, on, key))
				if e, ok := errors.AsType[*reseller.ConflictError](err); ok && e.Why == reseller.BeingChanged {
					continue // a person would press Save again
				}
				switch {
				case err != nil && !fault.Is(err, fault.Uncertain):
					t.Errorf("%s of %s: %v", key, id, err)
					return
				case err != nil:
					lose("%s of %s: %v", key, id, err)
				case r.Change.State != change.Done:
					lose("%s of %s was %s", key, id, r.Change.State)
				}
				told[id] = on
				n++
			}
			for id, on := range told {
				if now, _ := w.api.get(id); now.Meta.On(key) != on {
					lose("%s of %s is not %v in the end", key, id, on)
				}
			}
		})
	}
	wg.Wait()
	return lost
}

// Eight people turn flags of the same accounts on two servers, ten thousand times
// in all, and none is lost.
func TestPostgres_tenThousandChangesLoseNothing(t *testing.T) {
	w := newWriters(t, func(l *change.Ledger) reseller.Ledger { return l })
	const each = 10_000 / 8
	if lost := w.run(t, each); lost > 0 {
		t.Errorf("%d changes were lost", lost)
	}
	done := 0
	if err := w.db.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM changes WHERE state = 'done'").Scan(&done); err != nil {
		t.Fatal(err)
	}
	if want := each * len(theirs); done != want || w.api.count("meta") != want {
		t.Errorf("%d changes done with %d calls, want %d", done, w.api.count("meta"), want)
	}
}

// unlocked is a ledger in which each change holds an account of its own, so that
// none keeps another out.
type unlocked struct {
	*change.Ledger
	opened *atomic.Int64
}

func (l unlocked) Open(ctx context.Context, c change.Change) (change.Change, error) {
	id := c.Account
	c.Account = wave.UserID(fmt.Sprint(id, "#", l.opened.Add(1)))
	c, err := l.Ledger.Open(ctx, c)
	c.Account = id
	return c, err
}

// Without the lock the same people lose changes: so the test above sees what it
// is for.
func TestPostgres_withoutTheLockChangesAreLost(t *testing.T) {
	var opened atomic.Int64
	w := newWriters(t, func(l *change.Ledger) reseller.Ledger { return unlocked{l, &opened} })
	if lost := w.run(t, 100); lost == 0 {
		t.Error("nothing was lost")
	} else {
		t.Logf("%d of %d changes were lost", lost, 100*len(theirs))
	}
}
