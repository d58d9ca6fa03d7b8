package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// TestAccount_form: the form says of each flag what it was and what it is.
func TestAccount_form(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 20})
	c := s.SignedIn(t, testkit.Editor)
	a := accountOf("all")
	a.Meta = a.Meta.WithRaw("new_in_2027", []byte("true")).WithRaw("open_api", []byte(`"true"`))
	add(t, s, c, a)
	if err := s.Wave.SetFlag("all", "aqua_link", ""); err != nil {
		t.Fatal(err)
	}
	refresh(t, c)
	p := c.Get("/resellers/all")
	wantStatus(t, p, http.StatusOK)
	form := permForm(t, p)
	keys := []wave.Key{"new_in_2027"}
	for _, f := range wave.Flags {
		keys = append(keys, f.Key)
	}
	now, _ := s.Wave.Get("all")
	for _, key := range keys {
		want := now.Meta.State(key)
		if want == wave.Odd {
			want = wave.Off // as which it counts until someone sets it
		}
		if got := form.Get("was." + string(key)); got != want.String() {
			t.Errorf("was.%s = %q, want %q", key, got, want)
		}
		if got := form.Has("is." + string(key)); got != (want == wave.On) {
			t.Errorf("is.%s is sent: %v, want %v", key, got, want == wave.On)
		}
		if p.Find(`label[for="f-`+string(key)+`"]`).Length() != 1 {
			t.Errorf("%s has no label", key)
		}
	}
	for selector, want := range map[string]int{
		`form[data-testid="perm-form"][data-user-id="all"]`: 1,
		`input[type=checkbox][name^="is."]`:                 len(keys),
		`[data-testid="save-bar"] [data-testid="save"]`:     1,
		`[data-testid="discard"]`:                           1,
		`[data-testid="unsaved-count"]`:                     1,
		`[data-testid="undo"]`:                              0,
		`fieldset[data-group]`:                              len(wave.Groups) + 1,
		`[data-flag="open_api"] .tag.warn`:                  1,
		`[data-flag="aqua_link"] .tag.state`:                1,
	} {
		if got := p.Find(selector).Length(); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
}

// TestAccount_save sends the whole form as a browser does. One call changes the
// touched flags and keeps all others as they are, odd and unknown ones included.
func TestAccount_save(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 5})
			c := s.SignedIn(t, testkit.Editor)
			a := accountOf("acme")
			a.Meta = a.Meta.WithRaw("new_in_2027", []byte("true")).WithRaw("open_api", []byte(`"true"`))
			add(t, s, c, a)
			if err := s.Wave.SetFlag("acme", "aqua_link", ""); err != nil {
				t.Fatal(err)
			}
			refresh(t, c)
			before, _ := s.Wave.Get("acme")
			form := permForm(t, c.Get("/resellers/acme"))
			check(form, "invoice", true)
			check(form, "dashboard_graph", false)
			form.Set("reason", "  ticket 41 ")
			s.Wave.ResetJournal()
			p := c.Post("/resellers/acme/meta", form, way.headers...)

			wantStatus(t, p, http.StatusOK)
			wantFragment(t, p, way.headers)
			wantText(t, p, "[data-outcome]", savedText(2))
			if !boxOn(p, "invoice") || boxOn(p, "dashboard_graph") || p.Find(`button[data-testid="undo"]`).Length() != 1 {
				t.Error("the form does not show what was saved, with a way back")
			}
			calls := writes(s)
			if len(calls) != 1 || calls[0].Op != sandbox.OpMeta || calls[0].Method != "PUT" {
				t.Fatalf("calls = %+v, want one PUT", calls)
			}
			sent := sentMeta(t, calls[0])
			for key, raw := range before.Meta.With("invoice", true).With("dashboard_graph", false).All() {
				if got := string(sent[string(key)]); got != raw {
					t.Errorf("sent %s = %s, want %s", key, got, raw)
				}
				delete(sent, string(key))
			}
			if len(sent) != 0 {
				t.Errorf("sent flags that the account does not have: %v", sent)
			}
			if got := state(t, s, "acme", "aqua_link"); got != wave.Unset {
				t.Errorf("a flag that nobody set is %v", got)
			}
			h := c.Get("/resellers/acme/history")
			wantText(t, h, `[data-testid="history"] tbody`, "ticket 41")
			wantText(t, h, `[data-testid="history"] tbody`, editorName)
			if n := h.Find(".diff-line").Length(); n != 2 {
				t.Errorf("the history names %d flags, want 2", n)
			}

			form = url.Values{"was.aqua_link": {"unset"}, "is.aqua_link": {"on"}, "was.open_api": {"off"}, "is.open_api": {"on"}}
			wantStatus(t, c.Post("/resellers/acme/meta", form, way.headers...), http.StatusOK)
			if u, o := state(t, s, "acme", "aqua_link"), state(t, s, "acme", "open_api"); u != wave.On || o != wave.On {
				t.Errorf("once set, the unset flag is %v and the odd one %v", u, o)
			}
		})
	}
}

// TestAccount_nothing: what changes nothing asks nobody.
func TestAccount_nothing(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 5})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	untouched := permForm(t, c.Get("/resellers/acme"))
	tests := []struct {
		name string
		form url.Values
	}{
		{"the untouched form", untouched},
		{"no field at all", url.Values{}},
		{"only a reason", url.Values{"reason": {"none"}}},
		{"a box that was not on the form", url.Values{"is.invoice": {"on"}}},
		{"one flag as it was", edit("invoice", false, false)},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				s.Wave.ResetJournal()
				p := c.Post("/resellers/acme/meta", tt.form, way.headers...)
				wantStatus(t, p, http.StatusOK)
				wantText(t, p, "body", says("save.nothing"))
				if calls := s.Wave.Journal(); len(calls) != 0 {
					t.Errorf("Wave was called: %+v", calls)
				}
			})
		}
	}
	if p := c.Get("/resellers/acme"); strings.Contains(shown(p.Selection), says("save.nothing")) {
		t.Error("said twice")
	}
	if h := c.Get("/resellers/acme/history"); strings.Contains(shown(h.Find("main")), editorName) {
		t.Errorf("the history says %q", short(h.Find("main")))
	}
}

// TestAccount_already: someone else did the same.
func TestAccount_already(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 5})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	for _, way := range ways {
		if err := s.Wave.SetFlag("acme", "invoice", "true"); err != nil {
			t.Fatal(err)
		}
		s.Wave.ResetJournal()
		p := c.Post("/resellers/acme/meta", edit("invoice", false, true), way.headers...)
		wantStatus(t, p, http.StatusOK)
		wantText(t, p, "body", says("save.already"))
		if calls := writes(s); len(calls) != 0 || !boxOn(p, "invoice") {
			t.Errorf("%s: %d calls, box %v", way.name, len(calls), boxOn(p, "invoice"))
		}
	}
}

// TestAccount_others: what others changed meanwhile stays and is named, with who
// did it if that is known.
func TestAccount_others(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 5})
			mine, theirs := s.SignedIn(t, testkit.Editor), secondEditor(t, s)
			add(t, s, mine, accountOf("acme"))
			form := permForm(t, mine.Get("/resellers/acme"))

			if err := s.Wave.SetFlag("acme", "users_management", "true"); err != nil {
				t.Fatal(err)
			}
			wantStatus(t, theirs.Post("/resellers/acme/meta", edit("open_api", false, true)), http.StatusOK)
			check(form, "invoice", true)
			p := mine.Post("/resellers/acme/meta", form, way.headers...)

			wantStatus(t, p, http.StatusOK)
			for _, key := range []wave.Key{"invoice", "open_api", "users_management"} {
				if got := state(t, s, "acme", key); got != wave.On || !boxOn(p, key) {
					t.Errorf("%s is %v at Wave, %v on the page", key, got, boxOn(p, key))
				}
			}
			included := p.Find("[data-outcome] p")
			wantText(t, p, "[data-outcome] p", "1 other change made outside this tool is included: Sub-user management → on.")
			wantText(t, p, "[data-outcome] p", "1 other change by "+secondEditorName+" at ")
			if included.Length() != 2 {
				t.Errorf("%d sentences about others, want one for each of the two", included.Length())
			}

			again := permForm(t, mine.Get("/resellers/acme"))
			for key := range form { // my own first save is no change by others
				if strings.HasPrefix(key, "was.") && key != "was.open_api" && key != "was.users_management" {
					again.Set(key, form.Get(key))
				}
			}
			check(again, "report_filters", true)
			p = mine.Post("/resellers/acme/meta", again, way.headers...)
			wantStatus(t, p, http.StatusOK)
			if text := shown(p.Find("[data-outcome]")); strings.Contains(text, "included") {
				t.Errorf("my own save is named as someone else's: %s", text)
			}
		})
	}
}

// TestAccount_reason: the settings can ask for one.
func TestAccount_reason(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 5, Config: func(c *config.Config) { c.UI.RequireReason = "always" }})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	tests := []struct{ name, reason, says string }{
		{"none", "", says("invalid.reason")},
		{"spaces", " \t\u3000\n", says("invalid.reason")},
		{"a long one", strings.Repeat("長", 501), says("invalid.reason_long", "max", 500)},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				s.Wave.ResetJournal()
				form := edit("invoice", false, true)
				form.Set("reason", tt.reason)
				p := c.Post("/resellers/acme/meta", form, way.headers...)
				wantStatus(t, p, http.StatusUnprocessableEntity)
				wantFragment(t, p, way.headers)
				wantText(t, p, "#reason-error", tt.says)
				if p.Find(`input[name="reason"][aria-invalid="true"][aria-describedby="reason-error"]`).Length() != 1 || !boxOn(p, "invoice") {
					t.Error("the field is not marked, or the edit is lost")
				}
				if got := p.Find(`input[name="reason"]`).AttrOr("value", ""); got != strings.TrimSpace(tt.reason) {
					t.Errorf("the reason became %q", got)
				}
				if len(way.headers) == 0 && !strings.HasPrefix(p.Find("title").Text(), "Error: ") {
					t.Errorf("title = %q", p.Find("title").Text())
				}
				if len(writes(s)) != 0 || s.Wave.Count(sandbox.OpList) != 0 {
					t.Error("Wave was called")
				}
			})
		}
	}
	form := edit("invoice", false, true)
	form.Set("reason", "ok")
	wantStatus(t, c.Post("/resellers/acme/meta", form), http.StatusOK)
}

// TestMeta_refusesOddFields: what no form of ours sends is not guessed at.
func TestMeta_refusesOddFields(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 20})
	c := s.SignedIn(t, testkit.Editor)
	id := string(s.Wave.Accounts()[0].UserID)
	s.Wave.ResetJournal()
	for _, form := range []url.Values{
		{"was.invoice": {"off"}, "is.invoice": {"off"}},
		{"was.invoice": {"off"}, "is.invoice": {""}},
		{"was.invoice": {"off"}, "is.invoice": {"on", "on"}},
		{"was.invoice": {"on", "off"}},
		{"was.invoice": {"maybe"}},
		{"was.": {"on"}},
		{"was.invoice": {"off"}, "choose.invoice": {"on"}},
		{"was.invoice": {"off"}, "choose.invoice": {""}},
		{"was.invoice": {"off"}, "choose.invoice": {"seen", "now"}},
	} {
		if p := c.Post("/resellers/"+id+"/meta", form); p.Status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d, want 422", form, p.Status)
		}
	}
	// A form that someone else was given in another tab.
	if p := c.Post("/resellers/"+id+"/meta", url.Values{"as": {"0123456789ab"}, "was.invoice": {"off"}, "is.invoice": {"on"}}); p.Status != http.StatusConflict {
		t.Errorf("the form of another person: %d, want 409", p.Status)
	}
	if n := s.Wave.Count(sandbox.OpMeta); n != 0 {
		t.Errorf("%d calls changed flags, want none", n)
	}
}
