package kill

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"waveadmin/internal/sandbox"
)

// wire passes bytes between the servers and Wave. It can lose the second half of
// a request.
type wire struct {
	ln net.Listener
	to string

	mu   sync.Mutex
	halt chan struct{} // closed once half a write has passed; nil for none
}

func newWire(t testing.TB, to string) *wire {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{ln: ln, to: to}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				wg.Go(func() { w.pass(conn) })
			}
		}
	})
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	return w
}

func (w *wire) addr() string { return w.ln.Addr().String() }

// halve lets only half of the next write pass. The channel closes then; the rest
// of the request gets lost, and its sender waits until it dies.
func (w *wire) halve() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.halt = make(chan struct{})
	return w.halt
}

// takeHalt returns what halve did, if the bytes begin a write.
func (w *wire) takeHalt(request []byte) chan struct{} {
	line, _, _ := strings.Cut(string(request), "\r\n")
	method, path, _ := strings.Cut(line, " ")
	path, _, _ = strings.Cut(path, " ")
	if kind, _ := written(method, path); kind == "" {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	halt := w.halt
	w.halt = nil
	return halt
}

func (w *wire) pass(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer to.Close()
	go func() {
		io.Copy(from, to) // until either end closes
		from.Close()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf) // a request of ours is written at once, and then answered
		if err != nil {
			return
		}
		if halt := w.takeHalt(buf[:n]); halt != nil {
			to.Write(buf[:n/2])
			close(halt)
			io.Copy(io.Discard, from)
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// written returns what kind of change a request asks for, and of which account,
// or nothing if it only reads. The program lists with GET.
func written(method, path string) (kind, account string) {
	rest, ok := strings.CutPrefix(path, sandbox.BasePath+"reseller")
	if !ok {
		return "", ""
	}
	segments := strings.Split(strings.TrimPrefix(rest, "/"), "/")
	switch {
	case method == "POST" && rest == "":
		return sandbox.OpCreate, ""
	case method == "DELETE" && len(segments) == 1:
		return sandbox.OpDelete, segments[0]
	case method == "PUT" && len(segments) == 2:
		return segments[1], segments[0]
	}
	return "", ""
}
