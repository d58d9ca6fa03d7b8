package web_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// editing opens an account's page as an editor, with invoices and API tokens off
// and the tag report on.
func editing(t *testing.T, lang string) (*testkit.Site, *testkit.Browser, wave.Reseller) {
	s := testkit.Start(t, testkit.Options{})
	b := s.NewBrowser(t, lang)
	a := account(t, s, map[wave.Key]bool{"invoice": false, "open_api": false, "usage_tag": true})
	b.SignIn(testkit.Editor, "/resellers/"+string(a.UserID))
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	return s, b, a
}

func box(key wave.Key) string { return `#f-` + string(key) }

func checked(b *testkit.Browser, key wave.Key) bool {
	return testkit.Eval[bool](b, `document.querySelector("`+box(key)+`").checked`)
}

// TestKeyboard does a save with the keyboard alone: Tab to a box, Space, Ctrl+S.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s, b, a := editing(t, "en")
	b.Run("focus the box before", chromedp.Focus(chromedp.CSS(box("report_filters"))))
	for testkit.Eval[string](b, `document.activeElement.id`) != "f-invoice" {
		b.Press(kb.Tab)
	}
	b.Press(" ")
	if !checked(b, "invoice") {
		t.Fatal("Space did not switch the box")
	}
	b.Press("s", chromedp.KeyModifiers(2)) // Ctrl
	b.Wait(`[data-testid="undo"]`)
	if !flagOn(t, s, a.UserID, "invoice") {
		t.Error("Ctrl+S did not save")
	}
}

// TestFocusIsNeverHidden tabs through the whole grid: what has the focus is
// never under the save bar.
func TestFocusIsNeverHidden(t *testing.T) {
	t.Parallel()
	_, b, _ := editing(t, "ja")
	hidden := `(() => {
		const bar = document.querySelector(".savebar"), el = document.activeElement;
		if (bar.contains(el) || el === document.body) return false;
		return el.getBoundingClientRect().bottom > bar.getBoundingClientRect().top;
	})()`
	b.Run("focus the first box", chromedp.Focus(chromedp.CSS(box("dashboard_graph"))))
	for range 50 {
		b.Press(kb.Tab)
		if testkit.Eval[bool](b, hidden) {
			t.Fatalf("%s is under the save bar while it has the focus", testkit.Eval[string](b, `document.activeElement.id`))
		}
	}
}

func TestStaging(t *testing.T) {
	t.Parallel()
	_, b, _ := editing(t, "en")
	count := func() string { return b.Text(`[data-testid="unsaved-count"]`) }

	b.Click(box("invoice"))
	if got := b.Text(`[data-flag="invoice"] [data-revert]`); got != "off → on" {
		t.Errorf("the mark says %q, want off → on", got)
	}
	b.Click(`[data-flag="invoice"] [data-revert]`)
	if checked(b, "invoice") || count() != say(t, "en", "js.unsaved_none") {
		t.Errorf("after a click on the mark: box on is %v, the bar says %q", checked(b, "invoice"), count())
	}

	// A group's box: mixed → all on → all off → as it was.
	group := `[data-group="invoice"]`
	b.Click(box("invoice"))
	var seen []int
	for range 3 {
		b.Click(group + ` [data-group-box]`)
		seen = append(seen, testkit.Eval[int](b, `document.querySelectorAll('`+group+` .flag input[type=checkbox]:checked').length`))
	}
	if fmt.Sprint(seen[:2]) != "[3 0]" {
		t.Errorf("the group box gave %v flags on, want 3 and 0 first", seen)
	}
	b.Click(`[data-testid="discard"]`)
	if count() != say(t, "en", "js.unsaved_none") {
		t.Errorf("after Discard the bar says %q", count())
	}

	// Under a filter the group box takes only what is shown, and says so.
	b.Type(`[data-grid-filter]`, "merged")
	b.Until(`document.querySelectorAll(".flag:not([data-filtered])").length === 1`)
	b.Click(group + ` [data-group-box]`)
	if !checked(b, "invoice_download_csv_merged") || checked(b, "invoice_download_csv_discount") {
		t.Error("the group box took flags that the filter hides")
	}
	b.Until(fmt.Sprintf(`document.querySelector("#sr-status").textContent === %q`, say(t, "en", "js.group_filtered", "count", 1)))

	// The label in the other language finds the flag too, in any kind of kana.
	testkit.Eval[string](b, `document.querySelector("[data-grid-filter]").value = ""`)
	b.Type(`[data-grid-filter]`, "れぽーとふぃるたー")
	b.Until(`document.querySelectorAll(".flag:not([data-filtered])").length === 1`)
	if !testkit.Eval[bool](b, `document.querySelector('[data-flag="report_filters"]').matches(":not([data-filtered])")`) {
		t.Error("the Japanese label does not find the flag on the English page")
	}
}

// TestDraft: what is staged survives a reload, a session that ended, and is
// gone once it is saved.
func TestDraft(t *testing.T) {
	t.Parallel()
	s, b, a := editing(t, "ja")
	b.Click(box("invoice"))
	b.Reload()
	b.Wait(`[data-draft="restore"]`)
	b.Shot("draft-ja-light")
	if checked(b, "invoice") {
		t.Error("the draft was restored without being asked for")
	}
	b.Click(`[data-draft="restore"]`)
	if !checked(b, "invoice") {
		t.Fatal("Restore did not bring the edit back")
	}

	b.Run("forget the session", clearCookies)
	b.Click(`[data-testid="save"]`)
	b.Click(`button[value="` + testkit.Editor + `"]`) // the provider asks, then leads back
	b.Until(`location.pathname === "/resellers/` + string(a.UserID) + `"`)
	b.Click(`[data-draft="restore"]`)
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
	if !flagOn(t, s, a.UserID, "invoice") {
		t.Error("the edit was lost with the session")
	}
	b.Reload()
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	if testkit.Eval[bool](b, `Boolean(document.querySelector("[data-draft]"))`) {
		t.Error("a draft is offered although it was saved")
	}
}

// TestDraft_besideEdits: a draft that is offered and not answered outlives new edits, a
// reload with both, and a save of others. Restored while something else is staged, it
// joins that.
func TestDraft_besideEdits(t *testing.T) {
	t.Parallel()
	s, b, a := editing(t, "en")
	offered := func(names ...wave.Key) {
		t.Helper()
		b.Wait(`[data-draft="restore"]`)
		for _, key := range []wave.Key{"invoice", "open_api"} {
			if is := strings.Contains(b.Text("#draft"), label(t, "en", key)); is != slices.Contains(names, key) {
				t.Errorf("the notice says %q, want %v", b.Text("#draft"), names)
			}
		}
	}
	b.Click(box("invoice"))
	b.Reload()
	offered("invoice")
	b.Click(box("open_api"))
	b.Reload() // with the offer unanswered: both are kept
	offered("invoice", "open_api")
	b.Click(`[data-draft="drop"]`)
	b.Reload()
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	if kept := draftOf(b); kept != "" {
		t.Errorf("dropped, and still kept: %s", kept)
	}

	b.Click(box("invoice"))
	b.Reload()
	offered("invoice")
	b.Click(box("open_api"))
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
	offered("invoice")
	b.Reload()
	offered("invoice")
	b.Click(box("usage_tag"))
	b.Click(`[data-draft="restore"]`)
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
	if !flagOn(t, s, a.UserID, "invoice") || !flagOn(t, s, a.UserID, "open_api") || flagOn(t, s, a.UserID, "usage_tag") {
		t.Error("an edit is lost")
	}
	if kept := draftOf(b); kept != "" {
		t.Errorf("saved, and still kept: %s", kept)
	}
}

// TestDraft_refused: a draft can be restored after the server has brought the form
// anew, with the edits that it refused.
func TestDraft_refused(t *testing.T) {
	t.Parallel()
	s, b, _ := editing(t, "en")
	b.Click(box("invoice"))
	b.Reload()
	b.Wait(`[data-draft="restore"]`)
	b.Click(box("open_api"))
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Status: 400})
	b.Click(`[data-testid="save"]`)
	b.Until(`document.querySelector("#perm-form [data-form-error]").textContent.trim()`)
	b.Click(`[data-draft="restore"]`)
	if !checked(b, "invoice") || !checked(b, "open_api") {
		t.Errorf("invoice is %v and open_api %v, want both staged", checked(b, "invoice"), checked(b, "open_api"))
	}
}

// TestReview: a save that turns much off is shown first; the harmless button has
// the focus.
func TestReview(t *testing.T) {
	t.Parallel()
	s, b, a := editing(t, "en")
	for _, key := range []wave.Key{"usage_group", "usage_group_graph"} {
		if !a.Meta.On(key) {
			b.Click(box(key)) // on, so that the group has something to lose
		}
	}
	if testkit.Eval[int](b, `document.querySelectorAll(".flag[data-dirty]").length`) > 0 {
		b.Click(`[data-testid="save"]`)
		b.Wait(`[data-testid="undo"]`)
	}
	s.Wave.ResetJournal()
	b.Click(`[data-group="usage_group"] [data-group-box]`)
	b.Click(`[data-testid="save"]`)
	b.Wait(`dialog#review[open]`)
	b.Shot("review-en-light")
	if !testkit.Eval[bool](b, `document.activeElement.matches("#review [data-close]")`) {
		t.Error("the focus is not on the harmless button")
	}
	b.Press(kb.Escape)
	b.Until(`!document.querySelector("#review").open`)
	if n := s.Wave.Count(sandbox.OpMeta); n != 0 {
		t.Errorf("%d calls before the review was accepted", n)
	}
	b.Click(`[data-testid="save"]`)
	b.Click(`[data-review-save]`)
	b.Wait(`[data-testid="undo"]`)
	if flagOn(t, s, a.UserID, "usage_group") {
		t.Error("the reviewed save was not sent")
	}
}

// TestConflict: someone changes what this save depends on. Nothing is sent until
// the person has looked; nothing staged is lost.
func TestConflict(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"ja", "en"} {
		t.Run(lang, func(t *testing.T) {
			s, b, a := editing(t, lang)
			b.Click(box("invoice_download_csv_merged"))
			want := checked(b, "invoice_download_csv_merged")
			if err := s.Wave.SetFlag(a.UserID, "invoice", "true"); err != nil {
				t.Fatal(err)
			}
			s.Wave.ResetJournal()
			b.Click(`[data-testid="save"]`)
			b.Wait(`dialog#conflict[open]`)
			if got := b.Text(`#conflict`); !strings.Contains(got, say(t, lang, "conflict.outside")) {
				t.Errorf("the dialog says %q, want that it was changed elsewhere", got)
			}
			if n := s.Wave.Count(sandbox.OpMeta); n != 0 {
				t.Errorf("%d calls changed flags before the person decided", n)
			}
			b.Click(`#conflict [data-reviewed]`)
			b.Wait(`[data-testid="undo"]`)
			if !flagOn(t, s, a.UserID, "invoice") || flagOn(t, s, a.UserID, "invoice_download_csv_merged") != want {
				t.Error("the save did not keep both changes")
			}
		})
	}
}

// TestWaveAway: while Wave is gone the pages answer from what it last said, and a
// save says what happened and keeps the edits. When it is back all is well.
func TestWaveAway(t *testing.T) {
	t.Parallel()
	s, b, a := editing(t, "ja")
	b.Click(box("invoice"))
	s.WaveLeaves()
	b.Click(`[data-testid="save"]`)
	b.Until(`document.querySelector(".savebar [data-form-error]")?.textContent.trim()`)
	b.Until(`document.querySelector('[data-testid="unsaved-count"]').textContent`) // written after the form came
	b.Shot("wave-away-save-ja-light")
	if !checked(b, "invoice") || b.Text(`[data-testid="unsaved-count"]`) != say(t, "ja", "js.unsaved", "count", 1, "on", 1, "off", 0) {
		t.Error("the edit was not kept")
	}
	b.Open("/resellers")
	b.Wait(`tr[data-user-id="` + string(a.UserID) + `"]`)
	b.Wait(`[data-testid="freshness"].old`)
	b.Shot("wave-away-ja-light")

	s.WaveReturns(t)
	b.Open("/resellers/" + string(a.UserID))
	b.Click(`[data-draft="restore"]`)
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
	if !flagOn(t, s, a.UserID, "invoice") {
		t.Error("the save after the return was not sent")
	}
}

// TestLostAnswer: the answer to a save is lost. The page checks, also after a
// reload, and then says the truth.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) { lostAnswer(t, lang) })
	}
}

func lostAnswer(t *testing.T, lang string) {
	s, b, a := editing(t, lang)
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, When: sandbox.After, Reset: true})
	// The list that a save reads first comes; then the server cannot know at once.
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Times: 1000, Status: 503})
	b.Click(box("invoice"))
	b.Click(`[data-testid="save"]`)
	b.Wait(`.checking`)
	b.Shot("checking-" + lang + "-light")
	if got, want := b.Text(`.checking`), say(t, lang, "save.checking"); got != want {
		t.Errorf("the page says %q, want %q", got, want)
	}
	if b.Text(`[data-testid="undo"]`) != "" || !checked(b, "invoice") {
		t.Error("the page claims to know, or lost the edit")
	}
	b.Reload()
	b.Wait(`.checking`)
	if !checked(b, "invoice") {
		t.Error("the reload lost the edit")
	}

	s.Wave.ClearFaults()
	b.Wait(`[data-testid="undo"]`)
	// All of the sentence but the time.
	if want, _, _ := strings.Cut(say(t, lang, "save.settled_done", "time", "\x00"), "\x00"); !strings.Contains(b.Text(`[data-outcome]`), want) {
		t.Errorf("the page says %q, want %q", b.Text(`[data-outcome]`), want)
	}
	if !flagOn(t, s, a.UserID, "invoice") {
		t.Error("the page says that it was saved, but it was not")
	}
	if n := s.Wave.Count(sandbox.OpMeta); n != 1 {
		t.Errorf("%d calls changed the flags, want 1", n)
	}
}
