package change_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/wave"
)

func TestLedger_Mark(t *testing.T) {
	onEach(t, func(t *testing.T, open func(t *testing.T) *db.DB) {
		l := newLedger(t, open(t))
		check := func(what string, changes int, by string) {
			t.Helper()
			m, err := l.Mark(t.Context(), "u-1")
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if m.By != nil {
				got = m.By.ID
			}
			if m.Changes != changes || got != by {
				t.Errorf("%s: %d changes, held by %q, want %d and %q", what, m.Changes, got, changes, by)
			}
		}
		check("an account without changes", 0, "")
		c := reach(t, l, metaChange("u-1"), change.Running)
		check("a change that is open", 1, c.ID)
		c.State = change.NoChange
		if _, err := l.Close(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		check("one that had nothing to do", 1, "")
		reach(t, l, metaChange("u-1"), change.Done)
		check("one that was done", 2, "")
		reach(t, l, metaChange("u-2"), change.Sent)
		check("one of another account", 2, "")
		doubt := reach(t, l, metaChange("u-1"), change.InDoubt)
		check("one in doubt, which may arrive, and what it found done outside", 4, doubt.ID)
		if _, err := l.Release(t.Context(), doubt); err != nil {
			t.Fatal(err)
		}
		check("one that is left to a person", 4, "")
		seen := change.Seen{Account: "u-1", Email: "a@example.com", Meta: wave.Defaults()}
		if _, _, err := l.Observe(t.Context(), time.Now().Add(time.Minute), time.Now().Add(time.Minute), []change.Seen{seen}); err != nil {
			t.Fatal(err)
		}
		check("one that was done outside", 5, "")
	})
}

// The clock of the server that does the second change is so far behind that its ID sorts
// first.
func TestLedger_Mark_seesWhatAClockThatIsBehindMakes(t *testing.T) {
	url := dbtest.Postgres.Ready(t)
	ours := newLedger(t, dbtest.Open(t, url))
	theirs, err := change.NewLedger(t.Context(), dbtest.Open(t, url), change.Options{
		Fold: func(s string) string { return s }, Now: func() time.Time { return time.Now().Add(-2 * time.Hour) },
	})
	if err != nil {
		t.Fatal(err)
	}
	first := reach(t, ours, metaChange("u-1"), change.Done)
	before, err := ours.Mark(t.Context(), "u-1")
	if err != nil {
		t.Fatal(err)
	}
	second := reach(t, theirs, metaChange("u-1"), change.Done)
	if second.ID > first.ID {
		t.Fatal("the clock is not behind")
	}
	if after, err := ours.Mark(t.Context(), "u-1"); err != nil || after.Changes == before.Changes {
		t.Errorf("%d changes before, %d after (%v)", before.Changes, after.Changes, err)
	}
}

func TestLedger_Hurry(t *testing.T) {
	url := dbtest.Postgres.Ready(t)
	ours, theirs := newLedger(t, dbtest.Open(t, url)), newLedger(t, dbtest.Open(t, url))
	heard := make(chan struct{}, 10)
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		theirs.Hurried(ctx, slog.New(slog.DiscardHandler), func() { heard <- struct{}{} })
	}()
	defer func() { stop(); <-stopped }()
	for what, do := range []func() error{func() error { return nil }, func() error { return ours.Hurry(ctx) }} { // the first word is that it listens
		if err := do(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-heard:
		case <-time.After(10 * time.Second):
			t.Fatalf("nothing was heard (%d)", what)
		}
	}
}

// Where there is no other server it is no error.
func TestLedger_Hurry_alone(t *testing.T) {
	if err := newLedger(t, dbtest.SQLite.New(t)).Hurry(t.Context()); err != nil {
		t.Error(err)
	}
}
