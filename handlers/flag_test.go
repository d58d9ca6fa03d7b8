package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"waveadmin/handlers"
	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// flagRows returns the accounts of the page, in its order.
func flagRows(p testkit.Page) []string {
	return p.Find(`table[data-testid="flag-list"] tr[data-user-id]`).Map(func(_ int, s *goquery.Selection) string {
		return s.AttrOr("data-user-id", "")
	})
}

// one is the row of an account, and its box.
func one(p testkit.Page, id string) (row, box *goquery.Selection) {
	row = p.Find(fmt.Sprintf(`tr[data-user-id="%s"]`, id))
	return row, row.Find(`input[type=checkbox]`)
}

// fourStates has four accounts that say each something else of open_api.
func fourStates(t *testing.T) (*testkit.Site, *testkit.Client) {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Accounts: 2})
	for _, a := range s.Wave.Accounts() {
		s.Wave.RemoveAccount(a.UserID)
	}
	c := s.SignedIn(t, testkit.Editor)
	for id, change := range map[string]func(wave.Meta) wave.Meta{
		"a-on":    func(m wave.Meta) wave.Meta { return m.With("open_api", true).With("new_flag", true) },
		"b-off":   func(m wave.Meta) wave.Meta { return m.With("open_api", false).With("new_flag", false) },
		"c-odd":   func(m wave.Meta) wave.Meta { return m.WithRaw("open_api", []byte(`1`)) },
		"d-unset": func(wave.Meta) wave.Meta { return wave.Meta{}.With("invoice", true) },
	} {
		a := accountOf(id)
		a.Meta = change(a.Meta)
		if id == "b-off" {
			a.BillingGroup = accountOf("a-on").BillingGroup
		}
		if err := s.Wave.AddAccount(a); err != nil {
			t.Fatal(err)
		}
	}
	refresh(t, c)
	return s, c
}

// TestFlag_shows: what the flag means, how many have it and where, and the box of
// each account with what the person sees of it.
func TestFlag_shows(t *testing.T) {
	_, c := fourStates(t)
	p := c.Get("/flags/open_api")
	wantStatus(t, p, http.StatusOK)
	f, _ := wave.Lookup("open_api")
	wantText(t, p, "h1", f.Label.EN)
	wantText(t, p, "main", f.Help.EN)
	if got := shown(p.Find(`[data-testid="flag-states"] tbody`)); got != "On1 25% Show in the tableOff3 75% Show in the tableof these, not set1 25%of these, unusual value1 25%" {
		t.Errorf("the states are %q", got)
	}
	groups := p.Find(`[data-testid="flag-groups"] tbody tr`)
	if got := shown(groups.Eq(0).Find(".num")); groups.Length() != 3 || got != "1 / 2" {
		t.Errorf("%d groups, of the first %q", groups.Length(), got)
	}
	if got := flagRows(c.Get(groups.Eq(0).Find("a").AttrOr("href", ""))); !slices.Equal(got, []string{"a-on", "b-off"}) {
		t.Errorf("the largest group leads to %v", got)
	}
	for id, want := range map[string]string{"a-on": "on", "b-off": "off", "c-odd": "off", "d-unset": "unset"} {
		row, box := one(p, id)
		_, checked := box.Attr("checked")
		if row.AttrOr("data-was", "") != want || checked != (want == "on") || p.Find(`input[name="was.`+id+`"]`).AttrOr("value", "") != want {
			t.Errorf("%s was %q, checked %v", id, row.AttrOr("data-was", ""), checked)
		}
		if got := box.AttrOr("aria-label", ""); got != f.Label.EN+" – "+id+"@example.co.jp" {
			t.Errorf("the box of %s is called %q", id, got)
		}
	}

	p = c.Get("/flags/usage_account_menu_budget", japanese) // has a parent and a child
	for key, want := range map[wave.Key]bool{"usage_account": true, "usage_account_menu_budget_edit": true, "invoice": false} {
		if got := p.Find(`.facts a[href="/flags/`+string(key)+`"]`).Length() == 1; got != want {
			t.Errorf("a link to %s: %v, want %v", key, got, want)
		}
	}
	wantText(t, p, ".facts", i18n.T(i18n.WithLang(t.Context(), "ja"), "flag.children_help"))
}

// TestFlag_unknown: a flag that this program does not know has a page when some
// account has it, and none when nobody has.
func TestFlag_unknown(t *testing.T) {
	s, c := fourStates(t)
	p := c.Get("/flags/new_flag")
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, "h1", "new_flag")
	wantText(t, p, "main", says("grid.other_help"))
	if got := flagRows(c.Get("/flags/new_flag?state=on")); !slices.Equal(got, []string{"a-on"}) {
		t.Errorf("on are %v", got)
	}
	form := fields(t, p.Find("#flag-form"))
	form.Set("is.b-off", "on")
	wantStatus(t, c.Post("/flags/new_flag", form), http.StatusOK)
	if a, _ := s.Wave.Get("b-off"); !a.Meta.On("new_flag") {
		t.Error("it was not set")
	}
	for _, path := range []string{"/flags/nobody_has_it", "/flags/", "/flags/a%2Fb", "/flags/" + strings.Repeat("x", 300)} {
		wantStatus(t, c.Get(path), http.StatusNotFound)
	}
}

// TestFlag_lists: search, filter, sort, pages and sizes.
func TestFlag_lists(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 60})
	c := s.SignedIn(t, testkit.Viewer)
	var on, off int
	for _, a := range s.Wave.Accounts() {
		if a.Meta.On("invoice") {
			on++
		} else {
			off++
		}
	}
	someone := s.Wave.Accounts()[17]
	for query, want := range map[string]int{
		"": 50, "size=100": 60, "size=7": 50, "page=2": 10, "page=9": 10, "state=on&size=100": on, "state=off&size=100": off, "state=x&size=100": 60,
		"q=" + url.QueryEscape(strings.ToUpper(someone.Email)): 1, "q=zzzzzzzz": 0, "sort=nothing": 50,
	} {
		p := c.Get("/flags/invoice?" + query)
		wantStatus(t, p, http.StatusOK)
		if got := len(flagRows(p)); got != want {
			t.Errorf("%q lists %d, want %d", query, got, want)
		}
		fragment := c.Get("/flags/invoice?"+query, htmx)
		if !slices.Equal(flagRows(fragment), flagRows(p)) || fragment.Find("h1, #by-group").Length() != 0 {
			t.Errorf("%q: the fragment is another list, or a page", query)
		}
	}
	for _, sort := range []string{"email", "billing_group", "registered", "changed"} {
		up, down := c.Get("/flags/invoice?size=100&sort="+sort), c.Get("/flags/invoice?size=100&sort=-"+sort)
		if got := up.Find(`th[aria-sort="ascending"] button`).Length() + down.Find(`th[aria-sort="descending"] button`).Length(); got != 2 {
			t.Errorf("%s is not marked as what sorts", sort)
		}
		if sort != "changed" && slices.Equal(flagRows(up), flagRows(down)) {
			t.Errorf("%s sorts the same both ways", sort)
		}
	}
}

// TestFlag_withoutScripts: the form sends the page that it shows. Nothing that differs
// sends nothing, one account is saved, more are previewed.
func TestFlag_withoutScripts(t *testing.T) {
	s, c := fourStates(t)
	s.Wave.ResetJournal()
	form := fields(t, c.Get("/flags/open_api?state=off").Find("#flag-form"))
	p := c.Post("/flags/open_api", form)
	wantText(t, p, "[data-outcome]", says("save.nothing"))
	if p.URL.RequestURI() != "/flags/open_api?state=off" || len(writes(s)) != 0 {
		t.Errorf("it leads to %s with %d writes", p.URL.RequestURI(), len(writes(s)))
	}

	form.Set("is.c-odd", "on")
	form.Set("reason", "ticket 9")
	p = c.Post("/flags/open_api", form)
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, "[data-outcome]", savedText(1))
	wantText(t, p, "[data-outcome]", "c-odd@example.co.jp")
	if p.URL.RequestURI() != "/flags/open_api?state=off" || len(writes(s)) != 1 {
		t.Errorf("it leads to %s with %d writes", p.URL.RequestURI(), len(writes(s)))
	}
	if got := string(sentMeta(t, writes(s)[0])["open_api"]); got != "true" {
		t.Errorf("sent %s", got)
	}
	wantText(t, c.Get("/changes"), "tbody tr", "ticket 9")
	p = c.Post(p.Find("#undo-form").AttrOr("action", ""), fields(t, p.Find("#undo-form")))
	wantText(t, p, "[data-outcome]", undoneText(1))
	if p.URL.Path != "/flags/open_api" {
		t.Errorf("the undo leads to %s", p.URL)
	}

	form = fields(t, c.Get("/flags/open_api").Find("#flag-form"))
	form.Set("is.d-unset", "on")
	form.Del("is.a-on")
	before := len(writes(s))
	p = c.Post("/flags/open_api", form)
	wantStatus(t, p, http.StatusOK)
	if p.Find(`[data-testid="bulk-preview"]`).Length() != 1 || len(writes(s)) != before {
		t.Errorf("it leads to %s with %d writes", p.URL, len(writes(s))-before)
	}
	for id, want := range map[string]bool{"a-on": true, "b-off": false, "d-unset": true} {
		if got := strings.Contains(shown(p.Find("main")), id+"@example.co.jp"); got != want {
			t.Errorf("%s in the preview: %v, want %v", id, got, want)
		}
	}
}

// TestFlag_meets: what stands against a save of one is asked on that account's page;
// a form that is none of ours is refused.
func TestFlag_meets(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	form := func() url.Values {
		v := fields(t, c.Get("/flags/open_api?q=acme").Find("#flag-form"))
		v.Set("is.acme", "on")
		return v
	}
	meets := form()
	gone, _ := s.Wave.Get("acme")
	s.Wave.RemoveAccount("acme")
	p := c.Post("/flags/open_api", meets)
	wantStatus(t, p, http.StatusConflict)
	if p.Find(`#gone`).Length() != 1 || !boxOn(p, "open_api") {
		t.Errorf("the page says nothing, or has lost the edit: %s", short(p.Find("main")))
	}
	add(t, s, c, gone)
	lost := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Status: 400, Times: 1})
	refresh(t, c)
	if p = c.Post("/flags/open_api", form()); p.Status < 400 || !boxOn(p, "open_api") {
		t.Errorf("a refused save = %d: %s", p.Status, short(p.Find("main")))
	}
	lost()
	for name, value := range map[string]string{"was.acme": "maybe", "is.acme": "off", "as": "someone-else"} {
		odd := form()
		odd.Set(name, value)
		if p := c.Post("/flags/open_api", odd); p.Status != http.StatusUnprocessableEntity && p.Status != http.StatusConflict {
			t.Errorf("%s=%s = %d", name, value, p.Status)
		}
	}
	viewer := s.SignedIn(t, testkit.Viewer)
	wantStatus(t, viewer.Post("/flags/open_api", url.Values{"was.acme": {"off"}, "is.acme": {"on"}}), http.StatusForbidden)
	p = viewer.Get("/flags/open_api")
	wantText(t, p, ".notice-line", says("account.viewer"))
	if box := p.Find(`#flag-form input[type=checkbox]`); box.Length() != 2 || box.Filter(`[aria-disabled="true"]`).Length() != 2 || p.Find(`#flag-form [name^="is."], [data-testid="save"]`).Length() != 0 {
		t.Errorf("a viewer is offered more than to look: %s", short(p.Find("#flag-form")))
	}
	if a, _ := s.Wave.Get("acme"); a.Meta.On("open_api") {
		t.Error("something was set")
	}
}

// drafts remembers what it is asked to plan.
type drafts struct {
	handlers.Plans
	asked bulk.Draft
}

func (p *drafts) Make(_ context.Context, _ auth.Actor, d bulk.Draft) (*bulk.Plan, error) {
	p.asked = d
	return &bulk.Plan{ID: "p1"}, nil
}

// TestFlag_plans: the plan has the accounts whose box differs, each with what the
// person saw of it.
func TestFlag_plans(t *testing.T) {
	form := url.Values{
		"was.a": {"on"}, "was.b": {"off"}, "is.b": {"on"}, "was.c": {"unset"}, "is.c": {"on"}, "was.d": {"off"}, "was.e": {"on"}, "is.e": {"on"},
		"reason": {" why "},
	}
	r := httptest.NewRequest("POST", "/flags/open_api", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetPathValue("key", "open_api")
	plans, w := new(drafts), httptest.NewRecorder()
	if err := (&handlers.Flags{Plans: plans}).Save(w, r); err != nil {
		t.Fatal(err)
	}
	item := func(id wave.UserID, seen wave.State, want bool) bulk.DraftItem {
		return bulk.DraftItem{UserID: id, Seen: wave.Seen{"open_api": seen}, Want: wave.Wanted{"open_api": want}}
	}
	want := bulk.Draft{Source: "flag", Reason: "why", Items: []bulk.DraftItem{
		item("a", wave.On, false), item("b", wave.Off, true), item("c", wave.Unset, true),
	}}
	if diff := cmp.Diff(want, plans.asked); diff != "" || w.Header().Get("Location") != "/bulk/p1" {
		t.Errorf("leads to %q, -want +got:\n%s", w.Header().Get("Location"), diff)
	}
}
