package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

const (
	ctrlKey  = chromedp.Modifier(2)
	shiftKey = chromedp.Modifier(8)
)

// matrix is the matrix in a browser.
type matrix struct {
	*testkit.Browser
	t *testing.T
	s *testkit.Site
}

// openMatrix signs a person in at the matrix of 60 accounts whose flags are those of new
// accounts, so that a test knows them.
func openMatrix(t *testing.T, person, query string) matrix {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Accounts: 1, Config: onlyWhenAsked})
	for _, a := range s.Wave.Accounts() {
		s.Wave.RemoveAccount(a.UserID)
	}
	for n := range 60 {
		a := wave.Reseller{
			UserID: wave.UserID(fmt.Sprintf("m%02d", n)), Email: fmt.Sprintf("tenant%02d@matrix.example.co.jp", n), Meta: wave.Defaults(),
			BillingGroup: wave.BillingGroup{CompanyID: fmt.Sprintf("c%02d", n), ID: fmt.Sprintf("BG-%02d", n), Name: "株式会社みなと商事"},
		}
		if err := s.Wave.AddAccount(a); err != nil {
			t.Fatal(err)
		}
	}
	m := matrix{s.NewBrowser(t, "en"), t, s}
	m.SignIn(person, "/matrix"+query)
	m.refresh() // the list may be older than the accounts
	return m
}

// refresh makes the site list the accounts again, and waits for the page of it.
func (m matrix) refresh() {
	m.t.Helper()
	m.Until(`(window.old = true)`)
	m.Click(`[data-refresh] button`)
	m.Until(`!window.old && document.readyState === "complete"`)
	m.ready()
}

// ready waits until the script has taken hold of the page.
func (m matrix) ready() {
	m.t.Helper()
	m.Until(`document.querySelector('[data-testid="matrix"] [tabindex="0"]') && !document.querySelector(".htmx-request")`)
}

func (m matrix) at(id, flag string) string {
	return fmt.Sprintf(`[data-testid="matrix"] input[data-user-id=%q][data-flag=%q]`, id, flag)
}

// focus goes to a cell by a script, as a person would with the arrows.
func (m matrix) focus(id, flag string) {
	m.t.Helper()
	m.Until(fmt.Sprintf(`(document.querySelector(%q).focus(), true)`, m.at(id, flag)))
}

// here is the cell that has the focus, "m00 invoice", or what else has.
func (m matrix) here() string {
	m.t.Helper()
	return testkit.Eval[string](m.Browser, `(e => e.dataset.flag ? e.dataset.userId + " " + e.dataset.flag :
		e.closest("th")?.dataset.flag ?? e.closest("tr[data-user-id]")?.dataset.userId ?? e.tagName)(document.activeElement)`)
}

func (m matrix) press(key string, modifiers ...chromedp.Modifier) {
	m.t.Helper()
	var all chromedp.Modifier
	for _, one := range modifiers {
		all |= one
	}
	m.Press(key, chromedp.KeyModifiers(all))
}

// staged lists what is marked as staged in the table, "m00 invoice on", in its order.
func (m matrix) staged() string {
	m.t.Helper()
	return testkit.Eval[string](m.Browser, `[...document.querySelectorAll("td[data-dirty] input")].map(b =>
		b.dataset.userId + " " + b.dataset.flag + " " + (b.checked ? "on" : "off")).join(", ")`)
}

func (m matrix) wantStaged(what, want string) {
	m.t.Helper()
	if got := m.staged(); got != want {
		m.t.Errorf("%s: staged are %q, want %q", what, got, want)
	}
}

// wantCount is what the bar says: accounts, cells, on, off; all 0 for nothing.
func (m matrix) wantCount(what string, accounts, cells, on, off int) {
	m.t.Helper()
	want := say(m.t, "en", "js.unsaved_none")
	if cells > 0 {
		want = say(m.t, "en", "js.matrix_staged", "accounts", accounts, "cells", cells, "on", on, "off", off)
	}
	if got := m.Text(`[data-testid="unsaved-count"]`); got != want {
		m.t.Errorf("%s: the bar says %q, want %q", what, got, want)
	}
}

// TestMatrix_oneTabStop: Tab goes into the matrix once and then out of it, wherever the
// person was in it.
func TestMatrix_oneTabStop(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "")
	const stops = `[...document.querySelectorAll('.matrix-scroll, .matrix-scroll *')].filter(e => e.tabIndex >= 0).length`
	const inside = `Boolean(document.activeElement.closest('[data-testid="matrix"]'))`
	for _, where := range []string{"m00 dashboard_graph", "m01 dashboard_graph"} {
		m.Until(`(document.querySelector('[data-testid="pager"] [rel="next"]').focus(), true)`)
		m.press(kb.Tab)
		if got := m.here(); got != where {
			t.Errorf("Tab leads to %q, want %q", got, where)
		}
		if n := testkit.Eval[int](m.Browser, stops); n != 1 {
			t.Errorf("%d tab stops in the matrix", n)
		}
		m.press(kb.Tab)
		if testkit.Eval[bool](m.Browser, inside) {
			t.Errorf("a second Tab is still inside, at %q", m.here())
		}
		m.press(kb.Tab, shiftKey)
		if got := m.here(); got != where {
			t.Errorf("Shift+Tab leads back to %q, want %q", got, where)
		}
		m.press(kb.ArrowDown)
	}
}

// TestMatrix_keys moves, selects and switches with the keyboard alone.
func TestMatrix_keys(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "")
	m.focus("m05", "invoice")
	for _, step := range []struct {
		key       string
		modifiers []chromedp.Modifier
		want      string
	}{
		{kb.ArrowDown, nil, "m06 invoice"},
		{kb.ArrowUp, nil, "m05 invoice"},
		{kb.ArrowRight, nil, "m05 invoice_download_csv_discount"},
		{kb.ArrowLeft, nil, "m05 invoice"},
		{kb.PageDown, nil, "m15 invoice"},
		{kb.PageUp, nil, "m05 invoice"},
		{kb.PageUp, nil, "m00 invoice"},
		{kb.ArrowUp, nil, "invoice"},
		{kb.ArrowDown, nil, "m00 invoice"},
		{kb.Home, nil, "m00 dashboard_graph"},
		{kb.ArrowLeft, nil, "m00"},
		{kb.ArrowRight, nil, "m00 dashboard_graph"},
		{kb.End, []chromedp.Modifier{ctrlKey}, "m49 " + string(wave.Flags[len(wave.Flags)-1].Key)},
		{kb.ArrowDown, nil, "m49 " + string(wave.Flags[len(wave.Flags)-1].Key)},
		{kb.Home, []chromedp.Modifier{ctrlKey}, "m00 dashboard_graph"},
		{kb.End, nil, "m00 " + string(wave.Flags[len(wave.Flags)-1].Key)},
	} {
		m.press(step.key, step.modifiers...)
		if got := m.here(); got != step.want {
			t.Fatalf("a key led to %q, want %q", got, step.want)
		}
	}

	m.focus("m05", "usage_tag") // on, as is the graph beside it; invoices are off
	m.press(" ")
	m.wantStaged("Space", "m05 usage_tag off")
	m.press(" ")
	m.wantStaged("Space again", "")
	m.press(kb.ArrowDown, shiftKey)
	m.press(kb.ArrowRight, shiftKey)
	m.press(" ")
	m.wantStaged("Space in a range", "m05 usage_tag off, m05 usage_tag_graph off, m06 usage_tag off, m06 usage_tag_graph off")
	m.press("1")
	m.wantStaged("1", "")
	m.press("0")
	m.press(kb.Escape)
	m.press(kb.Delete)
	m.wantStaged("Delete after Esc", "m05 usage_tag off, m05 usage_tag_graph off, m06 usage_tag off")
	m.press("z", ctrlKey)
	m.wantStaged("Ctrl+Z", "m05 usage_tag off, m05 usage_tag_graph off, m06 usage_tag off, m06 usage_tag_graph off")
	m.Click(`[data-testid="discard"]`)
	m.wantStaged("Discard", "")

	m.focus("m10", "open_api")
	m.press("1")
	m.press(kb.ArrowDown, shiftKey)
	m.press(kb.ArrowDown, shiftKey)
	m.press("d", ctrlKey)
	m.wantStaged("Ctrl+D in a range", "m10 open_api on, m11 open_api on, m12 open_api on")
	m.focus("m13", "open_api")
	m.press("d", ctrlKey)
	m.wantStaged("Ctrl+D in one cell", "m10 open_api on, m11 open_api on, m12 open_api on, m13 open_api on")
	m.press(" ", shiftKey)
	if n := testkit.Eval[int](m.Browser, `document.querySelectorAll("td[aria-selected=true]").length`); n != len(wave.Flags) {
		t.Errorf("Shift+Space selected %d cells", n)
	}
	m.press(kb.Delete)
	m.wantStaged("Delete of a row", "m10 open_api on, m11 open_api on, m12 open_api on")
	m.press(kb.Escape)

	m.focus("m20", "invoice")
	m.Run("Shift+click", chromedp.QueryAfter(chromedp.CSS(m.at("m21", "invoice_download_csv_merged")), clickWithShift))
	m.wantStaged("Shift+click switches nothing", "m10 open_api on, m11 open_api on, m12 open_api on")
	if n := testkit.Eval[int](m.Browser, `document.querySelectorAll("td[aria-selected=true]").length`); n != 6 {
		t.Errorf("Shift+click selected %d cells, want 2 × 3", n)
	}
	m.press(kb.Enter)
	m.Until(`location.pathname === "/resellers/m21"`)
}

// TestMatrix_ime: while an input method composes, no key does anything.
func TestMatrix_ime(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "")
	m.ready()
	m.Click("h1") // a window that nobody has touched tells of no focus
	m.focus("m05", "invoice")
	const send = `["1", " ", "Delete", "ArrowDown", "Enter", "d", "z"].forEach(key => document.activeElement.dispatchEvent(
		new KeyboardEvent("keydown", {key, %s bubbles: true, cancelable: true, ctrlKey: "dz".includes(key)})))`
	for _, composing := range []string{`isComposing: true,`, `keyCode: 229,`} {
		testkit.Eval[any](m.Browser, fmt.Sprintf("("+send+", null)", composing))
		m.wantStaged(composing, "")
		if got := m.here(); got != "m05 invoice" {
			t.Errorf("%s the focus went to %q", composing, got)
		}
	}
	testkit.Eval[any](m.Browser, `(document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "1", bubbles: true})), null)`)
	m.wantStaged("the same key otherwise", "m05 invoice on")
}

// TestMatrix_find: what the browser's own search looks in has every row.
func TestMatrix_find(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "?size=100")
	last := testkit.Eval[string](m.Browser, `document.querySelector('[data-testid="matrix"]').tBodies[0].lastElementChild.querySelector("a").textContent`)
	if last != "tenant59@matrix.example.co.jp" || !testkit.Eval[bool](m.Browser, fmt.Sprintf(`window.find(%q)`, last)) {
		t.Errorf("the browser does not find the last row, %q", last)
	}
	if !testkit.Eval[bool](m.Browser, `getSelection().anchorNode.parentElement.closest("tr").dataset.userId === "m59"`) {
		t.Error("it finds it elsewhere")
	}
}

// TestMatrix_column: what the menu of a column sets, it sets for the rows of the page
// and no other.
func TestMatrix_column(t *testing.T) {
	t.Parallel()
	m := openMatrix(t, testkit.Editor, "?size=25&page=2")
	m.Click(`th[data-flag="invoice"] button`)
	m.Wait(`#column-menu:popover-open`)
	if !testkit.Eval[bool](m.Browser, `document.activeElement.closest("#column-menu") !== null`) {
		t.Error("the focus is not in the menu")
	}
	m.press(kb.ArrowDown)
	m.press(kb.ArrowUp)
	m.press(kb.Enter)
	m.wantCount("set on", 25, 25, 25, 0)
	if got := m.staged(); strings.Count(got, "invoice on") != 25 || !strings.HasPrefix(got, "m25") || !strings.HasSuffix(got, "m49 invoice on") {
		t.Errorf("staged are %s", got)
	}
	if got := m.here(); got != "invoice" {
		t.Errorf("the focus is at %q after the menu", got)
	}
	m.Click(`[data-testid="pager"] [rel="prev"]`)
	m.Until(`document.querySelector('tr[data-user-id="m00"]')`)
	m.wantStaged("the page before", "")
	m.wantCount("the page before", 25, 25, 25, 0)
	m.Click(`th[data-flag="invoice"] button`)
	m.Click(`#column-menu [data-column-act="revert"]`)
	m.wantCount("reverted on another page", 25, 25, 25, 0)

	m.Click(`th[data-flag="invoice"] button`)
	m.Click(`#column-menu [name="hide_one"]`)
	m.Until(`!document.querySelector('th[data-flag="invoice"]')`)
	m.wantCount("in a hidden column", 25, 25, 25, 0)
	if !strings.Contains(testkit.Eval[string](m.Browser, `location.search`), "hide=invoice") {
		t.Error("the address does not say that the column is hidden")
	}
	m.Click(`th[data-flag="open_api"] button`)
	if href := testkit.Eval[string](m.Browser, `document.querySelector("[data-column-list]").pathname`); href != "/flags/open_api" {
		t.Errorf("the list is at %q", href)
	}
	m.press(kb.Escape)
	m.Until(`document.activeElement?.closest('th[data-flag="open_api"]')`)
}
