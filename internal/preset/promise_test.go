package preset_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
)

// TestPromise: what was promised is assigned once, by whom it was promised, and never
// over what someone has assigned since.
func TestPromise(t *testing.T) {
	onEach(t, func(t *testing.T, _ *db.DB, s *preset.Store, _ *log) {
		ctx := t.Context()
		p, other := save(t, s, named("Standard")), save(t, s, named("Other"))
		if err := s.Promise(ctx, viewer, "submit-1", p.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a viewer's promise: %v", err)
		}
		if err := s.Promise(ctx, tanaka, "submit-1", "none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a promise of no preset: %v", err)
		}
		for _, id := range []string{other.ID, p.ID} { // the last one counts
			if err := s.Promise(ctx, tanaka, "submit-1", id); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := s.Redeem(ctx, "submit-1", "acme"); err != nil {
				t.Fatal(err)
			}
		}
		a, ok := s.Book().Of("acme")
		if !ok || a.Preset != p.ID || a.By.Name != tanaka.Name {
			t.Errorf("assigned: %+v, %v", a, ok)
		}
		if err := s.Promise(ctx, tanaka, "submit-2", other.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.Redeem(ctx, "submit-2", "acme"); err != nil || s.Book().PresetOf("acme").ID != p.ID {
			t.Errorf("a promise replaced what was assigned: %v", err)
		}
	})
}

// TestKeepPromises: the account that is there later gets its preset; a creation that
// failed, or a preset that is gone, ends the promise; a creation that may still begin
// does not.
func TestKeepPromises(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, _ *log) {
		ctx, quiet := t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil))
		p, gone := save(t, s, named("Standard")), save(t, s, named("Gone"))
		for id, of := range map[string]string{"there": p.ID, "waits": p.ID, "failed": p.ID, "dropped": gone.ID} {
			if err := s.Promise(ctx, tanaka, id, of); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Delete(ctx, tanaka, gone.ID, 1); err != nil {
			t.Fatal(err)
		}
		accounts := map[string]wave.UserID{"there": "acme", "dropped": "drop"}
		look := func(s *preset.Store, left int) {
			ctx, cancel := context.WithCancel(ctx)
			done, asked := make(chan struct{}), make(chan string, 100)
			go func() {
				defer close(done)
				s.KeepPromises(ctx, quiet, func(_ context.Context, id string) (wave.UserID, bool, error) {
					asked <- id
					return accounts[id], id == "failed", nil
				})
			}()
			<-asked
			for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && count(t, d) > left; {
				time.Sleep(5 * time.Millisecond)
			}
			cancel()
			<-done
		}
		look(s, 2)
		if a, ok := s.Book().Of("acme"); !ok || a.Preset != p.ID {
			t.Errorf("assigned: %+v, %v", a, ok)
		}
		if _, ok := s.Book().Of("drop"); ok {
			t.Error("a preset that is gone was assigned")
		}
		accounts = map[string]wave.UserID{}
		if n := count(t, d); n != 2 {
			t.Errorf("%d promises are left, want that which waits and that which may still begin", n)
		}
		later, err := preset.NewStore(ctx, d, preset.Options{Fold: i18n.Fold, Now: func() time.Time { return start.Add(time.Hour) }})
		if err != nil {
			t.Fatal(err)
		}
		look(later, 1)
		if n := count(t, d); n != 1 {
			t.Errorf("%d promises are left, want that which waits", n)
		}
	})
}

func count(t *testing.T, d *db.DB) int {
	t.Helper()
	var n int
	if err := d.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM preset_promises").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKeepPromises_hurry: accounts that are there are assigned when that is said, and all
// of them together.
func TestKeepPromises_hurry(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, s *preset.Store, l *log) {
		s.LookEvery(time.Hour)
		p, other := save(t, s, named("Standard")), save(t, s, named("Other"))
		const many = 40
		for n := range many {
			if err := s.Promise(t.Context(), tanaka, fmt.Sprint("s-", n), p.ID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Assign(t.Context(), tanaka, other.ID, []wave.UserID{"a-7"}); err != nil {
			t.Fatal(err)
		}
		before := len(l.lines)
		var there atomic.Bool
		ctx, cancel := context.WithCancel(t.Context())
		done, looked := make(chan struct{}), make(chan struct{}, 10*many)
		go func() {
			defer close(done)
			s.KeepPromises(ctx, slog.New(slog.DiscardHandler), func(_ context.Context, id string) (wave.UserID, bool, error) {
				looked <- struct{}{}
				if !there.Load() {
					return "", false, nil
				}
				return wave.UserID("a-" + strings.TrimPrefix(id, "s-")), false, nil
			})
		}()
		for range many {
			<-looked
		}
		there.Store(true)
		s.Hurry()
		s.Hurry()
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && count(t, d) > 0; {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
		<-done
		if n := count(t, d); n != 0 {
			t.Fatalf("%d promises are left", n)
		}
		if n := len(s.Book().AccountsOf(p.ID)); n != many-1 || s.Book().PresetOf("a-7").ID != other.ID {
			t.Errorf("%d follow it, and a-7 follows %s", n, s.Book().PresetOf("a-7").Name)
		}
		if len(l.lines) != before+1 {
			t.Errorf("the log says %q of what is one step", l.lines[before:])
		}
	})
}
