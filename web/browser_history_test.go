package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// remembering runs a test in both languages, on a site with a past.
func remembering(t *testing.T, test func(t *testing.T, s *testkit.Site, b *testkit.Browser, lang string, p *past, c *clock)) {
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			clock := new(clock)
			s := testkit.Start(t, testkit.Options{Now: clock.now, Config: onlyWhenAsked})
			p := newPast(t, s)
			b := s.NewBrowser(t, lang)
			b.SignIn(testkit.Editor, "/resellers")
			test(t, s, b, lang, p, clock)
		})
	}
}

// staged returns the keys of the flags that are marked as changed.
func staged(b *testkit.Browser) string {
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	return testkit.Eval[string](b, `[...document.querySelectorAll(".flag[data-dirty]")].map(f => f.dataset.flag).join(" ")`)
}

// TestHistory_undo: a save is taken back from the history. What someone changed since
// stays and is named, other edits in the browser are not lost.
func TestHistory_undo(t *testing.T) {
	t.Parallel()
	remembering(t, func(t *testing.T, s *testkit.Site, b *testkit.Browser, lang string, p *past, _ *clock) {
		b.Open("/resellers/history") // an edit that is left behind
		b.Click(box("usage_account"))
		b.Open("/resellers/history/history")
		b.Shot("history-actions-" + lang + "-light")
		b.Click(`tr[data-change="` + p.first + `"] a[href*="undo="]`)
		b.Wait(`[data-testid="takeback"]`)
		if got := staged(b); got != "dashboard_graph invoice" {
			t.Errorf("staged: %s", got)
		}
		if got := b.Text(`[data-testid="takeback"] .stays`); !strings.Contains(got, "佐々木 花") || !strings.Contains(got, say(t, lang, "stays.moved")) {
			t.Errorf("of what stays it says %q", got)
		}
		b.Shot("undo-staged-" + lang + "-light")
		s.Wave.ResetJournal()
		b.Click(`[data-testid="save"]`)
		b.Until(`document.querySelector("#perm-form[data-saved]") && location.search === ""`)
		if flagOn(t, s, "history", "invoice") || !flagOn(t, s, "history", "dashboard_graph") || flagOn(t, s, "history", "open_api") || s.Wave.Count(sandbox.OpMeta) != 1 {
			t.Error("not just what was staged was taken back")
		}
		b.Click(`[data-draft="restore"]`)
		if got := staged(b); got != "usage_account" {
			t.Errorf("of the edit before the undo there is %q", got)
		}
		b.Click(`[data-testid="discard"]`)
		b.Open("/resellers/history/history")
		of := testkit.Eval[string](b, `document.querySelector('tr[data-change="`+p.first+`"] time').textContent`)
		if got, want := b.Text(`[data-testid="history"] tbody .what`), say(t, lang, "undo.of", "time", of, "name", "田中 美咲"); !strings.Contains(got, want) {
			t.Errorf("the history says %q, want %q", got, want)
		}
		b.Click(`tr[data-change="` + p.first + `"] th a`)
		b.Wait(`.diff-link`)
		b.Click(`[data-testid="stage-undo"]`)
		b.Wait(`[data-testid="takeback"]`)
		if staged(b) != "" || !strings.Contains(b.Text(`[data-testid="takeback"]`), say(t, lang, "undo.nothing")) {
			t.Errorf("a second undo stages %q and says %q", staged(b), b.Text(`[data-testid="takeback"]`))
		}
	})
}

// TestHistory_restore: the account goes back to a point of its past; discarding
// leads to the page as it is.
func TestHistory_restore(t *testing.T) {
	t.Parallel()
	remembering(t, func(t *testing.T, s *testkit.Site, b *testkit.Browser, lang string, p *past, _ *clock) {
		b.Open("/changes/" + p.first)
		b.Click(`[data-testid="stage-restore"]`)
		b.Wait(`[data-testid="takeback"]`)
		want := "report_filters usage_group usage_tag usage_crosstag open_api"
		if got := staged(b); got != want {
			t.Errorf("staged: %s, want %s", got, want)
		}
		b.Shot("restore-staged-" + lang + "-light")
		b.Click(`[data-testid="discard"]`)
		b.Until(`location.search === "" && !document.querySelector("[data-testid=takeback]")`)
		if staged(b) != "" {
			t.Error("after it was discarded something is staged")
		}
		b.Open("/resellers/history?restore=" + p.first)
		staged(b)
		b.Click(`[data-testid="save"]`)
		b.Until(`document.querySelector("#perm-form[data-saved]") && location.search === ""`)
		for key, on := range map[wave.Key]bool{"report_filters": false, "usage_group": true, "open_api": true, "invoice": true, "dashboard_graph": false} {
			if flagOn(t, s, "history", key) != on {
				t.Errorf("%s is not %v", key, on)
			}
		}
		b.Open("/changes")
		of := say(t, lang, "restore.of", "time", "", "name", "")
		if got := b.Text(`[data-testid="history"] tbody .what`); !strings.Contains(got, "田中 美咲") || !strings.HasPrefix(got, of[:6]) && lang == "en" {
			t.Errorf("the newest change says %q", got)
		}
	})
}

// TestHistory_again: an account that was deleted is issued again as it was.
func TestHistory_again(t *testing.T) {
	t.Parallel()
	remembering(t, func(t *testing.T, s *testkit.Site, b *testkit.Browser, lang string, _ *past, _ *clock) {
		b.Open("/changes?kind=delete")
		b.Click(`td.clip a[href="/resellers/gone"]`)
		b.Wait(`[data-testid="gone"]`)
		b.Shot("account-gone-" + lang + "-light")
		b.Click(`[data-testid="issue-again"]`)
		b.Wait(`[data-testid="seeded"]`)
		b.Shot("issue-again-" + lang + "-light")
		b.Click(`[data-testid="create-save"]`)
		b.Until(`document.querySelector("form[data-testid=perm-form]") && document.querySelector(".notice-line.success")`)
		for _, a := range s.Wave.Accounts() {
			if a.Email == "gone@example.co.jp" && a.BillingGroup.CompanyID == "k-gone" && len(wave.Diff(a.Meta, wave.Defaults())) == 0 {
				return
			}
		}
		t.Error("the account is not there as it was")
	})
}

// TestHistory_decide: an editor says what became of a change that no reading settled.
func TestHistory_decide(t *testing.T) {
	t.Parallel()
	remembering(t, func(t *testing.T, s *testkit.Site, b *testkit.Browser, lang string, _ *past, clock *clock) {
		id, undo := doubt(t, s, clock, sandbox.Before)
		defer undo()
		b.Open("/changes?outcome=in_doubt")
		b.Click(`tr[data-change="` + id + `"] th a`)
		b.Wait(`[data-testid="settle-form"]`)
		b.Shot("decide-" + lang + "-light")
		b.Click(`[name="outcome"][value="not_applied"]`)
		b.Click(`[data-testid="settle-save"]`)
		b.Until(`document.activeElement.matches(".form-error")`)
		if !testkit.Eval[bool](b, `document.querySelector("[value=not_applied]").checked`) {
			t.Error("the choice was lost")
		}
		b.Type(`#reason`, "確認済み")
		b.Click(`[data-testid="settle-save"]`)
		b.Until(fmt.Sprintf(`document.querySelector(".notice-line.success")?.textContent.includes(%q)`, say(t, lang, "decide.done")))
		text := b.Text("main")
		for _, want := range []string{say(t, lang, "means.decided_failed", "name", "田中 美咲"), "確認済み"} {
			if !strings.Contains(text, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
		b.Shot("decided-" + lang + "-light")
	})
}

// TestChanges_keyboard filters the table of changes and clears it with the keyboard
// alone.
func TestChanges_keyboard(t *testing.T) {
	t.Parallel()
	remembering(t, func(t *testing.T, _ *testkit.Site, b *testkit.Browser, lang string, p *past, _ *clock) {
		rows := func(n int) { b.Until(fmt.Sprintf(`document.querySelectorAll("tbody tr").length === %d`, n)) }
		param := func(name, value string) {
			b.Until(fmt.Sprintf(`(new URLSearchParams(location.search).get(%q) ?? "") === %q`, name, value))
		}
		tabTo := func(selector string) {
			t.Helper()
			for range 40 {
				if testkit.Eval[bool](b, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
					return
				}
				b.Press(kb.Tab)
			}
			t.Fatalf("Tab never reaches %s", selector)
		}
		b.Open("/changes")
		rows(4)
		b.Run("press /", keyDown("/"))
		b.Press("HISTORY@")
		rows(3)
		param("q", "HISTORY@")
		tabTo(`summary`)
		b.Press(kb.Enter)
		tabTo(`select[name="by"]`)
		b.Press(kb.ArrowDown)
		b.Press(kb.ArrowDown) // past everyone and outside to the first person
		b.Press(kb.ArrowDown)
		tabTo(`select[name="kind"]`)
		b.Press(kb.ArrowDown)
		tabTo(`.panel button`)
		b.Press(kb.Enter)
		rows(1)
		param("kind", "meta")
		b.Shot("changes-filtered-" + lang + "-light")
		for testkit.Eval[int](b, `document.querySelectorAll(".chip").length`) > 0 {
			n := testkit.Eval[int](b, `document.querySelectorAll(".chip").length`)
			tabTo(`.chip`)
			b.Press(kb.Enter)
			b.Until(fmt.Sprintf(`document.querySelectorAll(".chip").length === %d`, n-1))
		}
		rows(3)
		if got := testkit.Eval[string](b, `document.querySelector('select[name="kind"]').value`); got != "" {
			t.Errorf("the field still says %q", got)
		}
		tabTo(`tr[data-change="` + p.second + `"] th a`)
		b.Press(kb.Enter)
		b.Wait(`[data-testid="change-flags"]`)
		b.Run("go back", chromedp.NavigateBack())
		param("q", "HISTORY@")
		rows(3)
	})
}
