package testkit

import (
	"net"
	"syscall"
	"testing"
)

// soReusePort is SO_REUSEPORT of Linux, which package syscall has not on all processors.
const soReusePort = 0xf

// hold listens on a free port of loopback that stays taken until the test ends, also
// while nobody listens there: otherwise the tests of another package, which run at the
// same time, may be given it, and answer in place of who has left.
func hold(t testing.TB) net.Listener {
	t.Helper()
	ln := share(t, "127.0.0.1:0")
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(socket) })
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, soReusePort, 1); err != nil {
		t.Fatal(err)
	}
	at := &syscall.SockaddrInet4{Port: ln.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
	if err := syscall.Bind(socket, at); err != nil {
		t.Fatal(err)
	}
	return ln
}

// share listens on a port that hold has taken, or is to take.
func share(t testing.TB, addr string) net.Listener {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if e := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, soReusePort, 1) }); e != nil {
			return e
		}
		return err
	}}
	ln, err := config.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}
