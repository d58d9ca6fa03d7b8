package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// newest returns the newest change of an account.
func newest(t *testing.T, c *testkit.Client, id string) string {
	t.Helper()
	all := ids(c.Get("/changes?account=" + id).Selection)
	if len(all) == 0 {
		t.Fatalf("%s has no changes", id)
	}
	return all[0]
}

// panel is what the page says above the grid: a line for each flag.
func panel(p testkit.Page) string {
	return strings.Join(p.Find(`[data-testid="takeback"] tbody tr`).Map(func(_ int, row *goquery.Selection) string {
		return strings.Join(row.Children().Map(func(_ int, cell *goquery.Selection) string { return shown(cell) }), " | ")
	}), "\n")
}

// TestTakeBack_undo: the page stages an undo, shows it, and a save of it is an
// ordinary save that says what it undoes.
func TestTakeBack_undo(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c, other := s.SignedIn(t, testkit.Editor), secondEditor(t, s)
			add(t, s, c, accountOf("acme"))
			form := permForm(t, c.Get("/resellers/acme"))
			check(form, "invoice", true)
			check(form, "dashboard_graph", false)
			wantStatus(t, c.Post("/resellers/acme/meta", form), http.StatusOK)
			of := newest(t, c, "acme")
			wantStatus(t, other.Post("/resellers/acme/meta", edit("dashboard_graph", false, true)), http.StatusOK)
			s.Wave.ResetJournal()

			p := c.Get("/resellers/acme?undo=" + of)
			wantStatus(t, p, http.StatusOK)
			lines := strings.Split(panel(p), "\n")
			if len(lines) != 2 || !strings.HasPrefix(lines[0], "Dashboard graph | on | on | "+says("stays.moved")+" | "+secondEditorName) || lines[1] != "Invoices | off | on | off | " {
				t.Errorf("the panel says\n%s", panel(p))
			}
			if boxOn(p, "invoice") || !boxOn(p, "dashboard_graph") || s.Wave.Count(sandbox.OpMeta) != 0 {
				t.Error("not staged, or sent already")
			}
			staged := permForm(t, p)
			if staged.Get("undo_of") != of || staged.Get("was.invoice") != "on" {
				t.Errorf("the form says undo of %q", staged.Get("undo_of"))
			}
			if p.Find(`[data-testid="discard"]:not([data-discard])[href="/resellers/acme"]`).Length() != 1 {
				t.Error("discarding does not lead to the plain page")
			}
			staged.Set("reason", "was a mistake")
			p = c.Post("/resellers/acme/meta", staged, way.headers...)
			wantStatus(t, p, http.StatusOK)
			wantText(t, p, "[data-outcome]", undoneText(1))
			if way.headers != nil && p.Header.Get("HX-Replace-Url") != "/resellers/acme" {
				t.Errorf("the address becomes %q", p.Header.Get("HX-Replace-Url"))
			}
			if p.Find(`[name="undo_of"]`).Length() > 0 || state(t, s, "acme", "invoice") != wave.Off || state(t, s, "acme", "dashboard_graph") != wave.On {
				t.Error("not just the rest was taken back")
			}

			undo := newest(t, c, "acme")
			wantText(t, c.Get("/changes/"+undo), "h1", "Undo of the change of ")
			wantText(t, c.Get("/changes/"+undo), `.facts a[href="/changes/`+of+`"]`, editorName)
			wantText(t, c.Get("/changes/"+of), `.facts a[href="/changes/`+undo+`"]`, "Undone at ")
			wantText(t, c.Get("/changes/"+of), ".facts", " s old when it was sent")
			p = c.Get("/resellers/acme?undo=" + of)
			wantText(t, p, `[data-testid="takeback"]`, says("undo.nothing"))
			if permForm(t, p).Has("undo_of") {
				t.Error("an edit from here would count as the undo")
			}
		})
	}
}

// TestTakeBack_restore brings everything back that differs, and shows it first.
func TestTakeBack_restore(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	wantStatus(t, c.Post("/resellers/acme/meta", edit("invoice", false, true)), http.StatusOK)
	of := newest(t, c, "acme")
	wantStatus(t, c.Post("/resellers/acme/meta", edit("invoice", true, false)), http.StatusOK)
	for key, raw := range map[wave.Key]string{"open_api": "true", "new_in_2027": "true"} {
		if err := s.Wave.SetFlag("acme", key, raw); err != nil {
			t.Fatal(err)
		}
	}
	refresh(t, c)
	p := c.Get("/resellers/acme?restore=" + of)
	form := permForm(t, p)
	if form.Get("restore_of") != of || strings.Count(panel(p), "\n") != 2 || !strings.Contains(panel(p), "new_in_2027 | not set | on | off") {
		t.Errorf("the panel says\n%s", panel(p))
	}
	wantStatus(t, c.Post("/resellers/acme/meta", form), http.StatusOK)
	for key, want := range map[wave.Key]wave.State{"invoice": wave.On, "open_api": wave.Off, "new_in_2027": wave.Off} {
		if got := state(t, s, "acme", key); got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	wantText(t, c.Get("/resellers/acme/history"), "tbody tr:first-child", "Restored to the state after the change of ")
}

// TestTakeBack_outside: what someone did outside can be taken back as well, and the
// next save says of it that it was done outside.
func TestTakeBack_outside(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	appear(t, s, c, accountOf("acme"))
	if err := s.Wave.SetFlag("acme", "invoice", "true"); err != nil {
		t.Fatal(err)
	}
	refresh(t, c)
	until(t, "the change is on record", func() bool { return c.Get("/changes?by=outside&kind=meta").Find("tr[data-change]").Length() == 1 })
	of := newest(t, c, "acme")
	p := c.Get("/resellers/acme?undo=" + of)
	wantText(t, p, "#takeback-title", "Undo of the change made outside this tool, seen at 20")
	if panel(p) != "Invoices | off | on | off | " {
		t.Errorf("the panel says %q", panel(p))
	}
	wantStatus(t, c.Post("/resellers/acme/meta", permForm(t, p)), http.StatusOK)
	if state(t, s, "acme", "invoice") != wave.Off {
		t.Error("it was not taken back")
	}
	wantText(t, c.Get("/resellers/acme/history"), "tbody tr:first-child", "Undo of the change made outside this tool")
	wantText(t, c.Get("/changes/"+of), ".outcome-line", says("means.outside"))

	// An undo of a save that met it names it with its time.
	wantStatus(t, c.Post("/resellers/acme/meta", edit("open_api", false, true)), http.StatusOK)
	saved := newest(t, c, "acme")
	if err := s.Wave.SetFlag("acme", "open_api", "false"); err != nil {
		t.Fatal(err)
	}
	refresh(t, c)
	until(t, "the second change is on record", func() bool { return c.Get("/changes?by=outside&kind=meta").Find("tr[data-change]").Length() == 2 })
	if got := panel(c.Get("/resellers/acme?undo=" + saved)); !strings.HasPrefix(got, "API access tokens | off | off | stays: changed since | outside this tool, 20") {
		t.Errorf("the panel says %q", got)
	}
}

// TestTakeBack_refused: what cannot be taken back has no page, and a form that says
// otherwise is refused with the edits in it.
func TestTakeBack_refused(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	add(t, s, c, accountOf("other"))
	wantStatus(t, c.Post("/resellers/acme/meta", edit("invoice", false, true)), http.StatusOK)
	of := newest(t, c, "acme")
	wantStatus(t, c.Post("/resellers/acme/password", url.Values{"input_type": {"Auto"}}), http.StatusOK)
	password := newest(t, c, "acme")
	for target, status := range map[string]int{
		"/resellers/acme?undo=nonsense": 404, "/resellers/acme?restore=%27": 404,
		"/resellers/other?undo=" + of: 404, "/resellers/other?restore=" + of: 404,
		"/resellers/acme?undo=" + password: 422, "/resellers/acme?restore=" + password: 422,
		"/resellers/new?from_change=nonsense": 404, "/resellers/new?from_change=" + password: 422,
	} {
		if p := c.Get(target); p.Status != status {
			t.Errorf("%s = %d, want %d", target, p.Status, status)
		}
	}
	if p := s.SignedIn(t, testkit.Viewer).Get("/resellers/acme?undo=" + of); p.Status != http.StatusForbidden {
		t.Errorf("a viewer gets %d", p.Status)
	}
	for _, field := range []string{"undo_of", "restore_of"} {
		for _, id := range []string{"made-up", of, password} { // of is of the other account
			form := edit("open_api", false, true)
			form.Set(field, id)
			for _, way := range ways {
				s.Wave.ResetJournal()
				p := c.Post("/resellers/other/meta", form, way.headers...)
				if p.Status != http.StatusUnprocessableEntity || len(writes(s)) > 0 || !boxOn(p, "open_api") {
					t.Errorf("%s=%s, %s: %d, sent %+v", field, id, way.name, p.Status, writes(s))
				}
			}
		}
	}
}

// TestTakeBack_conflict: an undo that meets other changes asks as every save does,
// and is still that undo when it is saved from there.
func TestTakeBack_conflict(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	wantStatus(t, c.Post("/resellers/acme/meta", edit("invoice_download_csv_merged", false, true)), http.StatusOK)
	of := newest(t, c, "acme")
	form := permForm(t, c.Get("/resellers/acme?undo="+of))
	if err := s.Wave.SetFlag("acme", "invoice", "true"); err != nil { // its parent
		t.Fatal(err)
	}
	p := c.Post("/resellers/acme/meta", form, htmx)
	wantStatus(t, p, http.StatusConflict)
	again := permForm(t, p)
	if again.Get("undo_of") != of || p.Find(`[data-testid="takeback"]`).Length() != 1 {
		t.Fatal("it is no undo any more")
	}
	wantStatus(t, c.Post("/resellers/acme/meta", again, htmx), http.StatusOK)
	wantText(t, c.Get("/resellers/acme/history"), "tbody tr:first-child", "Undo of the change of ")
}
