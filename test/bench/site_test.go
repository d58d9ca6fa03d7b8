package bench

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"waveadmin/internal/app"
	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/wave"
)

const publicURL = "http://127.0.0.1:8080" // nobody listens there

// site is the program as serve builds it, with someone signed in. Requests go to
// its handler and over no network.
type site struct {
	wave    *sandbox.Sandbox
	cfg     config.Config
	handler http.Handler
	cookies []*http.Cookie
}

// newSite runs a site in front of a sandbox without latency until b ends. Its
// access log is written and thrown away.
func newSite(b *testing.B, accounts int) *site {
	b.Helper()
	s := &site{wave: sandbox.New(sandbox.Options{Accounts: accounts, ListMethod: sandbox.ListByBoth, BillingGroups: true})}
	api := httptest.NewServer(s.wave)
	b.Cleanup(api.Close)
	provider := httptest.NewUnstartedServer(nil)
	issuer := "http://" + provider.Listener.Addr().String()
	s.cfg = app.DemoConfig(publicURL, api.URL, issuer, b.TempDir())
	s.cfg.Wave.RatePerSecond = 100_000 // pacing is not what is measured
	people := idp.New(idp.Options{
		Issuer: issuer, ClientID: s.cfg.Auth.ClientID, ClientSecret: s.cfg.Auth.ClientSecret.Reveal(),
		RedirectURIs: []string{publicURL + "/auth/callback"},
	})
	people.AutoChoose("misaki") // an editor
	provider.Config.Handler = people
	provider.Start()
	b.Cleanup(provider.Close)

	a, err := app.New(b.Context(), s.cfg, app.Options{Log: slog.New(slog.NewJSONHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { a.Close() })
	s.handler = a.Handler()
	s.signIn(b)
	return s
}

// signIn goes the way of a browser, which ends at the account list.
func (s *site) signIn(b *testing.B) {
	b.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: inProcess{s.handler}}
	res, err := c.Get(publicURL + "/resellers")
	if err != nil {
		b.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Request.URL.Path != "/resellers" {
		b.Fatalf("sign-in ended with %d at %s", res.StatusCode, res.Request.URL)
	}
	s.cookies = jar.Cookies(res.Request.URL)
}

// inProcess sends what is for the site to its handler, all else over the network.
type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if "http://"+r.URL.Host != publicURL {
		return http.DefaultTransport.RoundTrip(r)
	}
	in := r.Clone(context.WithoutCancel(r.Context()))
	in.RequestURI, in.Host = r.URL.RequestURI(), r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, in)
	res := w.Result()
	res.Request = r
	return res, nil
}

// request returns one as a browser of someone signed in sends it. A header is
// "Name: value".
func (s *site) request(method, path string, form url.Values, headers ...string) *http.Request {
	r := httptest.NewRequest(method, publicURL+path, strings.NewReader(form.Encode()))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "ja,en-US;q=0.9,en;q=0.8")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		setHeader(r, h)
	}
	for _, c := range s.cookies {
		r.AddCookie(c)
	}
	return r
}

// setHeader sets a header of the form "Name: value", or none when it is empty.
func setHeader(r *http.Request, header string) {
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
}

// ask returns a function that sends r, which has no body, to h. It fails b if the
// first answer is none that a browser would show.
func ask(b *testing.B, h http.Handler, r *http.Request) func() {
	b.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.Clone(r.Context()))
	if w.Code >= 400 {
		b.Fatalf("%s %s: status %d: %s", r.Method, r.URL, w.Code, w.Body)
	}
	return func() { h.ServeHTTP(&nowhere{header: make(http.Header)}, r.Clone(r.Context())) }
}

// nowhere is a connection whose other end reads as fast as can be.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n *nowhere) WriteHeader(int)             {}

// byEmail returns n accounts in the order of the list.
func (s *site) byEmail(n int) []wave.Reseller {
	all := s.wave.Accounts()
	slices.SortFunc(all, func(a, b wave.Reseller) int { return strings.Compare(a.Email, b.Email) })
	return all[:n]
}
