package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// posts are all writes, each with a form that an editor could send.
var posts = map[string]url.Values{
	"/resellers":               {"email": {"new@example.co.jp"}, "company_id": {"k"}, "input_type": {"Auto"}, "submit_id": {"12345678"}},
	"/resellers/new":           {"preset": {"defaults"}},
	"/resellers/acme/meta":     edit("invoice", false, true),
	"/resellers/acme/undo":     {},
	"/resellers/acme/password": {"input_type": {"Auto"}},
	"/resellers/acme/delete":   {"confirm": {"acme@example.co.jp"}},
	"/flags/open_api":          {"was.acme": {"off"}, "is.acme": {"on"}},
	"/changes/any/settle":      {"outcome": {"applied"}, "reason": {"seen"}},
}

func TestViewer_writes(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	add(t, s, c, accountOf("acme"))
	for path, form := range posts {
		for _, way := range ways {
			t.Run(path+", "+way.name, func(t *testing.T) {
				s.Wave.ResetJournal()
				p := c.Post(path, form, way.headers...)
				wantStatus(t, p, http.StatusForbidden)
				if !strings.Contains(said(p), says("error.forbidden_editor")) {
					t.Errorf("says %q", said(p))
				}
				if len(s.Wave.Journal()) != 0 {
					t.Errorf("Wave was called: %+v", s.Wave.Journal())
				}
			})
		}
	}
	for _, path := range []string{"/resellers/new", "/resellers/acme/password", "/resellers/acme/delete", "/billing-groups", "/resellers/check?email=a", "/resellers/import", "/resellers/import.csv"} {
		p := c.Get(path)
		wantStatus(t, p, http.StatusForbidden)
		wantText(t, p, "main", says("error.forbidden_editor"))
	}
}

// TestViewer_reads: all there is to read, with the reason why nothing can be
// changed, and no control that would only be refused.
func TestViewer_reads(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	editor, c := s.SignedIn(t, testkit.Editor), s.SignedIn(t, testkit.Viewer)
	add(t, s, c, accountOf("acme"))
	wantStatus(t, editor.Post("/resellers/acme/meta", edit("invoice", false, true)), http.StatusOK)
	change := "/changes/" + ids(editor.Get("/changes").Selection)[0]
	for _, path := range []string{"/", "/resellers", "/resellers/acme", "/resellers/acme/details", "/resellers/acme/history", "/changes", "/flags/open_api", change} {
		p := c.Get(path)
		wantStatus(t, p, http.StatusOK)
		if p.Find(`a[href*="undo="], a[href*="restore="], a[href*="from_change="], a[href$="/new"], a[href$="/import"], a[href$="/password"], a[href$="/delete"], [data-testid="save"], [data-testid="undo"], [data-testid="discard"]`).Length() != 0 {
			t.Errorf("%s offers what a viewer may not do", path)
		}
		p.Find(`form[method="post"]`).Each(func(_ int, form *goquery.Selection) {
			switch form.AttrOr("action", "") {
			case "/auth/logout", "/refresh", "/views", "/resellers.csv":
			default:
				if form.Find(`button[type="submit"], input[type="submit"]`).Length() != 0 || form.AttrOr("hx-post", "") != "" {
					t.Errorf("%s has a form to %s", path, form.AttrOr("action", ""))
				}
			}
		})
	}
	p := c.Get("/resellers/acme")
	wantText(t, p, "main", says("account.viewer"))
	boxes := p.Find(`input[type=checkbox][name^="is."]`)
	if boxes.Length() == 0 || boxes.Length() != boxes.Filter(`[aria-disabled="true"]`).Length() {
		t.Errorf("%d boxes, %d of them disabled", boxes.Length(), boxes.Filter(`[aria-disabled="true"]`).Length())
	}
	if boxes.Filter("[disabled]").Length() != 0 {
		t.Error("boxes that a keyboard cannot reach")
	}
	wantText(t, c.Get("/resellers/acme/history"), "tbody", editorName)
	wantText(t, c.Get("/resellers/acme/details"), "main", says("account.viewer"))
	if got := c.Get("/resellers/acme/details").Find(`span.btn[aria-disabled="true"]`).Length(); got != 3 {
		t.Errorf("%d actions are shown as not allowed, want 3", got)
	}
}

// TestAnonymous: a page leads to the sign-in, a fragment says where to go, a
// write is refused, and nobody asks Wave.
func TestAnonymous(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	add(t, s, s.SignedIn(t, testkit.Viewer), accountOf("acme"))
	c := s.Client(t).Unredirected()
	s.Wave.ResetJournal()
	for _, path := range []string{
		"/", "/resellers?q=a&sort=-email", "/resellers.csv?user=acme", "/resellers/new", "/resellers/acme", "/resellers/acme/details", "/resellers/acme/history",
		"/resellers/acme/password", "/resellers/acme/delete", "/billing-groups", "/resellers/check", "/resellers/import", "/resellers/import.csv", "/changes/x/state", "/resellers/nobody",
		"/changes?q=a", "/changes.csv", "/changes.jsonl?q=a", "/changes/x", "/palette?q=acme", "/resellers/new?from_change=x", "/resellers/acme?undo=x", "/flags/open_api?q=a",
	} {
		p := c.Get(path)
		if want := "/auth/login?return_to=" + url.QueryEscape(path); p.Status != http.StatusSeeOther || p.Header.Get("Location") != want {
			t.Errorf("%s = %d to %q, want 303 to %q", path, p.Status, p.Header.Get("Location"), want)
		}
		p = c.Get(path, htmx)
		if p.Status != http.StatusUnauthorized || !strings.HasPrefix(p.Header.Get("HX-Redirect"), "/auth/login?return_to=") {
			t.Errorf("%s, htmx = %d to %q, want 401 with HX-Redirect", path, p.Status, p.Header.Get("HX-Redirect"))
		}
		if strings.Contains(p.Body, "acme") {
			t.Errorf("%s tells of an account", path)
		}
	}
	for path, form := range posts {
		for _, way := range ways {
			p := c.Post(path, form, way.headers...)
			if p.Status != http.StatusUnauthorized {
				t.Errorf("POST %s, %s = %d, want 401", path, way.name, p.Status)
			}
		}
	}
	for _, path := range []string{"/refresh", "/resellers.csv", "/views", "/views/any", "/views/any/query", "/views/any/delete"} {
		if p := c.Post(path, url.Values{"name": {"a"}}); p.Status != http.StatusUnauthorized {
			t.Errorf("POST %s = %d, want 401", path, p.Status)
		}
	}
	if got := s.Wave.Count(sandbox.OpMeta) + s.Wave.Count(sandbox.OpCreate) + s.Wave.Count(sandbox.OpDelete); got != 0 {
		t.Errorf("%d writes", got)
	}
}

// TestNobody: who signed in without a role sees no account either.
func TestNobody(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	s.IDP.AutoChoose(testkit.Nobody)
	c := s.Client(t)
	p := c.Get("/resellers")
	if p.Status != http.StatusForbidden || p.Find("table").Length() != 0 {
		t.Errorf("the table = %d: %s", p.Status, short(p.Selection))
	}
	wantText(t, p, "main", "has no access to this tool")
}

// TestRefresh leads back to where it was pressed, and nowhere else.
func TestRefresh(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer).Unredirected()
	for to, want := range map[string]string{
		"/resellers?q=a&page=2": "/resellers?q=a&page=2", "/resellers/acme": "/resellers/acme", "": "/resellers",
		"https://evil.example/": "/resellers", "//evil.example/": "/resellers", `/\evil.example`: "/resellers",
		"/\t/evil.example": "/resellers", "javascript:alert(1)": "/resellers", "resellers": "/resellers", "/%zz": "/resellers",
		"/resellers?q=\r\nX: y": "/resellers",
	} {
		p := c.Post("/refresh", url.Values{"return_to": {to}})
		if p.Status != http.StatusSeeOther || p.Header.Get("Location") != want {
			t.Errorf("%q: got %d to %q, want %q", to, p.Status, p.Header.Get("Location"), want)
		}
	}
}
