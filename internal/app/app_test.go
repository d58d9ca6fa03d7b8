package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"waveadmin/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newApp returns an App that is on this machine alone, with neither the Wave API
// nor a provider behind it, and the address of its listener.
func newApp(t *testing.T, o Options) (*App, string) {
	t.Helper()
	ln, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	address := "http://" + ln.Addr().String()
	o.Listener = ln
	a, err := New(t.Context(), testConfig(t, address), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a, address
}

func testConfig(t *testing.T, publicURL string) config.Config {
	t.Helper()
	cfg := DemoConfig(publicURL, "http://127.0.0.1:1", "http://127.0.0.1:1", t.TempDir())
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestNew_neverNeedsTheNetwork(t *testing.T) {
	a, _ := newApp(t, Options{})
	w := httptest.NewRecorder()
	a.Ops().ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
	if w.Code != http.StatusOK {
		t.Errorf("/healthz: status %d, want 200 with everything else away", w.Code)
	}
}

func TestNew_closesTheDatabaseWhenItFails(t *testing.T) {
	cfg := testConfig(t, "http://127.0.0.1:8080")
	broken := cfg
	broken.Wave.ClientID = ""
	if _, err := New(t.Context(), broken, Options{}); err == nil {
		t.Fatal("built without a client id")
	}
	a, err := New(t.Context(), cfg, Options{}) // the file has a lock
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestApp_readyNeedsTheProvider(t *testing.T) {
	a, _ := newApp(t, Options{})
	if err := a.ready(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "sign-in: ") {
		t.Errorf("ready = %v, want that the provider is away", err)
	}
}

// TestRun_stopsInOrder asks for a stop while a request is being answered.
func TestRun_stopsInOrder(t *testing.T) {
	a, address := newApp(t, Options{})
	arrived, release := make(chan struct{}), make(chan struct{})
	a.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		if r.Context().Err() != nil {
			t.Error("the request was cancelled by the stop")
		}
		io.WriteString(w, "answered")
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()

	answer := make(chan string, 1)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		resp, err := client.Get(address)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-arrived
	stop()
	for !refuses(address) { // the stop has begun
	}
	if err := a.ready(t.Context()); !errors.Is(err, errStopping) {
		t.Errorf("ready = %v while stopping", err)
	}
	close(release)
	if got := <-answer; got != "answered" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
}

// TestRun_givesNotice asks for a stop: while it is announced, requests are still
// served. A listener that breaks ends the wait.
func TestRun_givesNotice(t *testing.T) {
	a, address := newApp(t, Options{Notice: time.Hour})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stop()
	for !a.stopping.Load() {
		runtime.Gosched()
	}

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d while the stop is announced, want 200", resp.StatusCode)
	}
	if err := a.ready(t.Context()); !errors.Is(err, errStopping) {
		t.Errorf("ready = %v while the stop is announced", err)
	}
	a.listener.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run = %v, want why the listener broke", err)
	}
}

func refuses(address string) bool {
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		return true
	}
	conn.Close()
	return false
}

func TestRun_aTakenPortEndsIt(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, name := range []string{"server.listen", "server.ops_listen"} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t, "http://127.0.0.1:8080")
			cfg.Server.Listen, cfg.Server.OpsListen = "127.0.0.1:0", "127.0.0.1:0"
			switch name {
			case "server.listen":
				cfg.Server.Listen = busy.Addr().String()
			default:
				cfg.Server.OpsListen = busy.Addr().String()
			}
			a, err := New(t.Context(), cfg, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), name+": ") || !strings.Contains(err.Error(), "in use by another program") {
				t.Errorf("Run = %v", err)
			}
		})
	}
}

func TestMigrate_countsItsSteps(t *testing.T) {
	cfg := config.Database{URL: config.DatabaseURL("sqlite:" + filepath.Join(t.TempDir(), "w.db"))}
	first, err := Migrate(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Migrate(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if first == 0 || again != 0 {
		t.Errorf("steps = %d, then %d, want some, then none", first, again)
	}
}
