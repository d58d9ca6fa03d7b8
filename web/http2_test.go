package web

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The frames of HTTP/2 that the attacks are made of.
const (
	h2Data         = 0x0
	h2Headers      = 0x1
	h2Reset        = 0x3
	h2Settings     = 0x4
	h2Ping         = 0x6
	h2Continuation = 0x9

	h2EndStream, h2EndHeaders = 0x1, 0x4
)

// frame returns a frame of HTTP/2.
func frame(kind, flags byte, stream uint32, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = append(head, flags)
	head = binary.BigEndian.AppendUint32(head, stream)
	return string(head) + payload
}

// field returns a header that no table knows. Name and value are short.
func field(name, value string) string {
	return "\x00" + string(rune(len(name))) + name + string(rune(len(value))) + value
}

// ask returns the headers of a request. GET, POST and https stand in the table that
// both sides have.
func ask(post bool, path string) string {
	method := "\x82"
	if post {
		method = "\x83"
	}
	return method + "\x87" + field(":path", path) + field(":authority", public) + field("origin", publicURL) +
		field("content-type", "application/x-www-form-urlencoded")
}

// h2conn is a client that keeps to no rules.
type h2conn struct {
	*tls.Conn
	closed chan struct{} // when the server has closed the connection
}

// h2 opens a connection over which HTTP/2 is spoken. It reads, and forgets, what the
// server sends.
func (w *wire) h2(settings string) *h2conn {
	w.t.Helper()
	cfg := w.tls.Clone()
	cfg.NextProtos = []string{"h2"}
	conn := tls.Client(w.dial(), cfg)
	if err := conn.Handshake(); err != nil {
		w.t.Fatal(err)
	}
	if got := conn.ConnectionState().NegotiatedProtocol; got != "h2" {
		w.t.Fatalf("the server speaks %q", got)
	}
	write(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+frame(h2Settings, 0, 0, settings))
	c := &h2conn{Conn: conn, closed: make(chan struct{})}
	go func() {
		defer close(c.closed)
		_, _ = io.Copy(io.Discard, conn) // until the end, however it comes
	}()
	return c
}

// until sends what next returns, again and again, and reports whether the server closes
// the connection for it.
func (c *h2conn) until(next func(i int) string) bool {
	end := time.Now().Add(long)
	for i := 0; time.Now().Before(end); i++ {
		if !write(c, next(i)) {
			return true
		}
	}
	return false
}

func (c *h2conn) ended() bool {
	select {
	case <-c.closed:
		return true
	case <-time.After(long):
		return false
	}
}

// waiting serves the site, and /wait until release is closed.
func waiting(t *testing.T, release <-chan struct{}) http.Handler {
	s := newTestSite(t, func(g groups) {
		everyGroup(g)
		g.anyone.get("/wait", func(_ http.ResponseWriter, r *http.Request) error {
			<-release
			return r.Context().Err()
		})
	}, func(d *Deps) { d.Log = slog.New(slog.DiscardHandler) })
	return s.handler
}

// TestHTTP2Abuse: each attack ends with the connection, and others are answered during it.
func TestHTTP2Abuse(t *testing.T) {
	idle := func(s *http.Server) { s.IdleTimeout = soon }
	pings := func(s *http.Server) { s.HTTP2.SendPingTimeout, s.HTTP2.PingTimeout = soon, soon }
	tests := []struct {
		name   string
		alter  func(*http.Server)
		attack func(c *h2conn) (closed bool)
	}{
		{"headers that never end", nil, func(c *h2conn) bool {
			write(c, frame(h2Headers, h2EndStream, 1, ask(false, "/open")))
			return c.until(func(int) string { return frame(h2Continuation, 0, 1, field("x-y", "z")) })
		}},
		{"empty pieces of headers", idle, func(c *h2conn) bool {
			write(c, frame(h2Headers, h2EndStream, 1, ask(false, "/open")))
			return c.until(func(int) string { return strings.Repeat(frame(h2Continuation, 0, 1, ""), 100) })
		}},
		// No length bounds them and with a request under way the connection is not idle, but a
		// ping cannot be answered before the headers end: 45 s at most, and nothing is kept.
		{"empty pieces of headers beside a request", pings, func(c *h2conn) bool {
			write(c, frame(h2Headers, h2EndHeaders|h2EndStream, 1, ask(false, "/wait"))+frame(h2Headers, h2EndStream, 3, ask(false, "/open")))
			return c.until(func(int) string { return strings.Repeat(frame(h2Continuation, 0, 3, ""), 100) })
		}},
		{"requests taken back at once", nil, func(c *h2conn) bool {
			return c.until(func(i int) string {
				stream := uint32(2*i + 1)
				return frame(h2Headers, h2EndHeaders|h2EndStream, stream, ask(false, "/wait")) + frame(h2Reset, 0, stream, "\x00\x00\x00\x08")
			})
		}},
		{"pings for ever", idle, func(c *h2conn) bool {
			return c.until(func(int) string {
				time.Sleep(20 * time.Millisecond) // all answers are taken
				return frame(h2Ping, 0, 0, "12345678")
			})
		}},
		{"pings faster than answers are taken", nil, func(c *h2conn) bool {
			return c.until(func(int) string { return strings.Repeat(frame(h2Ping, 0, 0, "12345678"), 1000) })
		}},
		{"settings for ever", idle, func(c *h2conn) bool {
			return c.until(func(int) string { return strings.Repeat(frame(h2Settings, 0, 0, ""), 100) })
		}},
		{"a table of a gigabyte", nil, func(c *h2conn) bool {
			write(c, frame(h2Headers, h2EndHeaders|h2EndStream, 1, "\x3f\xe1\xff\xff\xff\x03"+ask(false, "/open")))
			return c.ended()
		}},
		{"half a frame", pings, func(c *h2conn) bool {
			write(c, frame(h2Headers, h2EndHeaders|h2EndStream, 1, ask(false, "/open"))[:12])
			return c.ended()
		}},
		{"nothing", idle, func(c *h2conn) bool { return c.ended() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := new(crowd)
			release := make(chan struct{})
			t.Cleanup(func() { close(release) })
			w := serveTLS(t, c.around(waiting(t, release)), tt.alter)
			conn := w.h2("")
			result := make(chan bool, 1)
			go func() { result <- tt.attack(conn) }()
			w.honest(5)
			select {
			case closed := <-result:
				if !closed {
					t.Error("the server goes along with it")
				}
			case <-time.After(2 * long):
				t.Error("the server neither takes it nor closes the connection")
				conn.Close()
			}
			c.atMost(t, 100+1) // of the attack and of the honest one
		})
	}
}

// TestHTTP2Streams: one connection has at most a hundred requests under way.
func TestHTTP2Streams(t *testing.T) {
	c := new(crowd)
	release := make(chan struct{})
	w := serveTLS(t, c.around(waiting(t, release)), nil)
	conn := w.h2("")
	for i := range 1000 {
		write(conn, frame(h2Headers, h2EndHeaders|h2EndStream, uint32(2*i+1), ask(false, "/wait")))
	}
	w.honest(5)
	close(release)
	conn.Close()
	c.empty(t)
	c.atMost(t, 100+1)
}

// TestHTTP2Slow: a request of HTTP/2 whose body does not come, or whose answer nobody
// takes, does not stay in a handler. The connection may live on.
func TestHTTP2Slow(t *testing.T) {
	tests := []struct {
		name     string
		alter    func(*http.Server)
		settings string
		request  string
	}{
		{
			"a body that does not come", func(s *http.Server) { s.ReadTimeout = soon }, "",
			frame(h2Headers, h2EndHeaders, 1, ask(true, "/open")) + frame(h2Data, 0, 1, "a="),
		},
		{
			"a window of nothing", func(s *http.Server) { s.WriteTimeout = soon }, "\x00\x04\x00\x00\x00\x00",
			frame(h2Headers, h2EndHeaders|h2EndStream, 1, ask(false, "/large")),
		},
		{
			"a window of a byte", func(s *http.Server) { s.WriteTimeout = soon }, "\x00\x04\x00\x00\x00\x01",
			frame(h2Headers, h2EndHeaders|h2EndStream, 1, ask(false, "/large")),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, c := slowSite(t)
			w := serveTLS(t, h, tt.alter)
			for range 20 {
				write(w.h2(tt.settings), tt.request)
			}
			w.honest(5)
			c.served(t, 25)
		})
	}
}
