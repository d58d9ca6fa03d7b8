package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/auth"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// figure is the number at the start of a part of a page.
func figure(t *testing.T, s *goquery.Selection) int {
	t.Helper()
	text, _, _ := strings.Cut(strings.TrimSpace(s.First().Text()), " ")
	n, err := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
	if err != nil {
		t.Fatalf("%q begins with no figure", short(s.First()))
	}
	return n
}

// listed is how many accounts the table at an address has.
func listed(t *testing.T, c *testkit.Client, address string) int {
	t.Helper()
	p := c.Get(address)
	wantStatus(t, p, http.StatusOK)
	if p.Find(".empty").Length() == 1 {
		return 0
	}
	words := strings.Fields(p.Find(`nav[data-testid="pager"] span`).First().Text())
	n, err := strconv.Atoi(words[len(words)-1])
	if err != nil {
		t.Fatalf("%s says %q of its rows", address, words)
	}
	return n
}

// TestOverview_figures: each figure is what Wave has, and the table that it leads to
// has as many accounts.
func TestOverview_figures(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 300})
	c := s.SignedIn(t, testkit.Editor)
	odd := accountOf("odd")
	odd.Meta = odd.Meta.WithRaw("invoice", []byte(`1`)).With("new_flag", true)
	add(t, s, c, odd)
	wantStatus(t, c.Post("/resellers/odd/meta", edit("open_api", false, true)), http.StatusOK)
	accounts := s.Wave.Accounts()
	p := c.Get("/")
	wantStatus(t, p, http.StatusOK)

	tiles := p.Find(`[data-testid="tiles"] dd a`)
	never, unusual := 0, 0
	for _, a := range accounts {
		if a.Registered.IsZero() {
			never++
		}
		if a.Meta.HasOdd() || len(a.Meta.Unknown()) > 0 {
			unusual++
		}
	}
	for i, want := range []int{len(accounts), never, 1, 0, unusual} {
		tile := tiles.Eq(i)
		if got := figure(t, tile); got != want {
			t.Errorf("%s: want %d", tile.AttrOr("aria-label", ""), want)
		}
		if address := tile.AttrOr("href", ""); !strings.Contains(address, "drift") && listed(t, c, address) != want {
			t.Errorf("%s leads to %d accounts at %s", tile.AttrOr("aria-label", ""), listed(t, c, address), address)
		}
	}
	keys := []wave.Key{"carbon_report", "new_flag"} // those of the seed, and ours
	for _, f := range wave.Flags {
		keys = append(keys, f.Key)
	}
	adoption := p.Find(`[data-testid="adoption"]`)
	if got := adoption.Find("tbody tr").Length(); got != len(keys) {
		t.Errorf("%d functions, want %d", got, len(keys))
	}
	for _, key := range keys {
		on := 0
		for _, a := range accounts {
			if a.Meta.On(key) {
				on++
			}
		}
		share := adoption.Find(fmt.Sprintf(`a[href="/resellers?on=%s"]`, key))
		if share.Length() != 1 || figure(t, share.Find(".num")) != on || share.Find("rect").AttrOr("width", "") != strconv.Itoa(on) {
			t.Errorf("%s: %s, want %d", key, short(share), on)
		}
		if adoption.Find(fmt.Sprintf(`a[href="/flags/%s"]`, key)).Length() != 1 {
			t.Errorf("%s: no way to its page", key)
		}
	}
	if got := listed(t, c, "/resellers?on=invoice"); got != figure(t, adoption.Find(`a[href="/resellers?on=invoice"] .num`)) {
		t.Errorf("the table has %d accounts with invoices on", got)
	}
}

// TestOverview_growth: the table beside the picture sums the registrations up, in the
// zone of the reader.
func TestOverview_growth(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 120})
	c := s.SignedIn(t, testkit.Viewer)
	edge := accountOf("edge")
	edge.Registered = time.Date(2020, 12, 31, 15, 0, 0, 0, time.UTC) // New Year in Tokyo
	add(t, s, c, edge)
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	years := make(map[int]int)
	total := 0
	for _, a := range s.Wave.Accounts() {
		if !a.Registered.IsZero() {
			years[a.Registered.In(tokyo).Year()]++
			total++
		}
	}
	p := c.Get("/")
	rows := p.Find(".figures tbody tr")
	if got := figure(t, rows.First().Find("td").Last()); got != total {
		t.Errorf("in all %d, want %d", got, total)
	}
	rows.Each(func(_ int, row *goquery.Selection) {
		year, _ := strconv.Atoi(row.Find("th").Text())
		if got := figure(t, row.Find("td").First()); got != years[year] {
			t.Errorf("%d: %d, want %d", year, got, years[year])
		}
	})
	if got := p.Find(`[data-testid="growth"]`).AttrOr("aria-label", ""); !strings.Contains(got, strconv.Itoa(total)) {
		t.Errorf("the picture is called %q", got)
	}
}

// recent returns the ids of the changes on the overview.
func recent(p testkit.Page) []string {
	return p.Find(`[data-testid="recent"] li[data-change]`).Map(func(_ int, li *goquery.Selection) string {
		return li.AttrOr("data-change", "")
	})
}

// TestOverview_recent: the last changes as the page of all changes has them, and
// what needs someone to look.
func TestOverview_recent(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	attention := func(p testkit.Page) string { return shown(p.Find(`[data-testid="attention"]`)) }
	if got := attention(c.Get("/")); !strings.Contains(got, says("overview.nothing")) {
		t.Errorf("with nothing done it says %q", got)
	}
	for i := range 10 {
		wantStatus(t, c.Post("/resellers/acme/meta", edit("invoice", i%2 == 1, i%2 == 0)), http.StatusOK)
	}
	undo := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Status: 400, Times: 1})
	c.Post("/resellers/acme/meta", edit("open_api", false, true))
	undo()
	p := c.Get("/")
	want := ids(c.Get("/changes").Selection)[:8]
	if got := recent(p); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("changes %v\nwant    %v", got, want)
	}
	first := p.Find(`[data-testid="recent"] li`).First()
	for _, part := range []string{editorName, "acme@example.co.jp", says("outcome.failed")} {
		if !strings.Contains(shown(first), part) {
			t.Errorf("the newest says %q, want %q in it", shown(first), part)
		}
	}
	if got, want := attention(p), says("overview.failed", "count", 1); !strings.Contains(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}

	lost := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, When: sandbox.After, Reset: true})
	unread := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Times: 1000, Status: 503})
	defer func() { lost(); unread() }()
	c.Post("/resellers/acme/meta", edit("open_api", false, true))
	p = c.Get("/")
	link := p.Find(`[data-testid="attention"] a[href="/changes?outcome=in_doubt"]`)
	if got, want := shown(link), says("overview.in_doubt", "count", 1); got != want {
		t.Errorf("of the change in doubt it says %q, want %q", got, want)
	}
	if n := c.Get(link.AttrOr("href", "")).Find("tr[data-change]").Length(); n != 1 {
		t.Errorf("which leads to %d changes", n)
	}
}

// TestOverview_withoutData: no accounts, and Wave away with an old list and with
// none. Each says what is so, and what is on record here stays.
func TestOverview_withoutData(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	only := s.Wave.Accounts()[0]
	wantStatus(t, c.Post("/resellers/"+string(only.UserID)+"/delete", url.Values{"confirm": {only.Email}}), http.StatusOK)
	p := c.Get("/")
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, ".empty", says("list.no_accounts"))
	if len(recent(p)) == 0 {
		t.Error("the deletion is not among the changes")
	}

	add(t, s, c, accountOf("acme"))
	s.WaveLeaves()
	c.Post("/refresh", url.Values{})
	p = c.Get("/", japanese)
	wantStatus(t, p, http.StatusOK)
	ja := i18n.WithLang(t.Context(), "ja")
	wantText(t, p, `[data-testid="wave-state"]`, i18n.T(ja, "overview.wave_unavailable"))
	wantText(t, p, `[data-testid="tiles"]`, "1")

	s = testkit.Start(t, testkit.Options{Accounts: 3, Away: true})
	s.IDP.AutoChoose(testkit.Viewer)
	p = s.Client(t).Get("/")
	wantStatus(t, p, http.StatusServiceUnavailable)
	wantText(t, p, ".empty", says("list.failed"))
	wantText(t, p, `[data-testid="wave-state"]`, says("overview.wave_unavailable"))
	wantText(t, p, `[data-testid="recent"]`, says("history.none"))
	if p.Find(`[data-testid="tiles"]`).Length() != 0 {
		t.Error("figures of nothing")
	}
}

// TestHome: signing in leads to the overview, or to where one wanted to go.
func TestHome(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	for asked, want := range map[string]string{"/": "/", "/auth/login": "/", "/changes?q=a": "/changes?q=a"} {
		s.IDP.AutoChoose(testkit.Viewer)
		p := s.Client(t).Get(asked)
		if p.URL.RequestURI() != want {
			t.Errorf("%s leads to %s, want %s", asked, p.URL.RequestURI(), want)
		}
	}
}

// TestOverview_drift: of each preset how many of its accounts differ; without any
// assignment the way to the presets.
func TestOverview_drift(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	p := c.Get("/")
	wantText(t, p, `[data-testid="drift"]`, says("overview.drift_none"))
	if p.Find(`[data-testid="drift"] a[href="/presets"]`).Length() != 1 {
		t.Error("no way to the presets")
	}
	by := auth.Actor{Issuer: "test", Subject: "someone", Name: "Someone", Role: auth.Editor}
	made, err := s.Presets.Save(t.Context(), by, preset.Edit{Content: preset.Content{Name: "スタンダード", Flags: wave.Wanted{"open_api": true, "invoice": false}}})
	if err != nil {
		t.Fatal(err)
	}
	id := made[0].ID
	for name, on := range map[string][]wave.Key{"keeps": {"open_api"}, "lacks": nil, "adds": {"open_api", "invoice"}, "plain": nil, "free": {"invoice"}} {
		a := accountOf(name)
		a.Meta = a.Meta.With("open_api", false).With("invoice", false)
		for _, key := range on {
			a.Meta = a.Meta.With(key, true)
		}
		if err := s.Wave.AddAccount(a); err != nil {
			t.Fatal(err)
		}
	}
	refresh(t, c)
	for presetID, accounts := range map[string][]wave.UserID{id: {"keeps", "lacks", "adds", "gone"}, preset.Defaults: {"plain"}} {
		if _, err := s.Presets.Assign(t.Context(), by, presetID, accounts); err != nil {
			t.Fatal(err)
		}
	}
	p = c.Get("/")
	rows := p.Find(`[data-testid="drift"] tbody tr`)
	got := rows.Map(func(_ int, row *goquery.Selection) string {
		link := row.Find("td a")
		return shown(row.Find("th")) + " " + shown(link.Find(".num")) + " " + link.AttrOr("href", "")
	})
	want := []string{
		says("preset.defaults") + " 0 / 1 /resellers?drift=1&preset=defaults",
		"スタンダード 2 / 3 /resellers?drift=1&preset=" + id,
	}
	if !slices.Equal(got, want) {
		t.Errorf("presets %q\nwant    %q", got, want)
	}
	if tile := p.Find(`[data-testid="tiles"] a[href="/resellers?drift=1"]`); figure(t, tile) != 2 {
		t.Errorf("%s, want 2", tile.AttrOr("aria-label", ""))
	}
	wantStatus(t, c.Post("/resellers/lacks/meta", edit("open_api", false, true)), http.StatusOK)
	if tile := c.Get("/").Find(`[data-testid="tiles"] a[href="/resellers?drift=1"]`); figure(t, tile) != 1 {
		t.Errorf("after one was mended: %s", tile.AttrOr("aria-label", ""))
	}
}
