package reseller_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// lateWrites are those that lock late, and how each is asked for.
var lateWrites = map[change.Kind]func(context.Context, *site, wave.UserID) error{
	change.Meta: func(ctx context.Context, s *site, id wave.UserID) error {
		c := item(id, "invoice")
		c.Reason = "  all of them "
		_, err := s.ChangeMeta(ctx, c)
		return err
	},
	change.Password: func(ctx context.Context, s *site, id wave.UserID) error {
		_, err := s.ReplacePassword(ctx, reseller.PasswordChange{
			Actor: tanaka, UserID: id, Reason: "  all of them ", RunID: "run-1", NewPassword: wave.NewPassword{Input: wave.Auto},
		})
		return err
	},
	change.Delete: func(ctx context.Context, s *site, id wave.UserID) error {
		_, err := s.Delete(ctx, reseller.Deletion{
			Actor: tanaka, UserID: id, Confirm: string(id) + "@example.com", Reason: "  all of them ", RunID: "run-1",
		})
		return err
	},
	change.Create: func(ctx context.Context, s *site, id wave.UserID) error {
		_, _, err := s.Create(ctx, reseller.Creation{
			Actor: tanaka, SubmitID: "run-1-" + string(id), Reason: "  all of them ", RunID: "run-1",
			NewReseller: wave.NewReseller{Email: "new-" + string(id) + "@example.com", CompanyID: "c1", Input: wave.Auto, Meta: wave.Defaults()},
		})
		return err
	},
}

func TestLate_itemsOfEveryKind(t *testing.T) {
	for kind, ask := range lateWrites {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := manyAccounts(100)
				s := newSite(t, reseller.Rules{}, all...)
				all = all[:40] // a list that loses half is asked for again
				if _, err := s.dir.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				before := s.wave.count("list")
				var run sync.WaitGroup
				for _, a := range all {
					run.Go(func() {
						if err := ask(reseller.Patiently(t.Context()), s, a.UserID); err != nil {
							t.Errorf("%s: %v", a.UserID, err)
						}
					})
				}
				synctest.Wait()
				if by := s.holder(t, "u00000"); by != nil {
					t.Errorf("the account is held by a change that is %s while that waits", by.State)
				}
				run.Wait()
				if lists := s.wave.count("list") - before; lists != 2 {
					t.Errorf("%d lists, want one before and one after all", lists)
				}
				list, _, err := s.ledger.List(t.Context(), change.Filter{}, 100)
				if err != nil || len(list) != len(all) {
					t.Fatalf("%d changes (%v), want %d", len(list), err, len(all))
				}
				for _, c := range list {
					age, known := c.ListAge()
					if c.State != change.Done || c.RunID != "run-1" || c.Source != change.Bulk || c.Reason != "all of them" || !known || age > time.Second {
						t.Errorf("recorded as %s of %q from %s because of %q, list %v old (%v)", c.State, c.RunID, c.Source, c.Reason, age, known)
					}
				}
			})
		})
	}
}

// A run that is stopped while its items wait leaves no trace of them.
func TestLate_leavesWithNothingOpened(t *testing.T) {
	for kind, ask := range lateWrites {
		if kind == change.Create { // it waits under the lock of its email
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				if _, err := s.dir.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithTimeout(reseller.Patiently(t.Context()), time.Second)
				defer stop()
				err := ask(ctx, s, "u1")
				s.check(t, err, "unavailable", "")
			})
		})
	}
}

func TestLate_readingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.wave.on("list", nth(2, away, false))
		_, err := s.ChangeMeta(reseller.Patiently(t.Context()), item("u1", "invoice"))
		s.check(t, err, "unavailable", "") // nothing was opened
	})
}
