package change_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
)

// clock is a clock of several servers that stands still until it is moved.
type clock struct{ at atomic.Int64 }

func (c *clock) Now() time.Time      { return time.Unix(1_800_000_000, c.at.Load()) }
func (c *clock) Add(d time.Duration) { c.at.Add(int64(d)) }

func ledgerAt(t *testing.T, d *db.DB, now func() time.Time) *change.Ledger {
	t.Helper()
	l, err := change.NewLedger(t.Context(), d, change.Options{Fold: strings.ToLower, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// twoServers returns the ledgers of two servers on one database.
func twoServers(t *testing.T) (a, b *change.Ledger, c *clock) {
	t.Helper()
	url := dbtest.Postgres.Ready(t)
	c = new(clock)
	return ledgerAt(t, dbtest.Open(t, url), c.Now), ledgerAt(t, dbtest.Open(t, url), c.Now), c
}

func wantRecovered(t *testing.T, l *change.Ledger, failed, inDoubt int64) {
	t.Helper()
	gotFailed, gotInDoubt, err := l.Recover(t.Context())
	if err != nil || gotFailed != failed || gotInDoubt != inDoubt {
		t.Errorf("Recover = %d, %d, %v, want %d, %d", gotFailed, gotInDoubt, err, failed, inDoubt)
	}
}

func wantExpired(t *testing.T, l *change.Ledger, failed, inDoubt int64, working ...string) {
	t.Helper()
	gotFailed, gotInDoubt, err := l.Expire(t.Context(), working)
	if err != nil || gotFailed != failed || gotInDoubt != inDoubt {
		t.Errorf("Expire = %d, %d, %v, want %d, %d", gotFailed, gotInDoubt, err, failed, inDoubt)
	}
}

func wantState(t *testing.T, l *change.Ledger, id string, want change.State) {
	t.Helper()
	c, err := l.Get(t.Context(), id)
	if err != nil || c.State != want {
		t.Errorf("the change is %s (%v), want %s", c.State, err, want)
	}
}

func TestPostgres_onlyOneServerGetsTheLock(t *testing.T) {
	a, b, _ := twoServers(t)
	var wg sync.WaitGroup
	var got atomic.Int64
	for i := range 20 {
		wg.Go(func() {
			_, err := []*change.Ledger{a, b}[i%2].Open(t.Context(), metaChange("u-1"))
			if _, locked := errors.AsType[*change.LockedError](err); err != nil && !locked {
				t.Error(err)
			}
			if err == nil {
				got.Add(1)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("%d hold the account, want 1", got.Load())
	}
}

func TestPostgres_aServerThatLivesKeepsItsChanges(t *testing.T) {
	a, b, clock := twoServers(t)
	running := reach(t, a, metaChange("u-1"), change.Running)
	sent := reach(t, a, metaChange("u-2"), change.Sent)
	wantRecovered(t, b, 0, 0) // as at its start
	for range 6 {
		clock.Add(29 * time.Second)
		if _, _, err := a.Expire(t.Context(), []string{running.ID, sent.ID}); err != nil {
			t.Fatal(err)
		}
		wantExpired(t, b, 0, 0)
	}
	clock.Add(29 * time.Second)
	wantRecovered(t, b, 0, 0)
	wantState(t, b, running.ID, change.Running)
	wantState(t, b, sent.ID, change.Sent)
}

// What a takeover decided stands, even if the first server wakes up.
func TestPostgres_aServerThatDiedIsTakenOver(t *testing.T) {
	a, b, clock := twoServers(t)
	running := reach(t, a, metaChange("u-1"), change.Running)
	sent := reach(t, a, metaChange("u-2"), change.Sent)
	done := reach(t, a, metaChange("u-3"), change.Done)
	own := reach(t, b, metaChange("u-4"), change.Running)
	clock.Add(31 * time.Second)
	wantExpired(t, b, 1, 1, own.ID)
	wantExpired(t, b, 0, 0, own.ID)
	wantState(t, a, running.ID, change.Failed)
	wantState(t, a, sent.ID, change.InDoubt)
	wantState(t, a, done.ID, change.Done)
	wantState(t, a, own.ID, change.Running)

	wantExpired(t, a, 0, 0, running.ID, sent.ID)
	if _, err := a.Intend(t.Context(), running); !isStateError(err) {
		t.Errorf("the first server may still send: %v", err)
	}
	sent.State = change.Done
	if _, err := a.Close(t.Context(), sent); !isStateError(err) {
		t.Errorf("the first server closes what is being settled: %v", err)
	}
	if _, err := b.Open(t.Context(), metaChange("u-1")); err != nil {
		t.Errorf("the account of what was not sent is still locked: %v", err)
	}
	if _, err := b.Open(t.Context(), metaChange("u-2")); err == nil {
		t.Error("the account of what may still arrive is free")
	}
}

func isStateError(err error) bool {
	_, ok := errors.AsType[*change.StateError](err)
	return ok
}

// On a file no other server can be at work, so a new one need not wait.
func TestSQLite_aNewServerTakesOverAtOnce(t *testing.T) {
	d := dbtest.SQLite.New(t)
	old := newLedger(t, d)
	reach(t, old, metaChange("u-1"), change.Running)
	reach(t, old, metaChange("u-2"), change.Sent)
	wantRecovered(t, newLedger(t, d), 1, 1)
}

// What is opened later sorts later, also on a server whose clock is behind. A clock that
// is wrong by hours dates nothing but its own changes.
func TestOpen_idsInOrderWhateverTheClocks(t *testing.T) {
	for _, tt := range []struct {
		ahead time.Duration
		later bool
	}{{8 * time.Second, true}, {50 * time.Minute, true}, {2 * time.Hour, false}, {100 * 365 * 24 * time.Hour, false}} {
		dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
			d := dbtest.Open(t, e.Ready(t))
			c := new(clock)
			ahead, right := ledgerAt(t, d, func() time.Time { return c.Now().Add(tt.ahead) }), ledgerAt(t, d, c.Now)
			first, err := ahead.Open(t.Context(), change.Change{Kind: change.Meta, Source: change.Bulk, Account: "a"})
			if err != nil {
				t.Fatal(err)
			}
			first.State = change.Failed
			if _, err := ahead.Close(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			other, err := right.Open(t.Context(), change.Change{Kind: change.Meta, Source: change.Bulk, Account: "b"})
			if err != nil || other.ID > first.ID {
				t.Errorf("another account: %s after %s (%v), want it dated by its own clock", other.ID, first.ID, err)
			}
			second, err := right.Open(t.Context(), change.Change{Kind: change.Meta, Source: change.Bulk, Account: "a"})
			if err != nil || (second.ID > first.ID) != tt.later {
				t.Errorf("%v ahead: %s after %s (%v)", tt.ahead, second.ID, first.ID, err)
			}
		})
	}
}
