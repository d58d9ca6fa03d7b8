package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// places returns where a group of the palette leads, in its order.
func places(p testkit.Page, group string) []string {
	return p.Find(`[data-palette-group="` + group + `"] a[role="option"]:not([data-rest])`).Map(func(_ int, s *goquery.Selection) string {
		return s.AttrOr("href", "")
	})
}

// TestPalette_ofWhom: what the palette keeps by person, it keeps so on every page that
// has it.
func TestPalette_ofWhom(t *testing.T) {
	c := testkit.Start(t, testkit.Options{Accounts: 3}).SignedIn(t, testkit.Viewer)
	whom := c.Get("/resellers").Find("body").AttrOr("data-user", "")
	lost := c.Get("/no-such-page").Find("body.plain:has(#palette)")
	if got := lost.AttrOr("data-user", ""); lost.Length() != 1 || whom == "" || got != whom {
		t.Errorf("the page of an error is of %q, the table of %q", got, whom)
	}
}

func TestPalette_accounts(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	special := accountOf("zz special")
	special.Email = "zz@example.co.jp"
	special.BillingGroup.Name = "ﾃﾞｰﾀ商事 Ｂｅｔａ"
	add(t, s, c, special)
	for i := range 12 {
		add(t, s, c, accountOf("many-"+strconv.Itoa(i)))
	}

	const one = "/resellers/zz%20special"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"an email in capitals", "ZZ@EXAMPLE", []string{one}},
		{"in full width letters", "ｚｚ＠", []string{one}},
		{"half width kana by full width", "データ", []string{one}},
		{"katakana by hiragana", "でーた", []string{one}},
		{"two words in any order", "beta　でーた", []string{one}},
		{"a company id", "k-zz", []string{one}},
		{"a user id", "zz special", []string{one}},
		{"nothing", "no such account", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := c.Get("/palette?q="+url.QueryEscape(tt.text), htmx)
			wantStatus(t, p, http.StatusOK)
			wantFragment(t, p, []string{htmx})
			if got := places(p, "accounts"); !slices.Equal(got, tt.want) {
				t.Errorf("%q leads to %v, want %v", tt.text, got, tt.want)
			}
			if p.Find("[data-rest]").Length() != 0 || p.Find("[data-note]").AttrOr("data-note", "?") != "" {
				t.Errorf("says more than there is: %s", p.Body)
			}
		})
	}

	p := c.Get("/palette?q=MANY-", htmx)
	if got := places(p, "accounts"); len(got) != 8 {
		t.Errorf("%d of 12 accounts are listed, want 8", len(got))
	}
	wantText(t, p, "[data-rest]", says("palette.all", "count", 12))
	if got := p.Find("[data-rest]").AttrOr("href", ""); got != "/resellers?q=MANY-" {
		t.Errorf("all of them are at %q", got)
	}
	// The script looks again in what came, by the same folded words.
	if got := c.Get("/palette?q=beta", htmx).Find("a").AttrOr("data-search", ""); !strings.Contains(got, "でーた商事 beta") {
		t.Errorf("the search text is %q", got)
	}
}

// TestPalette_places: all flags by the words of both languages, and the screens that
// the role allows.
func TestPalette_places(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	for _, way := range []string{"Accept-Language: en", japanese} {
		p := s.SignedIn(t, testkit.Editor).Get("/palette", htmx, way)
		if got := places(p, "flags"); len(got) != len(wave.Flags) {
			t.Errorf("%s: %d flags, want %d", way, len(got), len(wave.Flags))
		}
		for _, words := range []string{"purchased ris", "購入済みri", "ri_purchased", "reserved instances", "利用れぽーと(たぐ)"} {
			if p.Find(`[data-palette-group="flags"] a[data-search*="`+words+`"]`).Length() == 0 {
				t.Errorf("%s: no flag is found by %q", way, words)
			}
		}
		if p.Find(`[data-palette-group="screens"] a[data-search*="issue account"][data-search*="あかうんとを発行"]`).Length() != 1 {
			t.Errorf("%s: the form for a new account is not found in both languages", way)
		}
	}
	editor, viewer := s.SignedIn(t, testkit.Editor).Get("/palette", htmx), s.SignedIn(t, testkit.Viewer).Get("/palette", htmx)
	for _, url := range []string{views.NewURL, views.ImportURL, views.BulkNewURL, views.PresetNewURL} {
		if !slices.Contains(places(editor, "screens"), url) || slices.Contains(places(viewer, "screens"), url) {
			t.Errorf("%s: not where editors are led, and they alone", url)
		}
	}
	for _, url := range slices.Concat(places(editor, "screens"), places(viewer, "screens")) {
		wantStatus(t, s.SignedIn(t, testkit.Editor).Get(url), http.StatusOK)
	}
	if got := places(viewer, "screens"); !slices.Contains(got, views.ResellersURL) || !slices.Contains(got, "/compare") {
		t.Errorf("a viewer is led to %v", got)
	}
}

// TestPalette_page: on the pages of who may read, and no others; as an address it leads
// to the table.
func TestPalette_page(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	for path, want := range map[string]int{"/resellers": 1, "/changes": 1, "/resellers/nobody": 1, "/no/such/page": 1} {
		if got := c.Get(path).Find("dialog#palette").Length(); got != want {
			t.Errorf("%s has %d palettes, want %d", path, got, want)
		}
	}
	if got := s.Client(t).Get("/auth/signed-out").Find("dialog#palette").Length(); got != 0 {
		t.Error("a stranger gets a palette")
	}
	if p := c.Unredirected().Get("/palette?q=a+b"); p.Status != http.StatusSeeOther || p.Header.Get("Location") != "/resellers?q=a+b" {
		t.Errorf("as a page it is %d to %q", p.Status, p.Header.Get("Location"))
	}
}

// TestPalette_waveAway: the last list is searched, and its age is told; without any
// list screens and flags are there all the same.
func TestPalette_waveAway(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	email := s.Wave.Accounts()[0].Email
	s.WaveLeaves()
	refresh(t, c)
	p := c.Get("/palette?q="+url.QueryEscape(email), htmx)
	wantStatus(t, p, http.StatusOK)
	if len(places(p, "accounts")) != 1 || !strings.Contains(p.Find("[data-note]").AttrOr("data-note", ""), says("fresh.away")) {
		t.Errorf("while Wave is away: %s", p.Body)
	}

	s = testkit.Start(t, testkit.Options{Accounts: 3, Away: true})
	s.IDP.AutoChoose(testkit.Viewer)
	c = s.Client(t)
	wantStatus(t, c.Get("/resellers"), http.StatusServiceUnavailable)
	p = c.Get("/palette?q=a", htmx)
	wantStatus(t, p, http.StatusServiceUnavailable)
	if got := p.Find("[data-note]").AttrOr("data-note", ""); got != says("palette.failed") {
		t.Errorf("without any list it says %q", got)
	}
	p = c.Get("/palette", htmx)
	wantStatus(t, p, http.StatusOK)
	if len(places(p, "flags")) != len(wave.Flags) {
		t.Error("no flags without Wave")
	}
}
