package preset_test

import (
	"context"
	"io"
	"log/slog"
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
