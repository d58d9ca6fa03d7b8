package web

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const slowClients = 200

// slowSite serves small, large and written pages, and counts who is answered.
func slowSite(t *testing.T) (http.Handler, *crowd) {
	c := new(crowd)
	s := newTestSite(t, func(g groups) {
		everyGroup(g)
		g.anyone.get("/large", func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "application/octet-stream") // is not packed
			piece := bytes.Repeat([]byte("x"), 1<<20)
			for range 64 { // more than all buffers of the two machines hold
				if _, err := w.Write(piece); err != nil {
					return nil
				}
			}
			return nil
		})
	}, func(d *Deps) { d.Log = slog.New(slog.DiscardHandler) })
	return c.around(s.handler), c
}

// TestSlowClients: each of 200 connections that take their time is closed, nobody is
// left in a handler, and others are answered meanwhile. A limit of the server is made
// short in each case, so that no other can be what closes them.
func TestSlowClients(t *testing.T) {
	const get = "GET /open HTTP/1.1\r\nHost: " + public + "\r\n"
	const post = "POST /open HTTP/1.1\r\nHost: " + public + "\r\nOrigin: " + publicURL + "\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	tests := []struct {
		name  string
		tls   bool
		alter func(*http.Server)
		slow  func(net.Conn)
	}{
		{"says nothing", false, func(s *http.Server) { s.ReadHeaderTimeout = soon }, func(net.Conn) {}},
		{"half a line", false, func(s *http.Server) { s.ReadHeaderTimeout = soon }, func(c net.Conn) { write(c, "GET /op") }},
		{"headers that never end", false, func(s *http.Server) { s.ReadHeaderTimeout = soon }, func(c net.Conn) {
			write(c, get)
			drip(c, "X: y\r\n")
		}},
		{"no handshake", true, func(s *http.Server) { s.ReadHeaderTimeout = soon }, func(net.Conn) {}},
		{"a body that does not come", false, func(s *http.Server) { s.ReadTimeout = soon }, func(c net.Conn) {
			write(c, post+"Content-Length: 1000\r\n\r\n")
		}},
		{"a body by bytes", false, func(s *http.Server) { s.ReadTimeout = soon }, func(c net.Conn) {
			write(c, post+"Content-Length: 60000\r\n\r\na=")
			drip(c, "x")
		}},
		{"pieces by bytes", false, func(s *http.Server) { s.ReadTimeout = soon }, func(c net.Conn) {
			write(c, post+"Transfer-Encoding: chunked\r\n\r\n")
			drip(c, "1\r\nx\r\n")
		}},
		{"a body that nobody wants", false, func(s *http.Server) { s.ReadTimeout = soon }, func(c net.Conn) {
			write(c, get+"Content-Length: 60000\r\n\r\n")
			drip(c, "x")
		}},
		{"does not read", false, func(s *http.Server) { s.WriteTimeout = soon }, func(c net.Conn) {
			write(c, "GET /large HTTP/1.1\r\nHost: "+public+"\r\n\r\n")
			drip(c, "x") // tells the end without reading
		}},
		{"stays without asking again", false, func(s *http.Server) { s.IdleTimeout = soon }, func(c net.Conn) {
			write(c, get+"\r\n")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, c := slowSite(t)
			start := serve
			if tt.tls {
				start = serveTLS
			}
			w := start(t, h, tt.alter)

			var closed atomic.Int64
			var clients sync.WaitGroup
			for range slowClients {
				conn := w.dial()
				clients.Go(func() {
					tt.slow(conn)
					if ends(conn) {
						closed.Add(1)
					}
				})
			}
			w.honest(20)
			clients.Wait()
			if got := closed.Load(); got != slowClients {
				t.Errorf("%d of %d are closed", got, slowClients)
			}
			c.empty(t)
		})
	}
}

// TestBodyWithoutEnd: of a body that goes on for ever no more is read than a form may
// have, whatever it says of its length.
func TestBodyWithoutEnd(t *testing.T) {
	h, c := slowSite(t)
	w := serve(t, h, nil)
	for _, length := range []string{"Transfer-Encoding: chunked", fmt.Sprintf("Content-Length: %d", int64(1)<<40)} {
		for _, path := range []string{"/open", "/form", "/none"} {
			t.Run(path+" "+length, func(t *testing.T) {
				conn := w.dial()
				write(conn, "POST "+path+" HTTP/1.1\r\nHost: "+public+"\r\nOrigin: "+publicURL+
					"\r\nContent-Type: application/x-www-form-urlencoded\r\nAs: editor\r\n"+length+"\r\n\r\n")
				go func() {
					_, _ = io.Copy(io.Discard, conn) // the answer
				}()
				piece := "8000\r\n" + strings.Repeat("x", 0x8000) + "\r\n"
				sent := 0
				for sent < 1<<30 && write(conn, piece) {
					sent += len(piece)
				}
				if sent >= 1<<30 {
					t.Errorf("took %d MiB", sent>>20)
				}
			})
		}
	}
	c.empty(t)
}
