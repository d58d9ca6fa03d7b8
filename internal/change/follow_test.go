package change_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
)

// follow starts l as it runs in a server, and returns what it hears.
func follow(t *testing.T, l *change.Ledger) <-chan change.Change {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	heard := make(chan change.Change, 100)
	var wg sync.WaitGroup
	wg.Go(func() { l.Follow(ctx, slog.New(slog.DiscardHandler), func(c change.Change) { heard <- c }) })
	t.Cleanup(func() { stop(); wg.Wait() })
	return heard
}

// TestLedger_Follow: a server hears of what others did, once, and not of its own,
// directly and behind a pooler that lets no notification through.
func TestLedger_Follow(t *testing.T) {
	for name, address := range map[string]func(t *testing.T, url string) string{
		"directly":        func(_ *testing.T, url string) string { return url },
		"behind a pooler": func(t *testing.T, url string) string { return dbtest.Pooled(t, url) },
	} {
		t.Run(name, func(t *testing.T) {
			url := address(t, dbtest.Postgres.Ready(t))
			ours, theirs := newLedger(t, dbtest.Open(t, url)), newLedger(t, dbtest.Open(t, url))
			heard, told := follow(t, ours), follow(t, theirs)
			reach(t, theirs, metaChange("u-0"), change.Failed)
			reach(t, ours, metaChange("u-1"), change.Done)
			c := reach(t, theirs, metaChange("u-2"), change.Done)

			select {
			case got := <-heard:
				if got.ID != c.ID || got.After == nil || !got.After.On("invoice") {
					t.Errorf("heard of %+v, want %s", got, c.ID)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("nothing was heard")
			}
			if last, ok := ours.LastOf("u-2"); !ok || last.ID != c.ID {
				t.Errorf("the last change of u-2 is %+v", last)
			}
			select {
			case got := <-told:
				if got.Account != "u-1" {
					t.Errorf("the other heard of %s", got.Account)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the other heard nothing")
			}
			again := reach(t, theirs, metaChange("u-3"), change.Done)
			if got := <-heard; got.ID != again.ID {
				t.Errorf("heard of %s of %s, want only what is new", got.ID, got.Account)
			}
		})
	}
}

// TestDB_Listen_isQuick: where notifications arrive, nobody waits for the next look.
func TestDB_Listen_isQuick(t *testing.T) {
	d := dbtest.Postgres.New(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	began, woken := make(chan struct{}, 10), 0
	go d.Listen(ctx, "waveadmin_changes", slog.New(slog.DiscardHandler), func() { began <- struct{}{} })
	<-began // it listens
	reach(t, newLedger(t, d), metaChange("u-1"), change.Done)
	for woken == 0 {
		select {
		case <-began:
			woken++
		case <-time.After(10 * time.Second):
			t.Fatal("no notification arrived")
		}
	}
}

// TestDB_Listen_saysThatItIsDeaf: behind a pooler it gives the connection back.
func TestDB_Listen_saysThatItIsDeaf(t *testing.T) {
	d := dbtest.Open(t, dbtest.Pooled(t, dbtest.Postgres.Ready(t)))
	lines := make(chan string, 10)
	go d.Listen(t.Context(), "waveadmin_changes", slog.New(lineHandler{lines: lines}), func() {})
	select {
	case line := <-lines:
		if line != "other servers are asked every few seconds" {
			t.Errorf("it says %q", line)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for ever")
	}
}

type lineHandler struct {
	slog.Handler
	lines chan string
}

func (h lineHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	h.lines <- r.Message
	return nil
}
