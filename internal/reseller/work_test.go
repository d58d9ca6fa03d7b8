package reseller_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
)

// An outcome that cannot be recorded is recorded later, as it was.
func TestService_Run_recordsWhatCouldNotBe(t *testing.T) {
	tests := []struct {
		name   string
		react  func(int) reaction
		broken time.Duration
		want   change.State
	}{
		{"done", nil, 5 * time.Second, change.Done},
		{"refused", always(rejected, false), 5 * time.Second, change.Failed},
		{"done, for longer than the lease", nil, time.Minute, change.Done}, // the list shows it
		{"not sent", func(int) reaction { panic("sent") }, 5 * time.Second, change.Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				s.running(t)
				s.wave.on("meta", tt.react)
				s.broken.Store("close")
				want := set(tanaka, "u1", true, "invoice")
				if tt.name == "not sent" {
					want = set(tanaka, "u1", true, "no_such_flag")
				}
				if _, err := s.ChangeMeta(t.Context(), want); err == nil {
					t.Error("no error")
				}
				time.Sleep(tt.broken)
				if state, _ := s.state(t); tt.broken > 45*time.Second && state != tt.want {
					t.Errorf("after the lease: %s, want %s", state, tt.want)
				}
				s.broken.Store("")
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if state, c := s.state(t); state != tt.want {
					t.Errorf("recorded as %s (%s), want %s", state, c.Detail, tt.want)
				}
				s.wave.on("meta", nil)
				if _, err := s.ChangeMeta(t.Context(), set(suzuki, "u1", true, "dashboard_graph")); err != nil {
					t.Errorf("the account is still locked: %v", err)
				}
			})
		})
	}
}

// A panic between the steps of a change does not lock the account.
func TestService_afterAPanic(t *testing.T) {
	boom := func(int) reaction { panic("boom") }
	tests := []struct {
		name  string
		op    string
		do    func(*site, context.Context) error
		state change.State
	}{
		{"in a save", "meta", func(s *site, ctx context.Context) error {
			_, err := s.ChangeMeta(ctx, set(tanaka, "u1", true, "invoice"))
			return err
		}, change.Failed},
		{"in a deletion", "delete", func(s *site, ctx context.Context) error {
			_, err := s.Delete(ctx, reseller.Deletion{Actor: tanaka, UserID: "u1", Confirm: "u1@example.com"})
			return err
		}, change.Failed},
		{"in a creation", "create", func(s *site, ctx context.Context) error {
			_, _, err := s.Create(ctx, creation())
			return err
		}, change.Failed},
		{"in a password change", "password", func(s *site, ctx context.Context) error {
			_, err := s.ReplacePassword(ctx, auto("u1"))
			return err
		}, change.InDoubt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				s.running(t)
				s.wave.on(tt.op, boom)
				func() {
					defer func() {
						if p := recover(); p != "boom" {
							t.Errorf("recovered %v, want the panic", p)
						}
					}()
					_ = tt.do(s, t.Context())
				}()
				if state, c := s.state(t); state != change.InDoubt || !strings.Contains(c.Detail, "panic") {
					t.Errorf("recorded as %s (%s), want in doubt", state, c.Detail)
				}
				time.Sleep(2 * time.Minute)
				if state, c := s.state(t); state != tt.state || c.Holds {
					t.Errorf("recorded as %s (%s), holds %v, want %s", state, c.Detail, c.Holds, tt.state)
				}
			})
		})
	}
}

// A call that takes long keeps its lock.
func TestService_Run_renewsTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		s.running(t)
		s.wave.gate = make(chan struct{}, 10)
		done := make(chan error)
		go func() {
			_, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
			done <- err
		}()
		s.wave.gate <- struct{}{} // the list before the lock
		time.Sleep(50 * time.Second)
		if state, _ := s.state(t); state != change.Running {
			t.Errorf("recorded as %s while it waits for the list", state)
		}
		for range 5 {
			s.wave.gate <- struct{}{}
		}
		if err := <-done; err != nil {
			t.Errorf("error = %v", err)
		}
	})
}

// The time in a row is that of the wall clock, which may have been put back since
// the last list: that list is still older than the lock.
func TestService_ChangeMeta_clockPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		l, err := change.NewLedger(t.Context(), s.db, change.Options{
			Fold: strings.ToLower, Now: func() time.Time { return time.Now().Add(-30 * time.Second) },
		})
		if err != nil {
			t.Fatal(err)
		}
		service := reseller.NewService(s.wave, s.dir, l, reseller.Rules{PasswordMin: 8, PasswordMax: 18}, slog.New(slog.DiscardHandler), nil)
		for name, do := range map[string]func() error{
			"a save": func() error {
				_, err := service.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
				return err
			},
			"a creation": func() error {
				_, _, err := service.Create(t.Context(), creation())
				return err
			},
		} {
			if _, err := s.dir.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			lists := s.wave.count("list")
			if err := do(); err != nil {
				t.Fatal(err)
			}
			if got := s.wave.count("list") - lists; got != 2 {
				t.Errorf("%s: %d lists, want one under the lock and one to read back", name, got)
			}
		}
	})
}
