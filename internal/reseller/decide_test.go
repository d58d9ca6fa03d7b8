package reseller_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// doubtful are writes whose answer is lost, by kind.
var doubtful = map[change.Kind]func(*testing.T, *site) error{
	change.Meta: func(t *testing.T, s *site) error {
		_, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
		return err
	},
	change.Create: func(t *testing.T, s *site) error {
		_, _, err := s.Create(t.Context(), reseller.Creation{
			Actor: tanaka, SubmitID: "submission",
			NewReseller: wave.NewReseller{Email: "new@example.com", CompanyID: "c1", Input: wave.Auto, Meta: wave.Defaults()},
		})
		return err
	},
	change.Password: func(t *testing.T, s *site) error {
		_, err := s.ReplacePassword(t.Context(), auto("u1"))
		return err
	},
	change.Delete: func(t *testing.T, s *site) error {
		_, err := s.Delete(t.Context(), reseller.Deletion{Actor: tanaka, UserID: "u1", Confirm: "u1@example.com"})
		return err
	},
}

// inDoubt returns a change of a kind that no reading has settled: the list is away.
func (s *site) inDoubt(t *testing.T, kind change.Kind, applied bool) change.Change {
	t.Helper()
	if _, err := s.dir.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wave.on(string(kind), applyUnseen(applied))
	if err := doubtful[kind](t, s); kindOf(err) != "uncertain" {
		t.Fatalf("%s: %v", kind, err)
	}
	_, c := s.state(t)
	return c
}

func TestService_Decide(t *testing.T) {
	for kind := range doubtful {
		for _, applied := range []bool{true, false} {
			t.Run(string(kind), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, reseller.Rules{}, account("u1"))
					c := s.inDoubt(t, kind, applied)
					d := reseller.Decision{Actor: suzuki, ChangeID: c.ID, Applied: applied, Reason: "  Wave のログで確認\n済み "}
					if _, err := s.Decide(t.Context(), d); kindOf(err) != "conflict" || s.MayDecide(c) {
						t.Errorf("at once: %v, want a conflict", err)
					}
					time.Sleep(time.Minute)
					if !s.MayDecide(c) {
						t.Error("nobody may decide after a minute")
					}
					if kind == change.Create {
						s.wave.on("list", nil) // it is there to be read again
					}
					got, err := s.Decide(t.Context(), d)
					if err != nil {
						t.Fatal(err)
					}
					want := change.Failed
					if applied {
						want = change.Done
					}
					read, err := s.Change(t.Context(), c.ID)
					if err != nil || got.State != want || read.State != want || read.Holds || read.Finished.IsZero() {
						t.Errorf("became %s (%+v, %v), want %s", got.State, read, err, want)
					}
					by := auth.Actor{Issuer: "idp", Subject: "2", Name: "Suzuki"}
					if read.Decided != (change.Decision{By: by, Reason: "Wave のログで確認 済み"}) || read.Actor.Name != "Tanaka" {
						t.Errorf("decided %+v", read.Decided)
					}
					if (read.Fault == "") != applied {
						t.Errorf("fault %q", read.Fault)
					}
					if kind == change.Create && applied && read.Account != "new-1" {
						t.Errorf("the account is %q, want the one in the list", read.Account)
					}
					// The account is free again.
					s.wave.on("list", nil)
					if kind == change.Meta {
						if _, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "open_api")); err != nil {
							t.Errorf("the next save: %v", err)
						}
					}
				})
			})
		}
	}
}

// A list may lag: what the person knows is recorded without the account.
func TestService_Decide_anAccountThatNoListShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		c := s.inDoubt(t, change.Create, true)
		time.Sleep(time.Minute)
		got, err := s.Decide(t.Context(), reseller.Decision{Actor: suzuki, ChangeID: c.ID, Applied: true, Reason: "seen"})
		if err != nil || got.State != change.Done || got.Account != "" {
			t.Errorf("%+v (%v)", got, err)
		}
	})
}

func TestService_Decide_refuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"), account("u2"))
		c := s.inDoubt(t, change.Meta, false)
		s.wave.on("list", nil)
		done := s.save(t, set(tanaka, "u2", true, "invoice"))
		for _, tt := range []struct {
			name, want string
			d          reseller.Decision
		}{
			{"a viewer", "forbidden", reseller.Decision{Actor: viewer, ChangeID: c.ID, Reason: "r"}},
			{"no reason", "invalid", reseller.Decision{Actor: suzuki, ChangeID: c.ID, Reason: " \n"}},
			{"a reason too long", "invalid", reseller.Decision{Actor: suzuki, ChangeID: c.ID, Reason: strings.Repeat("a", 501)}},
			{"no such change", "not_found", reseller.Decision{Actor: suzuki, ChangeID: "none", Reason: "r"}},
			{"one that is done", "conflict", reseller.Decision{Actor: suzuki, ChangeID: done.ID, Reason: "r"}},
		} {
			if _, err := s.Decide(t.Context(), tt.d); kindOf(err) != tt.want {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		}
		if now, _ := s.Change(t.Context(), c.ID); now.State != change.InDoubt {
			t.Errorf("became %s", now.State)
		}

		// Of two at once one is first, and the other is told who it was.
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, actor := range []auth.Actor{tanaka, suzuki} {
			wg.Go(func() {
				_, errs[i] = s.Decide(t.Context(), reseller.Decision{Actor: actor, ChangeID: c.ID, Applied: i == 0, Reason: "r"})
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("two decisions at once: %v and %v", errs[0], errs[1])
		}
		now, _ := s.Change(t.Context(), c.ID)
		_, err := s.Decide(t.Context(), reseller.Decision{Actor: suzuki, ChangeID: c.ID, Reason: "r"})
		if kindOf(err) != "conflict" || now.Decided.By.Name == "" {
			t.Errorf("a third: %v, after %+v", err, now.Decided)
		}
	})
}
