package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/testkit"
)

// clickWithShift clicks the middle of a node with Shift down.
func clickWithShift(ctx context.Context, t *chromedp.Target, nodes []*chromedp.Node) (chromedp.Void, error) {
	return chromedp.MouseClickNode(nodes[0], chromedp.ButtonModifiers(shiftKey))(ctx, t)
}

// TestMatrix_stagedIsKept: by a sort, a filter, another page, a reload, a hidden column
// and the way back.
func TestMatrix_stagedIsKept(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "?size=25")
	m.Click(m.at("m03", "invoice"))
	m.Click(m.at("m04", "usage_tag"))
	const both = "m03 invoice on, m04 usage_tag off"
	check := func(what, staged string) {
		t.Helper()
		m.ready()
		m.wantStaged(what, staged)
		m.wantCount(what, 2, 2, 1, 1)
		away := m.Text(`[data-elsewhere]`)
		if n := 2 - strings.Count(staged, " o"); n == 0 && away != "" || n > 0 && away != say(t, "en", "js.matrix_elsewhere", "count", n, "accounts", n) {
			t.Errorf("%s: of what is elsewhere it says %q", what, away)
		}
	}
	check("at first", both)
	m.Click(`thead tr:first-child .sort`)
	m.Until(`document.querySelector("tbody tr").dataset.userId === "m59"`)
	check("sorted the other way", "")
	m.Click(`[data-testid="pager"] [rel="next"]`)
	m.Until(`document.querySelector("tbody tr").dataset.userId === "m34"`)
	m.Click(`[data-testid="pager"] [rel="next"]`)
	m.Until(`document.querySelector("tbody tr").dataset.userId === "m09"`)
	check("on the last page", "m04 usage_tag off, m03 invoice on")
	m.Type(`input[name="q"]`, "tenant03")
	m.Until(`document.querySelectorAll("tbody tr").length === 1`)
	check("filtered", "m03 invoice on")
	m.Reload()
	check("reloaded", "m03 invoice on")
	m.Run("back", chromedp.NavigateBack())
	m.Until(`document.querySelectorAll("tbody tr").length === 10`)
	check("on the way back", "m04 usage_tag off, m03 invoice on")
	m.Open("/resellers/m04")
	m.Wait("#perm-form")
	m.Open("/matrix?hide=invoice")
	check("with a hidden column", "m04 usage_tag off")

	m.Click(`[data-staged-details] summary`)
	m.Until(`document.querySelector("[data-staged-list]").textContent`)
	list := m.Text(`[data-staged-list]`)
	for _, want := range []string{
		say(t, "en", "js.matrix_not_here", "change", say(t, "en", "js.to_on", "label", label(t, "en", "invoice"))),
		"tenant03@matrix.example.co.jp", "tenant04@matrix.example.co.jp", say(t, "en", "js.to_off", "label", label(t, "en", "usage_tag")),
	} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %q: %s", want, list)
		}
	}
	m.Click(`[data-revert-account="m03"]`)
	m.wantCount("one account reverted", 1, 1, 0, 1)
	const focus = `document.activeElement.dataset.revertAccount ?? document.activeElement.id`
	if got := testkit.Eval[string](m.Browser, focus); got != "m04" {
		t.Errorf("the focus is on %q, want it on the next account", got)
	}
	m.press(kb.Enter)
	m.wantCount("both reverted", 0, 0, 0, 0)
	if got := testkit.Eval[string](m.Browser, focus); got != "save" {
		t.Errorf("the focus is on %q, want it on the button that saves", got)
	}
}

// TestMatrix_undo: 100 steps back and forth, over pages and a reload.
func TestMatrix_undo(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "?size=25")
	m.Click(m.at("m03", "invoice"))
	m.focus("m04", "invoice")
	m.press(kb.ArrowDown, shiftKey)
	m.press("1")
	m.Click(`[data-testid="pager"] [rel="next"]`)
	m.Until(`document.querySelector("tbody tr").dataset.userId === "m25"`)
	m.ready()
	m.Click(m.at("m30", "invoice"))
	m.wantCount("staged", 4, 4, 4, 0)
	m.press("z", ctrlKey)
	m.wantStaged("the step of this page taken back", "")
	m.press("z", ctrlKey)
	m.wantCount("that of the other page, too", 1, 1, 1, 0)
	m.Reload()
	m.ready()
	m.focus("m30", "invoice")
	m.press("z", ctrlKey)
	m.wantCount("after a reload", 0, 0, 0, 0)
	m.press("z", ctrlKey)
	m.Until(fmt.Sprintf(`document.querySelector("#sr-status").textContent === %q`, say(t, "en", "js.matrix_no_undo")))
	m.press("z", ctrlKey, shiftKey)
	m.press("y", ctrlKey)
	m.wantCount("two done again", 3, 3, 3, 0)
	m.press("z", ctrlKey, shiftKey)
	m.wantStaged("and the last", "m30 invoice on")

	m.Click(`[data-testid="discard"]`)
	m.wantCount("discarded", 0, 0, 0, 0)
	m.Until(`document.querySelector('input[name="q"]').focus() ?? true`) // typing would search, and show another page
	m.press("z", ctrlKey)
	m.wantCount("Ctrl+Z in a text field", 0, 0, 0, 0)
	openPalette(m.Browser)
	testkit.Eval[bool](m.Browser, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "z", ctrlKey: true, bubbles: true}))`)
	m.press(kb.Escape)
	m.wantCount("behind a dialog", 0, 0, 0, 0)
	m.Until(`document.querySelector('[data-testid="discard"]').focus() ?? true`)
	m.press("z", ctrlKey)
	m.wantCount("Discard taken back from its button", 4, 4, 4, 0)

	const many = `(() => { const send = (n, key, more) => { for (let i = 0; i < n; i++) document.activeElement.dispatchEvent(
		new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true, ...more})); };
		send(%d, %q, {ctrlKey: %v}); return null; })()`
	m.focus("m31", "invoice")
	testkit.Eval[any](m.Browser, fmt.Sprintf(many, 105, " ", false)) // on and off by turns, on at last
	testkit.Eval[any](m.Browser, fmt.Sprintf(many, 100, "z", true))
	if on := strings.Contains(m.staged(), "m31 invoice on"); !on { // five steps are left: on at last
		t.Errorf("after 105 steps and 100 back staged are %q", m.staged())
	}
	m.press("z", ctrlKey)
	if on := strings.Contains(m.staged(), "m31 invoice on"); !on {
		t.Error("more than 100 steps can be taken back")
	}
}

// TestMatrix_movedMeanwhile: what someone else changed since is marked, and what is as
// wanted by now is not sent.
func TestMatrix_movedMeanwhile(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "")
	m.Click(m.at("m03", "invoice"))
	m.Click(m.at("m04", "invoice"))
	if err := m.s.Wave.SetFlag("m03", "invoice", "true"); err != nil {
		t.Fatal(err)
	}
	m.refresh()
	m.wantStaged("one moved", "m04 invoice on")
	m.wantCount("one moved", 1, 1, 1, 0)
	if got, want := m.Text(`[data-already]`), say(t, "en", "js.matrix_already", "count", 1); got != want {
		t.Errorf("the bar says %q, want %q", got, want)
	}
	if got, want := testkit.Eval[string](m.Browser, `document.querySelector("td[data-moved] input").title`),
		say(t, "en", "js.matrix_moved", "seen", "off", "now", "on"); got != want {
		t.Errorf("the cell says %q, want %q", got, want)
	}
}

// corners are the ends of everything, and ways between them that scroll.
var corners = []struct {
	key       string
	modifiers []chromedp.Modifier
	times     int
}{
	{kb.End, []chromedp.Modifier{ctrlKey}, 1},
	{kb.ArrowUp, nil, 4},
	{kb.ArrowLeft, nil, 12},
	{kb.Home, nil, 1},
	{kb.ArrowLeft, nil, 1},
	{kb.ArrowUp, nil, 6},
	{kb.ArrowRight, nil, 1},
	{kb.PageUp, nil, 2},
	{kb.End, nil, 1},
	{kb.PageUp, nil, 4},
	{kb.ArrowUp, nil, 1},
	{kb.Home, nil, 1},
	{kb.ArrowLeft, nil, 1},
	{kb.Home, []chromedp.Modifier{ctrlKey}, 1},
	{kb.ArrowRight, nil, 20},
	{kb.ArrowDown, nil, 20},
	{kb.PageDown, nil, 3},
	{kb.Home, []chromedp.Modifier{ctrlKey}, 1},
	{kb.End, []chromedp.Modifier{ctrlKey, shiftKey}, 1},
	{kb.Home, []chromedp.Modifier{ctrlKey, shiftKey}, 1},
}

// TestMatrix_focusIsNeverHidden walks to all corners, also on a phone and at 400 %, with
// something staged: what has the focus is in sight and under nothing that sticks.
func TestMatrix_focusIsNeverHidden(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "")
	m.Click(m.at("m03", "invoice"))
	m.Click(m.at("m04", "usage_tag"))
	const hidden = `(() => {
		const el = document.activeElement, r = el.getBoundingClientRect(), cell = el.closest("td, th");
		for (const x of [r.left + 1, r.right - 1]) for (const y of [r.top + 1, r.bottom - 1]) {
			const top = document.elementFromPoint(Math.max(x, cell.getBoundingClientRect().left + 1), y);
			if (!cell.contains(top)) return (top?.outerHTML ?? "nothing, it is out of the window").slice(0, 80);
		}
		return "";
	})()`
	for _, size := range [][2]int64{{1280, 900}, {390, 844}, {320, 256}} {
		m.Size(size[0], size[1])
		m.focus("m20", "invoice")
		for _, way := range corners {
			for range way.times {
				m.press(way.key, way.modifiers...)
				if over := testkit.Eval[string](m.Browser, hidden); over != "" && !strings.HasPrefix(m.here(), "BODY") {
					m.Shot("hidden")
					t.Fatalf("at %d × %d %q has the focus, and over it is %s", size[0], size[1], m.here(), over)
				}
			}
		}
	}
}

// TestMatrix_at400percent: in 320 × 256 pixels the page is no wider, and everything can
// be done.
func TestMatrix_at400percent(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "?size=25")
	m.Size(320, 256)
	m.Reload()
	m.ready()
	if wide := testkit.Eval[int](m.Browser, `document.documentElement.scrollWidth`); wide > 320 {
		t.Errorf("the page is %d px wide", wide)
	}
	m.focus("m05", "invoice")
	m.press(" ")
	m.press(kb.ArrowDown)
	m.Click(m.at("m06", "open_api"))
	m.wantStaged("by key and by click", "m05 invoice on, m06 open_api on")
	m.Click(`th[data-flag="invoice"] button`)
	m.Wait(`#column-menu:popover-open`)
	if !testkit.Eval[bool](m.Browser, `(r => r.left >= 0 && r.right <= 320 && r.bottom <= 256.5)(document.querySelector("#column-menu").getBoundingClientRect())`) {
		t.Error("the menu is not inside the window")
	}
	m.Click(`#column-menu [data-column-act="revert"]`)
	m.wantStaged("by the menu", "m06 open_api on")
	m.Click(`[data-testid="save"]`)
	m.Until(`document.querySelector("[data-result]").textContent`)
	if !flagOn(t, m.s, "m06", "open_api") {
		t.Error("the save was not sent")
	}
}

// TestMatrix_viewer: a viewer moves and looks; nothing can be staged.
func TestMatrix_viewer(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Viewer, "")
	m.Click(m.at("m03", "invoice"))
	m.press(" ")
	m.press("1")
	m.press(kb.ArrowDown)
	m.press("1")
	if got := m.here(); got != "m04 invoice" {
		t.Errorf("the focus is at %q", got)
	}
	if n := testkit.Eval[int](m.Browser, `document.querySelectorAll("td[data-dirty], td input:checked[data-flag=invoice]").length`); n != 0 {
		t.Errorf("%d cells were switched", n)
	}
	m.Until(fmt.Sprintf(`document.querySelector("#sr-status").textContent === %q`, say(t, "en", "js.viewer")))
	m.Click(`th[data-flag="invoice"] button`)
	if n := testkit.Eval[int](m.Browser, `document.querySelectorAll("#column-menu [data-column-act]").length`); n != 0 {
		t.Errorf("the menu offers %d ways to switch", n)
	}
}
