package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/bulk"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// bulkSite is a site with three accounts of its own, and an editor.
func bulkSite(t *testing.T) (*testkit.Site, *testkit.Client) {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	for n, on := range []bool{false, true, false} {
		a := accountOf(fmt.Sprintf("bulk-%d", n))
		a.Meta = a.Meta.With("open_api", on).With("invoice", true)
		if err := s.Wave.AddAccount(a); err != nil {
			t.Fatal(err)
		}
	}
	refresh(t, c)
	return s, c
}

// planned posts the form and returns the preview.
func planned(t *testing.T, c *testkit.Client, form url.Values) testkit.Page {
	t.Helper()
	p := c.Post("/bulk", form)
	wantStatus(t, p, http.StatusOK)
	if !strings.HasPrefix(p.URL.Path, "/bulk/") || p.Find(`[data-testid="bulk-preview"]`).Length() != 1 {
		t.Fatalf("the form leads to %s: %s", p.URL, short(p.Find("main")))
	}
	return p
}

func TestBulkForm_freezesItsTargets(t *testing.T) {
	_, c := bulkSite(t)
	for name, form := range map[string]url.Values{
		"named":                 {"user": {"bulk-0", "bulk-1", "bulk-2", "bulk-0"}},
		"all that a list shows": {"all": {"1"}, "list": {"q=bulk-&size=25"}},
		"pasted":                {"paste": {"bulk-0@example.co.jp, BULK-1@example.co.jp\nbulk-2"}},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(name+" by "+method, func(t *testing.T) {
				p := c.Get("/bulk/new?" + form.Encode())
				if method == "POST" {
					p = c.Post("/bulk/new", form)
				}
				wantStatus(t, p, http.StatusOK)
				wantText(t, p, `[data-testid="bulk-targets"]`, says("bulk.target_count", "count", 3))
				f := fields(t, p.Find("#bulk-new"))
				if got := strings.Fields(f.Get("users")); !slices.Equal(got, []string{"bulk-0", "bulk-1", "bulk-2"}) {
					t.Errorf("targets = %q", got)
				}
				f.Set("flag.open_api", "on")
				wantText(t, planned(t, c, f), `[data-testid="bulk-sum"]`, says("bulk.sum", "accounts", "2", "flags", "1", "changes", "2"))
			})
		}
	}
}

// manyNamed is a form with the ids of n accounts.
func manyNamed(n int) url.Values {
	form := url.Values{}
	for i := range n {
		form.Add("user", fmt.Sprintf("account-%08d", i))
	}
	return form
}

// TestBulkForm_hasAnAddress: what was chosen in a table stands in the address, so that the
// way back and a reload find it. What was typed does not, nor what is too long for one.
func TestBulkForm_hasAnAddress(t *testing.T) {
	_, c := bulkSite(t)
	for _, tt := range []struct {
		name string
		form url.Values
		get  bool
	}{
		{"named", url.Values{"user": {"bulk-0", "bulk-1"}, "users": {"bulk-1\nbulk-2"}}, true},
		{"all that a list shows", url.Values{"user": {"bulk-0"}, "all": {"1"}, "list": {"q=bulk-&size=25"}, "what": {"delete"}}, true},
		{"by preset", url.Values{"user": {"bulk-0"}, "preset": {"defaults"}}, true},
		{"a page of them", manyNamed(50), true},
		{"200 of them", manyNamed(200), true},
		{"too many", manyNamed(400), false},
		{"pasted", url.Values{"paste": {"bulk-0@example.co.jp"}}, false},
		{"typed", url.Values{"user": {"bulk-0"}, "reason": {"FY2026"}}, false},
	} {
		p := c.Post("/bulk/new", tt.form)
		wantStatus(t, p, http.StatusOK)
		if got := p.URL.RawQuery != ""; got != tt.get {
			t.Errorf("%s leads to an address: %v", tt.name, got)
		}
		again := c.Get("/bulk/new?" + tt.form.Encode())
		if diff := cmp.Diff(fields(t, again.Find("#bulk-new")), fields(t, p.Find("#bulk-new"))); diff != "" {
			t.Errorf("%s (-by GET +by POST)\n%s", tt.name, diff)
		}
	}
}

// TestBulkForm_signInDue: an address that would not come through a sign-in is none.
func TestBulkForm_signInDue(t *testing.T) {
	now := time.Now()
	s := testkit.Start(t, testkit.Options{Accounts: 3, Now: func() time.Time { return now }})
	for n, get := range map[int]bool{2: true, 200: false} {
		c := s.SignedIn(t, testkit.Editor)
		for range 2 {
			now = now.Add(25 * time.Minute)
			c.Get("/resellers") // it is in use
		}
		now = now.Add(15 * time.Minute)
		s.IDP.AutoChoose(testkit.Editor)
		p := c.Post("/bulk/new", manyNamed(n))
		s.IDP.AutoChoose("")
		if got := p.URL.RawQuery != ""; got != get {
			t.Errorf("%d accounts lead to an address: %v", n, got)
		}
		wantText(t, p, `[data-testid="bulk-targets"]`, says("bulk.target_count", "count", n))
	}
}

func TestBulkForm_changesNothingByItself(t *testing.T) {
	s, c := bulkSite(t)
	f := fields(t, c.Get("/bulk/new?user=bulk-0").Find("#bulk-new"))
	for name, values := range f {
		if strings.HasPrefix(name, "flag.") && !slices.Equal(values, []string{"keep"}) {
			t.Errorf("%s is %q to begin with", name, values)
		}
	}
	f.Set("flag.open_api", "on")
	planned(t, c, f)
	if w := writes(s); len(w) != 0 {
		t.Errorf("the preview wrote: %v", w)
	}
}

func TestBulkForm_presetAndCopy(t *testing.T) {
	s, c := bulkSite(t)
	a := accountOf("model")
	a.Meta = a.Meta.With("open_api", true).With("invoice", false).WithRaw("usage_tag", []byte(`"yes"`))
	add(t, s, c, a)

	f := fields(t, c.Get("/bulk/new?user=bulk-1&preset=defaults").Find("#bulk-new"))
	if f.Get("what") != "preset" || f.Get("preset") != "defaults" {
		t.Fatalf("the form begins with %q %q", f.Get("what"), f.Get("preset"))
	}
	p := planned(t, c, f)
	if rows := p.Find(`[data-testid="bulk-flags"] tbody tr`).Length(); rows != len(wave.Flags) {
		t.Errorf("the preset makes a plan of %d flags, want all %d", rows, len(wave.Flags))
	}

	f = url.Values{"user": {"bulk-0"}, "what": {"copy"}, "copy": {"Model@example.co.jp"}}
	p = planned(t, c, f)
	wantText(t, p, `[data-account="bulk-0"]`, says("history.line", "label", label("open_api"), "from", says("state.off"), "to", says("state.on")))
	wantText(t, p, `[data-account="bulk-0"]`, says("history.line", "label", label("invoice"), "from", says("state.on"), "to", says("state.off")))
	if rows := p.Find(`[data-testid="bulk-flags"] tbody tr`).Length(); rows != len(wave.Flags)-1 {
		t.Errorf("the copy makes a plan of %d flags, want all but the odd one", rows)
	}
}

func TestBulkForm_pastesTooMuch(t *testing.T) {
	_, c := bulkSite(t)
	var words strings.Builder
	for n := range bulk.MaxAccounts + 1 {
		fmt.Fprintf(&words, "nobody%d ", n)
	}
	p := c.Post("/bulk", url.Values{"user": {"bulk-0"}, "paste": {words.String()}, "what": {"flags"}, "flag.open_api": {"on"}})
	wantStatus(t, p, http.StatusUnprocessableEntity)
	wantText(t, p, "#bulk-new", says("bulk.too_many_words", "max", fmt.Sprint(bulk.MaxAccounts)))
}

func label(key wave.Key) string {
	f, _ := wave.Lookup(key)
	return f.Label.EN
}

func TestBulkForm_losesNothingWhenRefused(t *testing.T) {
	_, c := bulkSite(t)
	filled := url.Values{
		"user": {"bulk-0"}, "flag.open_api": {"on"}, "flag.invoice": {"off"}, "reason": {"決算前"}, "paste": {"nobody@example.co.jp\nno-such-id"},
	}
	with := func(name, value string) url.Values {
		v := url.Values{}
		for k, values := range filled {
			v[k] = values
		}
		v.Set(name, value)
		return v
	}
	for _, tt := range []struct {
		name, field string
		form        url.Values
	}{
		{"no preset", "preset", with("what", "preset")},
		{"no model", "copy", with("what", "copy")},
		{"a long reason", "reason", with("reason", strings.Repeat("理", 501))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := c.Post("/bulk", tt.form)
			wantStatus(t, p, http.StatusUnprocessableEntity)
			if p.Find("#"+tt.field+"[aria-invalid]").Length() != 1 || p.Find(`.form-error a[href="#`+tt.field+`"]`).Length() != 1 {
				t.Errorf("the field %s is not marked", tt.field)
			}
			f := fields(t, p.Find("#bulk-new"))
			if f.Get("flag.open_api") != "on" || f.Get("flag.invoice") != "off" || f.Get("users") != "bulk-0" || f.Get("reason") != tt.form.Get("reason") {
				t.Errorf("the form came back as %v", f)
			}
			if text := p.Find("#paste").Text(); !strings.Contains(text, "nobody@example.co.jp") || !strings.Contains(text, "no-such-id") {
				t.Errorf("what was pasted came back as %q", text)
			}
		})
	}
	for name, form := range map[string]url.Values{
		"no target":  {"flag.open_api": {"on"}},
		"no change":  {"user": {"bulk-0"}},
		"only wrong": {"paste": {"nobody"}, "flag.open_api": {"on"}},
		"not a way":  {"user": {"bulk-0"}, "what": {"else"}},
		"not a flag": {"user": {"bulk-0"}, "flag.nothing": {"on"}},
		"no value":   {"user": {"bulk-0"}, "flag.open_api": {"maybe"}},
		"two values": {"user": {"bulk-0"}, "flag.open_api": {"on", "off"}},
		"no plan":    {"plan": {"{}"}},
		"two plans":  {"plan": {"{}", "{}"}},
	} {
		if p := c.Post("/bulk", form); p.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status = %d", name, p.Status)
		}
	}
}

func TestBulkPlan_fromAnotherScreen(t *testing.T) {
	_, c := bulkSite(t)
	plan, err := json.Marshal(map[string]any{"source": "matrix", "items": []any{
		map[string]any{"user": "bulk-0", "seen": map[string]string{"open_api": "off"}, "want": map[string]string{"open_api": "on"}},
		map[string]any{"user": "bulk-2", "seen": map[string]string{"invoice": "off"}, "want": map[string]string{"invoice": "off"}},
		map[string]any{"user": "gone", "want": map[string]string{"invoice": "off"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"plan": {string(plan)}, "reason": {"why"}}
	if p := c.Unredirected().Post("/bulk", form); p.Status != http.StatusSeeOther || !strings.HasPrefix(p.Header.Get("Location"), "/bulk/") {
		t.Errorf("answer = %d to %q", p.Status, p.Header.Get("Location"))
	}
	p := planned(t, c, form)
	wantText(t, p, `[data-testid="bulk-sum"]`, says("bulk.sum", "accounts", "1", "flags", "1", "changes", "1"))
	wantText(t, p, `[data-testid="bulk-warnings"]`, says("bulk.warn_gone", "count", 1))
	wantText(t, p, `[data-testid="bulk-warnings"]`, says("bulk.warn_moved", "count", 1))
	wantText(t, p, `[data-account="bulk-2"]`, says("bulk.moved", "count", 1))
	if text := c.Get(p.URL.Path, japanese).Find(`[data-testid="bulk-sum"]`).Text(); text != "1件のアカウント、1件の機能、1件の変更" {
		t.Errorf("in Japanese: %q", text)
	}
}

func TestBulkPreview_leavesOut(t *testing.T) {
	_, c := bulkSite(t)
	p := planned(t, c, url.Values{"user": {"bulk-0", "bulk-1", "bulk-2"}, "flag.open_api": {"on"}})
	form := fields(t, p.Find("#bulk-form"))
	if form.Get("shown") != "1,3" {
		t.Fatalf("accounts that can be left out: %q", form.Get("shown"))
	}
	form.Set("out", "3")
	fragment := c.Post(p.URL.Path+"/leave", form, htmx)
	wantText(t, fragment, "#bulk-sum", says("bulk.sum", "accounts", "1", "flags", "1", "changes", "1"))
	wantText(t, fragment, "#bulk-shows[hx-swap-oob] #show-out", "1")
	p = c.Post(p.URL.Path+"/leave", form)
	wantStatus(t, p, http.StatusOK)
	if out := p.Find(`[name=out][checked]`); out.Length() != 1 || out.AttrOr("value", "") != "3" {
		t.Errorf("left out: %s", short(out))
	}
	wantText(t, c.Get(p.URL.Path+"?show=out"), `[data-testid="bulk-rows"] tbody`, "bulk-2@example.co.jp")
	typed := fields(t, p.Find("#bulk-form"))
	typed.Set("reason", "typed")
	typed.Set("at", "2030-01-01T10:00")
	if p := c.Post(p.URL.Path+"/leave", typed); p.Find("#reason").AttrOr("value", "") != "typed" || p.Find("#at").AttrOr("value", "") != "2030-01-01T10:00" {
		t.Errorf("without scripts what was typed is lost: %s", short(p.Find("#bulk-bar")))
	}
	for _, bad := range []string{"0", "x", "99999999999999999999"} {
		form.Set("out", bad)
		if p := c.Post(p.URL.Path+"/leave", form); p.Status != http.StatusUnprocessableEntity {
			t.Errorf("out=%s: %d", bad, p.Status)
		}
	}
}

func TestBulkPreview_pages(t *testing.T) {
	s, c := bulkSite(t)
	var users []string
	for n := range 230 {
		a := accountOf(fmt.Sprintf("many-%03d", n))
		if err := s.Wave.AddAccount(a); err != nil {
			t.Fatal(err)
		}
		users = append(users, "many-"+fmt.Sprintf("%03d", n))
	}
	refresh(t, c)
	p := planned(t, c, url.Values{"user": users, "flag.open_api": {"on"}})
	rows := func(p testkit.Page) int { return p.Find(`[data-testid="bulk-rows"] tbody tr`).Length() }
	if last := c.Get(p.URL.Path + "?page=3"); rows(p) != 100 || rows(last) != 30 {
		t.Errorf("rows = %d, then %d", rows(p), rows(last))
	}
	form := fields(t, c.Get(p.URL.Path+"?page=2").Find("#bulk-form"))
	form.Set("out", "101")
	wantText(t, c.Post(p.URL.Path+"/leave", form), `[data-testid="bulk-sum"]`, says("bulk.sum", "accounts", "229", "flags", "1", "changes", "229"))
}

func TestBulkPreview_warnsOfWhoIsEditing(t *testing.T) {
	s, c := bulkSite(t)
	secondEditor(t, s).Post("/resellers/bulk-0/presence", url.Values{"editing": {"on"}})
	p := planned(t, c, url.Values{"user": {"bulk-0", "bulk-1"}, "flag.open_api": {"on"}})
	wantText(t, p, `[data-testid="bulk-warnings"]`, secondEditorName)
	wantText(t, p, `[data-account="bulk-0"]`, says("bulk.being_edited"))
}

func TestBulkPreview_expires(t *testing.T) {
	var late atomic.Int64
	s := testkit.Start(t, testkit.Options{
		Accounts: 3, Now: func() time.Time { return time.Now().Add(time.Duration(late.Load())) },
	})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("a"))
	late.Store(-int64(20 * time.Minute)) // the plan is made then
	p := planned(t, c, url.Values{"user": {"a"}, "flag.open_api": {"on"}, "reason": {"決算前"}})
	late.Store(0)
	if p.Find(`[data-testid="bulk-expired"]`).Length() != 1 || p.Find(`[data-testid="bulk-run"]`).Length() != 0 {
		t.Errorf("an old plan says %s", short(p.Find("main")))
	}
	again := c.Post(p.URL.Path+"/again", url.Values{})
	wantStatus(t, again, http.StatusOK)
	if again.URL.Path == p.URL.Path || again.Find(`[data-testid="bulk-expired"]`).Length() != 0 {
		t.Errorf("made again at %s: %s", again.URL, short(again.Find("main")))
	}
	wantText(t, again, `[data-testid="bulk-sum"]`, says("bulk.sum", "accounts", "1", "flags", "1", "changes", "1"))
}

func TestBulk_forViewers(t *testing.T) {
	s, c := bulkSite(t)
	p := planned(t, c, url.Values{"user": {"bulk-0"}, "flag.open_api": {"on"}})
	viewer := s.SignedIn(t, testkit.Viewer)
	seen := viewer.Get(p.URL.Path)
	wantText(t, seen, `[data-testid="bulk-sum"]`, says("bulk.sum", "accounts", "1", "flags", "1", "changes", "1"))
	if seen.Find(`[name=out]:not([disabled])`).Length() != 0 || seen.Find(`[data-testid="bulk-run"]`).Length() != 0 {
		t.Error("a viewer can change the plan")
	}
	wantText(t, viewer.Get("/bulk"), `[data-testid="bulk-list"]`, says("bulk.state_preview"))
	for path, form := range map[string]url.Values{
		"/bulk": {"user": {"bulk-0"}, "flag.open_api": {"on"}}, "/bulk/new": {}, p.URL.Path + "/leave": {"shown": {"1"}, "out": {"1"}}, p.URL.Path + "/again": {},
	} {
		if got := viewer.Post(path, form); got.Status != http.StatusForbidden {
			t.Errorf("POST %s as a viewer = %d", path, got.Status)
		}
	}
	if got := viewer.Get("/bulk/none"); got.Status != http.StatusNotFound {
		t.Errorf("no plan = %d", got.Status)
	}
}

func TestBulk_limits(t *testing.T) {
	s, c := bulkSite(t)
	big := url.Values{"user": {"bulk-0"}, "flag.open_api": {"on"}, "users": {strings.Repeat("x", 100<<10)}}
	if p := c.Post("/bulk/new", big); p.Status != http.StatusOK {
		t.Errorf("a form of 100 KiB = %d", p.Status)
	}
	if p := c.Post("/bulk", big); p.Status != http.StatusOK {
		t.Errorf("a plan of 100 KiB = %d", p.Status)
	}
	huge := url.Values{"plan": {strings.Repeat("x", 4<<20)}}
	for path, status := range map[string]int{"/bulk": 413, "/bulk/new": 413} {
		if p := c.Post(path, huge); p.Status != status {
			t.Errorf("4 MiB at %s = %d, want %d", path, p.Status, status)
		}
	}
	for who, other := range map[string]*testkit.Client{"a viewer": s.SignedIn(t, testkit.Viewer), "a stranger": s.Client(t)} {
		if p := other.Post("/bulk", big); p.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("100 KiB of %s = %d, want 413", who, p.Status)
		}
	}
	for _, path := range []string{"/resellers", "/bulk/x/leave", "/resellers/bulk-0/meta"} {
		if p := c.Post(path, big); p.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("100 KiB at %s = %d, want 413", path, p.Status)
		}
	}
}
