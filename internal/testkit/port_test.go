package testkit

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

// TestHold: while nobody listens on a port that is held, nobody answers there and nobody
// else can have it.
func TestHold(t *testing.T) {
	ln := hold(t)
	addr := ln.Addr().String()
	for range 2 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		ln.Close()
		if conn, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v, %v, want a refusal", conn, err)
		}
		if other, err := net.Listen("tcp", addr); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%v, %v, want the port to be in use", other, err)
		}
		ln = share(t, addr)
	}
	ln.Close()
}
