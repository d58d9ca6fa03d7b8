package waveapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/waveapi"
)

const (
	clientSecret = `s3cret"<&>/値`
	accessToken  = "eyJhbGciOi.J9-token_1"
)

// A vendor is the other end: token endpoint and API on a network in memory, so
// that time in a synctest bubble passes. The zero vendor issues tokens and answers
// every call with success. Fields are set before start.
type vendor struct {
	api   http.HandlerFunc
	token http.HandlerFunc
	dial  func(n int) error // fails the nth dial, from 1, unless nil
	stale bool              // the first connection takes one request and no byte more

	mu      sync.Mutex
	journal []request // calls of the API, without those for a token
	tokens  int       // calls of the token endpoint
	dials   int
	conns   chan net.Conn
	closed  chan struct{}
}

// A request is what the API saw.
type request struct {
	at     time.Time
	line   string // "PUT /m/ripple/reseller/u-1/meta"
	header http.Header
	length int64
	body   string
}

// start serves v and returns a Client for it. edit may be nil.
func (v *vendor) start(t *testing.T, edit func(*waveapi.Options)) *waveapi.Client {
	t.Helper()
	v.conns, v.closed = make(chan net.Conn), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/ripple/access_token", func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		v.tokens++
		v.mu.Unlock()
		if v.token != nil {
			v.token(w, r)
			return
		}
		io.WriteString(w, tokenAnswer(accessToken, 86400))
	})
	mux.HandleFunc("/m/ripple/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		v.mu.Lock()
		v.journal = append(v.journal, request{time.Now(), r.Method + " " + r.URL.EscapedPath(), r.Header.Clone(), r.ContentLength, string(body)})
		v.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		if v.api != nil {
			v.api(w, r)
			return
		}
		io.WriteString(w, `{"status":"success"}`)
	})
	srv := &http.Server{Handler: mux}
	go srv.Serve(v)
	transport := waveapi.NewTransport()
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		v.mu.Lock()
		v.dials++
		n := v.dials
		v.mu.Unlock()
		if v.dial != nil {
			if err := v.dial(n); err != nil {
				return nil, err
			}
		}
		ours, theirs := net.Pipe()
		v.conns <- theirs
		if v.stale && n == 1 {
			return &onceConn{Conn: ours}, nil
		}
		return ours, nil
	}
	o := waveapi.Options{
		BaseURL: "http://localhost/m/ripple/", TokenURL: "http://localhost/ripple/access_token",
		ClientID: "demo", ClientSecret: clientSecret, Transport: transport,
	}
	if edit != nil {
		edit(&o)
	}
	c, err := waveapi.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		srv.Close()
	})
	return c
}

// A onceConn takes one request, which must fit one write.
type onceConn struct {
	net.Conn
	used bool
}

func (c *onceConn) Write(b []byte) (int, error) {
	if c.used {
		return 0, net.ErrClosed
	}
	c.used = true
	return c.Conn.Write(b)
}

// Accept, Close and Addr make v the listener of its server.
func (v *vendor) Accept() (net.Conn, error) {
	select {
	case c := <-v.conns:
		return c, nil
	case <-v.closed:
		return nil, net.ErrClosed
	}
}

func (v *vendor) Close() error { close(v.closed); return nil }

func (v *vendor) Addr() net.Addr { return &net.TCPAddr{} }

func (v *vendor) seen() []request {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]request(nil), v.journal...)
}

func (v *vendor) fetches() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.tokens
}

func tokenAnswer(access string, life int) string {
	return fmt.Sprintf(`{"id_token":"x","token_type":"Bearer","expires_in":%d,"access_token":%q,"refresh_token":"y"}`, life, access)
}

// answers serves the nth call, from 1, by the nth handler, and by the last one ever
// after.
func answers(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := handlers[min(n, len(handlers)-1)]
		n++
		mu.Unlock()
		h(w, r)
	}
}

func status(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range header {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func success(body string) http.HandlerFunc { return status(200, body) }

// lastToken issues a token and closes the connection, so that the next call dials.
var lastToken = status(200, tokenAnswer(accessToken, 86400), "Connection: close")

// dropped ends the connection after the request was read.
func dropped(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// silent never answers.
func silent(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body) // the server sees the client leave only after that
	<-r.Context().Done()
}

var errRefused = errors.New("connection refused")
