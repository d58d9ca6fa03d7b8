package reseller_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

var (
	tanaka = auth.Actor{Issuer: "idp", Subject: "1", Name: "Tanaka", Role: auth.Editor}
	suzuki = auth.Actor{Issuer: "idp", Subject: "2", Name: "Suzuki", Role: auth.Editor}
	viewer = auth.Actor{Issuer: "idp", Subject: "3", Name: "Sato", Role: auth.Viewer}

	busy     = fault.New(fault.Busy, errors.New("429"))
	rejected = fault.New(fault.Rejected, errors.New("5005"))
)

// site is a Service on a fake Wave and a real ledger.
type site struct {
	*reseller.Service
	wave   *fakeWave
	dir    *reseller.Directory
	db     *db.DB
	ledger *change.Ledger
	broken atomic.Value // the step of the ledger that fails
	audit  unwilling

	beforeOpen func(change.Change) // called before a change is opened, if set
}

// unwilling is an audit log that refuses one state.
type unwilling struct{ refuse change.State }

func (u *unwilling) Append(_ context.Context, _ *sql.Tx, c change.Change) error {
	if c.State == u.refuse {
		return errDiskFull
	}
	return nil
}

// The ledger of a site, whose steps can fail.
type stumbling struct {
	*change.Ledger
	s *site
}

var errDiskFull = errors.New("disk full")

func (l stumbling) Open(ctx context.Context, c change.Change) (change.Change, error) {
	if l.s.beforeOpen != nil {
		l.s.beforeOpen(c)
	}
	return l.Ledger.Open(ctx, c)
}

func (l stumbling) Intend(ctx context.Context, c change.Change) (change.Change, error) {
	if l.s.broken.Load() == "intend" {
		return c, errDiskFull
	}
	return l.Ledger.Intend(ctx, c)
}

func (l stumbling) Close(ctx context.Context, c change.Change) (change.Change, error) {
	if l.s.broken.Load() == "close" {
		return c, errDiskFull
	}
	return l.Ledger.Close(ctx, c)
}

// engine is what new sites keep their ledger in.
var engine = dbtest.SQLite

func newSite(t *testing.T, rules reseller.Rules, accounts ...wave.Reseller) *site {
	t.Helper()
	s := &site{wave: newWave(accounts...), db: engine.New(t)}
	s.dir = newDirectory(t, s.wave)
	s.start(t, s.db, rules)
	return s
}

// start puts a service on the database.
func (s *site) start(t *testing.T, d *db.DB, rules reseller.Rules) {
	t.Helper()
	if rules.PasswordMin == 0 {
		rules.PasswordMin, rules.PasswordMax = 8, 18
	}
	var err error
	if s.ledger, err = change.NewLedger(t.Context(), d, change.Options{Fold: strings.ToLower, Audit: &s.audit}); err != nil {
		t.Fatal(err)
	}
	s.Service = reseller.NewService(s.wave, s.dir, stumbling{s.ledger, s}, rules, slog.New(slog.DiscardHandler), nil)
}

// set asks for flags as one who saw them the other way round.
func set(actor auth.Actor, id wave.UserID, on bool, keys ...wave.Key) reseller.MetaChange {
	c := reseller.MetaChange{Actor: actor, UserID: id, Seen: wave.Seen{}, Want: wave.Wanted{}}
	for _, key := range keys {
		c.Seen[key], c.Want[key] = wave.StateOf(!on), on
	}
	return c
}

// state returns how the newest change ended, "" when there is none.
func (s *site) state(t *testing.T) (change.State, change.Change) {
	t.Helper()
	list, _, err := s.ledger.List(t.Context(), change.Filter{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		return "", change.Change{}
	}
	return list[0].State, list[0]
}

// check compares an outcome with what a table wants; kind "" is no error.
func (s *site) check(t *testing.T, err error, kind string, state change.State, calls ...string) {
	t.Helper()
	got := ""
	if err != nil {
		got = fault.KindOf(err).String()
	}
	if got != kind {
		t.Errorf("fault = %q (%v), want %q", got, err, kind)
	}
	gotState, c := s.state(t)
	if gotState != state {
		t.Errorf("recorded as %q (%s), want %q", gotState, c.Detail, state)
	}
	if got, want := strings.Join(s.wave.calls, ", "), strings.Join(calls, ", "); got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	_, doubt := errors.AsType[*reseller.DoubtError](err)
	if want := kind == "uncertain"; doubt != want {
		t.Errorf("a DoubtError: %v, want %v (%v)", doubt, want, err)
	}
}

func TestService_ChangeMeta(t *testing.T) {
	const id = wave.UserID("u1")
	want := set(tanaka, id, true, "invoice", "open_api")
	tests := []struct {
		name   string
		faults map[string]func(int) reaction
		change reseller.MetaChange
		kind   string
		state  change.State
		puts   int
		saved  bool // whether Wave has the flags afterwards
	}{
		{"saved", nil, want, "", change.Done, 1, true},
		{"nothing touched asks nobody", nil, reseller.MetaChange{Actor: tanaka, UserID: id}, "", "", 0, false},
		{"a viewer", nil, set(viewer, id, true, "invoice"), "forbidden", "", 0, false},
		{"no such account", nil, set(tanaka, "u9", true, "invoice"), "not_found", "", 0, false},
		{"as it is already", nil, set(tanaka, id, false, "invoice"), "", change.NoChange, 0, false},
		{"a flag that nobody knows", nil, set(tanaka, id, true, "invioce"), "invalid", change.Failed, 0, false},
		{"refused", map[string]func(int) reaction{"meta": always(rejected, false)}, want, "rejected", change.Failed, 1, false},
		{"busy", map[string]func(int) reaction{"meta": always(busy, false)}, want, "busy", change.Failed, 1, false},
		{"no list, no write", map[string]func(int) reaction{"list": nth(2, away, false)}, want, "unavailable", change.Failed, 0, false},
		{"not read back", map[string]func(int) reaction{"list": nth(3, away, false)}, want, "", change.Done, 1, true},
		{"the answer was lost, but it was done", map[string]func(int) reaction{"meta": always(lost, true)}, want, "", change.Done, 1, true},
		{"the call was lost: sent again", map[string]func(int) reaction{"meta": nth(1, lost, false)}, want, "", change.Done, 2, true},
		{"lost twice", map[string]func(int) reaction{"meta": func(n int) reaction {
			if n < 3 {
				return reaction{err: lost}
			}
			return reaction{apply: true}
		}}, want, "", change.Done, 3, true},
		{"lost three times is enough", map[string]func(int) reaction{"meta": always(lost, false)}, want, "uncertain", change.InDoubt, 3, false},
		{"lost, then refused: the first may still arrive", map[string]func(int) reaction{"meta": func(n int) reaction {
			if n == 1 {
				return reaction{err: lost}
			}
			return reaction{err: rejected}
		}}, want, "uncertain", change.InDoubt, 2, false},
		{"lost, and the list too", map[string]func(int) reaction{"meta": always(lost, true), "list": nth(3, away, false)}, want, "uncertain", change.InDoubt, 1, true},
		{"lost while others write: not sent again", map[string]func(int) reaction{"meta": func(int) reaction {
			return reaction{err: lost, first: func(w *fakeWave) { w.setLocked(id, true, "usage_tag") }}
		}}, want, "uncertain", change.InDoubt, 1, false},
		{"an error that is no fault may have been done", map[string]func(int) reaction{"meta": always(errors.New("oops"), true)}, want, "", change.Done, 1, true},
		{"success that the list denies", map[string]func(int) reaction{"meta": always(nil, false)}, want, "uncertain", change.InDoubt, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account(id, "new_in_2027"))
				s.wave.set(id, true, "new_in_2027") // a flag that the program does not know
				if _, err := s.dir.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				s.wave.faults = tt.faults
				r, err := s.ChangeMeta(t.Context(), tt.change)
				var calls []string
				for range tt.puts {
					calls = append(calls, "meta u1")
				}
				s.check(t, err, tt.kind, tt.state, calls...)
				now, _ := s.wave.get(id)
				if now.Meta.On("invoice") != tt.saved || !now.Meta.On("new_in_2027") {
					t.Errorf("Wave has invoice %v, new_in_2027 %v", now.Meta.State("invoice"), now.Meta.State("new_in_2027"))
				}
				if err == nil && tt.state != "" && (r.Account.Meta.On("invoice") != tt.saved || r.Change.State != tt.state) {
					t.Errorf("returned %+v", r)
				}
				if a, err := s.Get(t.Context(), id); err != nil || err == nil && tt.kind == "" && a.Meta.On("invoice") != tt.saved {
					t.Errorf("pages show invoice %v (%v)", a.Meta.State("invoice"), err)
				}
			})
		})
	}
}

func TestService_ledgerFails(t *testing.T) {
	for _, tt := range []struct {
		step, kind string
		puts       []string
	}{
		{"intend", "internal", nil},                 // no intent, no call
		{"close", "uncertain", []string{"meta u1"}}, // done, but not recorded
	} {
		t.Run(tt.step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				s.broken.Store(tt.step)
				_, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
				want := change.Failed
				if tt.step == "close" {
					want = change.Sent
				}
				s.check(t, err, tt.kind, want, tt.puts...)
			})
		})
	}
}

// TestService_noAuditNoCall: what the audit log does not take is not sent, by any
// method.
func TestService_noAuditNoCall(t *testing.T) {
	created := reseller.Creation{
		Actor: tanaka, SubmitID: "submission",
		NewReseller: wave.NewReseller{Email: "new@example.com", CompanyID: "c1", Input: wave.Auto, Meta: wave.Defaults()},
	}
	writes := []struct {
		name string
		do   func(context.Context, *site) error
	}{
		{"meta", func(ctx context.Context, s *site) error {
			_, err := s.ChangeMeta(ctx, set(tanaka, "u1", true, "invoice"))
			return err
		}},
		{"create", func(ctx context.Context, s *site) error {
			_, _, err := s.Create(ctx, created)
			return err
		}},
		{"password", func(ctx context.Context, s *site) error {
			_, err := s.ReplacePassword(ctx, reseller.PasswordChange{Actor: tanaka, UserID: "u1", NewPassword: wave.NewPassword{Input: wave.Auto}})
			return err
		}},
		{"delete", func(ctx context.Context, s *site) error {
			_, err := s.Delete(ctx, reseller.Deletion{Actor: tanaka, UserID: "u1", Confirm: account("u1").Email})
			return err
		}},
	}
	for _, refuse := range []change.State{change.Running, change.Sent} {
		for _, w := range writes {
			t.Run(w.name+", "+string(refuse), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, reseller.Rules{}, account("u1"))
					s.audit.refuse = refuse
					err := w.do(t.Context(), s)
					if !errors.Is(err, errDiskFull) {
						t.Errorf("error = %v", err)
					}
					want := change.Failed
					if refuse == change.Running {
						want = "" // not even opened
					}
					s.check(t, err, "internal", want)
				})
			})
		}
	}
}

func TestService_ChangeMeta_isFinishedThoughTheCallerLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		ctx, leave := context.WithCancel(t.Context())
		s.wave.on("meta", func(int) reaction {
			return reaction{apply: true, first: func(*fakeWave) { leave() }}
		})
		_, err := s.ChangeMeta(ctx, set(tanaka, "u1", true, "invoice"))
		s.check(t, err, "", change.Done, "meta u1")
	})
}

func TestService_ChangeMeta_leftBeforeAnythingWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.wave.gate = make(chan struct{})
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		_, err := s.ChangeMeta(ctx, set(tanaka, "u1", true, "invoice"))
		s.check(t, err, "unavailable", change.Cancelled)
		close(s.wave.gate)
	})
}

func TestService_refusesFlawedAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		odd := account("u1")
		odd.Flaw = wave.DuplicateID
		s := newSite(t, reseller.Rules{}, odd)
		_, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
		s.check(t, err, "invalid", change.Failed)
		_, err = s.Delete(t.Context(), reseller.Deletion{Actor: tanaka, UserID: "u1", Confirm: odd.Email})
		s.check(t, err, "invalid", change.Failed)
		if f, _ := errors.AsType[*fault.Error](err); f.Say.Key != "change.flawed" {
			t.Errorf("says %q", f.Say.Key)
		}
	})
}

func TestService_lockedAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		held, err := s.ledger.Open(t.Context(), change.Change{Kind: change.Delete, Account: "u1", Actor: suzuki, Source: change.Page})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
		s.check(t, err, "conflict", change.Running)
		if e, ok := errors.AsType[*reseller.ConflictError](err); !ok || e.Why != reseller.BeingChanged || e.Holder != "Suzuki" || e.Account.UserID != "u1" {
			t.Errorf("error = %v, want who has the account", err)
		}
		go func() { // who waits a moment gets it
			time.Sleep(time.Second)
			held.State = change.Cancelled
			_, _ = s.ledger.Close(context.Background(), held)
		}()
		_, err = s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
		s.check(t, err, "", change.Done, "meta u1")
	})
}
