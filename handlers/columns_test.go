package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/auth"
	"waveadmin/internal/preset"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// heads are the columns of the table as it calls them.
func heads(p testkit.Page) string {
	names := p.Find(`table[data-testid="resellers"] th[scope="col"] button`).Map(func(_ int, s *goquery.Selection) string {
		return strings.TrimSpace(s.Text())
	})
	return strings.Join(names, ", ")
}

func TestResellers_columns(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	const usual = "Email, Billing group, Company ID, Registered, Updated, Functions on, Preset, Last change"
	for _, tt := range []struct{ query, want string }{
		{"", usual},
		{"cols=email,password_updated,company_id", "Email, Company ID, Password changed"},
		{"cols=email", "Email"},
		{"cols=colour,,", usual},
		{"cols=email&cols=preset&cols=changed", "Email, Preset, Last change"},
		{"cols=billing_group,company_id,registered,updated,password_updated,flags_on,preset,changed", "Email, Billing group, Company ID, Registered, Updated, Password changed, Functions on, Preset, Last change"},
	} {
		p := c.Get("/resellers?" + tt.query)
		if got := heads(p); got != tt.want {
			t.Errorf("%s shows %q, want %q", tt.query, got, tt.want)
		}
		if cells, want := p.Find("tbody tr").First().Children().Length(), strings.Count(tt.want, ",")+3; cells != want {
			t.Errorf("%s: a row has %d cells, want %d", tt.query, cells, want)
		}
		if tt.want != usual && p.Find("td.wide, th.wide").Length() > 0 {
			t.Errorf("%s: a column that was chosen is hidden in a narrow window", tt.query)
		}
	}

	form := fields(t, c.Get("/resellers?cols=email,changed&sort=-updated").Find("#list-form"))
	form.Add("cols", "company_id")
	p := c.Unredirected().Get("/resellers?sort=-updated&" + form.Encode())
	if got, want := p.Header.Get("Location"), "/resellers?cols=email%2Ccompany_id%2Cchanged&sort=-updated"; got != want {
		t.Errorf("the chooser leads to %q, want %q", got, want)
	}
	for _, link := range []string{`a[rel="next"]`, `#export`, `.chip`} {
		p := c.Get("/resellers?cols=email,changed&size=25&on=invoice")
		if href, ok := p.Find(link).Attr("href"); ok && !strings.Contains(href, "cols=email%2Cchanged") {
			t.Errorf("%s forgets the columns: %s", link, href)
		}
	}
}

// gold is a preset that some accounts follow.
func gold(t *testing.T, s *testkit.Site, accounts ...wave.UserID) string {
	t.Helper()
	by := auth.Actor{Issuer: "idp", Subject: "1", Name: "田中", Role: auth.Editor}
	made, err := s.Presets.Save(t.Context(), by, preset.Edit{Content: preset.Content{Name: "Gold & <b>", Flags: wave.Wanted{"invoice": true, "open_api": true}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Presets.Assign(t.Context(), by, made[0].ID, accounts); err != nil {
		t.Fatal(err)
	}
	return made[0].ID
}

func TestResellers_presets(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 5})
	c := s.SignedIn(t, testkit.Editor)
	all := s.Wave.Accounts()
	follows, differs := accountOf("follows"), accountOf("differs")
	follows.Meta = follows.Meta.With("invoice", true).With("open_api", true)
	differs.Meta = differs.Meta.With("invoice", false).With("open_api", false)
	add(t, s, c, follows)
	add(t, s, c, differs)
	id := gold(t, s, "follows", "differs")
	var others []string
	for _, a := range all {
		others = append(others, a.Email)
	}
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"preset=" + id, []string{differs.Email, follows.Email}},
		{"preset=" + id + "&drift=1", []string{differs.Email}},
		{"drift=1", []string{differs.Email}},
		{"preset=none", others},
		{"preset=no-such", nil},
		{"preset=defaults", nil},
		{"drift=yes&preset=" + id, []string{differs.Email, follows.Email}},
	} {
		got := emails(c.Get("/resellers?" + tt.query))
		slices.Sort(got)
		slices.Sort(tt.want)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s lists %v, want %v", tt.query, got, tt.want)
		}
	}
	if got := emails(c.Get("/resellers?sort=-drift"))[:2]; !slices.Equal(got, []string{differs.Email, follows.Email}) {
		t.Errorf("by drift: %v", got)
	}
	p := c.Get("/resellers?drift=1&preset=" + id)
	wantText(t, p, `tr[data-user-id="differs"] .preset`, "Gold & <b>")
	wantText(t, p, `tr[data-user-id="differs"] .preset .tag`, says("list.drift", "count", 2))
	chips := p.Find("a.chip")
	if got := shown(chips); got != says("filter.preset_is", "name", "Gold & <b>")+" "+says("filter.drift") && chips.Length() != 2 {
		t.Errorf("the chips say %q", got)
	}
	for i, want := range []string{"/resellers?drift=1", "/resellers?preset=" + id} {
		if got := chips.Eq(i).AttrOr("href", ""); got != want {
			t.Errorf("chip %d leads to %q, want %q", i, got, want)
		}
	}
	if v := fields(t, p.Find("#list-form")); v.Get("preset") != id || v.Get("drift") != "1" {
		t.Errorf("the filter's form forgets: %v", v)
	}
}

// What a filter names and there is no more is said; the table opens all the same.
func TestResellers_gone(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 5})
	c := s.SignedIn(t, testkit.Viewer)
	p := c.Get("/resellers?preset=0192-gone&on=old_flag,invoice&off=older_flag")
	wantStatus(t, p, http.StatusOK)
	for _, want := range []string{
		says("list.gone_preset", "name", "0192-gone"), says("list.gone_flag", "key", "old_flag"), says("list.gone_flag", "key", "older_flag"),
	} {
		wantText(t, p, "#list", want)
	}
	if n := p.Find("#list .notice-line").Length(); n != 3 {
		t.Errorf("%d notices, want 3", n)
	}
	if n := p.Find("a.chip").Length(); n != 4 {
		t.Errorf("%d chips to take them away, want 4", n)
	}
	if v := fields(t, p.Find("#list-form")); v.Get("preset") != "0192-gone" {
		t.Error("the form drops the preset that is gone without a word")
	}
	if n := c.Get("/resellers?on=invoice&preset=none").Find("#list .notice-line").Length(); n > 0 {
		t.Error("something is said to be gone that is not")
	}
}

func TestResellers_selection(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 60})
	flawed := accountOf("twice")
	editor := s.SignedIn(t, testkit.Editor)
	add(t, s, editor, flawed)
	id := gold(t, s)
	for _, who := range []string{testkit.Editor, testkit.Viewer} {
		c := s.SignedIn(t, who)
		p := c.Get("/resellers?size=25&on=usage_group&sort=-updated&page=2")
		form := p.Find("form#selection")
		if form.AttrOr("action", "") != map[string]string{testkit.Editor: "/bulk/new", testkit.Viewer: "/resellers.csv"}[who] || form.AttrOr("method", "") != "post" {
			t.Error("the form leads elsewhere")
		}
		list, err := url.ParseQuery(fields(t, form).Get("list"))
		if err != nil || list.Encode() != "on=usage_group&size=25&sort=-updated" {
			t.Errorf("%s: the list is %q", who, list.Encode())
		}
		boxes := p.Find(`input[type=checkbox][name=user][form=selection]`)
		if boxes.Length() != len(emails(p)) || boxes.AttrOr("aria-label", "") != emails(p)[0] {
			t.Errorf("%s: %d boxes for %d rows, the first named %q", who, boxes.Length(), len(emails(p)), boxes.AttrOr("aria-label", ""))
		}
		if p.Find("input[name=user][checked], input[name=all][checked]").Length() > 0 {
			t.Error("something is selected that nobody chose")
		}
		wantText(t, p, "#selection", says("select.all", "count", strings.TrimPrefix(p.Find("#selection").AttrOr("data-total", ""), " ")))
		wants := map[string]int{
			`button[type=submit]:not([formaction]):not([name])`: 1, `button[name=preset][value="` + id + `"]`: 1, `button[name=preset][value=defaults]`: 1,
			`button[formaction="/resellers.csv"]`: 1,
		}
		if who == testkit.Viewer {
			wants = map[string]int{`button[formaction="/resellers.csv"]`: 1, `button[type=submit]`: 1}
		}
		for selector, want := range wants {
			if n := form.Find(selector).Length(); n != want {
				t.Errorf("%s: %d of %s, want %d", who, n, selector, want)
			}
		}
		if n := p.Find("tbody tr").First().Find(".acts a").Length(); n != map[string]int{testkit.Editor: 2, testkit.Viewer: 1}[who] {
			t.Errorf("%s: a row has %d links", who, n)
		}
	}
	if editor.Get("/resellers?q=twice").Find("input[name=all]").Length() > 0 {
		t.Error("all are offered where all are shown")
	}
}

// The form for a bulk change takes what the table sends: the rows that were ticked,
// or all that match, by presets too.
func TestResellers_selectionLeadsToBulk(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 8})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("differs"))
	gold(t, s, "differs")
	p := c.Get("/resellers?drift=1")
	form := fields(t, p.Find("#selection"))
	form.Set("all", "1")
	b := c.Post("/bulk/new", form)
	wantStatus(t, b, http.StatusOK)
	if body := shown(b.Find("main")); !strings.Contains(body, "differs@example.co.jp") || strings.Contains(body, s.Wave.Accounts()[0].Email) {
		t.Errorf("the form for all that differ shows %s", short(b.Find("main")))
	}
}
