package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"waveadmin/static"
)

func TestHeaders_onEveryKindOfResponse(t *testing.T) {
	s := newTestSite(t, func(g groups) {
		g.viewer.get("/page", page)
		g.viewer.get("/broken", fails(errors.New("x")))
		g.viewer.get("/panic", func(http.ResponseWriter, *http.Request) error { panic("x") })
	})
	tests := []struct {
		name   string
		r      *http.Request
		status int
		cache  string
	}{
		{"a page", request("GET", "/page", "As: viewer"), 200, "no-store"},
		{"its headers alone", request("HEAD", "/page", "As: viewer"), 200, "no-store"},
		{"the way to sign-in", request("GET", "/page"), 303, "no-store"},
		{"a missing page", request("GET", "/none"), 404, "no-store"},
		{"a wrong method", request("POST", "/page"), 405, "no-store"},
		{"a failure", request("GET", "/broken", "As: viewer"), 500, "no-store"},
		{"a failure under htmx", request("GET", "/broken", "As: viewer", "HX-Request: true"), 500, "no-store"},
		{"a panic", request("GET", "/panic", "As: viewer"), 500, "no-store"},
		{"a wrong host", request("GET", "/page", "Host: evil.example"), 421, "no-store"},
		{"a write from elsewhere", request("POST", "/page", "Sec-Fetch-Site: cross-site"), 403, "no-store"},
		{"a switch of language", request("GET", "/page?lang=en"), 303, "no-store"},
		{"a static file", request("GET", static.URL("icons/favicon.svg")), 200, "public, max-age=31536000, immutable"},
		{"a missing static file", request("GET", static.Prefix+"x/none.js"), 404, "no-store"},
		{"the favicon", request("GET", "/favicon.ico"), 302, "no-store"},
		{"health", request("GET", "/healthz"), 200, "no-store"},
		{"readiness", request("GET", "/readyz"), 200, "no-store"},
	}
	want := map[string]string{
		"Cross-Origin-Embedder-Policy": "require-corp",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "same-origin",
		"Reporting-Endpoints":          `csp="/csp-report"`,
		"Strict-Transport-Security":    "max-age=31536000; includeSubDomains",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
	}
	nonces := make(map[string]bool)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.do(tt.r)
			if w.Code != tt.status {
				t.Fatalf("status = %d, want %d", w.Code, tt.status)
			}
			h := w.Header()
			for name, value := range want {
				if got := h.Values(name); len(got) != 1 || got[0] != value {
					t.Errorf("%s = %q, want once %q", name, got, value)
				}
			}
			if got := h.Values("Cache-Control"); len(got) != 1 || got[0] != tt.cache {
				t.Errorf("Cache-Control = %q, want once %q", got, tt.cache)
			}
			if got := h.Get("Permissions-Policy"); !strings.Contains(got, "camera=()") || strings.Contains(got, "=(self)") {
				t.Errorf("Permissions-Policy = %q, want everything off", got)
			}
			kind := h.Get("Content-Type")
			if text := strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "xml"); w.Body.Len() > 0 && (kind == "" || text && !strings.HasSuffix(kind, "; charset=utf-8")) {
				t.Errorf("Content-Type = %q, want what it is, and texts with their letters", kind)
			}
			if len(h.Get("X-Request-Id")) != 16 {
				t.Errorf("X-Request-Id = %q, want 16 characters", h.Get("X-Request-Id"))
			}
			for name := range h {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s is set: other sites are let in", name)
				}
			}
			nonce := nonceOf(t, w)
			if nonces[nonce] {
				t.Errorf("the nonce %s was used before", nonce)
			}
			nonces[nonce] = true
		})
	}
}

var policy = regexp.MustCompile(`^default-src 'none'; script-src 'nonce-([A-Z2-7]{26})'; style-src 'self'; ` +
	`img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; ` +
	`frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default; report-to csp; ` +
	`report-uri /csp-report$`)

func nonceOf(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	got := w.Header().Values("Content-Security-Policy")
	if len(got) != 1 {
		t.Fatalf("%d policies, want one", len(got))
	}
	m := policy.FindStringSubmatch(got[0])
	if m == nil {
		t.Fatalf("policy = %q", got[0])
	}
	return m[1]
}

func TestNonce_standsInThePage(t *testing.T) {
	s := newTestSite(t, func(g groups) { g.viewer.get("/page", page) })
	w := s.do(request("GET", "/page", "As: viewer"))
	if want := `nonce="` + nonceOf(t, w) + `"`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("no script of the page has %s", want)
	}
}

func TestHSTS_onlyBehindTLS(t *testing.T) {
	s := newTestSite(t, everyGroup, func(d *Deps) { d.PublicURL = mustParse("http://127.0.0.1:8080") })
	w := s.do(request("GET", "/healthz", "Host: 127.0.0.1:8080"))
	if got, ok := w.Header()["Strict-Transport-Security"]; ok {
		t.Errorf("Strict-Transport-Security = %q over plain http, want none", got)
	}
}
