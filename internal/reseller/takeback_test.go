package reseller_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// outside makes the account what Wave has of it by someone else's doing, as a list
// shows it, and returns what that recorded, if anything.
func (s *site) outside(t *testing.T, id wave.UserID, set func(wave.Meta) wave.Meta) change.Change {
	t.Helper()
	seen := func() change.Seen {
		a, ok := s.wave.get(id)
		return change.Seen{Account: id, Email: a.Email, Company: a.BillingGroup.CompanyID, Meta: a.Meta, Gone: !ok}
	}
	if err := s.ledger.Adopt(t.Context(), time.Now(), []change.Seen{seen()}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	s.wave.mu.Lock()
	a := s.wave.accounts[id]
	a.Meta = set(a.Meta)
	s.wave.accounts[id] = a
	s.wave.mu.Unlock()
	found, _, err := s.ledger.Observe(t.Context(), time.Now(), time.Now(), []change.Seen{seen()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.dir.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 { // nothing that a customer sees
		return change.Change{}
	}
	return found[0]
}

// save is a change that succeeds.
func (s *site) save(t *testing.T, c reseller.MetaChange) change.Change {
	t.Helper()
	r, err := s.ChangeMeta(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	return r.Change
}

// words says what a plan does: a flag with what it was then and is now, and in
// brackets why it stays and who moved it.
func words(p reseller.TakeBack) string {
	var lines []string
	for _, f := range p.Flags {
		text := string(f.Key) + " " + f.Then.String() + "<" + f.Now.String()
		if on, staged := p.Stage[f.Key]; staged {
			text += "=" + wave.StateOf(on).String()
		}
		if f.Stays != "" {
			text += " (" + string(f.Stays) + ")"
		}
		if f.By != "" {
			text += " by " + f.By
		}
		if f.Outside {
			text += " outside"
		}
		lines = append(lines, text)
	}
	if len(p.Stage) > len(lines) {
		lines = append(lines, "more is staged than shown")
	}
	return strings.Join(lines, ", ")
}

func raw(id wave.UserID, key wave.Key, value string) func(*site, *testing.T) {
	return func(s *site, t *testing.T) {
		s.outside(t, id, func(m wave.Meta) wave.Meta { return m.WithRaw(key, []byte(value)) })
	}
}

func TestService_PlanUndo(t *testing.T) {
	both := set(tanaka, "u1", true, "invoice")
	both.Want["dashboard_graph"], both.Seen["dashboard_graph"] = false, wave.On
	by := func(actor auth.Actor, on bool, keys ...wave.Key) func(*site, *testing.T) {
		return func(s *site, t *testing.T) { s.save(t, set(actor, "u1", on, keys...)) }
	}
	removed := func(key wave.Key) func(*site, *testing.T) {
		return func(s *site, t *testing.T) {
			s.outside(t, "u1", func(m wave.Meta) wave.Meta { return without(m, key) })
		}
	}
	tests := []struct {
		name  string
		start wave.Meta
		do    func(*site, *testing.T) change.Change // nil for a save of two flags
		since []func(*site, *testing.T)
		want  string
	}{
		{name: "nothing since", want: "dashboard_graph on<off=on, invoice off<on=off"},
		{
			name: "one flag changed since", since: []func(*site, *testing.T){by(suzuki, false, "invoice")},
			want: "dashboard_graph on<off=on, invoice off<off (moved) by Suzuki",
		},
		{
			name: "changed since outside", since: []func(*site, *testing.T){raw("u1", "dashboard_graph", "true")},
			want: "dashboard_graph on<on (moved) outside, invoice off<on=off",
		},
		{
			name: "there and back again", since: []func(*site, *testing.T){by(suzuki, false, "invoice"), by(tanaka, true, "invoice")},
			want: "dashboard_graph on<off=on, invoice off<on=off by Tanaka",
		},
		{
			name: "nothing left", since: []func(*site, *testing.T){by(suzuki, false, "invoice"), by(suzuki, true, "dashboard_graph")},
			want: "dashboard_graph on<on (moved) by Suzuki, invoice off<off (moved) by Suzuki",
		},
		{
			name: "an unusual value since", since: []func(*site, *testing.T){raw("u1", "invoice", `"maybe"`)},
			want: "dashboard_graph on<off=on, invoice off<odd (moved) outside",
		},
		{
			name: "no longer set, which is off", since: []func(*site, *testing.T){removed("dashboard_graph")},
			want: "dashboard_graph on<unset=on outside, invoice off<on=off",
		},
		{
			name: "not set before: it becomes off", start: without(account("u1", "dashboard_graph").Meta, "invoice"),
			want: "dashboard_graph on<off=on, invoice unset<on=off",
		},
		{
			name: "unusual before: it becomes off", start: account("u1", "dashboard_graph").Meta.WithRaw("invoice", []byte("7")),
			want: "dashboard_graph on<off=on, invoice odd<on=off",
		},
		{
			name: "what was done outside", do: func(s *site, t *testing.T) change.Change {
				return s.outside(t, "u1", func(m wave.Meta) wave.Meta { return m.With("invoice", true).With("new_in_2027", true) })
			}, want: "invoice off<on=off, new_in_2027 unset<on=off",
		},
		{
			name: "a flag that is gone for good", start: account("u1").Meta.With("new_in_2027", true),
			do: func(s *site, t *testing.T) change.Change {
				return s.outside(t, "u1", func(m wave.Meta) wave.Meta { return without(m, "new_in_2027").With("invoice", true) })
			}, want: "invoice off<on=off, new_in_2027 on<unset (missing)",
		},
		{
			name: "not set, then off: the same to a customer", start: without(account("u1").Meta, "invoice"),
			do: func(s *site, t *testing.T) change.Change {
				return s.save(t, set(tanaka, "u1", false, "invoice", "open_api"))
			},
			want: "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := account("u1", "dashboard_graph")
				if len(wave.Diff(tt.start, wave.Meta{})) > 0 {
					a.Meta = tt.start
				}
				s := newSite(t, reseller.Rules{}, a)
				var of change.Change
				if tt.do != nil {
					of = tt.do(s, t)
				} else {
					of = s.save(t, both)
				}
				for _, step := range tt.since {
					step(s, t)
				}
				p, err := s.PlanUndo(t.Context(), suzuki, "u1", of.ID)
				if got := words(p); got != tt.want || err != nil || p.Of.ID != of.ID || p.Account.UserID != "u1" {
					t.Errorf("%v\n got: %s\nwant: %s", err, got, tt.want)
				}
				if len(p.Stage) == 0 {
					return
				}
				c := reseller.MetaChange{Actor: suzuki, UserID: "u1", Seen: wave.SeenIn(p.Account.Meta), Want: p.Stage, UndoOf: of.ID}
				if back := s.save(t, c); back.UndoOf != of.ID || back.State != change.Done {
					t.Errorf("saved as %s, undo of %q", back.State, back.UndoOf)
				}
				if p, err := s.PlanUndo(t.Context(), suzuki, "u1", of.ID); len(p.Stage) > 0 || err != nil {
					t.Errorf("after it was saved there is still %s (%v)", words(p), err)
				}
			})
		})
	}
}

// without returns m without a flag, as the API would leave it out.
func without(m wave.Meta, key wave.Key) wave.Meta {
	var out wave.Meta
	for k, raw := range m.All() {
		if k != key {
			out = out.WithRaw(k, []byte(raw))
		}
	}
	return out
}

func TestService_PlanRestore(t *testing.T) {
	issued := func(s *site, t *testing.T) change.Change {
		c, _, err := s.Create(t.Context(), reseller.Creation{
			Actor: tanaka, SubmitID: "submission",
			NewReseller: wave.NewReseller{Email: "new@example.com", CompanyID: "c", Input: wave.Auto, Meta: wave.Defaults().With("invoice", true)},
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		return c
	}
	tests := []struct {
		name  string
		do    func(*site, *testing.T) change.Change
		since func(*site, *testing.T, wave.UserID)
		want  string
	}{
		{
			"everything that differs, whoever did it",
			func(s *site, t *testing.T) change.Change { return s.save(t, set(tanaka, "u1", true, "invoice")) },
			func(s *site, t *testing.T, id wave.UserID) {
				s.save(t, set(suzuki, id, false, "invoice"))
				s.outside(t, id, func(m wave.Meta) wave.Meta { return m.With("open_api", true).With("new_in_2027", true) })
			},
			"invoice on<off=on by Suzuki, open_api off<on=off outside, new_in_2027 unset<on=off outside",
		},
		{
			"nothing differs",
			func(s *site, t *testing.T) change.Change { return s.save(t, set(tanaka, "u1", true, "invoice")) },
			func(s *site, t *testing.T, id wave.UserID) {
				s.outside(t, id, func(m wave.Meta) wave.Meta { return without(m, "open_api").WithRaw("usage_tag", []byte("0")) })
			},
			"",
		},
		{
			"as it was issued: what Wave added itself stays", issued,
			func(s *site, t *testing.T, id wave.UserID) {
				s.outside(t, id, func(m wave.Meta) wave.Meta { return m.With("new_in_2027", true).With("invoice", false) })
			},
			"invoice on<off=on outside, new_in_2027 unset<on (unsaid) outside",
		},
		{
			"a flag that is gone for good",
			func(s *site, t *testing.T) change.Change {
				return s.outside(t, "u1", func(m wave.Meta) wave.Meta { return m.With("new_in_2027", true) })
			},
			func(s *site, t *testing.T, id wave.UserID) {
				s.outside(t, id, func(m wave.Meta) wave.Meta { return without(m, "new_in_2027") })
			},
			"new_in_2027 on<unset (missing) outside",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				of := tt.do(s, t)
				tt.since(s, t, of.Account)
				p, err := s.PlanRestore(t.Context(), suzuki, of.Account, of.ID)
				if got := words(p); got != tt.want || err != nil {
					t.Errorf("%v\n got: %s\nwant: %s", err, got, tt.want)
				}
				if len(p.Stage) == 0 {
					return
				}
				c := reseller.MetaChange{Actor: suzuki, UserID: of.Account, Seen: wave.SeenIn(p.Account.Meta), Want: p.Stage, RestoreOf: of.ID}
				if back := s.save(t, c); back.RestoreOf != of.ID || back.State != change.Done {
					t.Errorf("saved as %s, restore of %q", back.State, back.RestoreOf)
				}
			})
		})
	}
}

// TestService_takeBackRefuses: what cannot be taken back, or is not of this account,
// neither is planned nor may a save say that it does it.
func TestService_takeBackRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flawed := account("bad")
		flawed.Flaw = wave.Malformed
		s := newSite(t, reseller.Rules{}, account("u1"), account("u2"), flawed)
		saved := s.save(t, set(tanaka, "u1", true, "invoice"))
		nothing := s.save(t, set(tanaka, "u1", true, "invoice"))
		password, err := s.ReplacePassword(t.Context(), auto("u1"))
		if err != nil {
			t.Fatal(err)
		}
		gone := s.save(t, set(tanaka, "u2", true, "invoice"))
		deleted, err := s.Delete(t.Context(), reseller.Deletion{Actor: tanaka, UserID: "u2", Confirm: "u2@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name          string
			actor         auth.Actor
			id            wave.UserID
			changeID      string
			undo, restore string // kinds of the faults of the plans
			save          string // of a save that says so
		}{
			{"a viewer", viewer, "u1", saved.ID, "forbidden", "forbidden", "forbidden"},
			{"made up", tanaka, "u1", "nonsense", "not_found", "not_found", "invalid"},
			{"of another account", tanaka, "u1", gone.ID, "not_found", "not_found", "invalid"},
			{"nothing was done", tanaka, "u1", nothing.ID, "invalid", "invalid", "invalid"},
			{"a password", tanaka, "u1", password.ID, "invalid", "invalid", "invalid"},
			{"of an account that is gone", tanaka, "u2", gone.ID, "not_found", "not_found", "conflict"},
			{"a deletion", tanaka, "u2", deleted.ID, "not_found", "not_found", "invalid"},
		} {
			_, undo := s.PlanUndo(t.Context(), tt.actor, tt.id, tt.changeID)
			_, restore := s.PlanRestore(t.Context(), tt.actor, tt.id, tt.changeID)
			before := s.wave.count("meta")
			c := set(tt.actor, tt.id, true, "open_api")
			c.UndoOf = tt.changeID
			_, save := s.ChangeMeta(t.Context(), c)
			c.UndoOf, c.RestoreOf = "", tt.changeID
			_, saveRestore := s.ChangeMeta(t.Context(), c)
			if kindOf(undo) != tt.undo || kindOf(restore) != tt.restore || kindOf(save) != tt.save || kindOf(saveRestore) != tt.save {
				t.Errorf("%s: undo %v, restore %v, saves %v and %v", tt.name, undo, restore, save, saveRestore)
			}
			if s.wave.count("meta") != before {
				t.Errorf("%s: something was sent", tt.name)
			}
		}
		if _, err := s.PlanUndo(context.Background(), tanaka, "bad", saved.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("a flawed account: %v", err)
		}
	})
}

// What was seen to be done outside is told with its time, and of nobody.
func TestService_Others_outside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		s.save(t, set(suzuki, "u1", true, "invoice"))
		seen := s.outside(t, "u1", func(m wave.Meta) wave.Meta { return m.With("open_api", true).With("invoice", false) })
		moved := []wave.Moved{{Key: "open_api", From: wave.Off, To: wave.On}, {Key: "invoice", From: wave.On, To: wave.Off}}
		others := s.Others(t.Context(), tanaka, "u1", moved)
		if len(others) != 2 || seen.ID == "" {
			t.Fatalf("%+v, want both flags", others)
		}
		for _, o := range others {
			if o.By != "" || !o.At.Equal(seen.Created) {
				t.Errorf("%s by %q at %v, want outside at %v", o.Key, o.By, o.At, seen.Created)
			}
		}
	})
}
