package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
)

func TestRequireRole(t *testing.T) {
	const nobody = ""
	s := newTestSite(t, everyGroup)
	tests := []struct {
		as, method, target string
		status             int
		says               string
	}{
		{nobody, "GET", "/open", 200, ""},
		{nobody, "POST", "/open", 200, ""},
		{nobody, "GET", "/page", 303, ""},
		{nobody, "HEAD", "/page", 303, ""},
		{nobody, "GET", "/form", 303, ""},
		{nobody, "POST", "/refresh", 401, "Sign in again."},
		{nobody, "POST", "/form", 401, "Sign in again."},
		{"none", "GET", "/open", 200, ""},
		{"none", "GET", "/page", 403, "You need the viewer role"},
		{"none", "POST", "/refresh", 403, "You need the viewer role"},
		{"none", "POST", "/form", 403, "You need the editor role"},
		{"viewer", "GET", "/page", 200, ""},
		{"viewer", "POST", "/refresh", 200, ""},
		{"viewer", "GET", "/form", 403, "You need the editor role"},
		{"viewer", "POST", "/form", 403, "You need the editor role"},
		{"editor", "GET", "/page", 200, ""},
		{"editor", "POST", "/refresh", 200, ""},
		{"editor", "GET", "/form", 200, ""},
		{"editor", "POST", "/form", 200, ""},
	}
	for _, tt := range tests {
		w := s.do(request(tt.method, tt.target, "As: "+tt.as))
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%s %s as %q = %d, want %d and %q in\n%s", tt.method, tt.target, tt.as, w.Code, tt.status, tt.says, w.Body)
		}
	}
}

func TestAskToSignIn_comesBackToWhereThePersonWas(t *testing.T) {
	s := newTestSite(t, everyGroup)
	tests := []struct {
		name, method, target, current string
		htmx                          bool
		want                          string
	}{
		{"a page with its query", "GET", "/page?q=%E6%9D%B1&page=2", "", false, "/auth/login?return_to=%2Fpage%3Fq%3D%25E6%259D%25B1%26page%3D2"},
		{"a part of a page", "GET", "/page?q=a", publicURL + "/resellers?q=b", true, "/auth/login?return_to=%2Fresellers%3Fq%3Db"},
		{"a write from a page", "POST", "/form", publicURL + "/resellers/r-1", true, "/auth/login?return_to=%2Fresellers%2Fr-1"},
		{"a page of another site", "GET", "/page", "https://evil.example/x", true, "/auth/login?return_to=%2Fpage"},
		{"a page over http", "GET", "/page", "http://wave.example.com/x", true, "/auth/login?return_to=%2Fpage"},
		{"no page", "GET", "/page?q=a", "", true, "/auth/login?return_to=%2Fpage%3Fq%3Da"},
		{"a write from no page", "POST", "/form", "", true, "/auth/login?return_to=%2F"},
		{"a page that would be another host", "GET", "/page", publicURL + "//evil.example/x", true, "/auth/login?return_to=%2Fevil.example%2Fx"},
		{"a page with a fragment and a user", "GET", "/page", "https://u:p@wave.example.com/x#y", true, "/auth/login?return_to=%2Fx"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.method, tt.target)
			status, header := 303, "Location"
			if tt.htmx {
				r.Header.Set("HX-Request", "true")
				r.Header.Set("HX-Current-URL", tt.current)
				status, header = 401, "HX-Redirect"
			}
			w := s.do(r)
			if w.Code != status {
				t.Errorf("status = %d, want %d", w.Code, status)
			}
			if got := w.Header().Get(header); got != tt.want {
				t.Errorf("%s = %q, want %q", header, got, tt.want)
			}
		})
	}
}

// TestRoutes_everyWriteNeedsAnEditor walks the real table. A write that a viewer
// may do is named here, with open eyes.
func TestRoutes_everyWriteNeedsAnEditor(t *testing.T) {
	forViewers := map[string]bool{
		"POST /refresh":        true, // lists again
		"POST " + presencePath: true, // asks who is editing; what a viewer claims about that is ignored
		"POST /resellers.csv":  true, // a file of the accounts that were selected

		// Who ends a session reaches only their own.
		"POST /sessions/{key}/end":  true,
		"POST /sessions/end-others": true,

		// What a person saves of the table is theirs; the service refuses what is shared.
		"POST /views":                 true,
		"POST /views/{viewID}":        true,
		"POST /views/{viewID}/query":  true,
		"POST /views/{viewID}/delete": true,
	}
	forAnyone := map[string]bool{"POST /auth/logout": true, "POST " + reportPath: true, "POST " + logoutPath: true}

	s := newTestSite(t, Deps{}.routes)
	seen := 0
	for route := range routesOf(t, s) {
		method, pattern, _ := strings.Cut(route, " ")
		if safe(method) || strings.HasPrefix(pattern, "/static/") {
			continue
		}
		seen++
		target := strings.NewReplacer("{userID}", "r-1", "{changeID}", "c-1").Replace(pattern)
		want := map[string]int{"": 401, "none": 403, "viewer": 403}
		switch {
		case forAnyone[route]:
			continue
		case forViewers[route]:
			delete(want, "viewer")
		}
		for as, status := range want {
			if w := s.do(request(method, target, "As: "+as)); w.Code != status {
				t.Errorf("%s as %q = %d, want %d", route, as, w.Code, status)
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d writes were walked", seen)
	}
}

// TestRoutes_noPageIsOpen walks the reads of the real table.
func TestRoutes_noPageIsOpen(t *testing.T) {
	open := map[string]bool{
		"GET /healthz": true, "GET /readyz": true, "GET /favicon.ico": true,
		"GET /auth/login": true, "GET /auth/callback": true, "GET /auth/signed-out": true,
	}
	s := newTestSite(t, Deps{}.routes)
	for route := range routesOf(t, s) {
		method, pattern, _ := strings.Cut(route, " ")
		if method != "GET" || open[route] || strings.HasPrefix(pattern, "/static/") {
			continue
		}
		target := strings.NewReplacer("{userID}", "r-1", "{changeID}", "c-1").Replace(pattern)
		if w := s.do(request("GET", target)); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/auth/login?") {
			t.Errorf("%s for nobody = %d to %q, want 303 to sign-in", route, w.Code, w.Header().Get("Location"))
		}
		if w := s.do(request("GET", target, "As: none")); w.Code != 403 {
			t.Errorf("%s without a role = %d, want 403", route, w.Code)
		}
	}
}

func routesOf(t *testing.T, s *testSite) map[string]bool {
	t.Helper()
	routes := make(map[string]bool)
	err := chi.Walk(s.handler.(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes[method+" "+route] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return routes
}
