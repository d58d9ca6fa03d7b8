package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// sixFlags are more than may move unseen; invoice is related to none of them.
var sixFlags = []wave.Key{"usage_tag", "usage_crosstag", "usage_group", "open_api", "users_management", "ri_purchased"}

// TestAccount_conflict: what a person must look at first is shown beside what
// they want, nothing is sent, and saving from the form that came back goes on.
func TestAccount_conflict(t *testing.T) {
	strict := func(c *config.Config) { c.UI.Conflict = "strict" }
	tests := []struct {
		name  string
		cfg   func(*config.Config)
		key   wave.Key // touched: off to on
		moved []wave.Key
		says  string
	}{
		{"six other flags", nil, "invoice", sixFlags, says("conflict.many")},
		{"the parent", nil, "invoice_download_csv_merged", []wave.Key{"invoice"}, says("conflict.related")},
		{"a child", nil, "invoice", []wave.Key{"invoice_download_csv_merged"}, says("conflict.related")},
		{"one flag where the settings are strict", strict, "invoice", []wave.Key{"open_api"}, says("conflict.strict")},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				s := testkit.Start(t, testkit.Options{Accounts: 3, Config: tt.cfg})
				c := s.SignedIn(t, testkit.Editor)
				a := accountOf("acme")
				for _, key := range append(tt.moved, tt.key) {
					a.Meta = a.Meta.With(key, false)
				}
				add(t, s, c, a)
				form := permForm(t, c.Get("/resellers/acme"))
				for _, key := range tt.moved {
					if err := s.Wave.SetFlag("acme", key, "true"); err != nil {
						t.Fatal(err)
					}
				}
				check(form, tt.key, true)
				form.Set("reason", "ticket 41")
				p := c.Post("/resellers/acme/meta", form, way.headers...)

				wantStatus(t, p, http.StatusConflict)
				wantFragment(t, p, way.headers)
				wantText(t, p, `dialog[data-testid="conflict"]`, tt.says)
				wantText(t, p, `dialog[data-testid="conflict"]`, says("conflict.outside"))
				if got := p.Find("#conflict tbody tr").Length(); got != len(tt.moved)+1 {
					t.Errorf("the dialog has %d flags, want %d", got, len(tt.moved)+1)
				}
				if p.Find("#conflict button[autofocus][type=button]").Length() != 1 {
					t.Error("no harmless button has the focus")
				}
				if len(writes(s)) != 0 || state(t, s, "acme", tt.key) != wave.Off {
					t.Errorf("something was sent: %+v", writes(s))
				}
				if !boxOn(p, tt.key) || p.Find(`input[name="reason"]`).AttrOr("value", "") != "ticket 41" {
					t.Error("the edit is lost")
				}
				if p.Find(`[data-testid="undo"]`).Length() != 0 || strings.Contains(shown(p.Find(".savebar")), "Saved") {
					t.Error("it looks saved")
				}

				p = c.Post("/resellers/acme/meta", permForm(t, p), way.headers...)
				wantStatus(t, p, http.StatusOK)
				for _, key := range append(tt.moved, tt.key) {
					if got := state(t, s, "acme", key); got != wave.On {
						t.Errorf("%s is %v after the second save", key, got)
					}
				}
				if got := s.Wave.Count(sandbox.OpMeta); got != 1 {
					t.Errorf("%d writes, want 1", got)
				}
			})
		}
	}
}

// TestAccount_fiveMoved: up to five flags of others are no reason to ask.
func TestAccount_fiveMoved(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	a := accountOf("acme")
	for _, key := range sixFlags[:5] {
		a.Meta = a.Meta.With(key, false)
	}
	add(t, s, c, a)
	form := permForm(t, c.Get("/resellers/acme"))
	for _, key := range sixFlags[:5] {
		if err := s.Wave.SetFlag("acme", key, "true"); err != nil {
			t.Fatal(err)
		}
	}
	check(form, "invoice", true)
	p := c.Post("/resellers/acme/meta", form, htmx)
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, "[data-outcome] p", "5 other changes made outside this tool are included")
	for _, key := range sixFlags[:5] {
		f, _ := wave.Lookup(key)
		wantText(t, p, "[data-outcome] p", says("save.included_flag", "label", f.Label.EN, "state", "on"))
	}
}

func TestAccount_undo(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c := s.SignedIn(t, testkit.Editor)
			add(t, s, c, accountOf("acme"))
			save := func(want map[wave.Key]bool) testkit.Page {
				form := permForm(t, c.Get("/resellers/acme"))
				for key, on := range want {
					check(form, key, on)
				}
				p := c.Post("/resellers/acme/meta", form, way.headers...)
				wantStatus(t, p, http.StatusOK)
				return p
			}
			undo := func(p testkit.Page) testkit.Page {
				href, ok := p.Find(`[data-testid="undo"]`).Attr("formaction")
				if !ok {
					t.Fatal("no undo")
				}
				return c.Post(href, permForm(t, p), way.headers...)
			}

			saved := save(map[wave.Key]bool{"invoice": true, "dashboard_graph": false})
			p := undo(saved)
			wantStatus(t, p, http.StatusOK)
			wantText(t, p, "[data-outcome]", undoneText(2))
			if state(t, s, "acme", "invoice") != wave.Off || state(t, s, "acme", "dashboard_graph") != wave.On || boxOn(p, "invoice") {
				t.Error("not as it was")
			}
			if p.Find(`[data-testid="undo"]`).Length() != 0 {
				t.Error("an undo offers to be undone")
			}
			wantText(t, c.Get("/resellers/acme/history"), "tbody tr:first-child", "Undo of the change of 20")

			saved = save(map[wave.Key]bool{"invoice": true, "dashboard_graph": false})
			if err := s.Wave.SetFlag("acme", "dashboard_graph", "true"); err != nil {
				t.Fatal(err)
			}
			p = undo(saved)
			wantStatus(t, p, http.StatusConflict) // see TestUndo_meetsAChangedFlag
			rest, _ := p.Find(`[data-testid="undo-rest"]`).Attr("formaction")
			p = c.Post(rest, permForm(t, p), way.headers...)
			wantStatus(t, p, http.StatusOK)
			if state(t, s, "acme", "invoice") != wave.Off || state(t, s, "acme", "dashboard_graph") != wave.On {
				t.Error("the flag that someone changed since did not stay")
			}
			wantText(t, p, "[data-outcome]", says("save.left", "labels", "Dashboard graph"))

			s.Wave.ResetJournal()
			p = undo(saved)
			wantStatus(t, p, http.StatusOK)
			wantText(t, p, "[data-outcome]", says("save.undo_nothing"))
			if got := writes(s); len(got) != 0 {
				t.Errorf("the second undo called %+v", got)
			}
		})
	}
}

// TestAccount_undoRefused: only a done save of this very account can be undone.
func TestAccount_undoRefused(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	add(t, s, c, accountOf("other"))
	saved := c.Post("/resellers/acme/meta", edit("invoice", false, true), htmx)
	id := saved.Find(`[data-testid="undo"]`).AttrOr("formaction", "")
	id = id[strings.Index(id, "=")+1:]
	tests := []struct {
		name, path string
		status     int
	}{
		{"no change named", "/resellers/acme/undo", 404},
		{"an unknown change", "/resellers/acme/undo?change=nonsense", 404},
		{"odd letters", "/resellers/acme/undo?change=%00%ff'%22%3Cscript%3E", 404},
		{"a change of another account", "/resellers/other/undo?change=" + id, 404},
		{"an unknown account", "/resellers/nobody/undo?change=" + id, 404},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				s.Wave.ResetJournal()
				p := c.Post(tt.path, url.Values{}, way.headers...)
				wantStatus(t, p, tt.status)
				if got := writes(s); len(got) != 0 {
					t.Errorf("calls %+v", got)
				}
			})
		}
	}
}

// TestAccount_flawed: a record that cannot be trusted is shown, marked, and
// refuses every write.
func TestAccount_flawed(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("twice"))
	add(t, s, c, accountOf("malformed"))
	s.Wave.AddRecord(`{"user_id":"twice","email":"second@example.co.jp","company_id":"k2","meta":{"invoice":true}}`)
	s.Wave.AddRecord(`{"email":"noid@example.co.jp","company_id":"k3","meta":{"invoice":true}}`)
	s.Wave.AddRecord(`{"user_id":"","email":"","company_id":"k4","meta":{}}`)
	s.Wave.ReplaceRecord("malformed", `{"user_id":"malformed","email":"malformed@example.co.jp","company_id":7,"meta":{"invoice":true}}`)
	refresh(t, c)

	p := c.Get("/resellers?unusual=1&size=100")
	wantStatus(t, p, http.StatusOK)
	for email, mark := range map[string]string{
		"twice@example.co.jp": "duplicate ID", "second@example.co.jp": "duplicate ID",
		"noid@example.co.jp": "no ID", "malformed@example.co.jp": "unreadable data",
	} {
		row := p.Find(`tr:contains("` + email + `")`)
		if row.Length() != 1 || !strings.Contains(shown(row), mark) {
			t.Errorf("%d rows of %s, %q, want one marked %q", row.Length(), email, shown(row), mark)
		}
	}
	if got := p.Find(`tr:contains("noid@") a`).Length(); got != 0 {
		t.Error("a record without an id has a link")
	}
	p.Find("tbody tr").Each(func(_ int, row *goquery.Selection) {
		if shown(row.Find("th")) == "" {
			t.Error("a row without a name")
		}
	})

	for _, id := range []string{"twice", "malformed"} {
		p := c.Get("/resellers/" + id)
		wantStatus(t, p, http.StatusOK)
		if p.Find(`[data-testid="save"]`).Length() != 0 || p.Find(`input[name^="is."]:not([aria-disabled="true"])`).Length() != 0 {
			t.Errorf("%s: the form can be used", id)
		}
		if got := c.Get("/resellers/" + id + "/details").Find(`a[href$="/delete"], a[href$="/password"]`).Length(); got != 0 {
			t.Errorf("%s: %d ways to forms that will be refused", id, got)
		}
		email := c.Get("/resellers/" + id).Find("h1").Text()
		for path, form := range map[string]url.Values{
			"meta": edit("invoice", true, false), "password": {"input_type": {"Auto"}}, "delete": {"confirm": {email}},
		} {
			for _, way := range ways {
				s.Wave.ResetJournal()
				p := c.Post("/resellers/"+id+"/"+path, form, way.headers...)
				if p.Status != http.StatusUnprocessableEntity || !strings.Contains(said(p), says("change.flawed")) {
					t.Errorf("%s of %s, %s: %d %q", path, id, way.name, p.Status, short(p.Selection))
				}
				if got := writes(s); len(got) != 0 {
					t.Errorf("%s of %s called %+v", path, id, got)
				}
			}
		}
	}
	for _, id := range []string{"", "%20"} {
		if p := c.Post("/resellers/"+id+"/meta", edit("invoice", true, false)); p.Status != http.StatusNotFound {
			t.Errorf("a write without an id = %d", p.Status)
		}
	}
}
