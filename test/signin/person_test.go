package signin

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// person is someone with a browser: it has a cookie jar, follows redirects and
// says what browsers say. Each has an address of their own, since there is a limit
// to how often one address signs in.
type person struct {
	t    *testing.T
	w    *world
	lang string
	addr string
	http *http.Client
	jar  http.CookieJar
}

func (w *world) person(t *testing.T, lang string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.seats++
	addr := fmt.Sprintf("10.%d.%d.1", w.seats/256, w.seats%256)
	return &person{t: t, w: w, lang: lang, addr: addr, http: &http.Client{Jar: jar}, jar: jar}
}

// page is what a person sees.
type page struct {
	*goquery.Document
	status int
	header http.Header
	url    *url.URL
	body   string
}

// open goes to a path here, or to another address.
func (p *person) open(target string) page {
	p.t.Helper()
	return p.do("GET", target, nil)
}

func (p *person) do(method, target string, form url.Values) page {
	p.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = p.w.URL + target
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, target, body)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", p.lang)
	r.Header.Set("X-Forwarded-For", p.addr)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-User", "?1")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := p.http.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(text)))
	if err != nil {
		p.t.Fatal(err)
	}
	return page{doc, resp.StatusCode, resp.Header, resp.Request.URL, string(text)}
}

// signIn goes the whole way and ends on a page that needs a role.
func (p *person) signIn() page {
	p.t.Helper()
	return p.open("/auth/login?return_to=/presets")
}

// stop goes the way up to the callback and returns its address, which it does
// not open: another tab, another browser or someone else may.
func (p *person) stop(login string) (callback string) {
	p.t.Helper()
	p.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path != "/auth/callback" {
			return nil
		}
		callback = r.URL.RequestURI()
		return http.ErrUseLastResponse
	}
	defer func() { p.http.CheckRedirect = nil }()
	p.open(login)
	if callback == "" {
		p.t.Fatal("the provider did not send the browser back")
	}
	return callback
}

// isSignedIn asks for a page without going to the provider.
func (p *person) isSignedIn() bool {
	p.t.Helper()
	p.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { p.http.CheckRedirect = nil }()
	page := p.open("/presets")
	switch {
	case page.status == http.StatusOK:
		return true
	case page.status == http.StatusSeeOther && strings.HasPrefix(page.header.Get("Location"), "/auth/login?"):
		return false
	}
	p.t.Fatalf("a page answers %d to %q", page.status, page.header.Get("Location"))
	return false
}

func (p *person) cookies() map[string]string {
	u, err := url.Parse(p.w.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	all := make(map[string]string)
	for _, c := range p.jar.Cookies(u) {
		all[c.Name] = c.Value
	}
	return all
}

func (p *person) setCookies(all map[string]string) {
	u, err := url.Parse(p.w.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	for name, value := range all {
		p.jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
	}
}
