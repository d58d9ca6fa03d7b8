package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// newForm returns the fields of the form for a new account, with what a person must type.
func newForm(t *testing.T, p testkit.Page) url.Values {
	t.Helper()
	form := fields(t, p.Find(`form[data-testid="create-form"]`))
	if form.Get("email") == "" {
		form.Set("email", "new@example.co.jp")
		form.Set("company_id", "k-new")
	}
	return form
}

// tick sets a box of the form for a new account.
func tick(form url.Values, key wave.Key, on bool) {
	form["flag."+string(key)] = []string{"off"}
	if on {
		form.Add("flag."+string(key), "on")
	}
}

// newOn reports whether a box of that form is ticked.
func newOn(p testkit.Page, key wave.Key) bool {
	return p.Find(`input[type=checkbox][name="flag.`+string(key)+`"][checked]`).Length() == 1
}

// issued returns the account that the form made.
func issued(t *testing.T, s *testkit.Site) wave.Reseller {
	t.Helper()
	for _, a := range s.Wave.Accounts() {
		if a.Email == "new@example.co.jp" {
			return a
		}
	}
	t.Fatal("no account was created")
	return wave.Reseller{}
}

// TestCreate_preset: the form begins with the preset for new accounts, takes another one
// without losing what was typed, and the account follows the one that was chosen.
func TestCreate_preset(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c := s.SignedIn(t, testkit.Editor)
			std := newPreset(t, s, "Standard", wave.Wanted{"invoice": true, "dashboard_graph": false})
			other := newPreset(t, s, "Other", wave.Wanted{"open_api": true})
			if err := s.Presets.ChooseForNew(t.Context(), presetMaker, std.ID); err != nil {
				t.Fatal(err)
			}
			p := c.Get("/resellers/new")
			form := newForm(t, p)
			if form.Get("preset") != std.ID || !newOn(p, "invoice") || newOn(p, "dashboard_graph") || newOn(p, "open_api") {
				t.Errorf("begins with %q", form.Get("preset"))
			}
			form.Set("preset", other.ID)
			form.Set("reason", "ticket 7")
			form.Set("input_type", "Custom")
			form.Set("password", "correct-horse-9")
			tick(form, "usage_tag", false) // by hand
			s.Wave.ResetJournal()
			p = c.Post("/resellers/new", form, way.headers...)
			wantStatus(t, p, http.StatusOK)
			wantFragment(t, p, way.headers)
			again := newForm(t, p)
			for _, name := range []string{"email", "company_id", "reason", "input_type", "submit_id"} {
				if again.Get(name) != form.Get(name) {
					t.Errorf("%s was %q and is %q", name, form.Get(name), again.Get(name))
				}
			}
			if strings.Contains(p.Body, "correct-horse-9") || len(writes(s)) != 0 {
				t.Error("the password came back, or something was sent")
			}
			if newOn(p, "invoice") || !newOn(p, "dashboard_graph") || !newOn(p, "open_api") || newOn(p, "usage_tag") {
				t.Error("not the functions of the other preset with those set by hand")
			}
			again.Set("password", "correct-horse-9")
			p = c.Post("/resellers", again, way.headers...)
			if p.Status >= 400 {
				t.Fatalf("%d: %s", p.Status, short(p.Find("main, form").First()))
			}
			a := issued(t, s)
			if !a.Meta.On("open_api") || a.Meta.On("usage_tag") || a.Meta.On("invoice") {
				t.Error("not created as the form said")
			}
			follows, ok := s.Presets.Book().Of(a.UserID)
			if !ok || follows.Preset != other.ID || follows.By.Display() != editorName {
				t.Errorf("it follows %+v", follows)
			}
			wantText(t, c.Get("/resellers/"+string(a.UserID)), `[data-testid="follow-line"]`, "Other")
		})
	}
}

// TestCreate_copy begins with the functions of another account; what names none is said
// beside the field.
func TestCreate_copy(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	comparable(t, s, c)
	p := c.Get("/resellers/new?preset=&copy=bbb@example.co.jp")
	form := newForm(t, p)
	if form.Get("preset") != "" || form.Get("copy") != "bbb@example.co.jp" || newOn(p, "invoice") || !newOn(p, "open_api") {
		t.Errorf("not filled in from the account: %v", form)
	}
	for text, want := range map[string]string{
		"nobody": says("pick.none", "text", "nobody"), "テスト商事": says("pick.more", "text", "テスト商事"),
	} {
		form.Set("copy", text)
		tick(form, "invoice", true)
		p = c.Post("/resellers/new", form)
		wantText(t, p, "#pick-error-copy", want)
		if !newOn(p, "invoice") || !newOn(p, "open_api") || newForm(t, p).Get("copy") != text {
			t.Error("something that was set is lost")
		}
	}
	form.Set("copy", "bbb@example.co.jp")
	p = c.Post("/resellers", form)
	wantStatus(t, p, http.StatusOK)
	if a := issued(t, s); !a.Meta.On("open_api") || !a.Meta.On("invoice") || a.Meta.State("x_only_b") != wave.Unset {
		t.Error("not created as the form said")
	} else if _, ok := s.Presets.Book().Of(a.UserID); ok {
		t.Error("it follows a preset that nobody chose")
	}
}

// TestCreate_unseen: without scripts, a choice that was not filled in is not issued
// before the person has seen it.
func TestCreate_unseen(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	std := newPreset(t, s, "Standard", wave.Wanted{"invoice": true})
	form := newForm(t, c.Get("/resellers/new"))
	form.Set("preset", std.ID)
	s.Wave.ResetJournal()
	p := c.Post("/resellers", form)
	wantStatus(t, p, http.StatusUnprocessableEntity)
	wantText(t, p, ".form-error", says("create.filled_now"))
	if !newOn(p, "invoice") || len(writes(s)) != 0 {
		t.Error("not filled in, or issued unseen")
	}
	form = newForm(t, p)
	form.Set("preset", "gone")
	form.Set("filled_preset", "gone")
	p = c.Post("/resellers", form)
	wantStatus(t, p, http.StatusUnprocessableEntity)
	wantText(t, p, ".form-error", says("stage.no_preset"))
	if len(writes(s)) != 0 {
		t.Error("issued without the preset that was chosen")
	}
}

// TestCreate_presetAfterDoubt: the account that is found later follows the preset,
// whether the person waits for that or leaves; sending the form once more assigns it once.
func TestCreate_presetAfterDoubt(t *testing.T) {
	for _, waits := range []bool{true, false} {
		t.Run(map[bool]string{true: "waits", false: "leaves"}[waits], func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c := s.SignedIn(t, testkit.Editor)
			std := newPreset(t, s, "Standard", wave.Wanted{"invoice": true})
			form := newForm(t, c.Get("/resellers/new?preset="+std.ID))
			s.Wave.Fail(sandbox.Fault{Op: sandbox.OpCreate, When: sandbox.After, Reset: true})
			s.Wave.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Times: 1000, Status: 503})
			p := c.Post("/resellers", form)
			wantStatus(t, p, http.StatusAccepted)
			if newForm(t, p).Get("preset") != std.ID {
				t.Error("the form forgot the preset")
			}
			a := issued(t, s)
			if _, ok := s.Presets.Book().Of(a.UserID); ok {
				t.Error("assigned before anybody knows of the account")
			}
			s.Wave.ClearFaults()
			state := p.Find(".checking").AttrOr("hx-get", "")
			until(t, "the account follows the preset", func() bool {
				if waits {
					c.Get(state, htmx)
				}
				got := s.Presets.Book().PresetOf(a.UserID)
				return got != nil && got.ID == std.ID
			})
			p = c.Post("/resellers", form) // the same press once more
			wantStatus(t, p, http.StatusOK)
			if s.Wave.Count(sandbox.OpCreate) != 1 || s.Presets.Book().PresetOf(a.UserID).ID != std.ID {
				t.Error("created or assigned anew")
			}
		})
	}
}

// TestCreate_defaults: without a preset for new accounts the form is that of the
// defaults and assigns nothing, as does a form without the field.
func TestCreate_defaults(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	p := c.Get("/resellers/new")
	if got := newForm(t, p).Get("preset"); got != "" {
		t.Errorf("begins with %q, want no preset", got)
	}
	for _, f := range wave.Flags {
		if newOn(p, f.Key) != f.Default {
			t.Errorf("%s is %v", f.Key, newOn(p, f.Key))
		}
	}
	wantStatus(t, c.Post("/resellers", url.Values{
		"email": {"new@example.co.jp"}, "company_id": {"k-new"}, "input_type": {"Auto"}, "submit_id": {"12345678"},
	}), http.StatusOK)
	if _, ok := s.Presets.Book().Of(issued(t, s).UserID); ok {
		t.Error("assigned what nobody chose")
	}
}
