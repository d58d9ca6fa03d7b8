package web

import (
	"fmt"
	"strings"
	"testing"
)

// TestCheckOrigin walks every combination that a browser, an old browser or an
// attacker can send. absent stands for no such header, empty for one without
// a value.
func TestCheckOrigin(t *testing.T) {
	const absent, empty = "absent", ""
	sites := []string{absent, empty, "same-origin", "same-site", "cross-site", "none", "Same-Origin", "odd"}
	origins := []string{absent, empty, publicURL, "http://wave.example.com", "https://evil.example", "null", publicURL + ":444", "https://wave.example.com.evil.example"}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"}
	modes := [][2]string{{absent, absent}, {"navigate", "document"}, {"navigate", "iframe"}, {"no-cors", "image"}, {"cors", "empty"}, {"navigate", absent}}

	s := newTestSite(t, everyGroup)
	for _, method := range methods {
		for _, site := range sites {
			for _, origin := range origins {
				for _, mode := range modes {
					r := request(method, "/form", "As: editor", "Sec-Fetch-Site:")
					set := func(name, value string) {
						if value != absent {
							r.Header[name] = []string{value}
						}
					}
					set("Sec-Fetch-Site", site)
					set("Origin", origin)
					set("Sec-Fetch-Mode", mode[0])
					set("Sec-Fetch-Dest", mode[1])

					var want bool
					switch method {
					case "GET", "HEAD":
						own := site == absent || site == empty || site == "same-origin" || site == "none"
						want = own || mode == [2]string{"navigate", "document"}
					default:
						want = site == "same-origin" || site == absent && origin == publicURL
					}
					got := s.do(r).Code != 403
					if got != want {
						t.Errorf("%s with Sec-Fetch-Site %q, Origin %q, mode %v: let through = %v, want %v", method, site, origin, mode, got, want)
					}
				}
			}
		}
	}
}

func TestCheckOrigin_twiceTheHeaderIsNoHeader(t *testing.T) {
	s := newTestSite(t, everyGroup)
	for _, name := range []string{"Sec-Fetch-Site", "Origin"} {
		r := request("POST", "/form", "As: editor", "Sec-Fetch-Site:")
		own := map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": publicURL}[name]
		r.Header[name] = []string{own, "https://evil.example"}
		if w := s.do(r); w.Code != 403 {
			t.Errorf("two %s headers: status = %d, want 403", name, w.Code)
		}
	}
}

func TestCheckOrigin_theMethodCannotBeOverridden(t *testing.T) {
	s := newTestSite(t, everyGroup)
	for _, h := range []string{"X-HTTP-Method-Override: POST", "X-Method-Override: POST", "X-HTTP-Method: POST"} {
		w := s.do(request("GET", "/refresh?_method=POST", "As: viewer", h))
		if w.Code != 405 {
			t.Errorf("GET of a write with %q: status = %d, want 405", h, w.Code)
		}
	}
}

func TestCheckOrigin_exemptIsOneExactAddress(t *testing.T) {
	s := newTestSite(t, everyGroup)
	tests := []struct {
		target string
		status int
	}{
		{"/csp-report", 204},
		{"/csp-report/", 403},
		{"/csp-report/../form", 403},
		{"/form?/csp-report", 403},
		{"/CSP-report", 403},
	}
	for _, tt := range tests {
		r := request("POST", tt.target, "As: editor", "Sec-Fetch-Site: cross-site", "Content-Type: application/reports+json")
		r.Body, r.ContentLength = body("[]")
		if w := s.do(r); w.Code != tt.status {
			t.Errorf("POST %s from elsewhere: status = %d, want %d", tt.target, w.Code, tt.status)
		}
	}
}

// TestCheckOrigin_theProviderIsNoBrowser: it posts logout tokens without saying
// from where, to one address.
func TestCheckOrigin_theProviderIsNoBrowser(t *testing.T) {
	s := newTestSite(t, func(g groups) { g.anyone.post(logoutPath, ok) })
	tests := []struct {
		target string
		status int
	}{
		{logoutPath, 200},
		{logoutPath + "/", 403},
		{"/auth/logout", 403},
		{"/auth/Backchannel-logout", 403},
	}
	for _, tt := range tests {
		if w := s.do(request("POST", tt.target, "Sec-Fetch-Site:")); w.Code != tt.status {
			t.Errorf("POST %s without a word of where from: status = %d, want %d", tt.target, w.Code, tt.status)
		}
	}
}

func TestCheckHost(t *testing.T) {
	tests := []struct {
		public, host string
		want         int
	}{
		{publicURL, public, 200},
		{publicURL, "WAVE.example.com", 200},
		{publicURL, public + ":443", 200},
		{publicURL, public + ":80", 421},
		{publicURL, public + ".", 421},
		{publicURL, "evil.example", 421},
		{publicURL, public + ".evil.example", 421},
		{publicURL, "127.0.0.1", 421},
		{publicURL, "", 421},
		{"http://127.0.0.1:8080", "127.0.0.1:8080", 200},
		{"http://127.0.0.1:8080", "localhost:8080", 421},
		{"http://127.0.0.1:8080", "127.0.0.1", 421},
		{"http://localhost", "localhost:80", 200},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s asked as %q", tt.public, tt.host), func(t *testing.T) {
			s := newTestSite(t, everyGroup, func(d *Deps) { d.PublicURL = mustParse(tt.public) })
			r := request("GET", "/open")
			r.Host = tt.host
			w := s.do(r)
			if w.Code != tt.want {
				t.Errorf("status = %d, want %d", w.Code, tt.want)
			}
			if tt.want == 421 && !strings.Contains(w.Body.String(), "not known by this address") {
				t.Errorf("the page does not say why:\n%s", w.Body)
			}
			r = request("GET", "/healthz")
			r.Host = tt.host
			if w := s.do(r); w.Code != 200 {
				t.Errorf("a probe got %d, want 200 whatever the host", w.Code)
			}
		})
	}
}
