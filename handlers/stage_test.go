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

// TestStage_copy: an address with another account stages its flags and writes nothing;
// the save is an ordinary one.
func TestStage_copy(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c := s.SignedIn(t, testkit.Editor)
			comparable(t, s, c)
			s.Wave.ResetJournal()

			p := c.Get("/resellers/aaa?copy=" + url.QueryEscape("BBB@example.co.jp"))
			wantStatus(t, p, http.StatusOK)
			wantText(t, p, "#takeback-title", "bbb@example.co.jp")
			want := []string{
				"Invoices | off | on | off",
				"API access tokens | on | off | on",
				"x_both | off | on | off",
				"x_only_b | on | not set | " + says("stays.missing"),
			}
			if got := panel(p); got != strings.Join(want, "\n") {
				t.Errorf("the panel says\n%s", got)
			}
			if boxOn(p, "invoice") || !boxOn(p, "open_api") || boxOn(p, "x_both") || len(writes(s)) != 0 {
				t.Error("not staged, or sent already")
			}
			if mark := p.Find("#perm-form").AttrOr("data-takeback", ""); mark != "copy.bbb" {
				t.Errorf("the draft of the form is that of %q", mark)
			}
			p = c.Post("/resellers/aaa/meta", permForm(t, p), way.headers...)
			wantStatus(t, p, http.StatusOK)
			wantText(t, p, "[data-outcome]", savedText(3))
			if way.headers != nil && p.Header.Get("HX-Replace-Url") != "/resellers/aaa" {
				t.Errorf("the address becomes %q", p.Header.Get("HX-Replace-Url"))
			}
			if state(t, s, "aaa", "invoice") != wave.Off || state(t, s, "aaa", "open_api") != wave.On || state(t, s, "aaa", "x_only_b") != wave.Unset {
				t.Error("not as over there")
			}
			wantText(t, c.Get("/resellers/aaa?copy=bbb"), `[data-testid="takeback"]`, says("stage.copy_nothing"))
		})
	}
}

// TestStage_chosen: what the comparison sends is staged, and nothing else; no row is
// nothing.
func TestStage_chosen(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	comparable(t, s, c)
	form := fields(t, c.Get("/compare?a=aaa&b=bbb").Find("#compare-rows"))
	button := c.Get("/compare?a=aaa&b=bbb").Find(`[data-testid="stage-A"]`)
	form.Set(button.AttrOr("name", ""), button.AttrOr("value", ""))
	p := c.Get(button.AttrOr("formaction", "") + "?" + form.Encode())
	if boxOn(p, "invoice") || !boxOn(p, "open_api") {
		t.Errorf("not all chosen rows are staged: %s", panel(p))
	}
	p = c.Get("/resellers/aaa?copy=bbb&only=&only=open_api")
	if !boxOn(p, "invoice") || !boxOn(p, "open_api") || p.Find(`[name="from_only"]`).AttrOr("value", "") != "open_api" {
		t.Errorf("not just the chosen row is staged: %s", panel(p))
	}
	p = c.Get("/resellers/aaa?copy=bbb&only=")
	wantText(t, p, `[data-testid="takeback"]`, says("stage.none_chosen"))
	if !boxOn(p, "invoice") || boxOn(p, "open_api") {
		t.Error("something is staged")
	}
}

// TestStage_preset: a preset stages what the account is otherwise, the built-in one
// too; a flag that cannot be set is said.
func TestStage_preset(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	comparable(t, s, c)
	std := newPreset(t, s, "Standard", wave.Wanted{"open_api": true, "invoice": true, "x_both": false, "x_new": true})
	s.Wave.ResetJournal()
	p := c.Get("/resellers/aaa?preset=" + std.ID)
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, "#takeback-title", says("stage.preset", "name", "Standard", "version", 1))
	if !boxOn(p, "open_api") || !boxOn(p, "invoice") || boxOn(p, "x_both") || len(writes(s)) != 0 {
		t.Errorf("not staged: %s", panel(p))
	}
	if !strings.Contains(panel(p), "x_new | on | not set | "+says("stays.missing")) {
		t.Errorf("the panel says\n%s", panel(p))
	}
	p = c.Get("/resellers/aaa?preset=defaults")
	for _, f := range wave.Flags {
		if boxOn(p, f.Key) != f.Default {
			t.Errorf("%s is %v", f.Key, boxOn(p, f.Key))
		}
	}
}

// TestStage_refused: what cannot be staged is said on the account's page, with what was
// typed, and changes nothing.
func TestStage_refused(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c, viewer := s.SignedIn(t, testkit.Editor), s.SignedIn(t, testkit.Viewer)
	comparable(t, s, c)
	for _, tt := range []struct {
		query  string
		status int
		says   string
	}{
		{"preset=gone", http.StatusNotFound, says("stage.no_preset")},
		{"copy=nobody", http.StatusUnprocessableEntity, says("pick.none", "text", "nobody")},
		{"copy=aaa", http.StatusUnprocessableEntity, says("stage.copy_self")},
		{"copy=" + url.QueryEscape("テスト商事"), http.StatusUnprocessableEntity, says("pick.many", "text", "テスト商事")},
	} {
		p := c.Get("/resellers/aaa?" + tt.query)
		wantStatus(t, p, tt.status)
		wantText(t, p, "main", tt.says)
		if p.Find(`[data-testid="takeback"]`).Length() != 0 || !boxOn(p, "invoice") {
			t.Errorf("%s staged something", tt.query)
		}
		if strings.HasPrefix(tt.query, "copy") && p.Find(`.account-menu[open] [name="copy"][aria-invalid]`).Length() != 1 {
			t.Errorf("%s: the field is not shown", tt.query)
		}
	}
	for _, query := range []string{"preset=defaults", "copy=bbb"} {
		wantStatus(t, viewer.Get("/resellers/aaa?"+query), http.StatusForbidden)
	}
}

// TestStage_failedSave: a save that fails brings the panel back with the edits.
func TestStage_failedSave(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c := s.SignedIn(t, testkit.Editor)
			comparable(t, s, c)
			form := permForm(t, c.Get("/resellers/aaa?copy=bbb&only=open_api"))
			s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Times: 100, Status: 403})
			p := c.Post("/resellers/aaa/meta", form, way.headers...)
			if p.Status < 400 || p.Find(`[data-testid="takeback"]`).Length() != 1 || !boxOn(p, "open_api") || !boxOn(p, "invoice") {
				t.Fatalf("%d: the panel or the edits are lost: %s", p.Status, short(p.Find("main, form").First()))
			}
			if again := permForm(t, p); again.Get("from_copy") != "bbb" || again.Get("from_only") != "open_api" {
				t.Errorf("the form says it is from %q, only %q", again.Get("from_copy"), again.Get("from_only"))
			}
		})
	}
}

// TestFollowed: the account says which preset it follows, who said so, and where it
// differs.
func TestFollowed(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c, viewer := s.SignedIn(t, testkit.Editor), s.SignedIn(t, testkit.Viewer)
	comparable(t, s, c)
	std := newPreset(t, s, "Standard", wave.Wanted{"open_api": true, "invoice": true, "usage_tag": false}, "aaa") // which has that on
	p := c.Get("/resellers/aaa")
	for _, want := range []string{says("follow.version", "name", "Standard", "version", 1), "Preset Maker"} {
		wantText(t, p, `[data-testid="follow-line"]`, want)
	}
	if p.Find(`[data-testid="follow-line"] a[href="/resellers/aaa?preset=`+std.ID+`"]`).Length() != 1 {
		t.Error("the preset cannot be staged from there")
	}
	marks := p.Find(`[data-preset-mark]:not([hidden])`)
	open := p.Find(`[data-flag="open_api"][data-preset="on"] [data-preset-mark]:not([hidden])`)
	if shown(open) != says("grid.preset_on") || p.Find(`[data-flag="invoice"] [data-preset-mark][hidden]`).Length() != 1 || p.Find(`[data-flag="dashboard_graph"] [data-preset-mark]`).Length() != 0 {
		t.Errorf("the marks say %q", shown(marks))
	}
	if p.Find(`[data-only="preset"]`).Length() != 1 || c.Get("/resellers/bbb").Find(`[data-only="preset"]`).Length() != 0 {
		t.Error("the filter is not there exactly when there is a preset")
	}
	for _, who := range []*testkit.Client{c, viewer} {
		p = who.Get("/resellers/aaa/details")
		wantText(t, p, `[data-testid="preset-card"]`, "Preset Maker")
		wantText(t, p, `[data-testid="preset-card"]`, says("follow.version", "name", "Standard", "version", 1))
	}
	if p.Find(`[data-testid="assign-form"]`).Length() != 0 || p.Find(`[data-testid="preset-card"] .btn[aria-disabled]`).Length() != 1 {
		t.Error("a viewer is offered to assign")
	}
	p = viewer.Get("/resellers/aaa")
	if p.Find(`.account-menu a[href*="preset="], .account-menu form`).Length() != 0 || p.Find(`.account-menu a[href="/compare?a=aaa"]`).Length() != 1 {
		t.Error("a viewer is offered to stage, or cannot compare")
	}
	before := shown(p.Find(`[data-testid="follow-line"] .tag`))
	p = c.Post("/resellers/aaa/meta", edit("open_api", false, true), htmx) // as the preset says
	if after := shown(p.Find(`[data-testid="follow-line"] .tag`)); before != says("follow.drift", "count", 2) || after != says("follow.drift", "count", 1) {
		t.Errorf("before the save it says %q, after it %q", before, after)
	}
}

// TestFollowed_assign: the details assign another preset, or none, come back and say so,
// and switch no function.
func TestFollowed_assign(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	comparable(t, s, c)
	newPreset(t, s, "Standard", wave.Wanted{"open_api": true}, "aaa")
	other := newPreset(t, s, "Other", wave.Wanted{"invoice": true})
	s.Wave.ResetJournal()
	press := func(button string) testkit.Page {
		t.Helper()
		p := c.Get("/resellers/aaa/details")
		return c.Post(p.Find(`[data-testid="assign-form"] `+button).AttrOr("formaction", ""), fields(t, p.Find(`[data-testid="assign-form"]`)))
	}
	p := press(`[data-preset-id="` + other.ID + `"]`)
	wantStatus(t, p, http.StatusOK)
	if p.URL.Path != "/resellers/aaa/details" || s.Presets.Book().PresetOf("aaa").ID != other.ID {
		t.Errorf("ends at %s", p.URL)
	}
	wantText(t, p, ".notice-line", says("preset.done_assigned", "count", 1))
	wantText(t, p, `[data-testid="preset-card"]`, editorName)
	p = press(`[data-testid="unassign"]`)
	wantText(t, p, ".notice-line", says("preset.done_unassigned", "count", 1))
	wantText(t, p, `[data-testid="preset-card"]`, says("follow.none_help"))
	if _, ok := s.Presets.Book().Of("aaa"); ok || len(writes(s)) != 0 || p.URL.Path != "/resellers/aaa/details" {
		t.Error("not just the assignment was ended")
	}
}
