package handlers_test

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"pgregory.net/rapid"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// mark is in every odd text; no page may show it as an element or an attribute.
const mark = "0ddm4rk"

// oddTexts are what no form expects.
var oddTexts = []string{
	"", " ", "\x00", "a\x00b", "\xff\xfe", "\xc3\x28" + mark, "\r\n", "a\r\nSet-Cookie: x=" + mark,
	"<script>" + mark + "</script>", `"><img src=x onerror=` + mark + `>`, `' onmouseover=` + mark + ` x='`, "</title><" + mark + ">",
	"javascript:" + mark, "{{" + mark + "}}", "${" + mark + "}", "%s%d%n" + mark, "%00", "%zz", "../../etc/passwd", `..\..\` + mark,
	"'; DROP TABLE changes; --", `" OR "1"="1`, "1 UNION SELECT " + mark, "😀👨‍👩‍👧‍👦" + mark, "\u202e" + mark + "\u202c", "مرحبا" + mark,
	"\ufeff" + mark, "\u0000\u0001\u001f\u007f\u0085", "ｱｲｳ゛゜", "e\u0301", strings.Repeat("長", 2000), strings.Repeat("a", 60_000), strings.Repeat("%", 300),
	"-1", "0", "99999999999999999999999", "1e9", "NaN", "null", "true", "[]", "on", ",,,,", "-", "--email", "email,email",
}

// numbersFrom is where the texts begin that are odd only where a number or a list
// is expected.
var numbersFrom = slices.Index(oddTexts, "-1")

// oddSite has an account whose every text is markup.
func oddSite(t *testing.T) (*testkit.Site, *testkit.Client) {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Accounts: 5})
	c := s.SignedIn(t, testkit.Editor)
	a := accountOf("acme")
	a.BillingGroup = wave.BillingGroup{CompanyID: `"><i ` + mark + `>`, ID: "<b " + mark + ">", Name: "<script>" + mark + "</script>"}
	a.Meta = a.Meta.WithRaw(wave.Key(`"><u `+mark+`>`), []byte("true"))
	add(t, s, c, a)
	return s, c
}

// wantSane fails the test when an odd request broke a page.
func wantSane(t interface {
	Helper()
	Errorf(string, ...any)
}, what string, p testkit.Page,
) {
	t.Helper()
	if p.Status == http.StatusInternalServerError || p.Status < 200 {
		t.Errorf("%s = %d", what, p.Status)
	}
	if n := p.Find(mark + ", [" + mark + "], [onerror], [onmouseover], img").Length(); n != 0 {
		t.Errorf("%s: %d elements were made of text", what, n)
	}
	for _, s := range []string{"<script>" + mark, "<" + mark, "onerror=" + mark + ">", "=" + mark + " x='"} {
		if i := strings.Index(p.Body, s); i >= 0 {
			t.Errorf("%s is not escaped: %.80q", what, p.Body[i:])
		}
	}
	if strings.Contains(p.Header.Get("Set-Cookie"), "x="+mark) {
		t.Errorf("%s made a header", what)
	}
	p.Find("a[href], form[action], [hx-get], [hx-post]").Each(func(_ int, s *goquery.Selection) {
		for _, name := range []string{"href", "action", "hx-get", "hx-post"} {
			if v := s.AttrOr(name, ""); strings.HasPrefix(strings.TrimSpace(strings.ToLower(v)), "javascript:") {
				t.Errorf("%s has a link to %.80q", what, html.EscapeString(v))
			}
		}
	})
}

// addresses are all that take a GET, with places for an odd value.
var addresses = []string{
	"/resellers?q=%s&cols=%s&preset=%s&drift=%s", "/resellers?sort=%s&page=%s&size=%s&on=%s&off=%s",
	"/resellers?never_registered=%s&changed_days=%s&unusual=%s", "/resellers?flag=%s&flag_state=%s", "/resellers?%s=1",
	"/palette?q=%s", "/billing-groups?company_id=%s", "/resellers/check?email=%s", "/resellers/acme/history?lang=%s&theme=%s&density=%s",
}

// segments are the same with a place in the path.
var segments = []string{"/resellers/%s", "/resellers/%s/details", "/resellers/%s/history", "/resellers/%s/password", "/changes/%s/state", "/%s"}

func TestOdd_gets(t *testing.T) {
	t.Parallel()
	_, c := oddSite(t)
	for _, path := range []string{"/resellers", "/resellers/acme", "/resellers/acme/details", "/resellers/acme/delete", "/resellers/acme/history", "/resellers/new", "/resellers/import"} {
		p := c.Get(path)
		wantStatus(t, p, http.StatusOK)
		wantSane(t, path, p)
	}
	for i, text := range oddTexts {
		if len(text) > 1500 {
			text = text[:1500] // longer headers are refused before they are read
		}
		for j, address := range addresses {
			way := ways[(i+j)%2]
			what := fmt.Sprintf("%s of %.40q, %s", address, text, way.name)
			p := follow(c, c.Get(strings.ReplaceAll(address, "%s", url.QueryEscape(text)), way.headers...))
			wantSane(t, what, p)
			if p.Status != http.StatusOK {
				t.Errorf("%s = %d, want a page as if it were absent", what, p.Status)
			}
		}
		for j, segment := range segments {
			way := ways[(i+j)%2]
			what := fmt.Sprintf("%s of %.40q, %s", segment, text, way.name)
			wantSane(t, what, c.Get(fmt.Sprintf(segment, url.PathEscape(text)), way.headers...))
		}
	}
}

// TestOdd_queries: a query that is none is a table all the same.
func TestOdd_queries(t *testing.T) {
	_, c := oddSite(t)
	for _, query := range []string{"%", "q=%zz", "q=%", ";;;", "a;b=c", "q=a;sort=email", "&&&", "=", "q", "q=%ff", "page=1&page=2", "q=a&q=b", strings.Repeat("a=b&", 2000)} {
		p := c.Get("/resellers?" + query)
		wantSane(t, query, p)
		if p.Status != http.StatusOK {
			t.Errorf("%.40q = %d", query, p.Status)
		}
	}
}

// oddForms are the forms with each field in turn to be replaced.
var oddForms = map[string]url.Values{
	"/resellers": {
		"email": {"x"}, "company_id": {"k"}, "input_type": {"Custom"}, "password": {"x"}, "notification": {"on"},
		"submit_id": {"12345678"}, "reason": {"r"}, "flag.invoice": {"off", "on"}, "flag.0dd": {"on"},
	},
	"/resellers/acme/meta":     {"was.invoice": {"off"}, "is.invoice": {"on"}, "reason": {"r"}},
	"/resellers/acme/undo":     {"change": {"x"}},
	"/resellers/acme/password": {"input_type": {"Custom"}, "password": {"x"}, "notification": {"x"}, "submit_id": {"12345678"}},
	"/resellers/acme/delete":   {"confirm": {"x"}},
	"/refresh":                 {"return_to": {"/resellers"}},
}

func TestOdd_posts(t *testing.T) {
	t.Parallel()
	s, c := oddSite(t)
	c = c.Unredirected()
	for path, good := range oddForms {
		for name := range good {
			for i, text := range oddTexts[:numbersFrom] {
				form := maps.Clone(good)
				form[name] = []string{text}
				way := ways[i%2]
				p := c.Post(path, form, way.headers...)
				wantSane(t, fmt.Sprintf("%s with %s=%.40q, %s", path, name, text, way.name), p)
			}
		}
	}
	for _, text := range oddTexts[:numbersFrom] {
		for _, way := range ways {
			form := url.Values{"was." + text: {"off"}, "is." + text: {"on"}}
			p := c.Post("/resellers/acme/meta", form, way.headers...)
			wantSane(t, fmt.Sprintf("a flag %.40q, %s", text, way.name), p)
			if _, known := wave.Lookup(wave.Key(text)); p.Status < 400 && !known && text != "" {
				t.Errorf("a flag %.40q = %d, want a refusal", text, p.Status)
			}
		}
	}
	if a, _ := s.Wave.Get("acme"); len(a.Meta.Unknown()) != 1 {
		t.Errorf("the account got new flags: %q", a.Meta.Unknown())
	}
}

// TestOdd_large: 100 KB is too large for any form.
func TestOdd_large(t *testing.T) {
	_, c := oddSite(t)
	for path := range oddForms {
		for _, way := range ways {
			p := c.Post(path, url.Values{"reason": {strings.Repeat("x", 100<<10)}}, way.headers...)
			wantStatus(t, p, http.StatusRequestEntityTooLarge)
			if !strings.Contains(said(p), says("error.too_large")) {
				t.Errorf("%s says %q", path, said(p))
			}
		}
	}
}

// TestOdd_any throws any text at any field.
func TestOdd_any(t *testing.T) {
	t.Parallel()
	_, c := oddSite(t)
	c = c.Unredirected()
	text := rapid.OneOf(rapid.SampledFrom(oddTexts[:numbersFrom]), rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	names := []string{"email", "company_id", "input_type", "password", "submit_id", "reason", "confirm", "was.invoice", "is.invoice", "flag.invoice", "notification"}
	rapid.Check(t, func(t *rapid.T) {
		form := url.Values{}
		for range rapid.IntRange(0, 5).Draw(t, "fields") {
			name := rapid.OneOf(rapid.SampledFrom(names), text).Draw(t, "name")
			form.Add(name, text.Draw(t, "value"))
		}
		path := rapid.SampledFrom([]string{"/resellers", "/resellers/acme/meta", "/resellers/acme/password", "/resellers/acme/delete", "/refresh"}).Draw(t, "path")
		way := rapid.SampledFrom(ways).Draw(t, "way")
		wantSane(t, path, c.Post(path, form, way.headers...))
		wantSane(t, "GET", c.Get("/resellers?"+form.Encode(), way.headers...))
	})
	if p := c.Get("/resellers/acme"); p.Status != http.StatusOK {
		t.Errorf("the account = %d afterwards", p.Status)
	}
}
