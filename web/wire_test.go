package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// long bounds what a test waits for that ought to come at once, on a machine that
// is busy with others.
const long = 30 * time.Second

// soon is what tests make the limits of a server. An honest client keeps to it on a busy
// machine, too.
const soon = 2 * time.Second

// wire is a server as the product runs it, on a listener of its own.
type wire struct {
	t    *testing.T
	addr string
	tls  *tls.Config // of a client; nil for a server without TLS
}

// serve runs NewServer, changed by alter, until the test ends.
func serve(t *testing.T, h http.Handler, alter func(*http.Server)) *wire {
	t.Helper()
	return serveOn(t, h, alter, nil)
}

// serveTLS is serve over TLS.
func serveTLS(t *testing.T, h http.Handler, alter func(*http.Server)) *wire {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{public}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	w := serveOn(t, h, alter, &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key})
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	w.tls = &tls.Config{RootCAs: roots, ServerName: public}
	return w
}

func serveOn(t *testing.T, h http.Handler, alter func(*http.Server), cert *tls.Certificate) *wire {
	t.Helper()
	srv := NewServer(h, slog.New(slog.DiscardHandler))
	if alter != nil {
		alter(srv)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		if cert == nil {
			done <- srv.Serve(LimitConns(ln, 0))
			return
		}
		srv.TLSConfig.Certificates = []tls.Certificate{*cert}
		done <- srv.ServeTLS(LimitConns(ln, 0), "", "")
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return &wire{t: t, addr: ln.Addr().String()}
}

// dial opens a connection that takes little at a time, so that a peer which does
// not read is noticed by who writes.
func (w *wire) dial() net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// write sends s. A server that has closed the connection is no error here.
func write(conn net.Conn, s string) bool {
	_, err := io.WriteString(conn, s)
	return err == nil
}

// ends reports whether the server closes the connection: all that it still sends is
// read and dropped.
func ends(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(long)) // fails for a closed one, which read tells too
	_, err := io.Copy(io.Discard, conn)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// drip sends a byte of s at a time, again and again, until the connection ends or too
// long has passed.
func drip(conn net.Conn, s string) {
	end := time.Now().Add(long)
	for i := 0; time.Now().Before(end) && write(conn, s[i%len(s):i%len(s)+1]); i++ {
		time.Sleep(20 * time.Millisecond) // what makes the client slow
	}
}

// crowd counts requests that are being answered.
type crowd struct {
	mu        sync.Mutex
	now, peak int
	count     int // that came
}

// around counts those of h.
func (c *crowd) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.now++
		c.count++
		c.peak = max(c.peak, c.now)
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			c.now--
			c.mu.Unlock()
		}()
		h.ServeHTTP(w, r)
	})
}

// empty waits until nobody is being answered any more. More may come while it waits, which
// a sync.WaitGroup does not allow.
func (c *crowd) empty(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(long); ; time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		now := c.now
		c.mu.Unlock()
		if now == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d requests are still being answered", now)
		}
	}
}

// honest asks for a page n times over a connection each and fails unless all are
// answered.
func (w *wire) honest(n int) {
	w.t.Helper()
	client := &http.Client{Timeout: long, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: w.tls, ForceAttemptHTTP2: w.tls != nil,
	}}
	scheme := "http://"
	if w.tls != nil {
		scheme = "https://"
	}
	for range n {
		r, err := http.NewRequestWithContext(w.t.Context(), "GET", scheme+w.addr+"/open", nil)
		if err != nil {
			w.t.Fatal(err)
		}
		r.Host = public
		resp, err := client.Do(r)
		if err != nil {
			w.t.Errorf("someone else was hurt: %v", err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(string(body), "ok") {
			w.t.Errorf("someone else got %d %.20q (%v)", resp.StatusCode, body, err)
		}
	}
}

// served waits until n requests have come and ended.
func (c *crowd) served(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(long); ; time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		got := c.count - c.now
		c.mu.Unlock()
		if got >= n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("only %d of %d requests came and ended", got, n)
		}
	}
}

// atMost fails if more than n were answered at once.
func (c *crowd) atMost(t *testing.T, n int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.peak > n {
		t.Errorf("%d requests were answered at once, want %d at most", c.peak, n)
	}
}
