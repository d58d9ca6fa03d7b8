package web

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestLimitConns: what is too many is closed at once, who was first is served on, and
// a place that is left can be taken.
func TestLimitConns(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limited := limitConns(ln, 5, 3)
	t.Cleanup(func() { limited.Close() })
	go func() {
		for {
			conn, err := limited.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn) // an echo, until the client leaves
				conn.Close()
				conn.Close() // gives back one place, not two
			}()
		}
	}()
	dial := func(from string) net.Conn {
		t.Helper()
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		conn, err := dialer.Dial("tcp", ln.Addr().String())
		if errors.Is(err, syscall.ECONNRESET) {
			return nil // closed before it was open on this side
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	served := func(conn net.Conn) bool {
		t.Helper()
		if conn == nil {
			return false
		}
		if err := conn.SetDeadline(time.Now().Add(long)); err != nil {
			t.Fatal(err)
		}
		if !write(conn, "a") {
			return false
		}
		_, err := conn.Read(make([]byte, 1))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("neither served nor closed")
		}
		return err == nil
	}
	first := dial("127.0.0.1")
	for _, step := range []struct {
		from string
		want bool
	}{
		{"127.0.0.1", true},
		{"127.0.0.1", true},
		{"127.0.0.1", false}, // the fourth of one address
		{"127.0.0.2", true},
		{"127.0.0.3", true},
		{"127.0.0.4", false}, // the sixth of all
	} {
		if !served(first) {
			t.Fatal("the first is not served any more")
		}
		if got := served(dial(step.from)); got != step.want {
			t.Errorf("from %s: served = %v, want %v", step.from, got, step.want)
		}
	}
	first.Close()
	for deadline := time.Now().Add(long); !served(dial("127.0.0.1")); {
		if time.Now().After(deadline) {
			t.Fatal("the place that was left is not given to another")
		}
	}
	if served(dial("127.0.0.1")) {
		t.Error("one that left gave back two places")
	}
}

func TestLimitConns_behindProxies(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, tt := range []struct{ proxies, want int }{{0, maxConnsOfOne}, {1, maxConns}, {3, maxConns}} {
		if l := LimitConns(ln, tt.proxies).(*limitedListener); l.one != tt.want || l.all != maxConns {
			t.Errorf("%d proxies: %d of one address, %d of all; want %d, %d", tt.proxies, l.one, l.all, tt.want, maxConns)
		}
	}
}
