package web_test

import (
	"slices"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// TestMatrix_savesOne: what is staged of one account is saved at once, by the page of
// the matrix. What of it was saved is no longer staged, and the table shows it.
func TestMatrix_savesOne(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "?size=25")
	m.Click(`[data-testid="save"]`)
	m.Until(`document.querySelector("[data-result]").textContent`)
	if got := m.Text("[data-result]"); got != say(t, "en", "js.nothing_to_save") {
		t.Errorf("a save of nothing says %q", got)
	}
	m.s.Wave.ResetJournal()
	m.Click(m.at("m03", "invoice"))
	m.focus("m03", "usage_tag")
	m.press("0")
	m.Type(`#matrix-save [name="reason"]`, "as agreed")
	m.press("s", ctrlKey)
	m.Until(`document.querySelector("[data-result] a")`)
	if !flagOn(t, m.s, "m03", "invoice") || flagOn(t, m.s, "m03", "usage_tag") || m.s.Wave.Count(sandbox.OpMeta) != 1 {
		t.Errorf("not saved as staged, with %d calls", m.s.Wave.Count(sandbox.OpMeta))
	}
	m.wantCount("saved", 0, 0, 0, 0)
	m.wantStaged("saved", "")
	m.ready()
	if !testkit.Eval[bool](m.Browser, `document.querySelector('input[data-user-id="m03"][data-flag="invoice"]').defaultChecked`) {
		t.Error("the table does not show what was saved")
	}
	m.Open("/resellers/m03/history")
	m.Until(`document.body.textContent.includes("as agreed")`)
}

// TestMatrix_asksBeforeAGroup: turning off a whole group of an account is looked over
// first, and nothing is sent before.
func TestMatrix_asksBeforeAGroup(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "?size=25")
	m.s.Wave.ResetJournal()
	for _, key := range []string{"usage_group", "usage_group_graph"} {
		m.focus("m03", key)
		m.press("0")
	}
	m.press("s", ctrlKey)
	m.Wait(`#review[open]`)
	flag, _ := wave.Lookup("usage_group")
	group := wave.Groups[slices.IndexFunc(wave.Groups, func(g wave.FlagGroup) bool { return g.ID == flag.Group })]
	if got, want := m.Text(`[data-review-why]`), say(t, "en", "js.review_group", "label", group.Label.EN); got != want {
		t.Errorf("it asks because %q, want %q", got, want)
	}
	if n := m.s.Wave.Count(sandbox.OpMeta); n != 0 {
		t.Errorf("%d calls before it was looked over", n)
	}
	m.Click(`[data-review-save]`)
	m.Until(`document.querySelector("[data-result] a")`)
	if flagOn(t, m.s, "m03", "usage_group") || flagOn(t, m.s, "m03", "usage_group_graph") {
		t.Error("not saved after it was")
	}
}

// TestMatrix_saveIsRefused: when a save is not a plain success, the person gets to where
// it can be settled, and nothing that was staged is lost before it is known to be so.
func TestMatrix_saveIsRefused(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "?size=25")
	back := func(what string, cells int) {
		t.Helper()
		m.Open("/matrix?size=25")
		m.ready()
		m.wantCount(what, min(cells, 1), cells, cells, 0)
	}
	m.Click(m.at("m03", "invoice_download_csv_merged"))
	if err := m.s.Wave.SetFlag("m03", "invoice", "true"); err != nil { // its parent
		t.Fatal(err)
	}
	m.Click(`[data-testid="save"]`)
	m.Wait(`dialog#conflict[open]`)
	m.Until(`location.pathname.startsWith("/resellers/m03")`)
	if flagOn(t, m.s, "m03", "invoice_download_csv_merged") {
		t.Error("a conflict was saved")
	}
	back("after a conflict", 1)
	m.Click(`[data-testid="discard"]`)

	m.Click(m.at("m04", "invoice"))
	m.s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Status: 400})
	m.Click(`[data-testid="save"]`)
	m.Until(`location.pathname.startsWith("/resellers/m04") || document.querySelector("#matrix-save [data-form-error]")?.textContent`)
	m.s.Wave.ClearFaults()
	back("after a refusal", 1)

	m.s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, When: sandbox.After, Reset: true})
	m.s.Wave.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Times: 1000, Status: 503})
	m.s.Wave.ResetJournal()
	m.Click(`[data-testid="save"]`)
	m.Wait(`.outcome.checking`)
	if path := testkit.Eval[string](m.Browser, `location.pathname`); path != "/resellers/m04" {
		t.Errorf("a lost answer is looked after at %s", path)
	}
	m.s.Wave.ClearFaults()
	m.Wait(`[data-testid="undo"]`)
	if n := m.s.Wave.Count(sandbox.OpMeta); n != 1 {
		t.Errorf("%d calls, want one", n)
	}
	m.Open("/matrix?size=25")
	m.refresh()
	m.wantCount("once it is known", 0, 0, 0, 0)
}

// TestMatrix_handsOver: what is staged of several accounts becomes a plan, which is
// looked over on its own page. A failure on the way keeps it all.
func TestMatrix_handsOver(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "?size=25")
	m.focus("m03", "invoice")
	m.press(kb.ArrowDown, shiftKey)
	m.press(kb.ArrowDown, shiftKey)
	m.press("1")
	m.Click(`[data-testid="pager"] [rel="next"]`)
	m.Until(`document.querySelector('tr[data-user-id="m30"]')`)
	m.ready()
	m.Click(m.at("m30", "usage_tag"))
	m.wantCount("staged", 4, 4, 3, 1)

	m.Run("leave the network", disconnected(true))
	m.Click(`[data-testid="save"]`)
	m.Until(`document.querySelector("#matrix-save [data-form-error]").textContent`)
	m.wantCount("offline", 4, 4, 3, 1)
	m.Run("join the network", disconnected(false))

	m.s.Wave.ResetJournal()
	m.Click(`[data-testid="save"]`)
	m.Wait(`[data-testid="bulk-preview"]`)
	if got, want := m.Text(`[data-testid="bulk-sum"]`), say(t, "en", "bulk.sum", "accounts", "4", "flags", "2", "changes", "4"); got != want {
		t.Errorf("the preview says %q, want %q", got, want)
	}
	if n := m.s.Wave.Count(sandbox.OpMeta); n != 0 {
		t.Errorf("%d calls changed flags before anyone looked", n)
	}
	m.Open("/matrix")
	m.ready()
	m.wantCount("handed over", 0, 0, 0, 0)
	m.wantStaged("handed over", "")
	if got, want := m.Text(`#matrix-save [data-bring-back]:not([hidden])`), say(t, "en", "js.bring_back", "count", 4); got != want {
		t.Errorf("the way back says %q, want %q", got, want)
	}
	m.Click(`#matrix-save [data-bring-back]`)
	m.wantCount("brought back", 4, 4, 3, 1)
	m.wantStaged("brought back", "m03 invoice on, m04 invoice on, m05 invoice on, m30 usage_tag off")
	m.Click(`[data-testid="discard"]`)
	if !testkit.Eval[bool](m.Browser, `document.querySelector("#matrix-save [data-bring-back]").hidden`) {
		t.Error("what was brought back and discarded is offered again")
	}
}

// TestMatrix_pictures takes those of what is staged, and of the menu of a column.
func TestMatrix_pictures(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 200})
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/matrix")
	for _, lang := range i18n.Languages {
		b.Open("/matrix?on=usage_tag&lang=" + lang)
		b.Until(`document.querySelector('[data-testid="matrix"] [tabindex="0"]')`)
		b.Until(`([1, 2, 4].forEach(n => document.querySelectorAll("tbody tr")[n].querySelector("[data-flag=usage_tag]").click()),
			document.querySelectorAll("tbody tr")[5].querySelector("[data-flag=usage_account]").click(), true)`)
		b.Shot("matrix-staged-" + lang + "-light")
		b.Click(`th[data-flag="usage_account"] button`)
		b.Shot("matrix-menu-" + lang + "-light")
		b.Press(kb.Escape)
		b.Click(`#matrix-save [data-discard]`)
	}
}
