package reseller_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

func TestService_Delete(t *testing.T) {
	tests := []struct {
		name    string
		faults  map[string]func(int) reaction
		kind    string
		state   change.State
		deletes int
		gone    bool
	}{
		{"deleted", nil, "", change.Done, 1, true},
		{"not read back", map[string]func(int) reaction{"list": nth(3, away, false)}, "", change.Done, 1, true},
		{"the answer was lost, but it was done", map[string]func(int) reaction{"delete": always(lost, true)}, "", change.Done, 1, true},
		{"lost: sent again", map[string]func(int) reaction{"delete": nth(1, lost, false)}, "", change.Done, 2, true},
		{"lost, done late: the second call finds nothing", map[string]func(int) reaction{"delete": func(n int) reaction {
			if n == 1 {
				return reaction{err: lost}
			}
			return reaction{apply: true, first: func(w *fakeWave) { delete(w.accounts, "u1") }}
		}}, "", change.Done, 2, true},
		{"lost three times", map[string]func(int) reaction{"delete": always(lost, false)}, "uncertain", change.InDoubt, 3, false},
		{"gone before the first call", map[string]func(int) reaction{"delete": func(int) reaction {
			return reaction{apply: true, first: func(w *fakeWave) { delete(w.accounts, "u1") }}
		}}, "not_found", change.Failed, 1, true},
		{"refused", map[string]func(int) reaction{"delete": always(rejected, false)}, "rejected", change.Failed, 1, false},
		{"success that the list denies", map[string]func(int) reaction{"delete": always(nil, false)}, "uncertain", change.InDoubt, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1", "invoice"), account("u2"))
				if _, err := s.dir.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				s.wave.faults = tt.faults
				_, err := s.Delete(t.Context(), reseller.Deletion{Actor: tanaka, UserID: "u1", Confirm: " u1@example.com "})
				var calls []string
				for range tt.deletes {
					calls = append(calls, "delete u1")
				}
				s.check(t, err, tt.kind, tt.state, calls...)
				if _, ok := s.wave.get("u1"); ok == tt.gone {
					t.Errorf("gone: %v, want %v", !ok, tt.gone)
				}
				if _, c := s.state(t); c.Before == nil || !c.Before.On("invoice") {
					t.Error("the record lost the flags")
				}
				if _, err := s.Get(t.Context(), "u1"); tt.state == change.Done && kindOf(err) != "not_found" {
					t.Errorf("pages still show it: %v", err)
				}
			})
		})
	}
}

func TestService_ReplacePassword(t *testing.T) {
	tests := []struct {
		name  string
		fault func(int) reaction
		kind  string
		state change.State
	}{
		{"replaced", nil, "", change.Done},
		{"refused", always(rejected, false), "rejected", change.Failed},
		{"lost: never sent again", always(lost, false), "uncertain", change.InDoubt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				s.wave.faults["password"] = tt.fault
				p := reseller.PasswordChange{
					Actor: tanaka, UserID: "u1", SubmitID: "submission-1",
					NewPassword: wave.NewPassword{Input: wave.Custom, Password: "Secret-123"},
				}
				for range 2 { // the second submission is the first again
					_, err := s.ReplacePassword(t.Context(), p)
					if tt.state == change.Failed {
						s.wave.calls = s.wave.calls[:1]
					}
					s.check(t, err, tt.kind, tt.state, "password u1")
				}
			})
		})
	}
}

// When the answer was lost, the list tells later what became of it.
func TestService_Run_settles(t *testing.T) {
	meta := func(s *site, ctx context.Context) error {
		_, err := s.ChangeMeta(ctx, set(tanaka, "u1", true, "invoice"))
		return err
	}
	create := func(s *site, ctx context.Context) error { _, _, err := s.Create(ctx, creation()); return err }
	remove := func(s *site, ctx context.Context) error {
		_, err := s.Delete(ctx, reseller.Deletion{Actor: tanaka, UserID: "u1", Confirm: "u1@example.com"})
		return err
	}
	password := func(s *site, ctx context.Context) error {
		_, err := s.ReplacePassword(ctx, reseller.PasswordChange{Actor: tanaka, UserID: "u1", NewPassword: wave.NewPassword{Input: wave.Auto}})
		return err
	}
	late := func(w *fakeWave) { w.setLocked("u1", true, "invoice") }
	tests := []struct {
		name    string
		op      string
		do      func(*site, context.Context) error
		later   func(w *fakeWave) // after 3 seconds
		state   change.State
		settled time.Duration // at most so long after the call
	}{
		{"a save that arrived late", "meta", meta, late, change.Done, 6 * time.Second},
		{"a save that never arrived", "meta", meta, nil, change.Failed, 61 * time.Second},
		{"an account that appears late", "create", create, func(w *fakeWave) {
			a := account("u7")
			a.Email, a.BillingGroup.CompanyID = "NEW@example.com", "c-new"
			w.accounts["u7"] = a
		}, change.Done, 6 * time.Second},
		{"an account that never appears", "create", create, nil, change.Failed, 61 * time.Second},
		{"a deletion that happened late", "delete", remove, func(w *fakeWave) { delete(w.accounts, "u1") }, change.Done, 6 * time.Second},
		{"a password time that moved", "password", password, func(w *fakeWave) {
			a := w.accounts["u1"]
			a.PasswordUpdated = time.Now()
			w.accounts["u1"] = a
		}, change.Done, 6 * time.Second},
		{"a password that nothing tells of is left to a person", "password", password, nil, change.InDoubt, time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				ctx, stop := context.WithCancel(t.Context())
				stopped := make(chan struct{})
				go func() { s.Run(ctx); close(stopped) }()
				s.wave.on(tt.op, always(lost, false))
				start := time.Now()
				if err := tt.do(s, t.Context()); kindOf(err) != "uncertain" {
					t.Fatalf("error = %v, want Uncertain", err)
				}
				sent := s.wave.count(tt.op)
				time.Sleep(3 * time.Second)
				if tt.later != nil {
					s.wave.mu.Lock()
					tt.later(s.wave)
					s.wave.mu.Unlock()
				}
				time.Sleep(tt.settled - time.Since(start) + time.Second)
				synctest.Wait()
				state, c := s.state(t)
				if state != tt.state || s.wave.count(tt.op) != sent {
					t.Errorf("recorded as %s (%s) after %d more calls, want %s", state, c.Detail, s.wave.count(tt.op)-sent, tt.state)
				}
				if tt.op == "create" && state == change.Done && c.Account != "u7" {
					t.Errorf("the new account is %q", c.Account)
				}
				if polled, err := s.Change(t.Context(), c.ID); err != nil || polled.State != state {
					t.Errorf("the page that waits reads %s (%v)", polled.State, err)
				}
				lists := s.wave.count("list")
				time.Sleep(time.Hour)
				if got := s.wave.count("list") - lists; got > 10 {
					t.Errorf("%d more lists an hour for nothing", got)
				}
				stop()
				<-stopped
			})
		})
	}
}

// After a crash the new process reads what became of what was sent.
func TestService_Run_afterRecover(t *testing.T) {
	for _, done := range []bool{true, false} {
		t.Run(fmt.Sprint("done ", done), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				s.broken.Store("close") // as if the process died after the call
				s.wave.on("meta", always(nil, done))
				_, _ = s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
				if state, _ := s.state(t); state != change.Sent {
					t.Fatalf("recorded as %s, want sent", state)
				}
				s.broken.Store("")
				time.Sleep(time.Hour)
				if _, _, err := s.ledger.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				stopped := make(chan struct{})
				go func() { s.Run(ctx); close(stopped) }()
				synctest.Wait()
				want := change.Failed
				if done {
					want = change.Done
				}
				s.check(t, nil, "", want, "meta u1")
				stop()
				<-stopped
			})
		})
	}
}

// The API said that it created the account, so it is not called failed.
func TestService_Run_believesTheAnswerOfACreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { s.Run(ctx); close(stopped) }()
		s.wave.on("create", always(nil, false))
		_, _, err := s.Create(t.Context(), creation())
		s.check(t, err, "uncertain", change.InDoubt, "create new@example.com")
		time.Sleep(2 * time.Minute)
		s.check(t, nil, "", change.Done, "create new@example.com")
		stop()
		<-stopped
	})
}

// While Wave is away a doubt stays, and it is settled soon after.
func TestService_Run_outlastsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { s.Run(ctx); close(stopped) }()
		s.wave.on("meta", func(int) reaction {
			return reaction{err: lost, apply: true, first: func(w *fakeWave) { w.faults["list"] = always(away, false) }}
		})
		_, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
		s.check(t, err, "uncertain", change.InDoubt, "meta u1")
		time.Sleep(20 * time.Minute)
		if state, _ := s.state(t); state != change.InDoubt {
			t.Errorf("recorded as %s while nobody can know", state)
		}
		s.wave.on("list", nil)
		time.Sleep(10 * time.Second)
		s.check(t, nil, "", change.Done, "meta u1")
		stop()
		<-stopped
	})
}

// A later password change moves the same time: it says nothing about the first.
func TestService_Run_doesNotTakeALaterPasswordForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		p := reseller.PasswordChange{Actor: tanaka, UserID: "u1", NewPassword: wave.NewPassword{Input: wave.Auto}}
		s.wave.on("password", nth(1, lost, false))
		first, err := s.ReplacePassword(t.Context(), p)
		if kindOf(err) != "uncertain" {
			t.Fatalf("error = %v, want Uncertain", err)
		}
		time.Sleep(time.Second)
		if _, err := s.ReplacePassword(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { s.Run(ctx); close(stopped) }()
		time.Sleep(time.Hour)
		if c, err := s.Change(t.Context(), first.ID); err != nil || c.State != change.InDoubt {
			t.Errorf("recorded as %s (%v), want in doubt", c.State, err)
		}
		stop()
		<-stopped
	})
}

// An answer with status 200 that is not the API's success, such as a proxy's page,
// is no reason to call a creation done.
func TestService_Run_believesNoPageAboutACreation(t *testing.T) {
	for _, created := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, reseller.Rules{}, account("u1"))
			s.running(t)
			s.wave.on("create", func(int) reaction {
				return reaction{err: fault.New(fault.Uncertain, pageError{}), apply: created, first: func(w *fakeWave) {
					w.faults["list"] = nth(w.sent["list"]+1, away, false)
				}}
			})
			_, _, err := s.Create(t.Context(), creation())
			s.check(t, err, "uncertain", change.InDoubt, "create new@example.com")
			time.Sleep(2 * time.Minute)
			want := change.Failed
			if created {
				want = change.Done
			}
			s.check(t, nil, "", want, "create new@example.com")
		})
	}
}

// pageError is what waveapi makes of a page with status 200.
type pageError struct{}

func (pageError) Error() string   { return `status 200: "<html>"` }
func (pageError) HTTPStatus() int { return 200 }

// TestService_Delete_ofWhatIsBeingCreated: the server that created the account died
// before it could say so. The account is deleted only once that is settled: then the
// creation would look as if it had never been.
func TestService_Delete_ofWhatIsBeingCreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := account("new-1", "invoice")
		s := newSite(t, reseller.Rules{}, made)
		c, err := s.ledger.Open(t.Context(), change.Change{
			Kind: change.Create, Email: strings.ToUpper(made.Email), Company: made.BillingGroup.CompanyID, Actor: suzuki, Source: change.Page,
			Input: wave.Auto, After: &made.Meta,
		})
		if err != nil {
			t.Fatal(err)
		}
		if c, err = s.ledger.Intend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		deletion := reseller.Deletion{Actor: tanaka, UserID: "new-1", Confirm: made.Email}
		_, err = s.Delete(t.Context(), deletion)
		s.check(t, err, "conflict", change.Conflict)
		if e, ok := errors.AsType[*reseller.ConflictError](err); !ok || e.Why != reseller.BeingChanged || e.Holder != "Suzuki" {
			t.Errorf("error = %v, want who creates it", err)
		}
		c.State = change.InDoubt // another server has taken over
		if c, err = s.ledger.Close(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		_, err = s.Delete(t.Context(), deletion)
		s.check(t, err, "", change.Done, "delete new-1")
		if c, err = s.ledger.Get(t.Context(), c.ID); err != nil || c.State != change.Done || c.Account != "new-1" {
			t.Errorf("the creation is %s of %q (%v), want done", c.State, c.Account, err)
		}
	})
}
