package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// TestAccount_gone: a save of an account that was deleted meanwhile says by whom,
// and loses nothing: the edits stay on the form, and stand there as text.
func TestAccount_gone(t *testing.T) {
	outside := func(_ *testing.T, s *testkit.Site, _ *testkit.Client) { s.Wave.RemoveAccount("acme") }
	tests := []struct {
		name   string
		delete func(*testing.T, *testkit.Site, *testkit.Client)
		says   string
	}{
		{"outside", outside, says("conflict.gone")},
		{"outside, and the list has shown it", func(t *testing.T, s *testkit.Site, c *testkit.Client) {
			s.Wave.RemoveAccount("acme")
			refresh(t, c)
		}, says("conflict.gone")},
		{"here, by someone else", func(t *testing.T, _ *testkit.Site, c *testkit.Client) {
			p := c.Unredirected().Post("/resellers/acme/delete", url.Values{"confirm": {"acme@example.co.jp"}})
			wantStatus(t, p, http.StatusSeeOther)
		}, secondEditorName + " deleted this account at "},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				s := testkit.Start(t, testkit.Options{Accounts: 3})
				c, other := s.SignedIn(t, testkit.Editor), secondEditor(t, s)
				add(t, s, c, accountOf("acme"))
				form := permForm(t, c.Get("/resellers/acme"))
				check(form, "invoice", true)
				check(form, "dashboard_graph", false)
				form.Set("reason", "ticket 41")
				tt.delete(t, s, other)
				s.Wave.ResetJournal()

				for range 2 { // pressing Save again says the same
					p := c.Post("/resellers/acme/meta", form, way.headers...)
					wantStatus(t, p, http.StatusConflict)
					wantFragment(t, p, way.headers)
					wantText(t, p, `dialog[data-testid="gone"]`, tt.says)
					text := p.Find(`[data-testid="gone-edits"][readonly]`).Text()
					if want := "acme@example.co.jp\nDashboard graph: on → off\nInvoices: off → on\nReason: ticket 41"; text != want {
						t.Errorf("to copy: %q, want %q", text, want)
					}
					if !boxOn(p, "invoice") || boxOn(p, "dashboard_graph") || p.Find(`input[name="reason"]`).AttrOr("value", "") != "ticket 41" {
						t.Error("the edits are lost")
					}
					if p.Find(`#gone button[data-close][autofocus]`).Length() != 1 || p.Find(`#gone a[href^="/resellers/new"]`).Length() != 1 {
						t.Error("no harmless way out, or none to issue it again")
					}
					form = permForm(t, p)
				}
				if got := writes(s); len(got) != 0 {
					t.Errorf("calls %+v", got)
				}
				if len(way.headers) == 0 {
					return
				}
				for _, path := range []string{"/details", "/password", "/delete"} {
					p := c.Get("/resellers/acme" + path)
					wantStatus(t, p, http.StatusNotFound)
					wantText(t, p, "main", says("error.no_account"))
				}
			})
		}
	}
}

// TestAccount_goneNothingStaged: with nothing to lose there is nothing to copy.
func TestAccount_goneNothingStaged(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	form := permForm(t, c.Get("/resellers/acme"))
	s.Wave.RemoveAccount("acme")
	refresh(t, c)
	p := c.Post("/resellers/acme/meta", form, htmx)
	wantStatus(t, p, http.StatusConflict)
	if p.Find("#gone").Length() != 1 || p.Find(`[data-testid="gone-edits"]`).Length() != 0 {
		t.Errorf("says %q", short(p.Find("#gone")))
	}
}

// TestAccount_neverWas: an account that nobody ever saw is not found.
func TestAccount_neverWas(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	for path, form := range map[string]url.Values{
		"meta": edit("invoice", false, true), "undo?change=none": {}, "presence": {"editing": {"on"}},
		"password": {"input_type": {"Auto"}}, "delete": {"confirm": {"a@example.com"}},
	} {
		for _, way := range ways {
			p := c.Post("/resellers/nobody/"+path, form, way.headers...)
			if p.Status != http.StatusNotFound {
				t.Errorf("%s, %s: %d, want 404", path, way.name, p.Status)
			}
		}
	}
}

// TestUndo_gone: an undo of an account that is gone says so.
func TestUndo_gone(t *testing.T) {
	for _, way := range ways {
		s := testkit.Start(t, testkit.Options{Accounts: 3})
		c := s.SignedIn(t, testkit.Editor)
		add(t, s, c, accountOf("acme"))
		p := c.Post("/resellers/acme/meta", edit("invoice", false, true), htmx)
		undo := p.Find(`[data-testid="undo"]`).AttrOr("formaction", "")
		s.Wave.RemoveAccount("acme")
		p = c.Post(undo, permForm(t, p), way.headers...)
		wantStatus(t, p, http.StatusConflict)
		wantText(t, p, "#gone", says("conflict.gone"))
	}
}

// TestUndo_meetsAChangedFlag: an undo stops before it leaves flags that were
// changed since, names who did that, myself included, and goes on when told to.
func TestUndo_meetsAChangedFlag(t *testing.T) {
	tests := []struct {
		name  string
		since func(t *testing.T, s *testkit.Site, me, other *testkit.Client)
		by    string
	}{
		{"outside", func(t *testing.T, s *testkit.Site, _, _ *testkit.Client) {
			if err := s.Wave.SetFlag("acme", "dashboard_graph", "true"); err != nil {
				t.Fatal(err)
			}
		}, says("conflict.outside")},
		{"by someone else", func(t *testing.T, _ *testkit.Site, _, other *testkit.Client) {
			wantStatus(t, other.Post("/resellers/acme/meta", edit("dashboard_graph", false, true)), http.StatusOK)
		}, secondEditorName},
		{"by my own second save", func(t *testing.T, _ *testkit.Site, me, _ *testkit.Client) {
			wantStatus(t, me.Post("/resellers/acme/meta", edit("dashboard_graph", false, true)), http.StatusOK)
		}, editorName},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				s := testkit.Start(t, testkit.Options{Accounts: 3})
				c, other := s.SignedIn(t, testkit.Editor), secondEditor(t, s)
				add(t, s, c, accountOf("acme"))
				form := permForm(t, c.Get("/resellers/acme"))
				check(form, "invoice", true)
				check(form, "dashboard_graph", false)
				saved := c.Post("/resellers/acme/meta", form, way.headers...)
				undo := saved.Find(`[data-testid="undo"]`).AttrOr("formaction", "")
				tt.since(t, s, c, other)
				s.Wave.ResetJournal()

				staged := permForm(t, saved)
				check(staged, "open_api", true) // staged after the save, where no script takes the Undo away
				staged.Set("reason", "ticket 41")
				p := c.Post(undo, staged, way.headers...)
				wantStatus(t, p, http.StatusConflict)
				wantFragment(t, p, way.headers)
				lists := p.Find("#undo-moved ul")
				if back := shown(lists.First()); back != "Invoices: on → off" {
					t.Errorf("goes back: %q", back)
				}
				if stays := shown(lists.Last()); !strings.HasPrefix(stays, "Dashboard graph: off → on "+tt.by) {
					t.Errorf("stays: %q, want by %q", stays, tt.by)
				}
				if got := writes(s); len(got) != 0 {
					t.Errorf("calls before the person decided: %+v", got)
				}
				if !boxOn(p, "open_api") || p.Find(`input[name="reason"]`).AttrOr("value", "") != "ticket 41" {
					t.Error("what was staged is lost")
				}
				if p.Find(`[data-testid="undo"]`).AttrOr("formaction", "") != undo || p.Find("form[data-saved]").Length() != 0 {
					t.Error("going back does not lead to where the person was")
				}
				if p.Find(`#undo-moved button[data-close][autofocus]`).Length() != 1 {
					t.Error("no harmless button has the focus")
				}

				rest := p.Find(`[data-testid="undo-rest"]`).AttrOr("formaction", "")
				if rest != undo+"&left=ok" {
					t.Fatalf("the rest is undone at %q", rest)
				}
				p = c.Post(rest, permForm(t, p), way.headers...)
				wantStatus(t, p, http.StatusOK)
				wantText(t, p, "[data-outcome]", undoneText(1))
				wantText(t, p, "[data-outcome]", says("save.left", "labels", "Dashboard graph"))
				if state(t, s, "acme", "invoice") != wave.Off || state(t, s, "acme", "dashboard_graph") != wave.On || state(t, s, "acme", "open_api") != wave.Off {
					t.Error("not just the rest was taken back")
				}

				p = c.Post(undo, permForm(t, p), way.headers...) // nothing is left to ask about
				wantStatus(t, p, http.StatusOK)
				wantText(t, p, "[data-outcome]", says("save.undo_nothing"))
			})
		}
	}
}
