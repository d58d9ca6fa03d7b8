package web_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// page is one of the main screens, with something on it. Its name is that of its
// pictures.
type page struct {
	name, path string
	at         string   // the link of the menu that is marked
	click      []string // what is clicked once the page is there
}

// pages returns the main screens of a site on which something was done, and that site.
func pages(t *testing.T) (*testkit.Site, []page) {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Accounts: 120})
	c := s.SignedIn(t, testkit.Editor)
	a := account(t, s, map[wave.Key]bool{"invoice": false, "open_api": false})
	here := "/resellers/" + string(a.UserID)
	for i, key := range []wave.Key{"usage_crosstag", "budgetalerts", "ri_utilization", "report_filters", "users_management"} {
		c.Post("/resellers/"+string(s.Wave.Accounts()[i].UserID)+"/meta", flip(s, i, key))
	}
	c.Post(here+"/meta", url.Values{"was.open_api": {"off"}, "is.open_api": {"on"}})
	c.Post(here+"/meta", url.Values{"was.invoice": {"off"}, "is.invoice": {"on"}, "reason": {"契約変更 #1042"}})
	change, _ := c.Get("/changes").Find("tr[data-change]").First().Attr("data-change")
	var followers []wave.UserID
	for _, a := range s.Wave.Accounts()[20:50] {
		followers = append(followers, a.UserID)
	}
	preset := views.PresetURL(newPreset(t, s, "標準プラン", wave.Wanted{"invoice": true, "usage_tag": true, "open_api": false}, followers...).ID)
	newPreset(t, s, "無料トライアル", wave.Wanted{"invoice": false, "dashboard_graph": true}, a.UserID)
	plan := c.Post("/bulk", manyTargets(s)).URL.Path

	other := account(t, s, map[wave.Key]bool{"invoice": false, "sp_purchased": true})
	compare := views.CompareURL(a.UserID, other.UserID)
	stage := []string{box("report_filters"), box("usage_tag"), box("budgetalerts")}

	return s, []page{
		{"overview", "/", views.HomeURL, nil},
		{"resellers", "/resellers?size=25", views.ResellersURL, nil},
		{"matrix", views.MatrixURL + "?size=25", views.MatrixURL, []string{`tbody tr:nth-child(2) td:nth-child(4) input`, `tbody tr:nth-child(3) td:nth-child(4) input`, `tbody tr:nth-child(5) td:nth-child(9) input`}},
		{"account", here, views.ResellersURL, stage},
		{"details", here + "/details", views.ResellersURL, nil},
		{"history", here + "/history", views.ResellersURL, nil},
		{"password", here + "/password", views.ResellersURL, nil},
		{"delete", here + "/delete", views.ResellersURL, nil},
		{"issue", "/resellers/new", views.NewURL, nil},
		{"compare", compare, views.ResellersURL, nil},
		{"flag", views.FlagURL("invoice") + "?size=25", views.MatrixURL, []string{`tr:nth-child(2) .tick`, `tr:nth-child(4) .tick`}},
		{"presets", views.PresetsURL, views.PresetsURL, nil},
		{"preset", preset, views.PresetsURL, nil},
		{"preset-accounts", preset + "/accounts", views.PresetsURL, nil},
		{"preset-versions", preset + "/versions", views.PresetsURL, nil},
		{"bulk-list", "/bulk", views.BulkListURL, nil},
		{"bulk-new", "/bulk/new?user=" + url.QueryEscape(string(a.UserID)), views.BulkListURL, nil},
		{"bulk-preview", plan, views.BulkListURL, nil},
		{"changes", "/changes", views.ChangesURL, nil},
		{"change", "/changes/" + change, views.ChangesURL, nil},
		{"palette", "/resellers?size=25", views.ResellersURL, []string{`[data-palette-open]`}},
	}
}

// flip is the form that flips a flag of an account.
func flip(s *testkit.Site, account int, key wave.Key) url.Values {
	was := s.Wave.Accounts()[account].Meta.On(key)
	form := url.Values{"was." + string(key): {wave.StateOf(was).String()}}
	if !was {
		form.Set("is."+string(key), "on")
	}
	return form
}

// openPage goes to a page, without drafts of an earlier visit, and does what it says.
func openPage(b *testkit.Browser, p page) {
	b.Until(`(localStorage.clear(), true)`)
	b.Open(p.path)
	b.Wait("main h1")
	b.Until(`document.readyState === "complete"`)
	for _, sel := range p.click {
		b.Click(sel)
	}
}

// TestPages_frame: every main screen has one heading, with which its title begins, one mark in
// the menu, and nothing that the policy refuses; the browser fails the test on that. It
// also takes their pictures.
func TestPages_frame(t *testing.T) {
	t.Parallel()
	s, all := pages(t)
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/resellers")
	for _, lang := range i18n.Languages {
		b.Open("/resellers?lang=" + lang)
		for _, p := range all {
			openPage(b, p)
			if n := testkit.Eval[int](b, `document.querySelectorAll("h1").length`); n != 1 {
				t.Errorf("%s in %s has %d headings of the first level", p.name, lang, n)
			}
			heading, title := b.Text("main h1"), testkit.Eval[string](b, `document.title`)
			if heading == "" || !strings.HasPrefix(title, heading+" – ") || !strings.HasSuffix(title, " – waveadmin") {
				t.Errorf("%s in %s is titled %q, its heading is %q", p.name, lang, title, heading)
			}
			if got := testkit.Eval[string](b, `[...document.querySelectorAll("#nav [aria-current]")].map(a => a.getAttribute("href")).join(" ")`); got != p.at {
				t.Errorf("%s in %s is marked in the menu at %q, want %q", p.name, lang, got, p.at)
			}
			if got := testkit.Eval[string](b, levels); got != "" {
				t.Errorf("%s in %s skips a level of headings at %q", p.name, lang, got)
			}
			pictures(b, p, lang)
		}
	}
}

// levels names the first heading of main that is more than one level below the one
// before it.
const levels = `(() => { let last = 0; for (const h of document.querySelectorAll("main :is(h1, h2, h3, h4)")) {
	const level = Number(h.tagName[1]); if (level > last + 1) return h.textContent.trim(); last = level; } return ""; })()`

// TestPages_focus goes through every main screen by Tab, and back: what has the focus is
// in sight, and nothing that sticks or floats covers it, also at a zoom of 400 %.
func TestPages_focus(t *testing.T) {
	t.Parallel()
	s, all := pages(t)
	for _, size := range [][2]int64{{1280, 640}, {390, 844}, {320, 256}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			b := s.NewBrowser(t, "ja")
			b.SignIn(testkit.Editor, "/resellers")
			b.Size(size[0], size[1])
			for _, p := range all {
				openPage(b, p)
				for _, way := range []struct {
					name string
					keys []chromedp.KeyOption
				}{{"forwards", nil}, {"backwards", []chromedp.KeyOption{chromedp.KeyModifiers(8)}}} {
					b.Until(`(window.walked = new Set(), true)`)
					for range 400 {
						b.Press(kb.Tab, way.keys...)
						covered := testkit.Eval[string](b, focusCovered)
						if covered == "end" {
							break
						}
						if covered != "" {
							t.Errorf("%s %s: %s", p.name, way.name, covered)
						}
					}
					if way.keys == nil {
						continue // it began where the last click was
					}
					if n := testkit.Eval[int](b, `walked.size`); n < 5 && !testkit.Eval[bool](b, paletteOpen) {
						t.Errorf("%s: only %d places take the focus", p.name, n)
					}
				}
			}
		})
	}
}

// focusCovered says what is wrong with where the focus is: what covers it, or that it is
// out of sight. It is "end" when all places were visited.
const focusCovered = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return walked.size > 0 ? "end" : "";
	if (walked.has(e)) return "end";
	walked.add(e);
	const name = e.outerHTML.slice(0, 90);
	const r = e.getBoundingClientRect();
	const [left, top] = [Math.max(r.left, 0), Math.max(r.top, 0)];
	const [right, bottom] = [Math.min(r.right, innerWidth), Math.min(r.bottom, innerHeight)];
	if (right - left < Math.min(8, r.width) || bottom - top < Math.min(8, r.height)) return "out of sight: " + name;
	const tall = r.height > innerHeight / 2; // a table that scrolls inside itself: its top is enough
	for (const [x, y] of tall ? [[.5, .1]] : [[.5, .5], [.1, .15], [.9, .15], [.1, .85], [.9, .85]]) {
		const hit = document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y);
		for (let over = e.contains(hit) ? null : hit; over && !over.contains(e); over = over.parentElement) {
			if (/sticky|fixed/.test(getComputedStyle(over).position)) return over.className + " " + over.tagName + " covers " + name;
		}
	}
	return "";
})()`

// TestPages_find: the search of the browser finds what stands last in the long tables,
// as all rows of a page are there, and shows it where nothing covers it.
func TestPages_find(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 200})
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, "/resellers")
	for _, path := range []string{"/resellers?size=200", "/flags/invoice?size=200", "/matrix?size=200"} {
		b.Open(path)
		b.Until(`document.querySelectorAll("[data-user-id]").length >= 200`)
		last := testkit.Eval[string](b, `[...document.querySelectorAll("tr[data-user-id]")].at(-1).querySelector("a").textContent.trim()`)
		b.Until(`(scrollTo(0, 0), true)`)
		if !testkit.Eval[bool](b, fmt.Sprintf(`find(%q)`, last)) {
			t.Errorf("%s: %q is not found", path, last)
		}
		b.Until(`(getSelection().anchorNode.parentElement.scrollIntoView({block: "nearest"}), true)`) // find does so only for the page itself
		b.Until(fmt.Sprintf(`(r => document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2)?.closest("tr")?.querySelector("a").textContent.trim() === %q)(getSelection().getRangeAt(0).getBoundingClientRect())`, last))
	}
}
