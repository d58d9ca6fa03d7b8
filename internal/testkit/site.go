// Package testkit runs the whole site for tests: the program as serve builds it,
// on the sandbox of the Wave API, the sandbox provider and a temporary database,
// all on loopback. It drives it as a browser without scripts (Client) and in a
// real one (Browser).
package testkit

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"waveadmin/internal/app"
	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/preset"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
)

// People of the sandbox provider.
const (
	Editor = "misaki"
	Second = "hana" // another editor
	Viewer = "sam"
	Nobody = "ken" // in no group
)

// Options of a site. The zero Options has 60 accounts and no latency.
type Options struct {
	Accounts int
	Latency  time.Duration
	Rate     int                    // calls a second that Wave allows; 0 for no limit
	Away     bool                   // Wave is, from the start
	Wave     func(*sandbox.Sandbox) // changes what Wave has before the first list is read
	Config   func(*config.Config)   // changes the settings before the start
	Log      *slog.Logger
	Now      func() time.Time // nil for time.Now
}

// Site is a running site with its surroundings.
type Site struct {
	URL    string
	Wave   *sandbox.Sandbox
	IDP    *idp.Provider
	Server *httptest.Server // of the Wave sandbox: Close it and Wave is away

	Presets *preset.Store

	waveAddr string
	handler  http.Handler
	cfg      config.Config
	now      func() time.Time
	own      string // where this server listens when URL is that of another; else empty
}

// Start runs a site until the test ends.
func Start(t testing.TB, o Options) *Site {
	t.Helper()
	if o.Accounts == 0 {
		o.Accounts = 60
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Site{Wave: sandbox.New(sandbox.Options{
		Accounts: o.Accounts, Latency: o.Latency, Rate: o.Rate, ListMethod: sandbox.ListByBoth, BillingGroups: true,
	})}
	if o.Wave != nil {
		o.Wave(s.Wave)
	}
	s.handler = s.Wave
	ln := hold(t)
	s.waveAddr = ln.Addr().String()
	s.waveListens(ln)
	t.Cleanup(func() { s.Server.Close() })

	if o.Away { // before the first list is asked for
		s.WaveLeaves()
	}

	public := listen(t, "127.0.0.1:0")
	s.URL = "http://" + public.Addr().String()
	provider := httptest.NewUnstartedServer(nil)
	issuer := "http://" + provider.Listener.Addr().String()

	cfg := app.DemoConfig(s.URL, s.Server.URL, issuer, "")
	cfg.Database.URL = config.DatabaseURL(dbtest.SQLite.Ready(t))
	cfg.Wave.RatePerSecond = 100
	if o.Config != nil {
		o.Config(&cfg)
	}
	s.IDP = idp.New(idp.Options{
		Issuer: issuer, ClientID: cfg.Auth.ClientID, ClientSecret: cfg.Auth.ClientSecret.Reveal(),
		RedirectURIs: []string{s.URL + "/auth/callback"}, PostLogout: []string{s.URL + "/auth/signed-out"},
		BackChannel: s.URL + "/auth/backchannel-logout", Now: o.Now,
	})
	provider.Config.Handler = s.IDP
	provider.Start()
	t.Cleanup(provider.Close)

	s.cfg, s.now = cfg, o.Now
	s.serve(t, o, public)
	return s
}

// serve runs the program until the test ends.
func (s *Site) serve(t testing.TB, o Options, ln net.Listener) {
	t.Helper()
	a, err := app.New(t.Context(), s.cfg, app.Options{Log: o.Log, Now: o.Now, Listener: ln})
	if err != nil {
		t.Fatal(err)
	}
	s.Presets = a.Presets()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the site stopped with %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// Beside runs another server of the site until the test ends, with the same clock and
// settings and so on the same database, which must be PostgreSQL. Its clients ask for the
// address of the site, and this server answers them.
func (s *Site) Beside(t testing.TB) *Site {
	t.Helper()
	ln := listen(t, "127.0.0.1:0")
	b := *s
	b.own = ln.Addr().String()
	b.serve(t, Options{Log: slog.New(slog.DiscardHandler), Now: s.now}, ln)
	return &b
}

func listen(t testing.TB, addr string) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// WaveLeaves makes the Wave API unreachable: nobody listens there any more.
func (s *Site) WaveLeaves() {
	s.Server.CloseClientConnections()
	s.Server.Close()
}

// WaveReturns starts the Wave API again where it was, with what it knew.
func (s *Site) WaveReturns(t testing.TB) {
	t.Helper()
	s.waveListens(share(t, s.waveAddr))
}

func (s *Site) waveListens(ln net.Listener) {
	s.Server = &httptest.Server{Listener: ln, Config: &http.Server{Handler: s.handler}}
	s.Server.Start()
}
