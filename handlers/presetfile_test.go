package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/preset"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// outcomes tells what a preview says of each preset: "Gold new, Basic same".
func outcomes(p testkit.Page) string {
	var out []string
	p.Find("tr[data-outcome]").Each(func(_ int, row *goquery.Selection) {
		name := row.Find("th").Clone()
		name.Find("span").Remove()
		out = append(out, shown(name)+" "+row.AttrOr("data-outcome", ""))
	})
	return strings.Join(out, ", ")
}

// importForm returns the fields of the button that imports what was previewed.
func importForm(t *testing.T, p testkit.Page) url.Values {
	t.Helper()
	form := p.Find(`form[data-testid="preset-import"]`)
	v := fields(t, form)
	v.Set("yaml", strings.ReplaceAll(form.Find("textarea").Text(), "\n", "\r\n")) // as browsers do
	return v
}

func TestPresets_export(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	makePreset(t, s, "標準 \"1\"", wave.Wanted{"invoice": true, "open_api": false})
	page := s.SignedIn(t, testkit.Viewer).Get("/presets.yaml")
	wantStatus(t, page, http.StatusOK)
	want := "presets:\n  - name: \"標準 \\\"1\\\"\"\n    note: \"a note\"\n    functions:\n      \"invoice\": true\n      \"open_api\": false\n"
	if page.Body != want {
		t.Errorf("the file is\n%swant\n%s", page.Body, want)
	}
	if kind := page.Header.Get("Content-Type"); kind != "application/yaml; charset=utf-8" || !strings.Contains(page.Header.Get("Content-Disposition"), ".yaml") {
		t.Errorf("it is a %s, %s", kind, page.Header.Get("Content-Disposition"))
	}
	f, problems := preset.ParseFile([]byte(page.Body))
	if len(problems) > 0 || len(f.Presets) != 1 || !f.Presets[0].Equal(onlyPreset(t, s).Content()) {
		t.Errorf("read back: %+v, %v", f, problems)
	}
}

func TestPresets_import(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	makePreset(t, s, "Gold", wave.Wanted{"invoice": true, "new_in_2027": true})
	text := `
presets:
  - name: ＧＯＬＤ
    functions: {invoice: false}
  - name: Basic
    note: a note
  - name: Silver
    functions: {invioce: true}
  - name: basic
`
	page := c.Post("/presets/import", url.Values{"yaml": {text}})
	wantStatus(t, page, http.StatusOK)
	if got, want := outcomes(page), "ＧＯＬＤ changed, Basic new, Silver invalid, basic invalid"; got != want {
		t.Errorf("the preview says %s, want %s", got, want)
	}
	wantText(t, page, `tr[data-outcome="invalid"]`, says("preset.on_line", "line", 8, "problem", says("preset.file_flag", "key", "invioce")))
	wantText(t, page, `main`, says("preset.import_twice", "line", 5))
	if v := onlyPreset(t, s).Version; v != 1 {
		t.Error("a preview changed something")
	}

	form := importForm(t, page)
	wantText(t, c.Post("/presets/import", form), ".notice-line.success", says("preset.done_imported", "count", 2))
	all := s.Presets.Book().All()
	if len(all) != 3 || all[1].Name != "Basic" || all[2].Name != "ＧＯＬＤ" || all[2].Version != 2 || all[2].Flags["invoice"] || !all[2].Flags["new_in_2027"] {
		t.Errorf("there are %+v", all[1:])
	}
	again := c.Post("/presets/import", url.Values{"yaml": {text}})
	if got, want := outcomes(again), "ＧＯＬＤ same, Basic same, Silver invalid, basic invalid"; got != want || again.Find(`[data-testid="import-do"]`).Length() != 0 {
		t.Errorf("again the preview says %s, want %s, and nothing to press", got, want)
	}
	stale := c.Post("/presets/import", form)
	wantStatus(t, stale, http.StatusConflict)
	wantText(t, stale, ".form-error", says("preset.import_moved"))
	wantNoWrites(t, s)
}

func TestPresets_importRefuses(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	c := s.SignedIn(t, testkit.Editor)
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":    {"", says("preset.on_line", "line", 1, "problem", says("preset.file_empty"))},
		"no YAML":    {"presets:\n- name: \"a\n", says("preset.on_line", "line", 2, "problem", says("preset.file_syntax"))},
		"a bomb":     {"a: &a [x]\npresets: [*a]\n", says("preset.on_line", "line", 1, "problem", "")},
		"NUL":        {"presets:\n- name: a\x00\n", says("preset.on_line", "line", 2, "problem", says("preset.file_odd"))},
		"many lines": {strings.Repeat("#\n", 50_001), says("preset.on_line", "line", "50,001", "problem", says("preset.file_lines", "max", 50_000))},
	} {
		page := c.Post("/presets/import", url.Values{"yaml": {tt.text}})
		if page.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s = %d", name, page.Status)
		}
		wantText(t, page, `[data-testid="import-problems"]`, tt.want)
		if kept := page.Find("#yaml").Text(); kept != strings.ReplaceAll(tt.text, "\x00", "\ufffd") && kept != strings.ReplaceAll(tt.text, "\x00", "") {
			t.Errorf("%s: the text came back as %.80q", name, kept)
		}
	}
	wantStatus(t, c.Post("/presets/import", url.Values{"yaml": {strings.Repeat("# comment\n", preset.MaxFile/10+1)}}), http.StatusUnprocessableEntity)
	wantStatus(t, c.Post("/presets/import", url.Values{"yaml": {strings.Repeat("x", 5<<20)}}), http.StatusRequestEntityTooLarge)
	viewer := s.SignedIn(t, testkit.Viewer)
	wantStatus(t, viewer.Get("/presets/import"), http.StatusForbidden)
	wantStatus(t, viewer.Post("/presets/import", url.Values{"yaml": {"presets:\n- name: a\n"}}), http.StatusForbidden)
	if n := len(s.Presets.Book().All()); n != 1 {
		t.Errorf("there are %d presets", n)
	}
}
