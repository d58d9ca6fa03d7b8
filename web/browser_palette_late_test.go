package web_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// TestPalette_composing: nothing is searched, chosen or opened while an input method
// composes; the word that it ends with is searched.
func TestPalette_composing(t *testing.T) {
	t.Parallel()
	_, b := withPalette(t, "ja", testkit.Editor)
	b.Until(paletteChosen)
	b.Run("compose", compose("でーた"))
	testkit.Eval[bool](b, `(f => {
		for (const init of [{key: "Enter", isComposing: true}, {key: "Enter", keyCode: 229}, {key: "ArrowDown", isComposing: true}])
			f.dispatchEvent(new KeyboardEvent("keydown", {...init, bubbles: true, cancelable: true}));
		return true;
	})(document.querySelector("#palette-field"))`)
	time.Sleep(400 * time.Millisecond) // three times what a search waits
	if !testkit.Eval[bool](b, paletteOpen+` && location.pathname === "/resellers" && `+paletteChosen+`.id === "palette-0" && !document.querySelector("#palette [data-palette-group=accounts]")`) {
		t.Error("half a word did something")
	}
	b.Run("the end of the conversion", insert("データ商事"))
	found(b, "/resellers/zz")

	// Ctrl+K is a key of the input method while it composes.
	b.Press(kb.Escape)
	b.Until(`!` + paletteOpen)
	testkit.Eval[bool](b, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, isComposing: true, bubbles: true}))`)
	if testkit.Eval[bool](b, paletteOpen) {
		t.Error("Ctrl+K opened the palette while an input method composes")
	}
}

// TestPalette_late: what is typed before the script is there counts, an answer to an
// older text is none, and Enter waits for the answer to what is typed.
func TestPalette_late(t *testing.T) {
	t.Parallel()
	_, b := withPalette(t, "en", testkit.Editor)
	b.Until(paletteChosen)
	testkit.Eval[bool](b, `(real => { window.asked = []; window.fetch = (address, init) => new Promise((done, fail) => {
		init.signal.addEventListener("abort", () => fail(init.signal.reason));
		window.asked.push({address, go: () => real(address, {headers: init.headers}).then(done)});
	}); })(window.fetch) ?? true`)
	b.Press("a")
	b.Until(`asked.length === 1`)
	b.Press(kb.Backspace)
	b.Press("zz@")
	b.Until(`asked.length === 2`)
	b.Press(kb.Enter)
	testkit.Eval[bool](b, `asked[0].go() && true`)
	time.Sleep(300 * time.Millisecond)
	if !testkit.Eval[bool](b, paletteOpen+` && document.querySelectorAll("#palette [role=option]").length === 0`) {
		t.Error("the answer to an older text is listed, or was opened")
	}
	testkit.Eval[bool](b, `asked[1].go() && true`)
	b.Until(`location.pathname === "/resellers/zz"`)
}

// TestPalette_ofNobody: where the page does not say whose it is, nothing that was opened
// is kept.
func TestPalette_ofNobody(t *testing.T) {
	t.Parallel()
	_, b := withPalette(t, "en", testkit.Editor)
	b.Reload()
	b.Until(`document.body.removeAttribute("data-user") ?? true`) // before the script is there
	openPalette(b)
	b.Run("type", insert("zz@"))
	found(b, "/resellers/zz")
	b.Press(kb.Enter)
	b.Until(`location.pathname === "/resellers/zz"`)
	if kept := keptIn(b); len(kept) != 0 {
		t.Errorf("kept are %q", kept)
	}
}

// TestPalette_away: flags and screens are found without Wave and without a connection,
// and it says what is missing.
func TestPalette_away(t *testing.T) {
	t.Parallel()
	s, b := withPalette(t, "en", testkit.Editor)
	b.Until(paletteChosen)
	b.Press(kb.Escape)
	s.WaveLeaves()
	b.Click(`[data-refresh] button`)
	b.Wait(`.fresh .away`)
	openPalette(b)
	b.Press("zz@")
	found(b, "/resellers/zz")
	b.Until(fmt.Sprintf(`document.querySelector("#palette [role=status]").textContent.startsWith(%q)`, say(t, "en", "fresh.away")))

	b.Run("cut the network", disconnected(true))
	retype(b, "crosstag")
	b.Until(fmt.Sprintf(`document.querySelector("#palette [role=status]").textContent.startsWith(%q)`, say(t, "en", "js.palette_no_connection")))
	if n := testkit.Eval[int](b, `document.querySelectorAll("#palette [data-palette-group=flags] a").length`); n != 2 {
		t.Errorf("%d flags are found without a connection, want 2", n)
	}
	b.Run("join the network", disconnected(false))
	b.Reload()
	b.Run("cut the network", disconnected(true))
	b.Press("k", ctrl)
	b.Until(fmt.Sprintf(`document.querySelector("#palette [role=status]").textContent === %q`, say(t, "en", "js.palette_not_loaded")))
	b.Press(kb.Escape)
	b.Until(`!` + paletteOpen)
	b.Run("join the network", disconnected(false))
	b.Press("k", ctrl)
	b.Until(paletteChosen)
}

// TestPalette_behindDialogs: a dialog that asks something is not covered, and "/" goes on
// going to the search of the table.
func TestPalette_behindDialogs(t *testing.T) {
	t.Parallel()
	s, b := withPalette(t, "en", testkit.Editor)
	b.Press(kb.Escape)
	b.Until(`!` + paletteOpen)
	b.Run("press /", keyDown("/"))
	if !testkit.Eval[bool](b, `document.activeElement.matches("[data-search]")`) {
		t.Error("/ does not go to the search of the table")
	}
	b.Open("/resellers/zz")
	for _, key := range []string{"usage_account", "usage_group", "usage_tag", "usage_crosstag", "dashboard_graph"} {
		b.Click("#f-" + key)
	}
	b.Click(`[data-testid="save"]`)
	b.Wait(`#review[open]`)
	b.Press("k", ctrl)
	testkit.Eval[bool](b, `document.querySelector("[data-palette-open]").click() ?? true`)
	if testkit.Eval[bool](b, paletteOpen) {
		t.Error("the palette opened over a dialog")
	}
	b.Press(kb.Escape)
	b.Until(`!document.querySelector("#review[open]")`)

	// Edits survive the way to another page and back.
	openPalette(b)
	b.Press("s", ctrl)
	b.Run("type", insert("changes"))
	b.Until(paletteChosen + `?.pathname === "/changes"`)
	b.Press(kb.Enter)
	b.Until(`location.pathname === "/changes"`)
	if n := s.Wave.Count(sandbox.OpMeta); n != 0 {
		t.Errorf("%d saves, want none", n)
	}
	b.Open("/resellers/zz")
	b.Wait(`[data-draft=restore]`)
}
