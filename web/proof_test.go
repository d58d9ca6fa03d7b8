package web

import (
	"net/http"
	"strings"
	"testing"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
)

// as returns a Load that makes everyone an editor with this standing.
func as(standing auth.Standing) func(*Deps) {
	return func(d *Deps) {
		d.Load = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx := auth.WithActor(r.Context(), auth.Actor{Issuer: "https://id.example", Subject: "editor", Role: auth.Editor})
				next.ServeHTTP(w, r.WithContext(auth.WithStanding(ctx, standing)))
			})
		}
	}
}

// TestRoutes_needAProof walks the whole table as an editor who signed in long ago. Bulk
// runs demand a proof by their size: see the tests of the handlers.
func TestRoutes_needAProof(t *testing.T) {
	want := map[string]bool{
		"GET /resellers/{userID}/password": true, "POST /resellers/{userID}/password": true,
		"GET /resellers/{userID}/delete": true, "POST /resellers/{userID}/delete": true,
	}
	s, recent := newTestSite(t, Deps{}.routes), newTestSite(t, Deps{}.routes, as(auth.Standing{Recent: true}))
	for route := range routesOf(t, s) {
		method, pattern, _ := strings.Cut(route, " ")
		target := strings.NewReplacer("{userID}", "r-1", "{changeID}", "c-1").Replace(pattern)
		asked := func(w *http.Response, where string) bool { return strings.Contains(w.Header.Get(where), "&step_up=1") }
		if got := asked(s.do(request(method, target, "As: editor", "HX-Request: true")).Result(), "HX-Redirect"); got != want[route] {
			t.Errorf("%s demands a proof under htmx: %v, want %v", route, got, want[route])
		}
		if method == "GET" {
			if got := asked(s.do(request(method, target, "As: editor")).Result(), "Location"); got != want[route] {
				t.Errorf("%s demands a proof: %v, want %v", route, got, want[route])
			}
		} else if w := s.do(request(method, target, "As: editor")); strings.Contains(w.Body.String(), "step_up=1") != want[route] {
			t.Errorf("%s = %d, want a page that demands a proof: %v", route, w.Code, want[route])
		}
		if want[route] {
			if w := s.do(request(method, target, "As: viewer")); w.Code != http.StatusForbidden {
				t.Errorf("%s as a viewer = %d, want 403 and no detour", route, w.Code)
			}
			if w := recent.do(request(method, target)); w.Code != http.StatusInternalServerError { // there is no handler
				t.Errorf("%s after a proof = %d, want the handler", route, w.Code)
			}
			delete(want, route)
		}
	}
	if len(want) > 0 {
		t.Errorf("no such routes: %v", want)
	}
}

// TestFail_asksForAProof: a handler that only passes the error on leads there, too.
func TestFail_asksForAProof(t *testing.T) {
	s := newTestSite(t, func(g groups) {
		g.editor.get("/page", fails(auth.ErrProofNeeded))
		g.editor.post("/run", fails(auth.ErrProofNeeded))
	}, as(auth.Standing{}))
	for _, tt := range []struct {
		name   string
		r      *http.Request
		status int
		header string
		want   string // of the header, or in the page
	}{
		{"a page", request("GET", "/page?a=b"), 303, "Location", "/auth/login?return_to=%2Fpage%3Fa%3Db&step_up=1"},
		{"by htmx", request("POST", "/run", "HX-Request: true", "HX-Current-URL: "+publicURL+"/from"), 401, "HX-Redirect", "/auth/login?return_to=%2Ffrom&step_up=1"},
		{"a form", request("POST", "/run", "Referer: "+publicURL+"/from?a=b"), 401, "", "/auth/login?return_to=%2Ffrom%3Fa%3Db&amp;step_up=1"},
		{"a form from nowhere", request("POST", "/run"), 401, "", "/auth/login?return_to=%2F&amp;step_up=1"},
		{"a form from elsewhere", request("POST", "/run", "Referer: https://evil.example/x"), 401, "", "/auth/login?return_to=%2F&amp;step_up=1"},
	} {
		w := s.do(tt.r)
		got := w.Header().Get(tt.header)
		if tt.header == "" && strings.Contains(w.Body.String(), tt.want) {
			got = tt.want
		}
		if w.Code != tt.status || got != tt.want {
			t.Errorf("%s = %d with %q, want %d with %q in\n%s", tt.name, w.Code, got, tt.status, tt.want, w.Body)
		}
	}
}

// TestRoleCheck_whatGoesThroughTheProvider: after an hour pages do; what people are in
// the middle of does later.
func TestRoleCheck_whatGoesThroughTheProvider(t *testing.T) {
	due, over := auth.Standing{Due: true, Recent: true}, auth.Standing{Due: true, Over: true, Recent: true}
	const checked = "/auth/login?return_to=%2Fpage%3Fa%3Db&check=1"
	for _, tt := range []struct {
		name     string
		standing auth.Standing
		r        *http.Request
		status   int
		to       string
	}{
		{"a page", due, request("GET", "/page?a=b", "Sec-Fetch-Dest: document"), 303, checked},
		{"a page of an old browser", due, request("GET", "/page?a=b"), 303, checked},
		{"what a script fetches", due, request("GET", "/page?a=b", "Sec-Fetch-Dest: empty"), 200, ""},
		{"a part of a page", due, request("GET", "/page?a=b", "HX-Request: true"), 200, ""},
		{"a form", due, request("POST", "/form"), 200, ""},
		{"a form by htmx", due, request("POST", "/form", "HX-Request: true"), 200, ""},
		{"what is open", due, request("GET", "/open"), 200, ""},
		{"a page, later", over, request("GET", "/page?a=b"), 303, checked},
		{"what a script fetches, later", over, request("GET", "/page?a=b", "Sec-Fetch-Dest: empty"), 303, checked},
		{"a part of a page, later", over, request("GET", "/page", "HX-Request: true", "HX-Current-URL: "+publicURL+"/page?a=b"), 401, checked},
		{"what a page polls, later", over, request("GET", "/page", "HX-Request: true", auth.PollHeader+": 1", "HX-Current-URL: "+publicURL+"/page?a=b"), 401, checked},
		{"a form, later", over, request("POST", "/form"), 401, ""},
		{"what is open, later", over, request("GET", "/open"), 200, ""},
	} {
		w := newTestSite(t, everyGroup, as(tt.standing)).do(tt.r)
		if to := w.Header().Get("Location") + w.Header().Get("HX-Redirect"); w.Code != tt.status || to != tt.to {
			t.Errorf("%s = %d to %q, want %d to %q", tt.name, w.Code, to, tt.status, tt.to)
		}
	}
}

// TestProof_refused: the page leads back to where the person was.
func TestProof_refused(t *testing.T) {
	refused := &auth.ProofRefused{Back: "/resellers/r-1/delete", Err: fault.New(fault.Unavailable, nil)}
	s := newTestSite(t, func(g groups) { g.anyone.get(callbackPath, fails(refused)) })
	w := s.do(request("GET", callbackPath))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `href="/auth/login?return_to=%2Fresellers%2Fr-1%2Fdelete&amp;step_up=1"`) {
		t.Errorf("got %d\n%s", w.Code, w.Body)
	}
}
