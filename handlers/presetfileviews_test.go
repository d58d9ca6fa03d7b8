package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"waveadmin/handlers"
	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/savedview"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// saveView keeps the state of a table under a name, and returns the view's ID.
func saveView(t *testing.T, c *testkit.Client, name, list string, shared bool) string {
	t.Helper()
	form := url.Values{"name": {name}, "list": {list}}
	if shared {
		form.Set("shared", "1")
	}
	p := c.Post("/views", form)
	wantStatus(t, p, http.StatusOK)
	return p.URL.Query().Get("view")
}

// exported is the file of presets and views for a person.
func exported(t *testing.T, c *testkit.Client) string {
	t.Helper()
	p := c.Get("/presets.yaml")
	wantStatus(t, p, http.StatusOK)
	return p.Body
}

func previewFile(t *testing.T, c *testkit.Client, text string) testkit.Page {
	t.Helper()
	p := c.Post("/presets/import", url.Values{"yaml": {text}})
	wantStatus(t, p, http.StatusOK)
	return p
}

// What is exported, deleted and imported is as it was, in another database too, where
// the preset has another ID.
func TestPresets_carryViews(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	gold := makePreset(t, s, "Gold", wave.Wanted{"invoice": true})
	ids := []string{
		saveView(t, c, "mine \"1\"", "q=%E6%A0%AA+a&sort=-updated&cols=email,changed&size=25&on=invoice,new_in_2027", false),
		saveView(t, c, "about Gold", "drift=1&preset="+gold.ID, false),
		saveView(t, c, "as they come", "preset=defaults", true),
		saveView(t, c, "everything", "", false),
	}
	text := exported(t, c)
	for _, want := range []string{
		"  - name: \"about Gold\"\n    query: \"drift=1\"\n    preset: \"Gold\"\n    shared: false\n",
		"  - name: \"as they come\"\n    query: \"preset=defaults\"\n    shared: true\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the file lacks\n%sit is\n%s", want, text)
		}
	}
	sam := s.SignedIn(t, testkit.Viewer)
	saveView(t, sam, "of Sam", "q=sam", false)
	if got := exported(t, sam); !strings.Contains(got, "of Sam") || !strings.Contains(got, "as they come") || strings.Contains(got, "about Gold") {
		t.Errorf("a viewer gets\n%s", got)
	}
	if got, want := outcomes(previewFile(t, c, text)), `Gold same, about Gold same, everything same, mine "1" same, as they come same`; got != want {
		t.Errorf("as it is: %s, want %s", got, want)
	}

	for _, id := range ids {
		wantStatus(t, c.Post("/views/"+id+"/delete", url.Values{}), http.StatusOK)
	}
	if err := s.Presets.Delete(t.Context(), presetMaker, gold.ID, gold.Version); err != nil {
		t.Fatal(err)
	}
	page := previewFile(t, c, text)
	if got, want := outcomes(page), `Gold new, about Gold new, everything new, mine "1" new, as they come new`; got != want {
		t.Errorf("when all is gone: %s, want %s", got, want)
	}
	wantText(t, page, "main", says("filter.preset_is", "name", "Gold")+" · "+says("filter.drift"))
	wantText(t, page, `[data-testid="import-do"]`, says("preset.import_do", "count", 5))
	if strings.Contains(exported(t, c), "about Gold") {
		t.Error("a preview keeps views")
	}
	wantText(t, c.Post("/presets/import", importForm(t, page)), ".notice-line.success", says("preset.done_imported", "count", 5))
	if got := exported(t, c); got != text {
		t.Errorf("back is\n%swant\n%s", got, text)
	}
	p := onlyPreset(t, s)
	if p.ID == gold.ID || c.Get("/resellers").Find(`#views a[href*="preset=`+p.ID+`"]`).Length() != 1 {
		t.Error("the view is not about the preset that was imported")
	}
	wantNoWrites(t, s)
}

// longList is a list of flags that is too long to be saved.
func longList() string {
	var keys []string
	for i := range 45 {
		keys = append(keys, fmt.Sprintf("k%098d", i))
	}
	return strings.Join(keys, ",")
}

func TestPresets_previewViews(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	gold := makePreset(t, s, "Gold", wave.Wanted{"invoice": true})
	saveView(t, c, "mine", "on=invoice", false)
	saveView(t, secondEditor(t, s), "ours", "q=a", true)
	for name, tt := range map[string]struct{ view, want, say string }{
		"the same":              {"name: mine\n  query: on=invoice", "same", ""},
		"in another form":       {"name: mine\n  query: ?view=x&page=3&size=50&sort=email&on=invoice&q=", "same", ""},
		"another query":         {"name: mine\n  query: on=invoice&sort=-updated", "changed", "view.import_was"},
		"shared by another":     {"name: ours\n  query: q=b\n  shared: true", "changed", "view.import_is"},
		"an own one beside it":  {"name: ours\n  query: q=b", "new", ""},
		"a preset by name":      {"name: a\n  preset: ＧＯＬＤ", "new", "filter.preset_is"},
		"a preset by ID":        {"name: a\n  query: preset=" + gold.ID, "new", "filter.preset_is"},
		"without a preset":      {"name: a\n  query: preset=none", "new", "filter.no_preset"},
		"the usual columns":     {"name: a\n  query: \"cols=email,billing_group,company_id,registered,updated,flags_on,preset,changed\"", "new", ""},
		"an unknown preset":     {"name: a\n  preset: Silver", "invalid", "3 view.file_preset Silver"},
		"an unknown preset ID":  {"name: a\n  query: preset=0190", "invalid", "3 view.file_preset 0190"},
		"two presets":           {"name: a\n  query: preset=none\n  preset: Gold", "invalid", "4 view.file_two_presets"},
		"no query":              {"name: a\n  query: \"%zz\"", "invalid", "3 view.file_query"},
		"an unknown parameter":  {"name: a\n  query: on=invoice&evil=1", "invalid", "3 view.file_part evil=1"},
		"an unknown size":       {"name: a\n  query: size=7", "invalid", "3 view.file_part size=7"},
		"an unknown order":      {"name: a\n  query: sort=colour", "invalid", "3 view.file_part sort=colour"},
		"an unknown column":     {"name: a\n  query: \"cols=email,colour\"", "invalid", "3 view.file_part cols=email,colour"},
		"a parameter twice":     {"name: a\n  query: on=invoice&on=open_api", "invalid", "3 view.file_part on=invoice,open_api"},
		"too many days":         {"name: a\n  query: changed_days=9999", "invalid", "3 view.file_part changed_days=9999"},
		"a long search":         {"name: a\n  query: q=" + strings.Repeat("a", 201), "invalid", "3 view.file_part q=" + strings.Repeat("a", 38) + "…"},
		"no name":               {"query: q=a", "invalid", "2 view.no_name"},
		"a long name":           {"query: q=a\n  name: " + strings.Repeat("長", 61), "invalid", "3 view.long_name"},
		"a long query":          {"name: a\n  query: on=" + longList(), "invalid", "2 view.long_query"},
		"what the parser finds": {"name: a\n  shared: everyone", "invalid", "3 preset.file_bool"},
		"a name twice":          {"name: b\n- name: ' b'", "new", ""},
	} {
		p := previewFile(t, c, "views:\n- "+tt.view+"\n")
		if got := p.Find("tr[data-outcome]").First().AttrOr("data-outcome", ""); got != tt.want {
			t.Errorf("%s is %s, want %s: %s", name, got, tt.want, short(p.Find("main tbody")))
		}
		if name == "a name twice" {
			wantText(t, p, `tr[data-outcome="invalid"]`, says("view.import_twice", "line", 2))
		}
		if tt.say == "" {
			continue
		}
		if words := strings.SplitN(tt.say, " ", 3); len(words) > 1 {
			part := strings.Join(words[2:], "")
			problem := says(words[1], "part", part, "name", part, "key", "shared", "max", 60)
			wantText(t, p, `tr[data-outcome="invalid"]`, says("preset.on_line", "line", words[0], "problem", problem))
			continue
		}
		wantText(t, p, "tr[data-outcome]", strings.TrimSpace(says(tt.say, "view", "", "name", "Gold")))
	}
}

// Only what was looked at is imported, and of views as many as a person may have.
func TestPresets_importViewsAgain(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	id := saveView(t, c, "mine", "on=invoice", false)
	text := "views:\n- {name: mine, query: q=b}\n- {name: bad, query: q=b&x=1}\n"
	form := importForm(t, previewFile(t, c, text))
	wantStatus(t, c.Post("/views/"+id+"/query", url.Values{"list": {"q=c"}}), http.StatusOK)
	moved := c.Post("/presets/import", form)
	wantStatus(t, moved, http.StatusConflict)
	wantText(t, moved, ".form-error", says("preset.import_moved"))
	if got := exported(t, c); !strings.Contains(got, "q=c") {
		t.Errorf("what someone changed meanwhile is lost:\n%s", got)
	}
	wantText(t, c.Post("/presets/import", importForm(t, moved)), ".notice-line.success", says("preset.done_imported", "count", 1))
	if got := exported(t, c); !strings.Contains(got, "q=b") || strings.Contains(got, "bad") {
		t.Errorf("imported:\n%s", got)
	}

	var many strings.Builder
	many.WriteString("views:\n")
	for i := range savedview.MaxEach {
		many.WriteString("- name: v" + string(rune('A'+i)) + "\n")
	}
	p := previewFile(t, c, many.String())
	if n := p.Find(`tr[data-outcome="new"]`).Length(); n != savedview.MaxEach-1 {
		t.Errorf("beside one view %d more are new, want one less than %d", n, savedview.MaxEach)
	}
	wantText(t, p, `tr[data-outcome="invalid"]`, says("view.import_too_many", "max", savedview.MaxEach))
	wantStatus(t, s.SignedIn(t, testkit.Viewer).Post("/presets/import", form), http.StatusForbidden)
}

// movedViews is where someone is quicker than the import.
type movedViews struct{ handlers.CarriedViews }

func (movedViews) Plan(_ context.Context, _ auth.Actor, drafts []savedview.Draft) (steps []savedview.Step, err error) {
	for _, d := range drafts {
		steps = append(steps, savedview.Step{Draft: d})
	}
	return steps, nil
}

func (movedViews) Import(context.Context, auth.Actor, []savedview.Step) error {
	return &fault.Error{Kind: fault.Conflict, Say: fault.Say("view.import_moved")}
}

// When the views fail after the presets were imported, both is said.
func TestPresets_importHalf(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	h := &handlers.Presets{Store: s.Presets, Views: movedViews{}}
	ctx := auth.WithActor(i18n.WithLang(t.Context(), "en"), presetMaker)
	send := func(form url.Values) (string, error) {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", "/presets/import", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		err := h.Import(w, r)
		return w.Body.String(), err
	}
	for _, want := range []string{"preset.import_half", "view.import_moved"} {
		form := url.Values{"yaml": {"presets:\n- name: Gold\nviews:\n- name: a\n  preset: Gold\n"}}
		body, err := send(form)
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(body, `name="mark" value="`)
		form.Set("mark", after[:64])
		if _, err := send(form); fault.SentenceOf(err).Key != want || !fault.Is(err, fault.Conflict) {
			t.Errorf("it says %v, want %s", err, want)
		}
	}
	if got := onlyPreset(t, s); !got.Content().Equal(preset.Content{Name: "Gold"}) {
		t.Errorf("there is %+v", got)
	}
}
