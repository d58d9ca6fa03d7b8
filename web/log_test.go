package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func TestObserve_saysEnoughAndNotTooMuch(t *testing.T) {
	s := newTestSite(t, func(g groups) {
		g.anyone.get("/auth/callback", ok)
		g.editor.post("/r/{userID}", ok)
	})
	w := s.do(request("GET", "/auth/callback?code=SECRET&state=SECRET", "Cookie: session=SECRET", "Referer: https://x.example/SECRET", "X-Request-Id: SECRET", "User-Agent: SECRET"))
	r := request("POST", "/r/r-1?q=SECRET", "As: editor", "Authorization: Bearer SECRET")
	r.Body, r.ContentLength = body("password=SECRET")
	s.do(r)

	got := s.log.String()
	if strings.Contains(got, "SECRET") {
		t.Errorf("the log gives a secret away:\n%s", got)
	}
	for _, want := range []string{
		"level=INFO msg=request request_id=" + w.Header().Get("X-Request-Id") + " method=GET path=/auth/callback route=/auth/callback status=200 bytes=2 ",
		"method=POST path=/r/r-1 route=/r/{userID} status=200",
		"client=192.0.2.1",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the log lacks %q:\n%s", want, got)
		}
	}
}

func TestObserve_levels(t *testing.T) {
	tests := []struct {
		name string
		r    *http.Request
		want string
	}{
		{"a page", request("GET", "/page", "As: viewer"), "INFO"},
		{"a probe", request("GET", "/healthz"), "DEBUG"},
		{"a page's ping", request("POST", "/resellers/r-1/presence", "As: viewer"), "DEBUG"},
		{"a stranger's ping", request("POST", "/resellers/r-1/presence"), "WARN"},
		{"a missing page", request("GET", "/none"), "WARN"},
		{"a missing static file", request("GET", "/static/x"), "WARN"},
		{"a failure", request("GET", "/broken", "As: viewer"), "ERROR"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSite(t, func(g groups) {
				everyGroup(g)
				g.viewer.post(presencePath, ok)
				g.viewer.get("/broken", func(http.ResponseWriter, *http.Request) error { panic("x") })
			})
			s.do(tt.r)
			if !strings.Contains(s.log.String(), "level="+tt.want+" msg=request ") {
				t.Errorf("not logged as %s:\n%s", tt.want, s.log)
			}
		})
	}
}

func TestRequestID_isFreshAndOurs(t *testing.T) {
	s := newTestSite(t, everyGroup)
	seen := make(map[string]bool)
	for range 100 {
		id := s.do(request("GET", "/open", "X-Request-Id: mine")).Header().Get("X-Request-Id")
		if len(id) != 16 || id == "mine" || seen[id] {
			t.Fatalf("X-Request-Id = %q, want a fresh one of 16 characters", id)
		}
		seen[id] = true
	}
}

func TestLogHandler_addsTheRequestID(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(LogHandler(slog.NewTextHandler(&out, nil))).With("part", "test")
	s := newTestSite(t, func(g groups) {
		g.anyone.get("/x", func(w http.ResponseWriter, r *http.Request) error {
			log.InfoContext(r.Context(), "from deep down")
			return nil
		})
	})
	w := s.do(request("GET", "/x"))
	if want := "part=test request_id=" + w.Header().Get("X-Request-Id"); !strings.Contains(out.String(), want) {
		t.Errorf("logged %q, want %q in it", out.String(), want)
	}
	out.Reset()
	log.InfoContext(t.Context(), "no request")
	if strings.Contains(out.String(), "request_id") {
		t.Errorf("logged %q without a request", out.String())
	}
}

func TestClientAddress(t *testing.T) {
	tests := []struct {
		name      string
		proxies   int
		forwarded []string
		want      string
	}{
		{"no proxy, nothing claimed", 0, nil, "client=192.0.2.1\n"},
		{"no proxy, something claimed", 0, []string{"203.0.113.9"}, "client=192.0.2.1\n"},
		{"one proxy", 1, []string{"203.0.113.9"}, "client=203.0.113.9\n"},
		{"one proxy, something claimed", 1, []string{"198.51.100.1, 203.0.113.9"}, "client=203.0.113.9\n"},
		{"two proxies", 2, []string{"198.51.100.1", "203.0.113.9, 10.0.0.1"}, "client=203.0.113.9\n"},
		{"fewer than trusted", 2, []string{"203.0.113.9"}, "client=\"\"\n"},
		{"no address", 1, []string{"evil\nline"}, "client=\"\"\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSite(t, everyGroup, func(d *Deps) { d.TrustedProxies = tt.proxies })
			r := request("GET", "/open", "X-Real-Ip: 203.0.113.77", "True-Client-Ip: 203.0.113.77")
			r.Header["X-Forwarded-For"] = tt.forwarded
			s.do(r)
			if !strings.Contains(s.log.String(), tt.want) {
				t.Errorf("want %q in the log:\n%s", tt.want, s.log)
			}
		})
	}
}
