package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/testkit"
)

// ids returns the changes that a table lists, in its order.
func ids(s *goquery.Selection) []string {
	return s.Find(`table[data-testid="history"] tr[data-change]`).Map(func(_ int, row *goquery.Selection) string {
		return row.AttrOr("data-change", "")
	})
}

// document is the answer of a desk.
func (d *desk) document(lang, target string) *goquery.Selection {
	d.t.Helper()
	w, err := d.get(d.List, lang, target)
	if err != nil || w.Code != http.StatusOK {
		d.t.Fatalf("%s: %d (%v)", target, w.Code, err)
	}
	doc, err := goquery.NewDocumentFromReader(w.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return doc.Selection
}

// TestChanges_outside: what nobody did here reads well, with the times between which
// it was done.
func TestChanges_outside(t *testing.T) {
	d := newDesk(t, dbtest.SQLite)
	d.past()
	for lang, want := range map[string][]string{
		"en": {
			"before 2026/11/22 17:06",
			"2026/11/22 17:06 outside this tool c@example.co.jp Account appeared done",
			"between 2026/11/22 16:04 and 2026/11/22 16:35",
			"2026/11/22 16:35 outside this tool since 16:04 b@example.co.jp Account was deleted done",
			"between 2026/11/22 15:33 and 2026/11/22 16:04",
			"2026/11/22 16:04 outside this tool since 15:33 b@example.co.jp Email changed: a@example.co.jp → b@example.co.jp done",
			"between 2026/11/22 15:03 and 2026/11/22 15:33",
			"2026/11/22 15:33 outside this tool since 15:03 a@example.co.jp 1 function API access tokens: off → on done",
		},
		"ja": {
			"2026/11/22 17:06より前",
			"2026/11/22 17:06 このツール以外 c@example.co.jp アカウントが追加されました 完了",
			"2026/11/22 16:04から2026/11/22 16:35の間",
			"2026/11/22 16:35 このツール以外 16:04以降 b@example.co.jp アカウントが削除されました 完了",
			"2026/11/22 15:33から2026/11/22 16:04の間",
			"2026/11/22 16:04 このツール以外 15:33以降 b@example.co.jp メールアドレスの変更：a@example.co.jp → b@example.co.jp 完了",
			"2026/11/22 15:03から2026/11/22 15:33の間",
			"2026/11/22 15:33 このツール以外 15:03以降 a@example.co.jp 機能 1件 APIアクセストークン：オフ → オン 完了",
		},
	} {
		page := d.document(lang, "/changes?by=outside")
		var got []string
		page.Find("tbody tr").Each(func(_ int, row *goquery.Selection) {
			row.Find("td, th, .diff-line").AppendHtml(" ")
			row.Find(".diff-line, .sub").BeforeHtml(" ")
			got = append(got, row.Find(".who").AttrOr("title", ""))
			got = append(got, shown(row))
		})
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant:\n%s", lang, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if page.Find(`a[href*="undo="], a[href*="restore="]`).Length() > 0 {
			t.Error("a viewer is offered what the role does not allow")
		}
	}
}

// TestChanges_days: a day is one of the zone of the settings, and the last one counts.
func TestChanges_days(t *testing.T) {
	d := newDesk(t, dbtest.SQLite)
	d.now = time.Date(2026, 11, 22, 14, 59, 59, 0, time.UTC) // the 22nd ends in a second
	d.many(2)
	d.now = d.now.Add(time.Second)
	d.many(3)
	for query, want := range map[string]int{
		"from=2026-11-22&to=2026-11-22": 2, "from=2026-11-23&to=2026-11-23": 3, "from=2026-11-22": 5, "to=2026-11-22": 2,
		"from=2026-11-24": 0, "to=2026-11-21": 0, "from=2026-11-23&to=2026-11-22": 0,
	} {
		if rows := ids(d.document("ja", "/changes?"+query)); len(rows) != want {
			t.Errorf("%s: %d changes, want %d", query, len(rows), want)
		}
	}
}

// TestChanges_pages walks over changes that were all asked for at the same moment,
// to the end and back, and sees each once.
func TestChanges_pages(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := newDesk(t, e)
		d.many(123)
		walk := func(from, rel string) (seen []string, last string) {
			for target := from; target != ""; {
				page := d.document("en", target)
				rows := ids(page)
				if rel == "prev" {
					slices.Reverse(rows)
				}
				seen, last = append(seen, rows...), target
				target, _ = page.Find(`[data-testid="pager"] a[rel="` + rel + `"]`).Attr("href")
			}
			return seen, last
		}
		down, last := walk("/changes?account=acme", "next")
		if len(down) != 123 || !slices.IsSortedFunc(down, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("%d changes in the order of the pages, want 123, newest first", len(down))
		}
		if !strings.Contains(last, "account=acme") {
			t.Errorf("the filter is lost at %s", last)
		}
		up, first := walk(last, "prev")
		slices.Reverse(up)
		if first != "/changes?account=acme" && !strings.Contains(first, "newer=") || len(up) < 123 || up[0] != down[0] {
			t.Errorf("back at %s with %d changes", first, len(up))
		}
		page := d.document("en", "/changes?newer="+down[10]) // fewer than a page: the first one, whole
		if rows := ids(page); len(rows) != 50 || rows[0] != down[0] || page.Find(`a[rel="prev"]`).Length() > 0 {
			t.Errorf("%d rows, want the first page", len(rows))
		}
	})
}

// TestChanges_filters asks for every filter, by its parameter.
func TestChanges_filters(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c, other := s.SignedIn(t, testkit.Editor), secondEditor(t, s)
	appear(t, s, c, accountOf("acme"))
	appear(t, s, c, accountOf("Beta_1"))
	post := func(c *testkit.Client, path string, form url.Values) {
		t.Helper()
		wantStatus(t, c.Post(path, form), http.StatusOK)
	}
	post(c, "/resellers/acme/meta", edit("invoice", false, true))                        // 0
	post(other, "/resellers/acme/meta", edit("open_api", false, true))                   // 1
	post(other, "/resellers/acme/meta", edit("invoice", false, true))                    // 2: no change
	post(c, "/resellers/Beta_1/password", url.Values{"input_type": {"Auto"}})            // 3
	post(c, "/resellers/Beta_1/delete", url.Values{"confirm": {"Beta_1@example.co.jp"}}) // 4
	all := ids(c.Get("/changes").Selection)
	slices.Reverse(all)
	if len(all) != 7 {
		t.Fatalf("%d changes, want 7", len(all))
	}
	all = append(all[2:], all[:2]...) // 5 and 6: the accounts came from outside
	mark := func(name string) string {
		return c.Get("/changes").Find(`select[name="by"] option:contains("`+name+`")`).AttrOr("value", "none")
	}
	tests := []struct {
		name, query string
		want        []int
	}{
		{"nothing", "", []int{4, 3, 2, 1, 0, 6, 5}},
		{"a part of an email, whatever the case", "q=BETA_1%40", []int{4, 3, 6}},
		{"a part of a user id", "q=cme", []int{2, 1, 0, 5}},
		{"a pattern is only text", "q=%25", nil},
		{"a person", "by=" + mark(secondEditorName), []int{2, 1}},
		{"another", "by=" + mark(editorName), []int{4, 3, 0}},
		{"outside", "by=outside", []int{6, 5}},
		{"a flag", "flag=invoice", []int{2, 0}},
		{"a flag of nobody", "flag=no_such_flag", nil},
		{"a kind", "kind=delete", []int{4}},
		{"an outcome", "outcome=no_change", []int{2}},
		{"an account by its id alone", "account=Beta_1", []int{4, 3, 6}},
		{"the id of an account is not folded", "account=beta_1", nil},
		{"today", "from=2020-01-01&to=2120-01-01", []int{4, 3, 2, 1, 0, 6, 5}},
		{"before all", "to=2020-01-01", nil},
		{"after all", "from=2120-01-01", nil},
		{"several", "q=acme&flag=invoice&kind=meta&outcome=done&by=" + mark(editorName), []int{0}},
		{"bad values are absent", "by=nonsense&kind=none&outcome=maybe&from=yesterday&to=2026-13-40&older=%00&newer=x%27&flag=,&page=2", []int{4, 3, 2, 1, 0, 6, 5}},
		{"a made-up id is a place", "older=00000000-0000-7000-8000-000000000000", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for _, i := range tt.want {
				want = append(want, all[i])
			}
			p := c.Get("/changes?" + tt.query)
			wantStatus(t, p, http.StatusOK)
			if got := ids(p.Selection); !slices.Equal(got, want) {
				t.Errorf("lists %v, want %v", got, want)
			}
			if csv := c.Get("/changes.csv?" + tt.query); strings.Count(csv.Body, "\r\n") != len(want)+1 && tt.name != "a made-up id is a place" {
				t.Errorf("the file has %d lines", strings.Count(csv.Body, "\r\n"))
			}
		})
	}
}

// TestChanges_chips: every active filter is a chip whose link drops just that.
func TestChanges_chips(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	const query = "account=acme&by=outside&flag=invoice&from=2026-11-01&kind=meta&outcome=done&q=a&to=2026-11-30"
	p := c.Get("/changes?newer=01&" + query)
	chips := p.Find("a.chip")
	dropped := []string{"by", "flag", "kind", "outcome", "from", "to", "account"}
	if chips.Length() != len(dropped) {
		t.Fatalf("%d chips, want %d: %s", chips.Length(), len(dropped), shown(chips))
	}
	chips.Each(func(i int, chip *goquery.Selection) {
		want, _ := url.ParseQuery(query)
		want.Del(dropped[i])
		if got := chip.AttrOr("href", ""); got != "/changes?"+want.Encode() || chip.AttrOr("hx-get", "") != got {
			t.Errorf("chip %d leads to %q, want what drops %s", i, got, dropped[i])
		}
	})
	for format, href := range map[string]string{"csv": "/changes.csv?" + query, "jsonl": "/changes.jsonl?" + query} {
		if p.Find(`#export a[href="`+href+`"]`).Length() != 1 {
			t.Errorf("no way to the same as %s", format)
		}
	}

	// The form works without scripts, and with htmx answers with what follows the query.
	form := fields(t, p.Find("#changes-form"))
	form.Set("kind", "")
	r := c.Unredirected().Get("/changes?" + form.Encode())
	if want, _ := url.ParseQuery(query); r.Status != http.StatusSeeOther || r.Header.Get("Location") != "/changes?"+without1(want, "kind") {
		t.Errorf("the form leads to %d %q", r.Status, r.Header.Get("Location"))
	}
	f := c.Get("/changes?"+form.Encode(), htmx)
	wantFragment(t, f, []string{htmx})
	if f.Find("#list").Length() != 1 || f.Find("#filter-fields[hx-swap-oob], #export[hx-swap-oob]").Length() != 2 || !strings.HasPrefix(f.Header.Get("HX-Push-Url"), "/changes?") {
		t.Errorf("the fragment is %s", f.Body[:200])
	}
}

func without1(v url.Values, name string) string {
	v.Del(name)
	return v.Encode()
}

// TestChanges_links: an editor can take back and restore what was done to accounts
// that are there; the row of the account's history is the same.
func TestChanges_links(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	for _, id := range []string{"acme", "gone", "flawed"} {
		appear(t, s, c, accountOf(id))
		wantStatus(t, c.Post("/resellers/"+id+"/meta", edit("invoice", false, true)), http.StatusOK)
	}
	saved := newest(t, c, "acme")
	wantStatus(t, c.Post("/resellers/acme/meta", edit("invoice", false, true)), http.StatusOK) // nothing to do
	s.Wave.RemoveAccount("gone")
	s.Wave.ReplaceRecord("flawed", `{"user_id":"flawed","email":"flawed@example.co.jp","company_id":7,"meta":{"invoice":true}}`)
	refresh(t, c)
	for _, path := range []string{"/changes", "/resellers/acme/history"} {
		p := c.Get(path)
		if undo := p.Find(`a[href*="undo="]`); undo.Length() != 1 || undo.AttrOr("href", "") != "/resellers/acme?undo="+saved {
			t.Errorf("%s: undo leads to %d places, %q", path, undo.Length(), undo.AttrOr("href", ""))
		}
		restore := p.Find(`a[href*="restore="]`) // also to where it began
		if restore.Length() != 2 || restore.First().AttrOr("href", "") != "/resellers/acme?restore="+saved {
			t.Errorf("%s: restore leads to %d places, %q", path, restore.Length(), restore.AttrOr("href", ""))
		}
	}
	for _, id := range []string{"gone", "flawed"} {
		if p := c.Get("/resellers/" + id + "/history"); p.Find(`a[href*="undo="], a[href*="restore="]`).Length() > 0 || len(ids(p.Selection)) < 2 {
			t.Errorf("%s: %s", id, short(p.Find("table")))
		}
	}
}
