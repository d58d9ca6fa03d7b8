package handlers_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// rawKey is what a key of the catalogues looks like; leftPlace is a place of a
// sentence that nobody filled in.
var (
	rawKey    = regexp.MustCompile(`\b[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*\b`)
	leftPlace = regexp.MustCompile(`\{[a-z_]+(\||\})`)
	kana      = regexp.MustCompile(`[\x{3040}-\x{30ff}]`)
)

// words are the texts of a page that its catalogue wrote: not those of accounts,
// codes and scripts. Titles and labels of elements are among them.
func words(p testkit.Page) []string {
	doc := p.Selection.Clone()
	doc.Find(`script, style, code, .mono, h1, .who, datalist, .switches, tbody th, tbody td, nav.tabs, .ids, .facts dd`).Remove()
	var out []string
	doc.Find("*").Each(func(_ int, s *goquery.Selection) {
		for _, name := range []string{"aria-label", "title", "placeholder", "alt"} {
			if v := s.AttrOr(name, ""); v != "" && s.Is(":not(label)") {
				out = append(out, v)
			}
		}
	})
	return append(out, shown(doc))
}

// TestLanguages renders every page and refusal in both languages.
func TestLanguages(t *testing.T) {
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 12})
			c := s.SignedIn(t, testkit.Editor)
			add(t, s, c, accountOf("acme"))
			c.Get("/resellers?lang=" + lang)
			pages := map[string]testkit.Page{
				"the table":           c.Get("/resellers?q=a&on=invoice&off=open_api&never_registered=1&changed_days=7&unusual=1"),
				"all accounts":        c.Get("/resellers"),
				"nothing found":       c.Get("/resellers?q=nothing-like-that"),
				"creation":            c.Get("/resellers/new"),
				"an account":          c.Get("/resellers/acme"),
				"details":             c.Get("/resellers/acme/details"),
				"no history":          c.Get("/resellers/acme/history"),
				"password":            c.Get("/resellers/acme/password"),
				"deletion":            c.Get("/resellers/acme/delete"),
				"no such account":     c.Get("/resellers/nobody"),
				"no such page":        c.Get("/no/such/page"),
				"no such method":      c.Get("/resellers/acme/meta"),
				"a refused creation":  c.Post("/resellers", url.Values{"input_type": {"x"}}),
				"a refused password":  c.Post("/resellers/acme/password", url.Values{"input_type": {"Custom"}}),
				"a refused deletion":  c.Post("/resellers/acme/delete", url.Values{}),
				"an unknown flag":     c.Post("/resellers/acme/meta", edit("no-such-flag", false, true)),
				"nothing to save":     c.Post("/resellers/acme/meta", url.Values{}),
				"saved":               c.Post("/resellers/acme/meta", edit("invoice", false, true)),
				"saved, as a part":    c.Post("/resellers/acme/meta", edit("open_api", false, true), htmx),
				"history":             c.Get("/resellers/acme/history"),
				"too large":           c.Post("/resellers/acme/meta", url.Values{"reason": {strings.Repeat("x", 70<<10)}}),
				"from another site":   c.Post("/resellers/acme/meta", url.Values{}, "Sec-Fetch-Site: cross-site"),
				"signed out":          s.Client(t).Get("/auth/signed-out?lang=" + lang),
				"a list as a part":    c.Get("/resellers?q=a", htmx),
				"company search":      c.Get("/billing-groups?company_id=x", htmx),
				"an email in use":     c.Get("/resellers/check?email=acme@example.co.jp", htmx),
				"an account in doubt": doubt(t, s, c),
			}
			s.Wave.Fail(on(sandbox.OpMeta, sandbox.Fault{Status: 400, Body: refusal}))
			pages["refused by Wave"] = c.Post("/resellers/acme/meta", edit("report_filters", false, true))
			for name, p := range pages {
				for _, text := range words(p) {
					if key := rawKey.FindString(text); key != "" && (i18n.Has("en", key) || strings.Contains(key, "_")) {
						t.Errorf("%s shows the key %q", name, key)
					}
					if place := leftPlace.FindString(text); place != "" {
						t.Errorf("%s shows the place %q", name, place)
					}
					if lang == "en" && kana.MatchString(text) {
						t.Errorf("%s in English says %.80q", name, kana.FindString(text)+" in "+text)
					}
				}
				if html := p.Find("html"); html.Length() == 1 && strings.HasPrefix(p.Body, "<!") {
					if got := html.AttrOr("lang", ""); got != lang {
						t.Errorf("%s: lang = %q", name, got)
					}
				}
				if p.Status == http.StatusInternalServerError {
					t.Errorf("%s = 500", name)
				}
			}
			for _, name := range []string{"a refused creation", "a refused password", "a refused deletion", "an unknown flag", "refused by Wave"} {
				want := strings.TrimSuffix(i18n.T(i18n.WithLang(english, lang), "form.error_title", "title", ""), " ")
				if got := pages[name].Find("title").Text(); !strings.HasPrefix(got, want) {
					t.Errorf("the title of %s is %q, want %q in front", name, got, want)
				}
			}
			if lang == "ja" {
				for _, name := range []string{"an account", "the table", "creation", "no such page", "signed out"} {
					if !kana.MatchString(shown(pages[name].Find("main"))) {
						t.Errorf("%s is not in Japanese", name)
					}
				}
			}
		})
	}
}

// doubt is the page of a save whose answer was lost.
func doubt(t *testing.T, s *testkit.Site, c *testkit.Client) testkit.Page {
	t.Helper()
	add(t, s, c, accountOf("doubt"))
	cancel := s.Wave.Fail(on(sandbox.OpMeta, sandbox.Fault{Status: 200, Body: `{"status":"success"}`}))
	defer cancel()
	p := c.Post("/resellers/doubt/meta", edit("invoice", false, true))
	wantStatus(t, p, http.StatusAccepted)
	return p
}

// TestLanguage_choice: the cookie wins over the browser, and the choice keeps the
// address.
func TestLanguage_choice(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	if got := c.Get("/resellers", japanese).Find("html").AttrOr("lang", ""); got != "ja" {
		t.Errorf("a Japanese browser gets %q", got)
	}
	p := c.Get("/resellers?q=a&lang=ja")
	if got := p.Find("html").AttrOr("lang", ""); got != "ja" || p.URL.RequestURI() != "/resellers?q=a" {
		t.Errorf("choosing led to %s in %q", p.URL, got)
	}
	if got := c.Get("/resellers", "Accept-Language: en").Find("html").AttrOr("lang", ""); got != "ja" {
		t.Errorf("the choice is forgotten: %q", got)
	}
	if got := c.Get("/resellers?lang=<script>").Find("html").AttrOr("lang", ""); got != "ja" {
		t.Errorf("an unknown language gives %q", got)
	}
	links := p.Find(`.switches a[hreflang="en"]`)
	if href := links.AttrOr("href", ""); links.Length() != 1 || c.Get(href).Find("html").AttrOr("lang", "") != "en" {
		t.Errorf("%d links to English, %q", links.Length(), href)
	}
}
