package web_test

import (
	"database/sql"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/web"
)

// level is who may use a route.
type level int

const (
	open   level = iota + 1 // anyone, signed in or not
	viewer                  // who may read
	editor                  // who may change
)

// routeTable is every route of the site, written down a second time. Whoever adds
// one says here who may use it.
var routeTable = map[string]level{
	"GET /healthz": open, "GET /readyz": open, "GET /favicon.ico": open, "* /static/*": open, "POST /csp-report": open,
	"GET /auth/login": open, "GET /auth/callback": open, "GET /auth/signed-out": open,
	"POST /auth/logout": open, "POST /auth/backchannel-logout": open,

	"GET /": viewer, "POST /refresh": viewer, "GET /palette": viewer, "GET /flags/{key}": viewer,
	"GET /resellers": viewer, "GET /resellers.csv": viewer, "POST /resellers.csv": viewer,
	"POST /views": viewer, "POST /views/{viewID}": viewer, "POST /views/{viewID}/query": viewer, "POST /views/{viewID}/delete": viewer,
	"GET /resellers/{userID}": viewer, "GET /resellers/{userID}/details": viewer, "GET /resellers/{userID}/history": viewer,
	"POST /resellers/{userID}/presence": viewer,
	"GET /compare":                      viewer, "GET /compare/accounts": viewer, "GET /matrix": viewer,
	"GET /changes": viewer, "GET /changes.csv": viewer, "GET /changes.jsonl": viewer,
	"GET /changes/{changeID}": viewer, "GET /changes/{changeID}/state": viewer,
	"GET /presets": viewer, "GET /presets.yaml": viewer, "GET /presets/{presetID}": viewer,
	"GET /presets/{presetID}/accounts": viewer, "GET /presets/{presetID}/versions": viewer,
	"GET /bulk": viewer, "GET /bulk/{planID}": viewer, "GET /bulk/{planID}/progress": viewer, "GET /bulk/{planID}/events": viewer,
	"GET /bulk/{planID}/result.csv": viewer, "GET /imports/{listID}/problems.csv": viewer,

	"GET /sessions": viewer, "GET /sessions/left": viewer, "POST /sessions/{key}/end": viewer, "POST /sessions/end-others": viewer,

	"GET /resellers/import": editor, "POST /resellers/import": editor, "GET /resellers/import.csv": editor,
	"POST /flags/{key}":  editor,
	"GET /resellers/new": editor, "POST /resellers/new": editor, "GET /resellers/check": editor, "GET /billing-groups": editor,
	"POST /resellers": editor, "POST /resellers/{userID}/meta": editor, "POST /resellers/{userID}/undo": editor,
	"GET /resellers/{userID}/password": editor, "POST /resellers/{userID}/password": editor,
	"GET /resellers/{userID}/delete": editor, "POST /resellers/{userID}/delete": editor,
	"POST /changes/{changeID}/settle": editor,
	"GET /presets/new":                editor, "GET /presets/import": editor, "POST /presets/import": editor, "POST /presets": editor,
	"POST /presets/{presetID}": editor, "POST /presets/{presetID}/assign": editor, "POST /presets/{presetID}/unassign": editor,
	"POST /presets/{presetID}/for-new": editor, "GET /presets/{presetID}/delete": editor, "POST /presets/{presetID}/delete": editor,
	"GET /bulk/new": editor, "POST /bulk/new": editor, "POST /bulk": editor,
	"POST /bulk/{planID}/leave": editor, "POST /bulk/{planID}/again": editor, "POST /bulk/{planID}/run": editor,
	"POST /bulk/{planID}/pause": editor, "POST /bulk/{planID}/resume": editor, "POST /bulk/{planID}/cancel": editor,
	"POST /bulk/{planID}/retry": editor, "POST /bulk/{planID}/revert": editor, "POST /bulk/{planID}/approve": editor,
}

// methods are all that a client may send, one that nobody has heard of among them.
var methods = []string{
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW",
}

// TestRouteTable_isComplete: the table and the router have the same routes.
func TestRouteTable_isComplete(t *testing.T) {
	found := make(map[string]bool)
	err := chi.Walk(web.Router(), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if pattern == "/static/*" {
			method = "*"
		}
		found[method+" "+pattern] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for route := range found {
		if routeTable[route] == 0 {
			t.Errorf("%s is not in the table: who may use it?", route)
		}
	}
	for route := range routeTable {
		if !found[route] {
			t.Errorf("%s is in the table, but there is no such route", route)
		}
	}
}

// caller is someone who asks, and what they may do.
type caller struct {
	name string
	*testkit.Client
	may    level
	nobody bool // is asked to sign in
}

// callers are the five kinds of people. Whose session lost its role, or was ended
// by the provider, is nobody.
func callers(t *testing.T, s *testkit.Site, database string) []caller {
	t.Helper()
	withoutRole, revoked := s.SignedIn(t, testkit.Viewer), s.SignedIn(t, testkit.Editor)
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(database, "sqlite:")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), "UPDATE sessions SET role = 'none' WHERE subject = $1", testkit.Viewer); err != nil {
		t.Fatal(err)
	}
	token, err := s.IDP.NewLogoutToken(testkit.Editor, "")
	if err != nil {
		t.Fatal(err)
	}
	if page := s.Client(t).Post("/auth/backchannel-logout", url.Values{"logout_token": {token}}); page.Status != 200 {
		t.Fatalf("the provider's logout answers %d", page.Status)
	}
	return []caller{
		{"anonymous", s.Client(t), open, true},
		{"no role", withoutRole, open, true},
		{"revoked", revoked, open, true},
		{"viewer", s.SignedIn(t, testkit.Viewer), viewer, false},
		{"editor", s.SignedIn(t, testkit.Editor), editor, false},
	}
}

// TestRouteTable: every route, with every method, by every kind of caller, over
// the live server.
func TestRouteTable(t *testing.T) {
	var database string
	s := testkit.Start(t, testkit.Options{Accounts: 3, Config: func(c *config.Config) { database = c.Database.URL.Reveal() }})
	router, secret := web.Router(), s.Wave.Accounts()[0].Email
	asked := make(map[string]int)
	for _, c := range callers(t, s, database) {
		c.Client = c.Unredirected()
		s.Wave.ResetJournal()
		for _, pattern := range patterns() {
			path := strings.NewReplacer("{userID}", "acct-none", "{changeID}", "none", "{presetID}", "none", "{planID}", "none", "{listID}", "none",
				"{viewID}", "none", "{key}", "invoice", "*", "none.js").Replace(pattern)
			for _, method := range methods {
				page := c.Send(method, path, url.Values{})
				asked[c.name]++
				want := routeTable[route(router, method, path)]
				if problem := check(c, page, method, want); problem != "" {
					t.Errorf("%s %s by %s: %d: %s", method, path, c.name, page.Status, problem)
				}
				if c.may < max(want, open+1) && strings.Contains(page.Body, secret) {
					t.Errorf("%s %s by %s shows an account", method, path, c.name)
				}
			}
		}
		if c.may < editor {
			for _, e := range s.Wave.Journal() {
				if !slices.Contains([]string{sandbox.OpToken, sandbox.OpList, sandbox.OpBillingGroups}, e.Op) {
					t.Errorf("%s caused %s", c.name, e.Op)
				}
			}
		}
	}
	t.Logf("%v requests", asked)
}

// patterns are those of the table, each once, and last the one that signs out.
func patterns() []string {
	const last = "/auth/logout"
	all := make(map[string]bool)
	for route := range routeTable {
		_, pattern, _ := strings.Cut(route, " ")
		all[pattern] = true
	}
	delete(all, last)
	return append(slices.Sorted(maps.Keys(all)), last)
}

// route returns the route that takes a request, or "": HEAD is answered as GET.
func route(router chi.Routes, method, path string) string {
	if strings.HasPrefix(path, "/static/") {
		return "* /static/*"
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	pattern := router.Find(chi.NewRouteContext(), method, path)
	if pattern == "" {
		return ""
	}
	return method + " " + pattern
}

// check says what is wrong with the answer to c, who asks for what is for want,
// or for nothing that there is when that is 0.
func check(c caller, page testkit.Page, method string, want level) string {
	reads := method == http.MethodGet || method == http.MethodHead
	location := page.Header.Get("Location")
	asksToSignIn := page.Status == http.StatusUnauthorized || strings.HasPrefix(location, "/auth/login")
	switch {
	case want == 0:
		if page.Status != http.StatusMethodNotAllowed || location != "" {
			return "want 405"
		}
	case c.may >= want:
		if page.Status == http.StatusForbidden || page.Status >= 500 || asksToSignIn {
			return "want it to be let through"
		}
	case c.nobody && reads:
		if page.Status != http.StatusSeeOther || !strings.HasPrefix(location, "/auth/login?return_to=") {
			return "want to be sent to sign in"
		}
	case c.nobody:
		if page.Status != http.StatusUnauthorized {
			return "want 401"
		}
	case page.Status != http.StatusForbidden:
		return "want 403"
	}
	return ""
}

// TestRouteTable_htmx: a part of a page sends nobody to sign in as a page would.
func TestRouteTable_htmx(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.Client(t).Unredirected()
	for name, want := range routeTable {
		method, pattern, _ := strings.Cut(name, " ")
		if want == open {
			continue
		}
		path := strings.NewReplacer("{", "", "}", "").Replace(pattern)
		page := c.Send(method, path, url.Values{}, "HX-Request: true", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty")
		if page.Status != http.StatusUnauthorized || !strings.HasPrefix(page.Header.Get("HX-Redirect"), "/auth/login?return_to=") || page.Body != "" {
			t.Errorf("%s answers %d to %q", name, page.Status, page.Header.Get("HX-Redirect"))
		}
	}
}
