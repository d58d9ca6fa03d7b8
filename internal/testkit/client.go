package testkit

import (
	"context"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

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
	return &Client{t: t, site: s, http: &http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: s.transport()}}
}

// transport leads what is for the site to this server of it; nil for the usual one.
func (s *Site) transport() http.RoundTripper {
	if s.own == "" {
		return nil
	}
	site := strings.TrimPrefix(s.URL, "http://")
	return &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == site {
			addr = s.own
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
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
	return c.do("GET", path, "", headers)
}

// Post sends a form and follows redirects. A header is "Name: value".
func (c *Client) Post(path string, form url.Values, headers ...string) Page {
	c.t.Helper()
	return c.do("POST", path, form.Encode(), headers)
}

// PostRaw is Post of a form as it is written, which may be broken.
func (c *Client) PostRaw(path, form string, headers ...string) Page {
	c.t.Helper()
	return c.do("POST", path, form, headers)
}

// Upload posts a form with a file in the field file, as a browser does, and follows
// redirects.
func (c *Client) Upload(path string, form url.Values, name string, file []byte, headers ...string) Page {
	c.t.Helper()
	var body strings.Builder
	w := multipart.NewWriter(&body)
	for field, values := range form {
		for _, value := range values {
			_ = w.WriteField(field, value) // a builder takes it all
		}
	}
	part, _ := w.CreateFormFile("file", name)
	_, _ = part.Write(file)
	_ = w.Close()
	return c.do("POST", path, body.String(), append([]string{"Content-Type: " + w.FormDataContentType()}, headers...))
}

// Cookies returns those that it would send to the site.
func (c *Client) Cookies() []*http.Cookie {
	c.t.Helper()
	at, err := url.Parse(c.site.URL)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.http.Jar.Cookies(at)
}

// Send is Post with any method.
func (c *Client) Send(method, path string, form url.Values, headers ...string) Page {
	c.t.Helper()
	return c.do(method, path, form.Encode(), headers)
}

// Unredirected returns the same client, but one that shows redirects.
func (c *Client) Unredirected() *Client {
	hc := *c.http
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{t: c.t, site: c.site, http: &hc}
}

func (c *Client) do(method, path, form string, headers []string) Page {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.site.URL+path, strings.NewReader(form))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Accept-Language", "en")
	if method == http.MethodPost {
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
