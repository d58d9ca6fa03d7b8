package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestProbes(t *testing.T) {
	tests := []struct {
		name, target string
		ready        error
		status       int
		body         string
	}{
		{"alive", "/healthz", nil, 200, "ok\n"},
		{"alive though not ready", "/healthz", errors.New("database: secret"), 200, "ok\n"},
		{"ready", "/readyz", nil, 200, "ready\n"},
		{"not ready", "/readyz", errors.New("database: secret"), 503, "not ready\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ready := func(context.Context) error { return tt.ready }
			s := newTestSite(t, everyGroup, func(d *Deps) {
				d.Ready = ready
				d.Load = func(http.Handler) http.Handler {
					return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a probe needs no session") })
				}
			})
			w := s.do(request("GET", tt.target, "Host: 10.0.0.7:8080", "Sec-Fetch-Site:"))
			ops := httptest.NewRecorder()
			NewOps(slog.New(slog.DiscardHandler), ready, NewMetrics()).ServeHTTP(ops, httptest.NewRequest("GET", tt.target, nil))
			for where, got := range map[string]*httptest.ResponseRecorder{"the site": w, "the ops listener": ops} {
				if got.Code != tt.status || got.Body.String() != tt.body {
					t.Errorf("%s answers %d %q, want %d %q", where, got.Code, got.Body, tt.status, tt.body)
				}
			}
		})
	}
}

func TestOps_showsRequestsByRoute(t *testing.T) {
	m := NewMetrics()
	s := newTestSite(t, func(g groups) { g.viewer.get("/r/{userID}", ok) }, func(d *Deps) { d.Metrics = m })
	s.do(request("GET", "/r/r-1", "As: viewer"))
	s.do(request("GET", "/r/r-2", "As: viewer"))
	s.do(request("GET", "/nowhere/r-3", "As: viewer"))
	s.do(request("BREW", "/r/r-4", "As: viewer"))

	ops := NewOps(slog.New(slog.DiscardHandler), nil, m)
	w := httptest.NewRecorder()
	ops.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`waveadmin_http_request_duration_seconds_count{method="GET",route="/r/{userID}",status="200"} 2`,
		`waveadmin_http_request_duration_seconds_count{method="GET",route="none",status="404"} 1`,
		`waveadmin_http_request_duration_seconds_count{method="other",route="none",status="405"} 1`,
		"go_goroutines ", "process_",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(w.Body.String(), "r-1") || strings.Contains(w.Body.String(), "r-3") {
		t.Error("the metrics have a series for an account")
	}

	for target, status := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/cmdline": 200, "/": 404} {
		w := httptest.NewRecorder()
		ops.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		if w.Code != status {
			t.Errorf("GET %s on the ops listener = %d, want %d", target, w.Code, status)
		}
		if w := s.do(request("GET", target, "As: editor")); strings.HasPrefix(target, "/debug") && w.Code != 404 {
			t.Errorf("GET %s on the site = %d, want 404", target, w.Code)
		}
	}
}
