package reseller_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

func creation() reseller.Creation {
	return reseller.Creation{
		Actor: tanaka, SubmitID: "submission-1",
		NewReseller: wave.NewReseller{Email: "new@example.com", CompanyID: "c-new", Input: wave.Auto, Notify: true, Meta: wave.Defaults()},
	}
}

func TestService_Create(t *testing.T) {
	tests := []struct {
		name    string
		faults  map[string]func(int) reaction
		edit    func(*reseller.Creation)
		kind    string
		state   change.State
		posts   int
		created bool
	}{
		{"created", nil, nil, "", change.Done, 1, true},
		{"with an own password", nil, func(c *reseller.Creation) { c.Input, c.Password = wave.Custom, "Secret-123" }, "", change.Done, 1, true},
		{"a password that is not wanted is not sent", nil, func(c *reseller.Creation) { c.Password = "Secret-123" }, "", change.Done, 1, true},
		{"by a viewer", nil, func(c *reseller.Creation) { c.Actor = viewer }, "forbidden", "", 0, false},
		{"the email exists, in another company and case", nil, func(c *reseller.Creation) { c.Email = "U1@example.com" }, "invalid", change.Failed, 0, false},
		{"refused", map[string]func(int) reaction{"create": always(rejected, false)}, nil, "rejected", change.Failed, 1, false},
		{"the answer was lost, but it was done", map[string]func(int) reaction{"create": always(lost, true)}, nil, "", change.Done, 1, true},
		{"lost: never sent again", map[string]func(int) reaction{"create": always(lost, false)}, nil, "uncertain", change.InDoubt, 1, false},
		{"lost, and the list too", map[string]func(int) reaction{"create": always(lost, true), "list": nth(2, away, false)}, nil, "uncertain", change.InDoubt, 1, true},
		{"created, but not seen yet", map[string]func(int) reaction{"list": nth(2, away, false)}, nil, "uncertain", change.InDoubt, 1, true},
		{"no list, no call", map[string]func(int) reaction{"list": nth(1, away, false)}, nil, "unavailable", change.Failed, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				s.wave.faults = tt.faults
				c := creation()
				if tt.edit != nil {
					tt.edit(&c)
				}
				row, got, err := s.Create(t.Context(), c)
				var calls []string
				for range tt.posts {
					calls = append(calls, "create "+c.Email)
				}
				s.check(t, err, tt.kind, tt.state, calls...)
				if a, ok := s.wave.get("new-1"); ok != tt.created || ok && a.Meta.CountOn() != wave.Defaults().CountOn() {
					t.Errorf("created: %v, want %v: %+v", ok, tt.created, a)
				}
				if err == nil && (got.Email != c.Email || row.Account != "new-1") {
					t.Errorf("returned %+v of change %+v", got, row)
				}
				if _, stored := s.state(t); strings.Contains(stored.Detail+stored.Reason, "Secret") {
					t.Error("the ledger has the password")
				}
			})
		})
	}
}

func TestService_Create_aSubmissionOnce(t *testing.T) {
	tests := []struct {
		name   string
		fault  func(int) reaction
		kind   string
		posts  int
		state  change.State
		edit   func(*reseller.Creation)
		second string // kind of the second one's fault
	}{
		{"twice", nil, "", 1, change.Done, nil, ""},
		{"twice, the first in doubt", always(lost, false), "uncertain", 1, change.InDoubt, nil, "uncertain"},
		{"again after one that surely failed", nth(1, busy, false), "busy", 2, change.Done, nil, ""},
		{"by someone else", nil, "", 1, change.Done, func(c *reseller.Creation) { c.Actor = suzuki }, "invalid"},
		{"with another email", nil, "", 1, change.Done, func(c *reseller.Creation) { c.Email = "other@example.com" }, "invalid"},
		{"another submission while the first is in doubt", always(lost, false), "uncertain", 1, change.InDoubt, func(c *reseller.Creation) { c.SubmitID = "submission-2" }, "invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				s.wave.faults["create"] = tt.fault
				_, first, err := s.Create(t.Context(), creation())
				if got := kindOf(err); got != tt.kind {
					t.Errorf("first: %v, want %q", err, tt.kind)
				}
				time.Sleep(time.Second)
				again := creation()
				if tt.edit != nil {
					tt.edit(&again)
				}
				_, second, err := s.Create(t.Context(), again)
				if got := kindOf(err); got != tt.second {
					t.Errorf("second: %v, want %q", err, tt.second)
				}
				if err == nil && tt.kind == "" && first.UserID != second.UserID {
					t.Errorf("created %s, then %s", first.UserID, second.UserID)
				}
				if state, _ := s.state(t); s.wave.count("create") != tt.posts || state != tt.state {
					t.Errorf("%d calls, recorded as %s, want %d, %s", s.wave.count("create"), state, tt.posts, tt.state)
				}
			})
		})
	}
}

func kindOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.KindOf(err).String()
}

func TestService_Create_twiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		s.wave.gate = make(chan struct{})
		ids := make(chan wave.UserID, 2)
		for range 2 {
			go func() {
				_, a, err := s.Create(t.Context(), creation())
				if err != nil {
					t.Error(err)
				}
				ids <- a.UserID
			}()
		}
		time.Sleep(time.Second)
		close(s.wave.gate)
		if a, b := <-ids, <-ids; a != "new-1" || b != a || s.wave.count("create") != 1 {
			t.Errorf("created %s and %s with %d calls", a, b, s.wave.count("create"))
		}
	})
}

func TestService_refusesInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{ReasonRequired: true}, account("u1"))
		long := strings.Repeat("あ", 501)
		create := func(edit func(*reseller.Creation)) func() error {
			return func() error {
				c := creation()
				c.Reason = "ticket 41"
				edit(&c)
				_, _, err := s.Create(t.Context(), c)
				return err
			}
		}
		password := func(input wave.InputType, pw string) func() error {
			return func() error {
				_, err := s.ReplacePassword(t.Context(), reseller.PasswordChange{Actor: tanaka, UserID: "u1", NewPassword: wave.NewPassword{Input: input, Password: pw}})
				return err
			}
		}
		meta := func(reason string) func() error {
			return func() error {
				c := set(tanaka, "u1", true, "invoice")
				c.Reason = reason
				_, err := s.ChangeMeta(t.Context(), c)
				return err
			}
		}
		tests := []struct {
			name, field string
			do          func() error
		}{
			{"no email", "email", create(func(c *reseller.Creation) { c.Email = "" })},
			{"an email with a name", "email", create(func(c *reseller.Creation) { c.Email = "A <a@example.com>" })},
			{"an email with a character that is not seen", "email", create(func(c *reseller.Creation) { c.Email = "a\u200b@example.com" })},
			{"an email that reads backwards", "email", create(func(c *reseller.Creation) { c.Email = "\u202ea@example.com" })},
			{"two emails", "email", create(func(c *reseller.Creation) { c.Email = "a@example.com, b@example.com" })},
			{"a long email", "email", create(func(c *reseller.Creation) { c.Email = strings.Repeat("a", 243) + "@example.com" })},
			{"no company", "company_id", create(func(c *reseller.Creation) { c.CompanyID = "" })},
			{"a company with a line break", "company_id", create(func(c *reseller.Creation) { c.CompanyID = "a\nb" })},
			{"a short submit id", "submit_id", create(func(c *reseller.Creation) { c.SubmitID = "1234567" })},
			{"no way to make a password", "input_type", create(func(c *reseller.Creation) { c.Input = "" })},
			{"a long reason", "reason", create(func(c *reseller.Creation) { c.Reason = long })},
			{"a short password", "password", password(wave.Custom, "Abc-123")},
			{"a long password", "password", password(wave.Custom, strings.Repeat("a", 19))},
			{"a password with a space", "password", password(wave.Custom, "Abc 12345")},
			{"a password in full width", "password", password(wave.Custom, "Ａｂｃ１２３４５")},
			{"no reason where one is needed", "reason", meta(" \n")},
			{"a reason that is too long", "reason", meta(long)},
			{"a deletion that names another email", "confirm", func() error {
				_, err := s.Delete(t.Context(), reseller.Deletion{Actor: tanaka, UserID: "u1", Confirm: "u2@example.com"})
				return err
			}},
		}
		for _, tt := range tests {
			err := tt.do()
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[tt.field].Key == "" {
				t.Errorf("%s: %v, want Invalid about %s alone", tt.name, err, tt.field)
			}
			if ok && strings.Contains(err.Error(), "Abc") {
				t.Errorf("%s: the error %q shows the password", tt.name, err)
			}
		}
		s.check(t, nil, "", "")
	})
}
