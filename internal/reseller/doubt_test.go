package reseller_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// running starts Run, until the end of the test's bubble.
func (s *site) running(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() { s.Run(ctx); close(stopped) }()
	t.Cleanup(func() { stop(); <-stopped })
}

// applyUnseen does a call, loses its answer, and keeps the list away.
func applyUnseen(apply bool) func(int) reaction {
	return func(n int) reaction {
		if n > 1 {
			return reaction{apply: true}
		}
		return reaction{err: lost, apply: apply, first: func(w *fakeWave) { w.faults["list"] = always(away, false) }}
	}
}

// states returns how the changes of an account ended, oldest first.
func (s *site) states(t *testing.T, id wave.UserID) []change.State {
	t.Helper()
	history, err := s.History(t.Context(), id, 10)
	if err != nil {
		t.Fatal(err)
	}
	states := make([]change.State, len(history))
	for i, c := range history {
		states[len(history)-1-i] = c.State
	}
	return states
}

// A save that was given up may arrive late, with all flags as they were then. So
// nobody saves before that can be ruled out.
func TestService_doubtKeepsOthersOut(t *testing.T) {
	tests := []struct {
		name string
		op   string
		do   func(*site, context.Context) error
	}{
		{"a save", "meta", func(s *site, ctx context.Context) error {
			_, err := s.ChangeMeta(ctx, set(tanaka, "u1", true, "invoice"))
			return err
		}},
		{"a deletion", "delete", func(s *site, ctx context.Context) error {
			_, err := s.Delete(ctx, reseller.Deletion{Actor: tanaka, UserID: "u1", Confirm: "u1@example.com"})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				s.running(t)
				s.wave.on(tt.op, always(lost, false))
				if err := tt.do(s, t.Context()); kindOf(err) != "uncertain" {
					t.Fatalf("error = %v, want Uncertain", err)
				}
				s.wave.on(tt.op, nil)
				asked, lists := time.Now(), s.wave.count("list")
				_, err := s.ChangeMeta(t.Context(), set(suzuki, "u1", true, "dashboard_graph"))
				e, ok := errors.AsType[*reseller.ConflictError](err)
				if !ok || e.Why != reseller.BeingSettled || e.Holder != "Tanaka" || e.Account.UserID != "u1" {
					t.Errorf("error = %v, want who is in doubt", err)
				}
				if waited := time.Since(asked); waited < 3*time.Second || waited > 4*time.Second {
					t.Errorf("waited %v", waited)
				}
				if got := s.wave.count("list") - lists; got > 3 {
					t.Errorf("%d lists while waiting", got)
				}
				time.Sleep(time.Minute)
				if _, err := s.ChangeMeta(t.Context(), set(suzuki, "u1", true, "dashboard_graph")); err != nil {
					t.Errorf("after it was ruled out: %v", err)
				}
				if got := s.states(t, "u1"); len(got) != 2 || got[0] != change.Failed || got[1] != change.Done {
					t.Errorf("recorded as %v", got)
				}
			})
		})
	}
}

// The next save finds out what became of the one in doubt, and goes on from there.
func TestService_nextSaveSettlesTheDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		s.wave.on("meta", applyUnseen(true))
		_, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice", "dashboard_graph"))
		if kindOf(err) != "uncertain" {
			t.Fatalf("error = %v, want Uncertain", err)
		}
		s.wave.on("list", nil)
		asked := time.Now()
		if _, err := s.ChangeMeta(t.Context(), set(suzuki, "u1", false, "dashboard_graph")); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(asked); waited > 0 {
			t.Errorf("waited %v for what the list showed at once", waited)
		}
		if got := s.states(t, "u1"); len(got) != 2 || got[0] != change.Done || got[1] != change.Done {
			t.Errorf("recorded as %v, want both done", got)
		}
		now, _ := s.wave.get("u1")
		if !now.Meta.On("invoice") || now.Meta.On("dashboard_graph") {
			t.Error("a flag was lost")
		}
	})
}

// An account whose creation is in doubt can be deleted by who sees it in the list.
// After that no list would show that it was created.
func TestService_Delete_settlesTheCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		s.wave.on("create", applyUnseen(true))
		created, _, err := s.Create(t.Context(), creation())
		if kindOf(err) != "uncertain" {
			t.Fatalf("error = %v, want Uncertain", err)
		}
		s.wave.on("list", nil)
		time.Sleep(time.Second)
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Delete(t.Context(), reseller.Deletion{Actor: suzuki, UserID: "new-1", Confirm: "new@example.com"}); err != nil {
			t.Fatal(err)
		}
		s.running(t)
		time.Sleep(2 * time.Minute)
		if c, err := s.Change(t.Context(), created.ID); err != nil || c.State != change.Done || c.Account != "new-1" {
			t.Errorf("the creation of %q is recorded as %s: %s (%v)", c.Account, c.State, c.Detail, err)
		}
	})
}

// What is not just as before was not surely left alone.
func TestService_Run_tellsFailedFromUnclear(t *testing.T) {
	tests := []struct {
		name    string
		applied bool
		outside func(w *fakeWave)
		want    change.State
	}{
		{"a part of it is there, the rest was moved back", true, func(w *fakeWave) { w.setLocked("u1", false, "dashboard_graph") }, change.Done},
		{"nothing of it is there, but something else moved", false, func(w *fakeWave) { w.setLocked("u1", true, "open_api") }, change.InDoubt},
		{"it was done, and the account deleted", true, func(w *fakeWave) { delete(w.accounts, "u1") }, change.InDoubt},
		{"all is as before", false, func(*fakeWave) {}, change.Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				s.running(t)
				s.wave.on("meta", applyUnseen(tt.applied))
				_, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice", "dashboard_graph"))
				if kindOf(err) != "uncertain" {
					t.Fatalf("error = %v, want Uncertain", err)
				}
				s.wave.mu.Lock()
				tt.outside(s.wave)
				s.wave.faults["list"] = nil
				s.wave.mu.Unlock()
				time.Sleep(2 * time.Minute)
				state, c := s.state(t)
				if state != tt.want || c.Holds {
					t.Errorf("recorded as %s (%s), holds %v, want %s", state, c.Detail, c.Holds, tt.want)
				}
				lists := s.wave.count("list")
				time.Sleep(time.Hour)
				if got := s.wave.count("list") - lists; got > 0 {
					t.Errorf("%d more lists for what is left to a person", got)
				}
				if _, ok := s.wave.get("u1"); !ok {
					return
				}
				if _, err := s.ChangeMeta(t.Context(), set(suzuki, "u1", true, "usage_tag")); err != nil {
					t.Errorf("the account is barred: %v", err)
				}
			})
		})
	}
}

// The clocks of Wave and of this machine differ, so only what Wave itself showed
// before counts.
func TestService_Run_passwordTimes(t *testing.T) {
	tests := []struct {
		name    string
		before  time.Duration // by Wave's clock, from now
		applied bool
		want    change.State
	}{
		{"Wave is ahead, and it was not done", 5 * time.Second, false, change.InDoubt},
		{"Wave is ahead, and it was done", 5 * time.Second, true, change.Done},
		{"Wave is behind, and it was done", -time.Hour, true, change.Done},
		{"never before, and it was done", 0, true, change.Done},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := account("u1")
				wave := time.Now().Add(tt.before).Truncate(time.Second)
				if tt.before != 0 {
					a.PasswordUpdated = wave
				}
				s := newSite(t, reseller.Rules{}, a)
				s.running(t)
				s.wave.on("password", func(int) reaction {
					return reaction{err: lost, first: func(w *fakeWave) {
						if tt.applied {
							a.PasswordUpdated = wave.Add(time.Second)
							w.accounts["u1"] = a
						}
					}}
				})
				if _, err := s.ReplacePassword(t.Context(), auto("u1")); kindOf(err) != "uncertain" {
					t.Fatalf("error = %v, want Uncertain", err)
				}
				time.Sleep(2 * time.Minute)
				if state, c := s.state(t); state != tt.want {
					t.Errorf("recorded as %s (%s), want %s", state, c.Detail, tt.want)
				}
			})
		})
	}
}

func auto(id wave.UserID) reseller.PasswordChange {
	return reseller.PasswordChange{Actor: tanaka, UserID: id, NewPassword: wave.NewPassword{Input: wave.Auto}}
}

// Of two in doubt, a newer time says of neither that it was done.
func TestService_Run_twoPasswordsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		s.running(t)
		s.wave.on("password", func(n int) reaction { return reaction{err: lost, apply: n == 2} })
		for range 2 {
			if _, err := s.ReplacePassword(t.Context(), auto("u1")); kindOf(err) != "uncertain" {
				t.Fatalf("error = %v, want Uncertain", err)
			}
		}
		time.Sleep(time.Hour)
		if got := s.states(t, "u1"); len(got) != 2 || got[0] != change.InDoubt || got[1] != change.InDoubt {
			t.Errorf("recorded as %v, want both in doubt", got)
		}
	})
}
