package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

func TestPassword(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c := s.SignedIn(t, testkit.Editor)
			add(t, s, c, accountOf("acme"))
			form := fields(t, c.Get("/resellers/acme/password").Find("#password-form"))
			p := c.Unredirected().Post("/resellers/acme/password", form, way.headers...)
			if to := p.Header.Get("Location") + p.Header.Get("HX-Redirect"); to != "/resellers/acme/details" {
				t.Fatalf("got %d to %q", p.Status, to)
			}
			if got := s.Wave.Passwords("acme"); len(got) != 1 || got[0].Password != "" || !got[0].Notify {
				t.Errorf("Wave has %+v", got)
			}
			p = c.Get("/resellers/acme/details")
			wantText(t, p, ".notice-line.success", says("password.done", "email", "acme@example.co.jp"))
			if c.Get("/resellers/acme/details").Find(".notice-line.success").Length() != 0 {
				t.Error("said twice")
			}

			wantStatus(t, c.Post("/resellers/acme/password", form, way.headers...), map[bool]int{true: 204, false: 200}[way.headers != nil])
			if got := s.Wave.Count(sandbox.OpPassword); got != 1 {
				t.Errorf("the same form again called Wave: %d calls", got)
			}
			form = fields(t, c.Get("/resellers/acme/password").Find("#password-form"))
			form.Set("input_type", "Custom")
			form.Set("password", "Abcd-1234")
			form.Del("notification")
			c.Post("/resellers/acme/password", form, way.headers...)
			if got := s.Wave.Passwords("acme"); len(got) != 2 || got[1].Password != "Abcd-1234" || got[1].Notify {
				t.Errorf("Wave has %d passwords", len(got))
			}
		})
	}
}

func TestPassword_refused(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	tests := []struct {
		name, account string
		form          url.Values
		status        int
		field         string
	}{
		{"no kind", "acme", url.Values{}, 422, "input_type"},
		{"an unknown kind", "acme", url.Values{"input_type": {"custom"}}, 422, "input_type"},
		{"too short", "acme", url.Values{"input_type": {"Custom"}, "password": {"1234567"}}, 422, "password"},
		{"too long", "acme", url.Values{"input_type": {"Custom"}, "password": {strings.Repeat("x", 19)}}, 422, "password"},
		{"Japanese", "acme", url.Values{"input_type": {"Custom"}, "password": {"ぱすわーどぱすわーど"}}, 422, "password"},
		{"NUL", "acme", url.Values{"input_type": {"Custom"}, "password": {"12345678\x00"}}, 422, "password"},
		{"an unknown account", "nobody", url.Values{"input_type": {"Auto"}}, 404, ""},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				s.Wave.ResetJournal()
				p := c.Post("/resellers/"+tt.account+"/password", tt.form, way.headers...)
				wantStatus(t, p, tt.status)
				if tt.field != "" {
					wantFragment(t, p, way.headers)
					wantSummary(t, p, tt.field)
					if p.Find(`input[type=password]`).AttrOr("value", "") != "" {
						t.Error("the password came back")
					}
					if len(way.headers) == 0 && !strings.HasPrefix(p.Find("title").Text(), "Error: ") {
						t.Errorf("title = %q", p.Find("title").Text())
					}
				} else if !strings.Contains(said(p), says("error.no_account")) {
					t.Errorf("says %q", said(p))
				}
				if got := writes(s); len(got) != 0 {
					t.Errorf("sent %+v", got)
				}
			})
		}
	}
}

// TestPassword_faults: it is never sent twice, and a lost answer is said to be
// unknown until the time of the password tells.
func TestPassword_faults(t *testing.T) {
	tests := []struct {
		name   string
		fault  sandbox.Fault
		status int
		says   string
		calls  int
	}{
		{"broken after it was done", sandbox.Fault{When: sandbox.After, Reset: true}, 200, says("password.doubt", "email", "acme@example.co.jp"), 1},
		{"broken before it was done", sandbox.Fault{Reset: true}, 200, says("password.doubt", "email", "acme@example.co.jp"), 1},
		{"an error", sandbox.Fault{Status: 500, Body: gateway}, 200, says("password.doubt", "email", "acme@example.co.jp"), 1},
		{"a refusal", sandbox.Fault{Status: 400, Body: refusal}, 422, "Nothing was changed.", 1},
		{"no role", sandbox.Fault{Status: 403}, 502, says("error.denied"), 1},
		{"a long pause", sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"45"}}}, 503, says("error.busy"), 1},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				t.Parallel()
				s := testkit.Start(t, testkit.Options{Accounts: 3})
				c := s.SignedIn(t, testkit.Editor)
				add(t, s, c, accountOf("acme"))
				s.Wave.Fail(on(sandbox.OpPassword, tt.fault))
				form := fields(t, c.Get("/resellers/acme/password").Find("#password-form"))
				p := follow(c, c.Post("/resellers/acme/password", form, way.headers...))
				wantStatus(t, p, tt.status)
				wantText(t, p, ".notice-line, [data-form-error]", tt.says)
				if got := s.Wave.Count(sandbox.OpPassword); got != tt.calls {
					t.Errorf("%d calls, want %d", got, tt.calls)
				}
				if strings.Contains(shown(p.Selection), says("password.done", "email", "acme@example.co.jp")) {
					t.Error("it looks done")
				}
			})
		}
	}
}

func TestDelete(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c := s.SignedIn(t, testkit.Editor)
			add(t, s, c, accountOf("acme"))
			p := c.Get("/resellers/acme/delete")
			wantText(t, p, "#delete-form", "Dashboard graph")
			form := fields(t, p.Find("#delete-form"))
			for _, confirm := range []string{"", "acme", "ACME@EXAMPLE.CO.JP", "acme@example.co.jp.", "\x00", "<b>acme@example.co.jp</b>"} {
				form.Set("confirm", confirm)
				p := c.Post("/resellers/acme/delete", form, way.headers...)
				wantStatus(t, p, http.StatusUnprocessableEntity)
				wantFragment(t, p, way.headers)
				wantSummary(t, p, "confirm")
				if got := p.Find("#confirm").AttrOr("value", ""); got != confirm && confirm != "\x00" {
					t.Errorf("what was typed became %q", got)
				}
			}
			if len(writes(s)) != 0 {
				t.Fatalf("calls: %+v", writes(s))
			}
			form.Set("confirm", " acme@example.co.jp ")
			p = c.Unredirected().Post("/resellers/acme/delete", form, way.headers...)
			if to := p.Header.Get("Location") + p.Header.Get("HX-Redirect"); to != "/resellers" {
				t.Fatalf("got %d to %q", p.Status, to)
			}
			if _, ok := s.Wave.Get("acme"); ok {
				t.Error("it is still there")
			}
			p = c.Get("/resellers")
			wantText(t, p, ".notice-line.success", says("delete.done", "email", "acme@example.co.jp"))
			if p.Find(`tr[data-user-id="acme"]`).Length() != 0 {
				t.Error("the table still has it")
			}
			if c.Get("/resellers").Find(".notice-line.success").Length() != 0 {
				t.Error("said twice")
			}
			wantStatus(t, c.Post("/resellers/acme/delete", form, way.headers...), http.StatusNotFound)
			wantStatus(t, c.Get("/resellers/acme/delete"), http.StatusNotFound)
		})
	}
}

// TestDelete_faults: what is not sure is not said to be done, and the way on
// stays open.
func TestDelete_faults(t *testing.T) {
	tests := []struct {
		name   string
		fault  sandbox.Fault
		status int
		says   string
		gone   bool
	}{
		{"broken after it was done", sandbox.Fault{When: sandbox.After, Reset: true}, 200, says("delete.done", "email", "acme@example.co.jp"), true},
		{"an error after it was done", sandbox.Fault{When: sandbox.After, Status: 500}, 200, says("delete.done", "email", "acme@example.co.jp"), true},
		{"broken before it was done, once", once(sandbox.Fault{Reset: true}), 200, says("delete.done", "email", "acme@example.co.jp"), true},
		{"broken before it was done", sandbox.Fault{Reset: true}, 202, says("delete.checking"), false},
		{"success that is not done", sandbox.Fault{Status: 200, Body: `{"status":"success"}`}, 202, says("delete.checking"), false},
		{"a refusal", sandbox.Fault{Status: 400, Body: refusal}, 422, "Nothing was changed.", false},
		{"no role", sandbox.Fault{Status: 403}, 502, says("error.denied"), false},
		{"a long pause", sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"45"}}}, 503, says("error.busy"), false},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				t.Parallel()
				s := testkit.Start(t, testkit.Options{Accounts: 3})
				c := s.SignedIn(t, testkit.Editor)
				add(t, s, c, accountOf("acme"))
				s.Wave.Fail(on(sandbox.OpDelete, tt.fault))
				p := follow(c, c.Post("/resellers/acme/delete", url.Values{"confirm": {"acme@example.co.jp"}}, way.headers...))
				wantStatus(t, p, tt.status)
				wantText(t, p, ".notice-line, [data-form-error], .checking", tt.says)
				if _, there := s.Wave.Get("acme"); there == tt.gone {
					t.Errorf("it is there: %v", there)
				}
				if !tt.gone && p.Find("#confirm").AttrOr("value", "") != "acme@example.co.jp" {
					t.Error("what was typed is lost")
				}
			})
		}
	}
}

// TestDelete_goneMeanwhile: someone outside was faster.
func TestDelete_goneMeanwhile(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3, Latency: time.Millisecond})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	s.Wave.RemoveAccount("acme")
	s.Wave.ResetJournal()
	p := c.Post("/resellers/acme/delete", url.Values{"confirm": {"acme@example.co.jp"}})
	wantStatus(t, p, http.StatusNotFound)
	wantText(t, p, "main", says("error.no_account"))
	if got := writes(s); len(got) != 0 {
		t.Errorf("calls %+v", got)
	}
}
