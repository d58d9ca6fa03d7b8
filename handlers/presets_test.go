package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/preset"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// makePreset makes a preset that accounts follow.
func makePreset(t *testing.T, s *testkit.Site, name string, flags wave.Wanted, accounts ...wave.UserID) *preset.Preset {
	t.Helper()
	saved, err := s.Presets.Save(t.Context(), presetMaker, preset.Edit{Content: preset.Content{Name: name, Note: "a note", Flags: flags}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Presets.Assign(t.Context(), presetMaker, saved[0].ID, accounts); err != nil {
		t.Fatal(err)
	}
	return saved[0]
}

// presetFields returns the fields of the form of a preset on the page.
func presetFields(t *testing.T, p testkit.Page) url.Values {
	t.Helper()
	form := p.Find(`form[data-testid="preset-form"]`)
	v := fields(t, form)
	form.Find("textarea").Each(func(_ int, area *goquery.Selection) { v.Set(area.AttrOr("name", ""), area.Text()) })
	return v
}

// chosen is what the form on the page says of a flag.
func chosen(p testkit.Page, key wave.Key) string {
	return p.Find(`input[name="flag.`+string(key)+`"][checked]`).AttrOr("value", "")
}

// onlyPreset returns the preset that there is beside the one that is built in.
func onlyPreset(t *testing.T, s *testkit.Site) *preset.Preset {
	t.Helper()
	all := s.Presets.Book().All()
	if len(all) != 2 {
		t.Fatalf("there are %d presets, want one beside the defaults", len(all)-1)
	}
	return all[1]
}

// Nothing that is done with presets writes to Wave.
func wantNoWrites(t *testing.T, s *testkit.Site) {
	t.Helper()
	if w := writes(s); len(w) != 0 {
		t.Errorf("Wave got %v", w)
	}
}

func TestPresets_list(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Viewer)
	for _, id := range []string{"u1", "u2"} {
		add(t, s, c, accountOf(id))
	}
	flags := wave.Wanted{"invoice": true, "open_api": true, "usage_tag": false}
	p := makePreset(t, s, "Gold <b>", flags, "u1", "gone")
	page := c.Get("/presets")
	wantStatus(t, page, http.StatusOK)
	row := page.Find(`tr[data-preset="` + p.ID + `"]`)
	var cells []string
	row.Find("td").Each(func(_ int, cell *goquery.Selection) { cells = append(cells, shown(cell)) })
	if got := strings.Join(cells[:6], " "); got != "2 1 32 2 1 1" || shown(row.Find("th a")) != "Gold <b>" {
		t.Errorf("the row of %q says %q", shown(row.Find("th")), got)
	}
	if differ := row.Find("[data-differ]").AttrOr("data-differ", ""); differ != "1" {
		t.Errorf("%q differ, want 1", differ)
	}
	if mark := page.Find(`tr[data-preset="defaults"] [data-testid="for-new"]`); mark.Length() != 1 {
		t.Error("the defaults are not marked as those of new accounts")
	}
	wantText(t, page, ".notice-line", says("preset.viewer"))
	if page.Find(`a[href="/presets/new"]`).Length() != 0 {
		t.Error("a viewer is offered to make one")
	}
}

// A preset is looked at while Wave is away; what differs is as it was known, or not known.
func TestPresets_withoutWave(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	p := makePreset(t, s, "Gold", wave.Wanted{"invoice": true}, "u1")
	s.WaveLeaves()
	for _, path := range []string{"/presets", "/presets/" + p.ID, "/presets/" + p.ID + "/accounts", "/presets/" + p.ID + "/versions", "/presets/new"} {
		wantStatus(t, c.Get(path), http.StatusOK)
	}
	form := presetFields(t, c.Get("/presets/"+p.ID))
	form.Set("name", "Golden")
	wantStatus(t, c.Post("/presets/"+p.ID, form), http.StatusOK)
	if got := onlyPreset(t, s).Name; got != "Golden" {
		t.Errorf("it is called %q", got)
	}
}

func TestPresets_create(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	form := presetFields(t, c.Get("/presets/new"))
	if n := len(slices.DeleteFunc(keysOf(form), func(k string) bool { return form.Get(k) != "none" })); n != len(wave.Flags) {
		t.Errorf("of a new preset %d flags are not specified, want all", n)
	}
	form.Set("name", "  Gold ")
	form.Set("note", "one\r\ntwo")
	form.Set("flag.invoice", "on")
	form.Set("flag.open_api", "off")
	page := c.Post("/presets", form)
	wantText(t, page, ".notice-line.success", says("preset.done_created"))
	p := onlyPreset(t, s)
	want := preset.Content{Name: "Gold", Note: "one\ntwo", Flags: wave.Wanted{"invoice": true, "open_api": false}}
	if !p.Content().Equal(want) || p.By.Name != editorName || page.URL.Path != "/presets/"+p.ID {
		t.Errorf("made %+v at %s", p, page.URL)
	}
	if again := c.Get("/presets/" + p.ID); again.Find(".notice-line.success").Length() != 0 {
		t.Error("it is said twice")
	}

	form.Set("name", "ＧＯＬＤ")
	refused := c.Post("/presets", form)
	wantStatus(t, refused, http.StatusUnprocessableEntity)
	wantText(t, refused, ".form-error", says("preset.name_taken"))
	if got := presetFields(t, refused); got.Get("name") != "ＧＯＬＤ" || got.Get("flag.invoice") != "on" || got.Get("note") != "one\ntwo" {
		t.Errorf("the form came back with %v", got)
	}
	wantNoWrites(t, s)
}

func keysOf(v url.Values) (keys []string) {
	for key := range v {
		keys = append(keys, key)
	}
	return keys
}

func TestPresets_duplicateAndFromAccount(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	a := accountOf("u1")
	a.Meta = wave.Defaults().With("invoice", true).With("new_in_2027", true).WithRaw("open_api", []byte(`"yes"`))
	add(t, s, c, a)
	copied := c.Get("/presets/new?copy=defaults")
	for _, f := range wave.Flags {
		if got, want := chosen(copied, f.Key), wave.StateOf(f.Default).String(); got != want {
			t.Errorf("copied, %s is %s, want %s", f.Key, got, want)
		}
	}
	page := c.Get("/presets/new?from=u1")
	if chosen(page, "invoice") != "on" || chosen(page, "open_api") != "none" || page.Find(`[name="flag.new_in_2027"]`).Length() != 0 {
		t.Errorf("invoice is %s and open_api, whose value is odd, %s", chosen(page, "invoice"), chosen(page, "open_api"))
	}
	byEmail := fields(t, c.Get("/presets/new").Find(`form[data-testid="preset-from"]`))
	byEmail.Set("from", " U1@example.co.jp ")
	if page := c.Get("/presets/new?" + byEmail.Encode()); chosen(page, "invoice") != "on" {
		t.Errorf("by email, invoice is %q", chosen(page, "invoice"))
	}
	for path, status := range map[string]int{"/presets/new?copy=nobody": 404, "/presets/new?from=nobody": 404} {
		wantStatus(t, c.Get(path), status)
	}
	built := c.Get("/presets/defaults")
	if built.Find(`[data-testid="save"]`).Length() != 0 || built.Find("input[type=radio]:not([disabled])").Length() != 0 {
		t.Error("the built-in preset can be edited")
	}
	wantStatus(t, c.Post("/presets/defaults", url.Values{"version": {"1"}, "name": {"x"}}), http.StatusUnprocessableEntity)
}

// What a form does not bring stays: an absent field never means "not specified".
func TestPresets_update(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	p := makePreset(t, s, "Gold", wave.Wanted{"invoice": true, "new_in_2027": true})
	at := "/presets/" + p.ID
	for _, step := range []struct {
		say  string
		form url.Values
		want preset.Content
	}{
		{"preset.done_nothing", presetFields(t, c.Get(at)), p.Content()},
		{
			"preset.done_saved",
			url.Values{"version": {"1"}, "name": {"Gold"}, "note": {"a note"}, "flag.open_api": {"off"}},
			preset.Content{Name: "Gold", Note: "a note", Flags: wave.Wanted{"invoice": true, "new_in_2027": true, "open_api": false}},
		},
		{
			"preset.done_saved",
			url.Values{"version": {"2"}, "name": {"Golden"}, "note": {""}, "flag.invoice": {"none"}},
			preset.Content{Name: "Golden", Flags: wave.Wanted{"new_in_2027": true, "open_api": false}},
		},
	} {
		page := c.Post(at, step.form)
		wantText(t, page, ".notice-line.success", says(step.say))
		if got := onlyPreset(t, s).Content(); !got.Equal(step.want) {
			t.Errorf("it says %+v, want %+v", got, step.want)
		}
	}
	history := c.Get(at + "/versions")
	for _, line := range []string{
		says("preset.diff_name", "from", "Gold", "to", "Golden"), says("preset.diff_note"),
		says("preset.version_first", "name", "Gold", "count", 2),
	} {
		wantText(t, history, `[data-testid="preset-versions"]`, line)
	}
	back := c.Get(at + "?version=1")
	if chosen(back, "invoice") != "on" || presetFields(t, back).Get("version") != "3" || back.Find(`[data-flag="invoice"][data-dirty]`).Length() != 1 {
		t.Error("an earlier version does not stand in the form as edits of the newest")
	}
	for name, form := range map[string]url.Values{
		"a flag that is none":     {"version": {"3"}, "name": {"x"}, "flag.none": {"on"}},
		"a value that is none":    {"version": {"3"}, "name": {"x"}, "flag.invoice": {"maybe"}},
		"two values":              {"version": {"3"}, "name": {"x"}, "flag.invoice": {"on", "off"}},
		"no name":                 {"version": {"3"}},
		"a long note":             {"version": {"3"}, "name": {"x"}, "note": {strings.Repeat("長", 501)}},
		"a name with NUL":         {"version": {"3"}, "name": {"a\x00b"}},
		"a version there is none": {"version": {"9"}, "name": {"x"}},
	} {
		page := c.Post(at, form)
		if page.Status < 400 || page.Status >= 500 {
			t.Errorf("%s = %d", name, page.Status)
		}
	}
	if v := onlyPreset(t, s).Version; v != 3 {
		t.Errorf("it is version %d now, want 3", v)
	}
	wantNoWrites(t, s)
}

// Of two who change a preset the later one gets both edits to look at, and saves
// them with the next press. What neither touched is nobody's.
func TestPresets_changedElsewhere(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	p := makePreset(t, s, "Gold", wave.Wanted{"invoice": true, "usage_tag": true})
	at := "/presets/" + p.ID
	form := presetFields(t, c.Get(at))
	form.Set("name", "Mine")
	form.Set("flag.open_api", "on")
	form.Set("flag.usage_tag", "none")

	theirs := preset.Edit{ID: p.ID, Seen: 1, Content: preset.Content{Name: "Gold", Note: "theirs", Flags: wave.Wanted{"invoice": false, "usage_tag": false}}}
	if _, err := s.Presets.Save(context.Background(), presetMaker, theirs); err != nil {
		t.Fatal(err)
	}
	page := c.Post(at, form)
	wantStatus(t, page, http.StatusConflict)
	wantText(t, page, `[data-testid="preset-moved"]`, presetMaker.Name)
	wantText(t, page, `[data-testid="preset-moved"]`, says("preset.diff_note"))
	both := presetFields(t, page)
	if both.Get("name") != "Mine" || both.Get("note") != "theirs" || both.Get("version") != "2" ||
		chosen(page, "open_api") != "on" || chosen(page, "usage_tag") != "none" || chosen(page, "invoice") != "off" {
		t.Errorf("the form holds %v", both)
	}
	if got := onlyPreset(t, s); got.Version != 2 {
		t.Errorf("it was saved as version %d without a look", got.Version)
	}
	wantText(t, c.Post(at, both), ".notice-line.success", says("preset.done_saved"))
	want := preset.Content{Name: "Mine", Note: "theirs", Flags: wave.Wanted{"invoice": false, "open_api": true}}
	if got := onlyPreset(t, s).Content(); !got.Equal(want) {
		t.Errorf("it says %+v, want %+v", got, want)
	}

	form.Set("version", "3")
	form.Set("name", "Late")
	if err := s.Presets.Delete(context.Background(), presetMaker, p.ID, 3); err != nil {
		t.Fatal(err)
	}
	gone := c.Post(at, form)
	wantStatus(t, gone, http.StatusNotFound)
	wantText(t, gone, ".form-error", says("preset.gone"))
	if kept := presetFields(t, gone); kept.Get("name") != "Late" || gone.Find("#preset-form").AttrOr("action", "") != "/presets" {
		t.Errorf("what was typed came back as %v", kept)
	}
}

func TestPresets_assign(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	for _, id := range []string{"u1", "u2", "u3"} {
		a := accountOf(id)
		a.Meta = a.Meta.With("invoice", id == "u3")
		add(t, s, c, a)
	}
	p := makePreset(t, s, "Gold", wave.Wanted{"invoice": true}, "gone")
	at := "/presets/" + p.ID
	page := c.Post(at+"/assign", url.Values{"paste": {"u1\r\nU2@example.co.jp、nobody\r\nu1"}, "user": {"u3", "strange"}})
	wantStatus(t, page, http.StatusOK)
	wantText(t, page, ".notice-line.success", says("preset.done_assigned", "count", 3))
	if rest := page.Find("#paste").Text(); rest != "strange\nnobody" {
		t.Errorf("what is left to be mended is %q", rest)
	}
	if got := s.Presets.Book().AccountsOf(p.ID); !slices.Equal(got, []wave.UserID{"gone", "u1", "u2", "u3"}) {
		t.Errorf("it is assigned to %v", got)
	}
	first := page.Find("tbody tr").First()
	wantDrift := says("preset.drift_line", "label", "x", "state", says("state.off"), "want", says("state.on"))
	if !strings.Contains(shown(first), strings.TrimPrefix(wantDrift, "x")) || first.Find(`a[href="/resellers/u1?preset=`+p.ID+`"]`).Length() != 1 {
		t.Errorf("the first row says %q", shown(first))
	}
	wantText(t, page, `tr[data-user-id="gone"]`, says("preset.account_gone"))
	if users := page.Find(`form[action="/bulk/new"] input[name="users"]`).AttrOr("value", ""); users != "u1\nu2" {
		t.Errorf("applied to all that differ, it is applied to %q", users)
	}
	if rows := c.Get(at + "/accounts?differ=1").Find("tbody tr").Length(); rows != 2 {
		t.Errorf("%d rows differ, want 2", rows)
	}

	for name, form := range map[string]url.Values{
		"nobody": {}, "none of ours": {"paste": {"nobody\nand nobody"}},
	} {
		page := c.Post(at+"/assign", form)
		wantStatus(t, page, http.StatusUnprocessableEntity)
		if page.Find(".form-error li").Length() != 1 || page.Find("#paste").Text() != form.Get("paste") {
			t.Errorf("%s: %s", name, short(page.Find("form[data-testid=preset-assign]")))
		}
	}
	back := c.Unredirected().Post(at+"/assign", url.Values{"user": {"u1"}, "return_to": {"/resellers?q=u"}})
	if to := back.Header.Get("Location"); back.Status != http.StatusSeeOther || to != "/resellers?q=u" {
		t.Errorf("%d to %q", back.Status, to)
	}
	if to := c.Unredirected().Post(at+"/assign", url.Values{"user": {"u1"}, "return_to": {"//evil.example"}}).Header.Get("Location"); to != "/resellers" {
		t.Errorf("another site as the way back leads to %q", to)
	}
	wantText(t, c.Post(at+"/unassign", url.Values{"user": {"u1", "gone", "nobody"}}), ".notice-line.success", says("preset.done_unassigned", "count", 2))
	if got := s.Presets.Book().AccountsOf(p.ID); !slices.Equal(got, []wave.UserID{"u2", "u3"}) {
		t.Errorf("it is assigned to %v", got)
	}
	wantNoWrites(t, s)
}

// Many accounts stand on several pages, and no more are handed over than one form takes.
func TestPresets_manyAccounts(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 620})
	c := s.SignedIn(t, testkit.Editor)
	var ids []wave.UserID
	for _, a := range s.Wave.Accounts() {
		ids = append(ids, a.UserID)
	}
	p := makePreset(t, s, "Gold", wave.Wanted{"later": true}, ids[:500]...)
	if _, err := s.Presets.Assign(t.Context(), presetMaker, p.ID, ids[500:620]); err != nil {
		t.Fatal(err)
	}
	page := c.Get("/presets/" + p.ID + "/accounts?page=99")
	if rows := page.Find("tbody tr").Length(); rows != 20 {
		t.Errorf("the last page has %d rows, want 20", rows)
	}
	if n := strings.Count(page.Find(`input[name="users"]`).AttrOr("value", ""), "\n") + 1; n != preset.MaxAssign {
		t.Errorf("%d accounts are handed over", n)
	}
	wantText(t, page, `[data-testid="apply-all"]`, says("preset.apply_first", "count", 500))
}

func TestPresets_forNewAndDelete(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	p := makePreset(t, s, "Gold", wave.Wanted{"invoice": true}, "u1")
	at := "/presets/" + p.ID
	wantText(t, c.Post(at+"/for-new", url.Values{}), ".notice-line.success", says("preset.done_for_new"))
	if s.Presets.Book().ForNew().ID != p.ID {
		t.Error("new accounts do not begin with it")
	}
	for _, page := range []testkit.Page{c.Get(at + "/delete"), c.Post(at+"/delete", url.Values{"version": {"1"}})} {
		wantText(t, page, `[data-testid="preset-delete"]`, says("preset.in_use", "count", 1))
		wantText(t, page, `[data-testid="preset-delete"]`, says("preset.in_use_new"))
		if page.Find(`[data-testid="preset-delete-do"]`).Length() != 0 {
			t.Error("it can be pressed")
		}
	}
	c.Post("/presets/defaults/for-new", url.Values{})
	c.Post(at+"/unassign", url.Values{"user": {"u1"}})
	form := fields(t, c.Get(at+"/delete").Find(`[data-testid="preset-delete"]`))
	moved := url.Values{"version": {"7"}}
	wantStatus(t, c.Post(at+"/delete", moved), http.StatusConflict)
	page := c.Post(at+"/delete", form)
	wantText(t, page, ".notice-line.success", says("preset.done_deleted"))
	if len(s.Presets.Book().All()) != 1 {
		t.Error("it is still there")
	}
	for _, path := range []string{at, at + "/accounts", at + "/versions", at + "/delete", "/presets/none"} {
		wantStatus(t, c.Get(path), http.StatusNotFound)
	}
	wantStatus(t, c.Post("/presets/defaults/delete", url.Values{"version": {"1"}}), http.StatusUnprocessableEntity)
}

func TestPresets_viewerOnlyLooks(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Viewer)
	p := makePreset(t, s, "Gold", wave.Wanted{"invoice": true}, "u1")
	at := "/presets/" + p.ID
	for _, path := range []string{at, at + "/accounts", at + "/versions"} {
		page := c.Get(path)
		wantStatus(t, page, http.StatusOK)
		wantText(t, page, ".notice-line", says("preset.viewer"))
		page.Find("main button, main input:not([disabled])").Each(func(_ int, el *goquery.Selection) {
			t.Errorf("%s has a control: %s", path, el.AttrOr("name", el.Text()))
		})
	}
	for _, path := range []string{"/presets", at, at + "/assign", at + "/unassign", at + "/for-new", at + "/delete"} {
		wantStatus(t, c.Post(path, url.Values{"name": {"x"}, "version": {"1"}, "user": {"u1"}}), http.StatusForbidden)
	}
	for _, path := range []string{"/presets/new", at + "/delete"} {
		wantStatus(t, c.Get(path), http.StatusForbidden)
	}
	if got := fmt.Sprint(onlyPreset(t, s).Version, s.Presets.Book().AccountsOf(p.ID)); got != "1 [u1]" {
		t.Errorf("it is %s now", got)
	}
}
