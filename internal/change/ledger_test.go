package change_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

func onEach(t *testing.T, test func(t *testing.T, open func(t *testing.T) *db.DB)) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		test(t, func(t *testing.T) *db.DB { t.Helper(); return e.New(t) })
	})
}

func newLedger(t *testing.T, d *db.DB) *change.Ledger {
	t.Helper()
	l, err := change.NewLedger(t.Context(), d, change.Options{Fold: strings.ToLower})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var tanaka = auth.Actor{Issuer: "https://idp.example.com", Subject: "u1", Name: "田中", Email: "tanaka@example.com"}

func metaChange(id wave.UserID) change.Change {
	before := wave.Meta{}.With("invoice", false).WithRaw("new_in_2027", []byte(`"maybe"`))
	after := before.With("invoice", true)
	return change.Change{
		Kind: change.Meta, Account: id, Email: "a@example.com", Company: "c1", Actor: tanaka, Reason: "依頼 41",
		Source: change.Page, Wanted: wave.Wanted{"invoice": true}, Before: &before, After: &after,
		PasswordBefore: time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC),
		Listed:         time.Date(2026, 4, 1, 9, 0, 1, 0, time.UTC),
	}
}

// reach brings c to a state by the steps that lead there.
func reach(t *testing.T, l *change.Ledger, c change.Change, state change.State) change.Change {
	t.Helper()
	must := func(got change.Change, err error) change.Change {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	c = must(l.Open(t.Context(), c))
	if state == change.Running {
		return c
	}
	switch state {
	case change.NoChange, change.Conflict, change.Cancelled:
	default:
		c = must(l.Intend(t.Context(), c))
	}
	if state == change.Sent {
		return c
	}
	c.State = state
	return must(l.Close(t.Context(), c))
}

func TestLedger_keepsAChangeAsItWas(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		l := newLedger(t, open(t))
		c, err := l.Open(t.Context(), metaChange("u-1"))
		if err != nil {
			t.Fatal(err)
		}
		want := metaChange("u-1")
		if !c.Holds {
			t.Error("opened without the lock")
		}
		if c, err = l.Intend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if sent, err := l.Get(t.Context(), c.ID); err != nil || !sent.Holds || !sent.PasswordBefore.Equal(want.PasswordBefore) {
			t.Errorf("sent: %+v (%v)", sent, err)
		}
		c.State, c.Status, c.Detail = change.Done, 200, strings.Repeat("あ", 999)+"\x00"
		if c, err = l.Close(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		got, err := l.Get(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got, cmp.AllowUnexported(wave.Meta{}), cmp.Comparer(sameMeta)); diff != "" {
			t.Errorf("read differs from written (-written +read):\n%s", diff)
		}
		if d := cmp.Diff(want.Moved(), got.Moved()); d != "" || len(got.Moved()) != 1 {
			t.Errorf("moved: %s", d)
		}
		if age, ok := got.ListAge(); !ok || age != got.SentAt.Sub(want.Listed) {
			t.Errorf("the list was %v old (%v), want %v", age, ok, got.SentAt.Sub(want.Listed))
		}
		if _, ok := (change.Change{SentAt: got.SentAt}).ListAge(); ok {
			t.Error("an age of a list that is not recorded")
		}
		if got.Reason != want.Reason || got.SentAt.IsZero() || got.Finished.IsZero() || len(got.Detail) > 1003 {
			t.Errorf("got %+v", got)
		}
		if _, err := l.Get(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("unknown id: %v, want NotFound", err)
		}
	})
}

func sameMeta(a, b wave.Meta) bool { return len(wave.Diff(a, b)) == 0 }

func TestLedger_Open_locks(t *testing.T) {
	create := func(email string) change.Change {
		return change.Change{Kind: change.Create, Email: email, Company: "c1", Actor: tanaka, Source: change.Page}
	}
	doubtfulPassword := metaChange("u-1")
	doubtfulPassword.Kind = change.Password
	tests := []struct {
		name   string
		first  change.Change
		state  change.State
		second change.Change
		locked bool
	}{
		{"while one runs", metaChange("u-1"), change.Running, metaChange("u-1"), true},
		{"while one is sent", metaChange("u-1"), change.Sent, metaChange("u-1"), true},
		{"not after it is done", metaChange("u-1"), change.Done, metaChange("u-1"), false},
		{"not after it failed", metaChange("u-1"), change.Failed, metaChange("u-1"), false},
		{"while one is in doubt: it may still arrive", metaChange("u-1"), change.InDoubt, metaChange("u-1"), true},
		{"not by a password in doubt", doubtfulPassword, change.InDoubt, metaChange("u-1"), false},
		{"not another account", metaChange("u-1"), change.Running, metaChange("u-2"), false},
		{"an email being created, in any case", create("A@example.com"), change.Running, create("a@Example.com"), true},
		{"an email whose creation is in doubt", create("a@example.com"), change.InDoubt, create("a@example.com"), true},
		{"not an email that was created", create("a@example.com"), change.Done, create("a@example.com"), false},
	}
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				l := newLedger(t, open(t))
				first := reach(t, l, tt.first, tt.state)
				_, err := l.Open(t.Context(), tt.second)
				locked, ok := errors.AsType[*change.LockedError](err)
				if ok != tt.locked || !ok && err != nil {
					t.Fatalf("error = %v, want locked: %v", err, tt.locked)
				}
				if ok && (locked.By.ID != first.ID || locked.By.Actor.Display() != "田中") {
					t.Errorf("locked by %+v, want %s", locked.By, first.ID)
				}
			})
		}
	})
}

func TestLedger_Open_takesASubmissionOnce(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		for _, state := range []change.State{change.Running, change.Sent, change.Done, change.InDoubt, change.Failed, change.Cancelled} {
			t.Run(string(state), func(t *testing.T) {
				l := newLedger(t, open(t))
				c := metaChange("u-1")
				c.SubmitID = "submission-1"
				first := reach(t, l, c, state)
				c.Account = "u-2" // so that the lock does not speak first
				_, err := l.Open(t.Context(), c)
				if state == change.Failed || state == change.Cancelled {
					if err != nil {
						t.Errorf("after one that surely did nothing: %v", err)
					}
					return
				}
				if e, ok := errors.AsType[*change.SubmittedError](err); !ok || e.Earlier.ID != first.ID {
					t.Errorf("error = %v, want the change of the first submission", err)
				}
			})
		}
	})
}

func TestLedger_refusesStepsOutOfOrder(t *testing.T) {
	states := []change.State{change.Running, change.Sent, change.Done, change.NoChange, change.Conflict, change.Failed, change.InDoubt, change.Cancelled}
	closeAs := func(to change.State) func(context.Context, *change.Ledger, change.Change) error {
		return func(ctx context.Context, l *change.Ledger, c change.Change) error {
			c.State = to
			_, err := l.Close(ctx, c)
			return err
		}
	}
	settleAs := func(to change.State) func(context.Context, *change.Ledger, change.Change) error {
		return func(ctx context.Context, l *change.Ledger, c change.Change) error {
			c.State = to
			_, err := l.Settle(ctx, c)
			return err
		}
	}
	steps := []struct {
		name string
		do   func(context.Context, *change.Ledger, change.Change) error
		from string // states that allow it
	}{
		{"intend", func(ctx context.Context, l *change.Ledger, c change.Change) error {
			_, err := l.Intend(ctx, c)
			return err
		}, "running"},
		{"close as done", closeAs(change.Done), "sent"},
		{"close as in doubt", closeAs(change.InDoubt), "sent"},
		{"close as failed", closeAs(change.Failed), "running sent"},
		{"close as no change", closeAs(change.NoChange), "running"},
		{"close as conflict", closeAs(change.Conflict), "running"},
		{"close as cancelled", closeAs(change.Cancelled), "running"},
		{"close as sent", closeAs(change.Sent), ""},
		{"settle as done", settleAs(change.Done), "in_doubt"},
		{"settle as failed", settleAs(change.Failed), "in_doubt"},
		{"settle as cancelled", settleAs(change.Cancelled), ""},
	}
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		l := newLedger(t, open(t))
		for _, step := range steps {
			for _, state := range states {
				c := reach(t, l, metaChange(wave.UserID(step.name+string(state))), state)
				err := step.do(t.Context(), l, c)
				allowed := strings.Contains(" "+step.from+" ", " "+string(state)+" ")
				_, refused := errors.AsType[*change.StateError](err)
				if allowed && err != nil || !allowed && !refused {
					t.Errorf("%s a change that is %s: %v, want allowed: %v", step.name, state, err, allowed)
				}
				if got, err := l.Get(t.Context(), c.ID); err != nil || !allowed && got.State != state {
					t.Errorf("%s refused, but %s became %s (%v)", step.name, state, got.State, err)
				}
			}
		}
	})
}

func TestLedger_oneOfManyGetsTheLock(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		l := newLedger(t, open(t))
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := 0
		for range 20 {
			wg.Go(func() {
				_, err := l.Open(t.Context(), metaChange("u-1"))
				if _, locked := errors.AsType[*change.LockedError](err); err != nil && !locked {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					got++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if got != 1 {
			t.Errorf("%d hold the account, want 1", got)
		}
	})
}

func TestLedger_lists(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		d := open(t)
		l := newLedger(t, d)
		if _, ok := l.LastOf("u-1"); ok {
			t.Error("an account without a change has a last one")
		}
		first := reach(t, l, metaChange("u-1"), change.Done)
		other := reach(t, l, metaChange("u-2"), change.InDoubt)
		again := metaChange("u-1")
		again.Before = again.After // as the first has left it
		newest := reach(t, l, again, change.Done)
		conflict := reach(t, l, metaChange("u-1"), change.Conflict)

		check := func(what string, got []change.Change, err error, want ...string) {
			t.Helper()
			var ids []string
			for _, c := range got {
				ids = append(ids, c.ID)
			}
			if diff := cmp.Diff(want, ids); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
			}
		}
		got, err := l.ListByAccount(t.Context(), "u-1", 10)
		check("of an account", got, err, conflict.ID, newest.ID, first.ID)
		got, more, err := l.List(t.Context(), change.Filter{}, 3)
		check("of all", got, err, conflict.ID, newest.ID, other.ID)
		if !more {
			t.Error("the first one is left, and List does not say so")
		}

		wantLast := change.Last{At: newest.Finished, By: "田中", ID: newest.ID}
		for name, l := range map[string]*change.Ledger{"kept current": l, "loaded": newLedger(t, d)} {
			if got, ok := l.LastOf("u-1"); !ok || got != wantLast {
				t.Errorf("%s: last = %+v, want %+v", name, got, wantLast)
			}
			if _, ok := l.LastOf("u-2"); ok {
				t.Errorf("%s: a change in doubt counts as the last one", name)
			}
		}
		other.State = change.Done
		if _, err := l.Settle(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		if last, ok := l.LastOf("u-2"); !ok || last.ID != other.ID || time.Since(last.At) > time.Hour {
			t.Errorf("after it was settled: %+v, %v", last, ok)
		}
	})
}
