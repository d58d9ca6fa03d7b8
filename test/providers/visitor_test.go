package providers

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/testkit"
)

// visitor is a person's browser without scripts, at the site and at the provider.
type visitor struct {
	t    *testing.T
	site *testkit.Site
	p    *provider
	http *http.Client
	// halt, if set, is asked before each request; true shows the redirect to it instead.
	halt func(*url.URL) bool
}

func newVisitor(t *testing.T, site *testkit.Site, p *provider) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, site: site, p: p, http: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	v.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if v.halt != nil && v.halt(r.URL) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return v
}

// page is an answer with its document.
type page struct {
	*goquery.Document
	status   int
	url      *url.URL // after redirects
	location string   // of a redirect that was not followed
}

// at reports whether the page came from a place such as the site's origin.
func (p page) at(place string) bool { return strings.HasPrefix(p.url.String(), place) }

func (p page) says(sentence string) bool {
	return strings.Contains(strings.Join(strings.Fields(p.Text()), " "), sentence)
}

func (v *visitor) open(address string) page {
	v.t.Helper()
	return v.send("GET", address, nil)
}

func (v *visitor) send(method, address string, form url.Values) page {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(v.t.Context(), method, address, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host) // every form here is sent from where it leads
	}
	r.Header.Set("Accept-Language", "en")
	resp, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	doc, err := goquery.NewDocumentFromReader(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return page{doc, resp.StatusCode, resp.Request.URL, resp.Header.Get("Location")}
}

// submit sends a form of the page with these values in its fields.
func (v *visitor) submit(on page, form *goquery.Selection, values ...string) page {
	v.t.Helper()
	if form.Length() != 1 {
		v.t.Fatalf("%d forms at %s: %s", form.Length(), on.url, on.Text())
	}
	to, err := on.url.Parse(form.AttrOr("action", on.url.String()))
	if err != nil {
		v.t.Fatal(err)
	}
	fields := url.Values{}
	form.Find("input[name]").Each(func(_ int, in *goquery.Selection) {
		fields.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	for i := 0; i < len(values); i += 2 {
		if !fields.Has(values[i]) {
			v.t.Fatalf("no field %q in the form at %s", values[i], on.url)
		}
		fields.Set(values[i], values[i+1])
	}
	return v.send("POST", to.String(), fields)
}

// signIn opens a page of the site and goes through the provider, which must ask. It
// returns where that ended.
func (v *visitor) signIn(username, path string) page {
	v.t.Helper()
	asked := v.open(v.site.URL + path)
	if !asked.at(v.p.issuer) {
		v.t.Fatalf("%s leads to %s, want to the provider's form", path, asked.url)
	}
	return v.prove(asked, username)
}

// prove fills the provider's form in as username and consents where that is asked.
func (v *visitor) prove(asked page, username string) page {
	v.t.Helper()
	one, _ := v.p.people.get(username)
	next := v.submit(asked, asked.Find("form"), v.p.user, username, v.p.password, one.Password)
	if v.p.asksConsent {
		next = v.submit(next, next.Find(`form:has([name="approval"][value="approve"])`))
	}
	return next
}

// post sends a form of the site, as its pages do, and does not follow a redirect.
func (v *visitor) post(path string, form url.Values) page {
	v.t.Helper()
	v.halt = func(*url.URL) bool { return true }
	defer func() { v.halt = nil }()
	return v.send("POST", v.site.URL+path, form)
}

// atCallback halts a visitor on the way back to the site.
func atCallback(site *testkit.Site) func(*url.URL) bool {
	return func(to *url.URL) bool { return strings.HasPrefix(to.String(), site.URL+"/auth/callback?") }
}
