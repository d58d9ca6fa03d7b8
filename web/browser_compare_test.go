package web_test

import (
	"fmt"
	"net/url"
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// startPair is a site with the accounts of pairOf, and a browser in which an editor is.
func startPair(t *testing.T, lang, path string) (*testkit.Site, *testkit.Browser, string) {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Accounts: 12, Config: onlyWhenAsked})
	id := pairOf(t, s)
	post(t, s.SignedIn(t, testkit.Editor), "/refresh", url.Values{})
	b := s.NewBrowser(t, lang)
	b.SignIn(testkit.Editor, path)
	return s, b, id
}

// TestCompare_stage: from the fields to the account with what was chosen staged.
func TestCompare_stage(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s, b, _ := startPair(t, lang, "/resellers/pair-a")
			b.Click(`.account-menu summary`)
			b.Shot("account-menu-" + lang + "-light")
			b.Click(`[data-testid="compare-link"]`)
			b.Wait(`[data-testid="compare-empty"]`)
			b.Type(`#pick-b`, "pair-b")
			b.Until(`document.querySelector('#list-b option[value="pair-b@kyoto-foods.example.co.jp"]')`)
			b.Click(`[data-testid="compare-form"] .go`)
			b.Wait(`[data-testid="compare"]`)
			rows := testkit.Eval[int](b, `document.querySelectorAll('[data-testid="compare"] [name="only"]').length`)
			b.Until(`document.querySelector("[data-chosen]").textContent === ` + quoted(say(t, lang, "js.compare_chosen", "count", rows)))
			b.Click(`[data-all]`)
			b.Click(`[name="only"][value="open_api"]`)
			b.Until(`document.querySelector("[data-chosen]").textContent === ` + quoted(say(t, lang, "js.compare_chosen", "count", 1)))
			b.Click(`[data-testid="stage-A"]`)
			b.Wait(`.takeback`)
			if got, want := b.Text(`[data-testid="unsaved-count"]`), say(t, lang, "js.unsaved", "count", 1, "on", 1, "off", 0); got != want {
				t.Errorf("the save bar says %q, want %q", got, want)
			}
			b.Shot("account-copy-" + lang + "-light")
			if flagOn(t, s, "pair-a", "open_api") {
				t.Error("saved already")
			}
			b.Click(`[data-testid="save"]`)
			b.Wait(`[data-testid="undo"]`)
			b.Until(`location.search === ""`)
			if !flagOn(t, s, "pair-a", "open_api") || !flagOn(t, s, "pair-a", "invoice") {
				t.Error("not just the chosen row was saved")
			}
		})
	}
}

// TestStage_keepsEdits: edits that are not saved outlive what a link stages: they are
// offered again once that is saved, or on the plain page.
func TestStage_keepsEdits(t *testing.T) {
	t.Parallel()
	s, b, id := startPair(t, "en", "/resellers/pair-b")
	b.Wait(`#f-cost_allocation, #perm-form`)
	b.Click("#f-dashboard_graph")
	b.Wait(`.savebar[data-dirty]`)
	b.Click(`.account-menu summary`)
	b.Click(`.account-menu [data-preset-id="` + id + `"]`)
	b.Wait(`.takeback`)
	if !testkit.Eval[bool](b, `document.querySelector("#f-dashboard_graph").checked`) {
		t.Error("the edit is on the page of the preset")
	}
	b.Shot("account-preset-en-light")
	b.Click(`[data-testid="discard"]`)
	b.Until(`location.search === ""`)
	b.Wait(`[data-draft="restore"]`) // the way back offers them
	b.Open("/resellers/pair-b?preset=" + id)
	b.Wait(`.takeback`)
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
	b.Click(`[data-draft="restore"]`)
	b.Until(`!document.querySelector("#f-dashboard_graph").checked`)
	if !flagOn(t, s, "pair-b", "invoice") || !flagOn(t, s, "pair-b", "dashboard_graph") {
		t.Error("not just the preset was saved")
	}
}

// TestPresetMarks: a mark says what the preset says while the box says otherwise, and
// the filter shows only those.
func TestPresetMarks(t *testing.T) {
	t.Parallel()
	_, b, _ := startPair(t, "ja", "/resellers/pair-b")
	b.Shot("account-followed-ja-light")
	mark := `[data-flag="invoice"] [data-preset-mark]`
	b.Wait(mark)
	if got, want := b.Text(mark), say(t, "ja", "grid.preset_on"); got != want {
		t.Errorf("the mark says %q, want %q", got, want)
	}
	b.Click(`[data-only="preset"]`)
	const seen = `[...document.querySelectorAll(".flag:not([data-filtered])")].map((f) => f.dataset.flag).join(" ")`
	for _, want := range []wave.Key{"invoice", "usage_tag", "aqua_link"} {
		b.Wait("#f-" + string(want))
	}
	if n := len(testkit.Eval[string](b, seen)); n == 0 || testkit.Eval[int](b, `document.querySelectorAll(".flag:not([data-filtered])").length`) != 3 {
		t.Errorf("the filter shows %s", testkit.Eval[string](b, seen))
	}
	b.Click("#f-invoice")
	b.Until(`document.querySelector('` + mark + `').hidden`)
	b.Open("/resellers/pair-b/details")
	b.Wait(`[data-testid="preset-card"]`)
	b.Shot("details-preset-ja-light")
	b.Dark(true)
	b.Open("/resellers/pair-b?preset=" + "defaults")
	b.Wait(`.takeback`)
	b.Shot("account-preset-ja-dark")
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }
