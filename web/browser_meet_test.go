package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// otherEditor is what the second person is called.
const otherEditor = "Hana Sasaki"

// otherWindow opens the page in a browser of a second person who may change accounts.
func otherWindow(t *testing.T, s *testkit.Site, lang, path string) *testkit.Browser {
	t.Helper()
	s.IDP.Script(idp.Script{Claims: func(claims map[string]any) { claims["sub"], claims["name"] = "hana", otherEditor }})
	defer s.IDP.Script(idp.Script{})
	b := s.NewBrowser(t, lang)
	b.SignIn(testkit.Editor, path)
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	return b
}

// saves stages flags in a window and saves them.
func saves(b *testkit.Browser, keys ...wave.Key) {
	for _, key := range keys {
		b.Click(box(key))
	}
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
}

func focusOn(b *testkit.Browser) string {
	return testkit.Eval[string](b, `document.activeElement.id || document.activeElement.outerHTML.slice(0, 120)`)
}

// TestMeet_merge: two people save different flags of one account; the second is
// told what is included, and nobody is asked.
func TestMeet_merge(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s, b, a := editing(t, lang)
			other := otherWindow(t, s, lang, "/resellers/"+string(a.UserID))
			saves(other, "open_api", "usage_tag")
			saves(b, "invoice")
			text := b.Text(`[data-outcome]`)
			invoices, tokens := label(t, lang, "invoice"), label(t, lang, "open_api")
			if !strings.Contains(text, otherEditor) || !strings.Contains(text, tokens) || strings.Contains(text, invoices) {
				t.Errorf("says %q, want that %s turned %s on", text, otherEditor, tokens)
			}
			if n := testkit.Eval[int](b, `document.querySelectorAll("[data-outcome] p").length`); n != 1 {
				t.Errorf("%d sentences about one other person, want 1", n)
			}
			for key, want := range map[wave.Key]bool{"invoice": true, "open_api": true, "usage_tag": false} {
				if flagOn(t, s, a.UserID, key) != want || checked(b, key) != want {
					t.Errorf("%s is not %v", key, want)
				}
			}
		})
	}
}

func label(t *testing.T, lang string, key wave.Key) string {
	t.Helper()
	f, ok := wave.Lookup(key)
	if !ok {
		t.Fatalf("no flag %s", key)
	}
	return f.Label.In(lang)
}

// intoConflict stages merged invoice CSVs with a reason, has the second person turn
// invoices on, and saves: the dialog is open.
func intoConflict(t *testing.T, lang string) (*testkit.Site, *testkit.Browser, wave.Reseller) {
	s, b, a := editing(t, lang)
	b.Click(box("invoice_download_csv_merged"))
	b.Type(`[name="reason"]`, "ticket 41")
	other := otherWindow(t, s, lang, "/resellers/"+string(a.UserID))
	saves(other, "invoice")
	s.Wave.ResetJournal()
	b.Run("focus the box", chromedp.Focus(chromedp.CSS(box("invoice_download_csv_merged"))))
	b.Press("s", chromedp.KeyModifiers(2)) // Ctrl
	b.Wait(`dialog#conflict:modal`)
	return s, b, a
}

// TestMeet_choose: the dialog by mouse. Its choices are those of the boxes behind
// it; each way out keeps what was typed.
func TestMeet_choose(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s, b, a := intoConflict(t, lang)
			b.Shot("conflict-" + lang + "-light")
			if text := b.Text("#conflict"); !strings.Contains(text, otherEditor) {
				t.Errorf("the dialog says %q, want who moved the flag", text)
			}
			if !strings.Contains(draftOf(b), "invoice_download_csv_merged") || !strings.Contains(draftOf(b), "ticket 41") {
				t.Errorf("the draft is %q", draftOf(b))
			}
			b.Click(`#conflict [name="choose.invoice_download_csv_merged"][value="now"]`)
			b.Click(`#conflict [name="choose.invoice"][value="seen"]`)
			if checked(b, "invoice_download_csv_merged") || checked(b, "invoice") {
				t.Error("the boxes do not follow the choices")
			}
			if n := s.Wave.Count(sandbox.OpMeta); n != 0 {
				t.Errorf("%d calls before the person decided", n)
			}
			b.Click(`#conflict [data-reviewed]`)
			b.Wait(`[data-testid="undo"]`)
			if flagOn(t, s, a.UserID, "invoice") || flagOn(t, s, a.UserID, "invoice_download_csv_merged") {
				t.Error("not as chosen")
			}
			if draftOf(b) != "" {
				t.Errorf("a draft is left: %s", draftOf(b))
			}
		})
	}
}

// TestMeet_keyboard: the dialog by keyboard alone. The harmless button has the
// focus, Escape goes back, and the focus returns to where it was.
func TestMeet_keyboard(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s, b, a := intoConflict(t, lang)
			if !testkit.Eval[bool](b, `document.activeElement.matches("#conflict [data-close]")`) {
				t.Errorf("the focus is on %s, want the harmless button", focusOn(b))
			}
			b.Press(kb.Escape)
			b.Until(`!document.querySelector("#conflict")`)
			b.Until(`document.activeElement.id === "f-invoice_download_csv_merged"`)
			if !checked(b, "invoice_download_csv_merged") || testkit.Eval[string](b, `document.querySelector("[name=reason]").value`) != "ticket 41" {
				t.Error("Escape lost the edit or its reason")
			}
			if !checked(b, "invoice") || testkit.Eval[bool](b, `document.querySelector('[data-flag="invoice"]').matches("[data-dirty]")`) {
				t.Error("the form behind the dialog is not on what is there now")
			}

			// Back in the form all is free: nothing of the closed dialog decides.
			if err := s.Wave.SetFlag(a.UserID, "invoice", "false"); err != nil {
				t.Fatal(err)
			}
			b.Press("s", chromedp.KeyModifiers(2))
			b.Wait(`dialog#conflict:modal`)
			for !testkit.Eval[bool](b, `document.activeElement.matches('[name="choose.invoice"]')`) {
				b.Press(kb.Tab, chromedp.KeyModifiers(8)) // Shift
			}
			b.Press(kb.ArrowDown)
			if !testkit.Eval[bool](b, `document.querySelector('[name="choose.invoice"][value="seen"]').checked`) {
				t.Fatal("the arrow did not choose")
			}
			for !testkit.Eval[bool](b, `document.activeElement.matches("#conflict [data-reviewed]")`) {
				b.Press(kb.Tab)
			}
			b.Press(kb.Enter)
			b.Wait(`[data-testid="undo"]`)
			b.Until(`document.activeElement.id === "f-invoice_download_csv_merged"`)
			if !flagOn(t, s, a.UserID, "invoice") || !flagOn(t, s, a.UserID, "invoice_download_csv_merged") {
				t.Error("not as chosen")
			}
		})
	}
}

// TestMeet_backThenEdit: a choice that was made before going back does not weigh on
// what is edited afterwards.
func TestMeet_backThenEdit(t *testing.T) {
	t.Parallel()
	s, b, a := intoConflict(t, "en")
	b.Click(`#conflict [name="choose.invoice_download_csv_merged"][value="now"]`)
	b.Click(`#conflict [data-close]`)
	b.Until(`!document.querySelector("#conflict")`)
	b.Click(box("invoice_download_csv_merged"))
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
	if !flagOn(t, s, a.UserID, "invoice_download_csv_merged") {
		t.Error("the edit that was made after going back is lost")
	}
}

// TestMeet_takeNow: who keeps what others did finds the own edits listed, and can
// have them back, also after a reload.
func TestMeet_takeNow(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s, b, a := intoConflict(t, lang)
			b.Click(`#conflict [data-take-now]`)
			b.Wait(`[data-draft="restore"]`)
			if checked(b, "invoice_download_csv_merged") || !checked(b, "invoice") {
				t.Error("the form is not on what is there now")
			}
			if text := b.Text("#draft"); !strings.Contains(text, label(t, lang, "invoice_download_csv_merged")) {
				t.Errorf("the notice says %q, want the edit named", text)
			}
			b.Reload()
			b.Click(`[data-draft="restore"]`)
			if !checked(b, "invoice_download_csv_merged") || testkit.Eval[string](b, `document.querySelector("[name=reason]").value`) != "ticket 41" {
				t.Error("the edit or its reason did not come back")
			}
			b.Click(`[data-testid="save"]`)
			b.Wait(`[data-testid="undo"]`)
			if !flagOn(t, s, a.UserID, "invoice_download_csv_merged") {
				t.Error("the edit was not saved")
			}
		})
	}
}

// TestMeet_noConnection: a save from the dialog that never leaves says so there.
func TestMeet_noConnection(t *testing.T) {
	t.Parallel()
	_, b, _ := intoConflict(t, "ja")
	b.Run("cut the network", disconnected(true))
	b.Click(`#conflict [data-reviewed]`)
	b.Until(fmt.Sprintf(`document.querySelector("#conflict [data-form-error]").textContent === %q`, say(t, "ja", "js.no_connection")))
	b.Run("join the network", disconnected(false))
	b.Click(`#conflict [data-reviewed]`)
	b.Wait(`[data-testid="undo"]`)
}

// TestMeet_deletion: the account is deleted while someone edits it. The edits stay
// on screen, as text to copy and as a draft.
func TestMeet_deletion(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s, b, a := editing(t, lang)
			path := "/resellers/" + string(a.UserID)
			b.Click(box("invoice"))
			b.Click(box("usage_tag"))
			other := otherWindow(t, s, lang, path)
			other.Open(path + "/delete")
			other.Type(`#confirm`, a.Email)
			other.Click(`[data-testid="delete-save"]`)
			other.Until(`location.pathname === "/resellers"`)

			b.Click(`[data-testid="save"]`)
			b.Wait(`dialog#gone:modal`)
			b.Shot("gone-" + lang + "-light")
			if text := b.Text("#gone"); !strings.Contains(text, otherEditor) {
				t.Errorf("the dialog says %q, want who deleted the account", text)
			}
			copied := testkit.Eval[string](b, `document.querySelector("[data-testid=gone-edits]").value`)
			for _, want := range []string{a.Email, label(t, lang, "invoice"), label(t, lang, "usage_tag")} {
				if !strings.Contains(copied, want) {
					t.Errorf("to copy is %q, want %q in it", copied, want)
				}
			}
			if !testkit.Eval[bool](b, `document.activeElement.matches("#gone [data-close]")`) {
				t.Errorf("the focus is on %s", focusOn(b))
			}
			b.Press(kb.Escape)
			b.Until(`!document.querySelector("#gone") && document.activeElement.id === "save"`)
			if !checked(b, "invoice") || checked(b, "usage_tag") || !strings.Contains(draftOf(b), "usage_tag") {
				t.Errorf("the edits are lost; the draft is %q", draftOf(b))
			}
			b.Click(`[data-testid="save"]`)
			b.Click(`[data-testid="issue-again"]`)
			b.Wait(`#create-form`)
		})
	}
}

// TestMeet_undo: an undo that meets a change asks; the way back leads to the Undo,
// and the rest is undone when the person says so.
func TestMeet_undo(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s, b, a := editing(t, lang)
			saves(b, "invoice", "open_api")
			other := otherWindow(t, s, lang, "/resellers/"+string(a.UserID))
			saves(other, "open_api")
			s.Wave.ResetJournal()

			b.Click(`[data-testid="undo"]`)
			b.Wait(`dialog#undo-moved:modal`)
			b.Shot("undo-moved-" + lang + "-light")
			text := b.Text("#undo-moved")
			for _, want := range []string{otherEditor, label(t, lang, "invoice"), label(t, lang, "open_api")} {
				if !strings.Contains(text, want) {
					t.Errorf("the dialog says %q, want %q in it", text, want)
				}
			}
			if !testkit.Eval[bool](b, `document.activeElement.matches("#undo-moved [data-close]")`) {
				t.Errorf("the focus is on %s", focusOn(b))
			}
			b.Press(kb.Escape)
			b.Until(`!document.querySelector("#undo-moved") && document.activeElement.id === "undo"`)
			if n := s.Wave.Count(sandbox.OpMeta); n != 0 {
				t.Errorf("%d calls before the person decided", n)
			}
			b.Press(kb.Enter)
			b.Wait(`dialog#undo-moved:modal`)
			b.Click(`[data-testid="undo-rest"]`)
			b.Until(`document.querySelector("[data-outcome]") && !document.querySelector("[data-testid=undo]")`)
			if flagOn(t, s, a.UserID, "invoice") || flagOn(t, s, a.UserID, "open_api") {
				t.Error("not just the rest went back")
			}
			if got, want := b.Text(`[data-outcome]`), label(t, lang, "open_api"); !strings.Contains(got, want) {
				t.Errorf("says %q, want what was left: %q", got, want)
			}
		})
	}
}
