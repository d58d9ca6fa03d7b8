package handlers_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// matrixOf returns the accounts and the flags that the matrix of a page shows, each in
// order.
func matrixOf(p testkit.Page) (users, flags []string) {
	users = p.Find(`table[role="grid"][data-testid="matrix"] tbody tr`).Map(func(_ int, s *goquery.Selection) string {
		return s.AttrOr("data-user-id", "")
	})
	flags = p.Find(`[data-testid="matrix"] th[data-flag]`).Map(func(_ int, s *goquery.Selection) string {
		return s.AttrOr("data-flag", "")
	})
	return users, flags
}

// matrixBox returns the box of a flag of an account.
func matrixBox(p testkit.Page, id wave.UserID, key wave.Key) *goquery.Selection {
	return p.Find(fmt.Sprintf(`[data-testid="matrix"] input[type="checkbox"][data-user-id="%s"][data-flag="%s"]`, id, key))
}

func TestMatrix_showsEveryFlagOfEveryAccount(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 30})
	for person, fixed := range map[string]bool{testkit.Editor: false, testkit.Viewer: true} {
		p := s.SignedIn(t, person).Get("/matrix")
		wantStatus(t, p, http.StatusOK)
		users, flags := matrixOf(p)
		if len(users) != 30 || len(flags) < len(wave.Flags) {
			t.Fatalf("%d accounts and %d flags", len(users), len(flags))
		}
		for _, a := range s.Wave.Accounts() {
			if a.Flaw != wave.NoFlaw {
				continue
			}
			for _, f := range wave.Flags {
				b := matrixBox(p, a.UserID, f.Key)
				_, on := b.Attr("checked")
				if b.Length() != 1 || on != a.Meta.On(f.Key) {
					t.Fatalf("%d boxes of %s of %s, on: %v", b.Length(), f.Key, a.UserID, on)
				}
				if name := b.AttrOr("aria-label", ""); name != f.Label.EN+" – "+a.Email {
					t.Errorf("the box is called %q", name)
				}
				if _, is := b.Attr("aria-disabled"); is != fixed {
					t.Errorf("%s: a box is fixed: %v", person, is)
				}
			}
		}
		if bar := p.Find(`[data-testid="save-bar"]`).Length(); (bar == 0) != fixed {
			t.Errorf("%s has %d save bars", person, bar)
		}
		if fixed {
			wantText(t, p, "main", says("account.viewer"))
		}
		if n := p.Find(`[data-testid="matrix"] [hx-get], [data-testid="matrix"] [hx-post], [data-testid="matrix"] [hx-trigger]`).Length(); n > 0 {
			t.Errorf("%d parts of the matrix speak htmx", n)
		}
	}
}

func TestMatrix_state(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 120})
	c := s.SignedIn(t, testkit.Editor)
	all := func(users, flags []string) bool { return len(users) == 50 && len(flags) >= len(wave.Flags) }
	groups := func(p testkit.Page) int { return p.Find(`[data-testid="matrix"] th[scope="colgroup"]`).Length() }
	whole := groups(c.Get("/matrix"))
	for _, tt := range []struct {
		query string
		want  func(users, flags []string) bool
	}{
		{"", all},
		{"size=100", func(users, _ []string) bool { return len(users) == 100 }},
		{"size=200", func(users, _ []string) bool { return len(users) == 100 }}, // the table of accounts has such pages
		{"size=25&page=5", func(users, _ []string) bool { return len(users) == 20 }},
		{"size=7&page=0&sort=colour&hide=,", all},
		{"hide=invoice,open_api", func(_, flags []string) bool {
			return !slices.Contains(flags, "invoice") && !slices.Contains(flags, "open_api") && slices.Contains(flags, "usage_tag")
		}},
		{"q=%40nowhere", func(users, _ []string) bool { return len(users) == 0 }},
		{"on=invoice&size=100", func(users, _ []string) bool {
			return len(users) > 0 && !slices.ContainsFunc(users, func(id string) bool { return state(t, s, wave.UserID(id), "invoice") != wave.On })
		}},
		{"sort=-flag.invoice&size=100", func(users, _ []string) bool {
			return slices.IsSortedFunc(users, func(a, b string) int {
				x, y := state(t, s, wave.UserID(a), "invoice") == wave.On, state(t, s, wave.UserID(b), "invoice") == wave.On
				switch {
				case x == y:
					return 0
				case x:
					return -1
				}
				return 1
			}) && state(t, s, wave.UserID(users[0]), "invoice") == wave.On
		}},
	} {
		p := c.Get("/matrix?" + tt.query)
		wantStatus(t, p, http.StatusOK)
		if users, flags := matrixOf(p); !tt.want(users, flags) {
			t.Errorf("%q shows %d accounts and the flags %v", tt.query, len(users), flags)
		}
	}
	invoices := "hide=invoice,invoice_download_csv_discount,invoice_download_csv_merged"
	if got := groups(c.Get("/matrix?" + invoices)); got != whole-1 {
		t.Errorf("%d groups without one, want %d", got, whole-1)
	}
	p := c.Get("/matrix?size=25&page=2&q=example&off=invoice&hide=open_api&sort=flag.open_api")
	for _, a := range []string{`nav[data-testid="pager"] a[rel="next"]`, `.chip`} {
		href := p.Find(a).AttrOr("href", "")
		if !strings.HasPrefix(href, "/matrix?") || !strings.Contains(href, "hide=open_api") || !strings.Contains(href, "sort=flag.open_api") {
			t.Errorf("%s leads to %q", a, href)
		}
	}
	if sorted := p.Find(`th[aria-sort]`).Length(); sorted != 0 { // its column is hidden
		t.Errorf("%d columns say that they sort", sorted)
	}
	if sort := c.Get("/matrix?sort=-flag.invoice").Find(`th[data-flag="invoice"]`).AttrOr("aria-sort", ""); sort != "descending" {
		t.Errorf("the column says %q", sort)
	}
}

// What the column menu and the form of columns send becomes a state of the address:
// by a redirect without scripts, with them by the address that htmx is told.
func TestMatrix_choices(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 30})
	c := s.SignedIn(t, testkit.Editor)
	var some strings.Builder
	for _, f := range wave.Flags[2:] {
		some.WriteString("&col=" + string(f.Key))
	}
	for query, want := range map[string]string{
		"hide=invoice&hide_one=open_api":                                       "/matrix?hide=invoice%2Copen_api",
		"hide=invoice&hide_one=invoice":                                        "/matrix?hide=invoice",
		"q=a&off=invoice&only_on=invoice":                                      "/matrix?on=invoice&q=a",
		"on=usage_tag,invoice&only_off=invoice":                                "/matrix?off=invoice&on=usage_tag",
		"flag=invoice&flag_state=off":                                          "/matrix?off=invoice",
		"columns=chosen&hide=invoice&size=25&others=x,y&col=y" + some.String(): "/matrix?hide=dashboard_graph%2Creport_filters%2Cx&size=25",
	} {
		if p := c.Unredirected().Get("/matrix?" + query); p.Status != http.StatusSeeOther || p.Header.Get("Location") != want {
			t.Errorf("%s: %d to %q, want %q", query, p.Status, p.Header.Get("Location"), want)
		}
		p := c.Get("/matrix?"+query, htmx)
		wantStatus(t, p, http.StatusOK)
		wantFragment(t, p, []string{htmx})
		if got := p.Header.Get("HX-Push-Url"); got != want {
			t.Errorf("%s under htmx: %q, want %q", query, got, want)
		}
	}
	p := c.Unredirected().Get("/matrix?columns=chosen")
	if got := strings.Count(p.Header.Get("Location"), "%2C") + 1; got != len(wave.Flags) {
		t.Errorf("no column chosen hides %d", got)
	}
	others := c.Get("/matrix").Find(`[data-testid="columns"] [name="others"]`).AttrOr("value", "")
	p = c.Get("/matrix?columns=chosen&others=" + others)
	if users, _ := matrixOf(p); len(users) > 0 {
		t.Error("without columns there are rows")
	}
	wantText(t, p, "#list", says("matrix.no_column"))
}

func TestMatrix_others(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 30})
	c := s.SignedIn(t, testkit.Editor)
	a, b := accountOf("zz-one"), accountOf("zz-two")
	a.Meta = a.Meta.With("zz_new", true)
	b.Flaw = wave.NoFlaw
	add(t, s, c, a)
	add(t, s, c, b)
	p := c.Get("/matrix?q=zz-")
	wantText(t, p, `th[scope="colgroup"]`, says("grid.other"))
	if _, on := matrixBox(p, "zz-one", "zz_new").Attr("checked"); !on {
		t.Error("the unknown flag of the first account is not on")
	}
	if fixed := matrixBox(p, "zz-two", "zz_new").AttrOr("aria-disabled", ""); fixed != "true" {
		t.Error("a flag that the second account lacks can be set")
	}
}

func TestMatrix_withoutData(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	for _, lang := range i18n.Languages {
		p := c.Get("/matrix?on=invoice&off=invoice", "Accept-Language: "+lang)
		wantText(t, p, "#list", i18n.T(i18n.WithLang(t.Context(), lang), "list.no_match"))
		if href := p.Find("#list .empty a").AttrOr("href", ""); href != "/matrix" {
			t.Errorf("the way back is %q", href)
		}
	}
	s.WaveLeaves()
	refresh(t, c)
	p := c.Get("/matrix")
	if users, _ := matrixOf(p); len(users) != 3 {
		t.Errorf("%d accounts without Wave", len(users))
	}
	wantText(t, p, `[data-testid="freshness"]`, says("fresh.away"))

	never := testkit.Start(t, testkit.Options{Accounts: 3, Away: true})
	stranger := never.Client(t)
	never.IDP.AutoChoose(testkit.Editor)
	p = stranger.Get("/matrix")
	wantStatus(t, p, http.StatusServiceUnavailable)
	wantText(t, p, "main", says("list.failed"))
	if href := p.Find("main .empty a").AttrOr("href", ""); href != "/matrix" {
		t.Errorf("Retry leads to %q", href)
	}
}
