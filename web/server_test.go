package web

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNewServer_hasEveryLimit(t *testing.T) {
	s := NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	for name, limit := range map[string]struct{ got, want time.Duration }{
		"ReadHeaderTimeout": {s.ReadHeaderTimeout, 5 * time.Second},
		"ReadTimeout":       {s.ReadTimeout, 30 * time.Second},
		"WriteTimeout":      {s.WriteTimeout, 60 * time.Second},
		"IdleTimeout":       {s.IdleTimeout, 75 * time.Second},
	} {
		if limit.got != limit.want {
			t.Errorf("%s = %v, want %v", name, limit.got, limit.want)
		}
	}
	if s.MaxHeaderBytes != 32<<10 {
		t.Errorf("MaxHeaderBytes = %d, want 32 KiB", s.MaxHeaderBytes)
	}
	want := http.HTTP2Config{MaxConcurrentStreams: 100, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second, WriteByteTimeout: 30 * time.Second}
	if diff := cmp.Diff(want, *s.HTTP2); diff != "" {
		t.Errorf("HTTP2 (-want +got):\n%s", diff)
	}
}

// TestServer_overAWire checks what only net/http itself can refuse.
func TestServer_overAWire(t *testing.T) {
	site := newTestSite(t, everyGroup, func(d *Deps) { d.Log = slog.New(slog.DiscardHandler) })
	srv := NewServer(site.handler, slog.New(slog.DiscardHandler))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})

	tests := []struct {
		name, raw string
		status    int
	}{
		{"a request", "GET /open HTTP/1.1\r\nHost: wave.example.com\r\n\r\n", 200},
		{"headers that are too long", "GET /open HTTP/1.1\r\nHost: wave.example.com\r\nX: " + strings.Repeat("a", 40<<10) + "\r\n\r\n", 431},
		{"no host", "GET /open HTTP/1.1\r\n\r\n", 400},
		{"two hosts", "GET /open HTTP/1.1\r\nHost: wave.example.com\r\nHost: evil.example\r\n\r\n", 400},
		{"an absolute address of another host", "GET http://evil.example/open HTTP/1.1\r\nHost: wave.example.com\r\n\r\n", 421},
		{"two lengths", "POST /open HTTP/1.1\r\nHost: wave.example.com\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tt.raw); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.status {
				t.Errorf("status = %d, want %d", resp.StatusCode, tt.status)
			}
		})
	}
}

func TestCompressor(t *testing.T) {
	site := newTestSite(t, func(g groups) {
		g.anyone.get("/{size}", func(w http.ResponseWriter, r *http.Request) error {
			var size int
			_, _ = fmt.Sscan(r.PathValue("size"), &size)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, err := io.WriteString(w, strings.Repeat("a", size))
			return err
		})
	})
	tests := []struct{ name, target, accept, want string }{
		{"what a browser sends", "/5000", "gzip, deflate, br, zstd", "zstd"},
		{"an older browser", "/5000", "gzip, deflate", "gzip"},
		{"nothing", "/5000", "", ""},
		{"a small part", "/100", "gzip, zstd", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := site.do(request("GET", tt.target, "Accept-Encoding: "+tt.accept))
			if got := w.Header().Get("Content-Encoding"); got != tt.want {
				t.Errorf("Content-Encoding = %q, want %q", got, tt.want)
			}
			if got := strings.Join(w.Header().Values("Vary"), ","); !strings.Contains(got, "Accept-Encoding") {
				t.Errorf("Vary = %q, want Accept-Encoding in it", got)
			}
		})
	}
}
