package handlers_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/config"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// emails returns what the table of the page lists, in its order.
func emails(p testkit.Page) []string {
	return p.Find(`table[data-testid="resellers"] tr[data-user-id] th a`).Map(func(_ int, s *goquery.Selection) string {
		return s.Text()
	})
}

// TestResellers_filters asks for every filter and compares with what Wave has.
func TestResellers_filters(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 40})
	c := s.SignedIn(t, testkit.Editor)
	special := accountOf("zz-special")
	special.BillingGroup.Name = "ﾃﾞｰﾀ商事 Ｂｅｔａ"
	special.Registered = time.Time{}
	special.Meta = special.Meta.With("invoice", true).With("open_api", true).With("dashboard_graph", false)
	add(t, s, c, special)
	changed := accountOf("zz-changed")
	add(t, s, c, changed)
	if p := c.Post("/resellers/zz-changed/meta", edit("invoice", false, true)); p.Status != http.StatusOK {
		t.Fatalf("save = %d", p.Status)
	}

	all := func(wave.Reseller) bool { return true }
	only := func(id wave.UserID) func(wave.Reseller) bool {
		return func(a wave.Reseller) bool { return a.UserID == id }
	}
	tests := []struct {
		name, query string
		want        func(wave.Reseller) bool
	}{
		{"nothing asked for", "", all},
		{"an email in capitals", "q=ZZ-SPECIAL%40EXAMPLE", only("zz-special")},
		{"in full width letters", "q=" + url.QueryEscape("ｚｚ－ｓｐｅｃｉａｌ"), only("zz-special")},
		{"half width kana by full width", "q=" + url.QueryEscape("データ"), only("zz-special")},
		{"katakana by hiragana", "q=" + url.QueryEscape("でーた"), only("zz-special")},
		{"two words in any order", "q=" + url.QueryEscape("beta　でーた"), only("zz-special")},
		{"a company id", "q=k-zz-special", only("zz-special")},
		{"a billing group id", "q=bg-zz-special", only("zz-special")},
		{"a user id", "q=zz-changed", only("zz-changed")},
		{"a flag on", "on=invoice", func(a wave.Reseller) bool { return a.Meta.On("invoice") }},
		{"a flag off", "off=usage_group", func(a wave.Reseller) bool { return !a.Meta.On("usage_group") }},
		{"several flags", "on=invoice,open_api&off=dashboard_graph", func(a wave.Reseller) bool {
			return a.Meta.On("invoice") && a.Meta.On("open_api") && !a.Meta.On("dashboard_graph")
		}},
		{"a flag that nobody has", "on=no_such_flag", func(wave.Reseller) bool { return false }},
		{"spaces and empty names among the flags", "on=" + url.QueryEscape(" invoice ,,"), func(a wave.Reseller) bool { return a.Meta.On("invoice") }},
		{"never registered", "never_registered=1", func(a wave.Reseller) bool { return a.Registered.IsZero() }},
		{"never registered, as no 1", "never_registered=yes", all},
		{"changed lately", "changed_days=1", only("zz-changed")},
		{"changed in no days", "changed_days=0", all},
		{"unusual", "unusual=1", func(a wave.Reseller) bool { return a.Meta.HasOdd() || len(a.Meta.Unknown()) > 0 }},
		{"everything at once", "q=zz&on=invoice&off=open_api&changed_days=7&sort=-email&size=25&page=1", only("zz-changed")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for _, a := range s.Wave.Accounts() {
				if tt.want(a) {
					want = append(want, a.Email)
				}
			}
			p := c.Get("/resellers?size=100&" + tt.query)
			wantStatus(t, p, http.StatusOK)
			got := emails(p)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("lists %v\nwant  %v", got, want)
			}
			if len(want) == 0 {
				wantText(t, p, "#list", says("list.no_match"))
			}
		})
	}
}

func TestResellers_sorts(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 30})
	c := s.SignedIn(t, testkit.Editor)
	accounts := s.Wave.Accounts()
	byTime := func(of func(wave.Reseller) time.Time) func(a, b wave.Reseller) int {
		return func(a, b wave.Reseller) int { return of(a).Compare(of(b)) }
	}
	tests := []struct {
		key   string
		less  func(a, b wave.Reseller) int
		known func(wave.Reseller) bool // what has no value stands last either way
	}{
		{"email", func(a, b wave.Reseller) int { return cmp.Compare(i18n.Fold(a.Email), i18n.Fold(b.Email)) }, nil},
		{"billing_group", nil, nil},
		{"registered", byTime(func(a wave.Reseller) time.Time { return a.Registered }), func(a wave.Reseller) bool { return !a.Registered.IsZero() }},
		{"updated", byTime(func(a wave.Reseller) time.Time { return a.Updated }), func(a wave.Reseller) bool { return !a.Updated.IsZero() }},
		{"flags_on", func(a, b wave.Reseller) int { return cmp.Compare(a.Meta.CountOn(), b.Meta.CountOn()) }, nil},
		{"changed", nil, nil},
	}
	for _, tt := range tests {
		for _, down := range []bool{false, true} {
			sort, aria, other := tt.key, "ascending", "-"+tt.key
			if down {
				sort, aria, other = other, "descending", tt.key
			}
			t.Run(sort, func(t *testing.T) {
				p := c.Get("/resellers?sort=" + sort)
				heads := p.Find("th[aria-sort]")
				if heads.Length() != 1 || heads.AttrOr("aria-sort", "") != aria {
					t.Errorf("%d heads are sorted, %q, want one, %s", heads.Length(), heads.AttrOr("aria-sort", ""), aria)
				}
				if got := heads.Find("button").AttrOr("value", ""); got != other {
					t.Errorf("the head's button asks for %q, want the other direction", got)
				}
				rows := inOrder(accounts, emails(p))
				if len(rows) != len(accounts) {
					t.Fatalf("%d rows of %d accounts", len(rows), len(accounts))
				}
				if tt.less == nil {
					return
				}
				if tt.known != nil {
					firstUnknown := slices.IndexFunc(rows, func(a wave.Reseller) bool { return !tt.known(a) })
					if firstUnknown >= 0 {
						if slices.ContainsFunc(rows[firstUnknown:], tt.known) {
							t.Error("a row without a value stands before one with a value")
						}
						rows = rows[:firstUnknown]
					}
				}
				if !slices.IsSortedFunc(rows, func(a, b wave.Reseller) int {
					if down {
						a, b = b, a
					}
					return tt.less(a, b)
				}) {
					t.Error("the rows are not in order")
				}
			})
		}
	}
}

// inOrder returns the accounts of the emails.
func inOrder(accounts []wave.Reseller, emails []string) []wave.Reseller {
	var out []wave.Reseller
	for _, email := range emails {
		if i := slices.IndexFunc(accounts, func(a wave.Reseller) bool { return a.Email == email }); i >= 0 {
			out = append(out, accounts[i])
		}
	}
	return out
}

func TestResellers_pages(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 60})
	c := s.SignedIn(t, testkit.Editor)
	tests := []struct {
		query string
		rows  int
		text  string // of the pager
	}{
		{"", 50, "1–50 of 60"},
		{"page=2", 10, "51–60 of 60"},
		{"page=9", 10, "51–60 of 60"},
		{"page=0", 50, "1–50 of 60"},
		{"page=-3", 50, "1–50 of 60"},
		{"page=99999999999999999999", 50, "1–50 of 60"},
		{"page=two", 50, "1–50 of 60"},
		{"size=25&page=3", 10, "51–60 of 60"},
		{"size=100", 60, "1–60 of 60"},
		{"size=200", 60, "1–60 of 60"},
		{"size=7", 50, "1–50 of 60"},
		{"size=-1", 50, "1–50 of 60"},
		{"size=1000000", 50, "1–50 of 60"},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			p := c.Get("/resellers?" + tt.query)
			wantStatus(t, p, http.StatusOK)
			if got := len(emails(p)); got != tt.rows {
				t.Errorf("%d rows, want %d", got, tt.rows)
			}
			wantText(t, p, `nav[data-testid="pager"]`, tt.text)
		})
	}

	seen := make(map[string]bool)
	p := c.Get("/resellers?size=25")
	for pages := 1; ; pages++ {
		for _, email := range emails(p) {
			if seen[email] {
				t.Errorf("%s is on two pages", email)
			}
			seen[email] = true
		}
		next, ok := p.Find(`nav[data-testid="pager"] a[rel="next"]`).Attr("href")
		if !ok {
			if pages != 3 {
				t.Errorf("%d pages, want 3", pages)
			}
			break
		}
		p = c.Get(next)
	}
	if len(seen) != 60 {
		t.Errorf("the pages list %d accounts, want 60", len(seen))
	}
}

// TestResellers_chips: every active filter is a chip whose link drops just that.
func TestResellers_chips(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 10})
	c := s.SignedIn(t, testkit.Viewer)
	p := c.Get("/resellers?q=a&on=invoice,open_api&off=usage_tag&never_registered=1&changed_days=7&unusual=1&page=1&sort=-updated")
	chips := p.Find("a.chip")
	if chips.Length() != 6 {
		t.Fatalf("%d chips, want 6: %s", chips.Length(), shown(chips))
	}
	want := []url.Values{
		{"on": {"open_api"}},
		{"on": {"invoice"}},
		{"off": nil},
		{"never_registered": nil},
		{"changed_days": nil},
		{"unusual": nil},
	}
	chips.Each(func(i int, chip *goquery.Selection) {
		u, err := url.Parse(chip.AttrOr("href", ""))
		if err != nil {
			t.Fatal(err)
		}
		expect := url.Values{
			"q": {"a"}, "on": {"invoice,open_api"}, "off": {"usage_tag"}, "never_registered": {"1"},
			"changed_days": {"7"}, "unusual": {"1"}, "sort": {"-updated"},
		}
		for name, values := range want[i] {
			expect[name] = values
			if values == nil {
				delete(expect, name)
			}
		}
		if got := u.Query().Encode(); got != expect.Encode() {
			t.Errorf("chip %d leads to %q, want %q", i, got, expect.Encode())
		}
	})
	if href := p.Find("#list .empty a").AttrOr("href", ""); href != "/resellers?sort=-updated" {
		t.Errorf("clearing leads to %q", href)
	}
}

// TestResellers_filterForm: the form adds one flag at a time and ends at an
// address that says it all.
func TestResellers_filterForm(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 20})
	c := s.SignedIn(t, testkit.Viewer)
	tests := []struct{ name, query, want string }{
		{"one on", "q=&flag=invoice&flag_state=on&changed_days=", "/resellers?on=invoice"},
		{"one off", "flag=invoice&flag_state=off", "/resellers?off=invoice"},
		{"one more", "on=open_api&flag=invoice&flag_state=on", "/resellers?on=open_api%2Cinvoice"},
		{"the other way", "on=open_api,invoice&flag=invoice&flag_state=off", "/resellers?off=invoice&on=open_api"},
		{"back again", "off=invoice,open_api&flag=invoice&flag_state=on", "/resellers?off=open_api&on=invoice"},
		{"none chosen", "q=x&flag=&flag_state=on", "/resellers?q=x"},
		{"with a head's button", "sort=updated&flag=&flag_state=on&sort=-email", "/resellers?sort=-email"},
		{"a page is left", "page=7&size=25&flag=invoice&flag_state=on", "/resellers?on=invoice&page=7&size=25"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := c.Unredirected().Get("/resellers?" + tt.query)
			if p.Status != http.StatusSeeOther || p.Header.Get("Location") != tt.want {
				t.Errorf("got %d to %q, want 303 to %q", p.Status, p.Header.Get("Location"), tt.want)
			}
			h := c.Get("/resellers?"+tt.query, htmx)
			pushed, _ := url.Parse(h.Header.Get("HX-Push-Url"))
			wanted, _ := url.Parse(tt.want)
			got, want := pushed.Query(), wanted.Query()
			got.Del("page") // which is the last one there is
			want.Del("page")
			if h.Status != http.StatusOK || got.Encode() != want.Encode() {
				t.Errorf("htmx gets %d and pushes %q, want %q", h.Status, pushed, tt.want)
			}
			wantFragment(t, h, []string{htmx})
		})
	}
}

func TestResellers_page(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 12})
	for _, who := range []string{testkit.Editor, testkit.Viewer} {
		c := s.SignedIn(t, who)
		p := c.Get("/resellers?q=a")
		for selector, want := range map[string]int{
			`table[data-testid="resellers"]`:                 1,
			`input[name="q"][value="a"]`:                     1,
			`nav[data-testid="pager"]`:                       1,
			`[data-testid="freshness"] time[datetime]`:       1,
			`#sr-status[aria-live="polite"]`:                 1,
			`#sr-alert[role="alert"]`:                        1,
			`html[lang="en"]`:                                1,
			`main h1`:                                        1,
			`a[href="/resellers/new"]`:                       map[string]int{testkit.Editor: 2, testkit.Viewer: 0}[who],
			`tr[data-user-id]:not([data-user-id=""])`:        len(emails(p)),
			`table[data-testid="resellers"] th[scope="col"]`: 9,
		} {
			if got := p.Find(selector).Length(); got != want {
				t.Errorf("%s: %d of %s, want %d", who, got, selector, want)
			}
		}
		f := c.Get("/resellers?q=a", htmx)
		wantFragment(t, f, []string{htmx})
		if f.Find("h1").Length() != 0 || f.Find("#list").Length() != 1 || f.Find("#freshness[hx-swap-oob]").Length() != 1 {
			t.Errorf("%s: the fragment is no list with a freshness beside it", who)
		}
		if f.Header.Get("HX-Push-Url") != "/resellers?q=a" || !strings.Contains(strings.Join(f.Header.Values("Vary"), ","), "HX-Request") {
			t.Errorf("%s: headers of the fragment: %v", who, f.Header)
		}
	}
}

func TestResellers_empty(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	s.Wave.RemoveAccount(s.Wave.Accounts()[0].UserID)
	c := s.SignedIn(t, testkit.Editor)
	refresh(t, c)
	p := c.Get("/resellers")
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, "#list", says("list.no_accounts"))
	if p.Find(`#list a[href="/resellers/new"]`).Length() != 1 {
		t.Error("no way to the first account")
	}
	if p := s.SignedIn(t, testkit.Viewer).Get("/resellers"); p.Find(`#list a[href="/resellers/new"]`).Length() != 0 {
		t.Error("a viewer is led to the form")
	}
}

// TestResellers_waveAway: without any data the page says so and offers to try
// again, which works as soon as Wave is there.
func TestResellers_waveAway(t *testing.T) {
	later := httptest.NewUnstartedServer(sandbox.New(sandbox.Options{Accounts: 5}))
	t.Cleanup(later.Close)
	s := testkit.Start(t, testkit.Options{Config: func(cfg *config.Config) {
		cfg.Wave.BaseURL = "http://" + later.Listener.Addr().String() + sandbox.BasePath
		cfg.Wave.TokenURL = "http://" + later.Listener.Addr().String() + sandbox.TokenPath
		cfg.Wave.Timeout = 200 * time.Millisecond // nobody accepts
	}})
	s.IDP.AutoChoose(testkit.Editor)
	c := s.Client(t)
	p := c.Get("/resellers")
	wantStatus(t, p, http.StatusServiceUnavailable)
	wantText(t, p, `[role="alert"]`, says("list.failed"))
	wantText(t, p, `[role="alert"]`, says("error.unavailable"))
	if p.Find(`[role="alert"] a[href="/resellers"]`).Length() != 1 {
		t.Error("no way to try again")
	}
	if p := c.Get("/resellers/u-1"); p.Status != http.StatusServiceUnavailable || p.Find(".bar a").Length() == 0 {
		t.Errorf("an account = %d with %d links, want 503 with a way on", p.Status, p.Find(".bar a").Length())
	}

	later.Start()
	refresh(t, c)
	p = c.Get("/resellers")
	wantStatus(t, p, http.StatusOK)
	if got := len(emails(p)); got != 5 {
		t.Errorf("%d rows, want 5", got)
	}
}

// TestResellers_waveLeaves: what was known is still shown, marked.
func TestResellers_waveLeaves(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 5})
	c := s.SignedIn(t, testkit.Viewer)
	s.WaveLeaves()
	refresh(t, c)
	p := c.Get("/resellers")
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, `[data-testid="freshness"]`, says("fresh.away"))
	if got := len(emails(p)); got != 5 {
		t.Errorf("%d rows, want the 5 that were known", got)
	}
	s.WaveReturns(t)
	refresh(t, c)
	if shown(c.Get("/resellers").Find(`[data-testid="freshness"]`)) == "" {
		t.Error("no freshness")
	}
	if got := c.Get("/resellers").Find(`[data-testid="freshness"] .away`).Length(); got != 0 {
		t.Error("still marked after Wave came back")
	}
}
