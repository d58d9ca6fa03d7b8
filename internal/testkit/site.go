// Package testkit runs the whole site for tests: the program as serve builds it,
// on the sandbox of the Wave API, the sandbox provider and a temporary database,
// all on loopback. It drives it as a browser without scripts (Client) and in a
// real one (Browser).
package testkit

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/app"
	"waveadmin/internal/config"
	"waveadmin/internal/preset"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
)

// People of the sandbox provider.
const (
	Editor = "misaki"
	Viewer = "sam"
	Nobody = "ken" // in no group
)

// Options of a site. The zero Options has 60 accounts and no latency.
type Options struct {
	Accounts int
	Latency  time.Duration
	Rate     int                  // calls a second that Wave allows; 0 for no limit
	Away     bool                 // Wave is, from the start
	Config   func(*config.Config) // changes the settings before the start
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
	s.handler = s.Wave
	s.Server = httptest.NewServer(s.handler)
	t.Cleanup(func() { s.Server.Close() })
	s.waveAddr = s.Server.Listener.Addr().String()

	if o.Away { // before the first list is asked for
		s.WaveLeaves()
	}

	public := listen(t, "127.0.0.1:0")
	s.URL = "http://" + public.Addr().String()
	provider := httptest.NewUnstartedServer(nil)
	issuer := "http://" + provider.Listener.Addr().String()

	cfg := app.DemoConfig(s.URL, s.Server.URL, issuer, t.TempDir())
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

	a, err := app.New(t.Context(), cfg, app.Options{Log: o.Log, Now: o.Now, Listener: public})
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
	return s
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
	s.Server = httptest.NewUnstartedServer(s.handler)
	s.Server.Listener.Close()
	s.Server.Listener = listen(t, s.waveAddr)
	s.Server.Start()
}

// Client is a browser without scripts: it keeps cookies and says, as browsers
// do, that its requests come from our own pages.
type Client struct {
	t    testing.TB
	site *Site
	http *http.Client
}

// Client returns a client that nobody has signed in with.
func (s *Site) Client(t testing.TB) *Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{t: t, site: s, http: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// SignedIn returns a client with which person has signed in through the provider.
func (s *Site) SignedIn(t testing.TB, person string) *Client {
	t.Helper()
	c := s.Client(t)
	s.IDP.AutoChoose(person)
	defer s.IDP.AutoChoose("")
	if page := c.Get("/resellers"); page.Status != http.StatusOK {
		t.Fatalf("sign-in of %s ended with %d at %s: %s", person, page.Status, page.URL, page.Text())
	}
	return c
}

// Page is an answer with its document.
type Page struct {
	*goquery.Document
	Status int
	Header http.Header
	URL    *url.URL // after redirects
	Body   string
}

// Get asks for a path and follows redirects.
func (c *Client) Get(path string, headers ...string) Page {
	c.t.Helper()
	return c.do("GET", path, nil, headers)
}

// Post sends a form and follows redirects. A header is "Name: value".
func (c *Client) Post(path string, form url.Values, headers ...string) Page {
	c.t.Helper()
	return c.do("POST", path, form, headers)
}

// Unredirected returns the same client, but one that shows redirects.
func (c *Client) Unredirected() *Client {
	hc := *c.http
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{t: c.t, site: c.site, http: &hc}
}

func (c *Client) do(method, path string, form url.Values, headers []string) Page {
	c.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.site.URL+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Accept-Language", "en")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(b)))
	if err != nil {
		c.t.Fatal(err)
	}
	return Page{doc, res.StatusCode, res.Header, res.Request.URL, string(b)}
}
