package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

const (
	paletteOpen = `document.querySelector("#palette").matches(":modal")`
	// paletteChosen is what Enter would open, if anything.
	paletteChosen = `document.getElementById(document.querySelector("#palette-field").getAttribute("aria-activedescendant"))`
)

// ctrl holds Control while a key is pressed.
var ctrl = chromedp.KeyModifiers(2)

// insert puts text where the focus is, as the end of a conversion does.
func insert(text string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return chromedp.Void{}, err
	}
}

// withPalette opens the palette on the table of a site with one account of its own.
func withPalette(t *testing.T, lang, person string) (*testkit.Site, *testkit.Browser) {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Accounts: 20})
	if err := s.Wave.AddAccount(wave.Reseller{
		UserID: "zz", Email: "zz@example.co.jp", Meta: wave.Defaults(),
		BillingGroup: wave.BillingGroup{CompanyID: "k-zz", ID: "BG-zz", Name: "ﾃﾞｰﾀ商事"},
	}); err != nil {
		t.Fatal(err)
	}
	b := s.NewBrowser(t, lang)
	b.SignIn(person, "/resellers")
	openPalette(b)
	return s, b
}

// openPalette presses Ctrl+K once the page has its script.
func openPalette(b *testkit.Browser) {
	b.Until(`document.readyState === "complete"`)
	b.Press("k", ctrl)
	b.Until(paletteOpen)
}

// retype replaces what stands in the field.
func retype(b *testkit.Browser, text string) {
	b.Until(`document.querySelector("#palette-field").select() ?? true`)
	b.Run("type", insert(text))
}

// found waits until the palette lists exactly what leads to paths.
func found(b *testkit.Browser, paths ...string) {
	b.Until(fmt.Sprintf(`[...document.querySelectorAll("#palette [role=option]")].map(o => o.getAttribute("href")).join(" ") === %q`, strings.Join(paths, " ")))
}

// TestPalette goes to an account, a flag and a screen by keyboard alone, in both
// languages.
func TestPalette(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			_, b := withPalette(t, lang, testkit.Editor)
			b.Until(`document.querySelectorAll("#palette [role=option]").length >= 3`)

			for _, text := range []string{"ZZ@EX", "ｚｚ＠ｅｘ", "でーた商事", "データ商事", "ﾃﾞｰﾀ bg-zz"} {
				retype(b, text)
				found(b, "/resellers/zz")
				b.Until(fmt.Sprintf(`document.querySelector("#palette [role=status]").textContent === %q`, say(t, lang, "js.palette_count", "count", 1)))
			}
			retype(b, "zz@")
			found(b, "/resellers/zz")
			b.Press(kb.Enter)
			b.Until(`location.pathname === "/resellers/zz"`)

			for text, want := range map[string]string{
				"購入済みri": "ri_purchased", "Purchased RIs": "ri_purchased", "usage_crosstag_graph": "usage_crosstag_graph",
				"くろすたぐのぐらふ": "usage_crosstag_graph", "ｸﾛｽﾀｸﾞ ｸﾞﾗﾌ": "usage_crosstag_graph",
			} {
				openPalette(b)
				b.Run("type", insert(text))
				b.Until(fmt.Sprintf(`%s?.querySelector("code")?.textContent === %q`, paletteChosen, want))
				b.Press(kb.Escape)
				b.Until(`!` + paletteOpen)
			}
			openPalette(b)
			b.Run("type", insert(say(t, lang, "changes.title")))
			b.Until(paletteChosen + `?.pathname === "/changes"`)
			b.Press(kb.Enter)
			b.Until(`location.pathname === "/changes"`)

			// What was opened in this window comes first.
			openPalette(b)
			b.Until(paletteChosen + `?.pathname === "/resellers/zz"`)
		})
	}
}

// TestPalette_keys: the arrows go round, the page keys do not; Tab stays inside; Ctrl+Enter
// opens beside; Escape goes back to where the focus was.
func TestPalette_keys(t *testing.T) {
	t.Parallel()
	_, b := withPalette(t, "en", testkit.Editor)
	b.Press(kb.Escape)
	b.Until(`!` + paletteOpen)
	b.Run("focus", chromedp.Focus(chromedp.CSS("tbody a")))
	was := testkit.Eval[string](b, `document.activeElement.href`)
	openPalette(b)
	b.Press("usage")
	b.Until(`document.querySelectorAll("#palette [role=option]").length > 12 && document.querySelector("#palette [role=status]").textContent !== ""`)

	at := func() int {
		return testkit.Eval[int](b, `[...document.querySelectorAll("#palette [role=option]")].indexOf(`+paletteChosen+`)`)
	}
	last := testkit.Eval[int](b, `document.querySelectorAll("#palette [role=option]").length`) - 1
	for i, step := range []struct {
		key  string
		want int
	}{
		{"", 0},
		{kb.ArrowDown, 1},
		{kb.ArrowDown, 2},
		{kb.ArrowUp, 1},
		{kb.PageDown, 9},
		{kb.PageUp, 1},
		{kb.PageUp, 0},
		{kb.ArrowUp, last},
		{kb.PageDown, last},
		{kb.ArrowDown, 0},
	} {
		if step.key != "" {
			b.Press(step.key)
		}
		if got := at(); got != step.want {
			t.Fatalf("after step %d %d is chosen, want %d", i, got, step.want)
		}
		if !testkit.Eval[bool](b, `(r => { const l = document.querySelector("#palette-list").getBoundingClientRect(); return r.top >= l.top && r.bottom <= l.bottom; })(`+paletteChosen+`.getBoundingClientRect())`) {
			t.Errorf("after step %d what is chosen is out of sight", i)
		}
		if n := testkit.Eval[int](b, `document.querySelectorAll("#palette [aria-selected=true]").length`); n != 1 {
			t.Errorf("%d options are selected", n)
		}
	}
	for range 3 {
		b.Press(kb.Tab)
		if !testkit.Eval[bool](b, `document.activeElement === document.body || document.activeElement.closest("#palette") !== null`) {
			t.Error("Tab left the dialog")
		}
	}
	b.Run("focus", chromedp.Focus(chromedp.CSS("#palette-field")))

	before := windows(b)
	b.Press(kb.Enter, ctrl)
	for end := time.Now().Add(10 * time.Second); windows(b) == before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("Ctrl+Enter opened no window")
		}
	}
	if !testkit.Eval[bool](b, paletteOpen+` && location.pathname === "/resellers"`) {
		t.Error("Ctrl+Enter left the page")
	}
	b.Press(kb.Escape)
	b.Until(`!` + paletteOpen)
	if got := testkit.Eval[string](b, `document.activeElement.href ?? ""`); got != was {
		t.Errorf("the focus is on %q, want it back on %q", got, was)
	}
}

// windows counts the pages that are open.
func windows(b *testkit.Browser) (n int) {
	b.Run("windows", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		list, err := chromedp.Targets(ctx)
		for _, info := range list {
			if info.Type == "page" {
				n++
			}
		}
		return chromedp.Void{}, err
	})
	return n
}

// TestPalette_phone: the button is there on a phone, and what it opens fits.
func TestPalette_phone(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		_, b := withPalette(t, lang, testkit.Viewer)
		b.Until(paletteChosen)
		if testkit.Eval[bool](b, `Boolean(document.querySelector("#palette a[href='/resellers/new']"))`) {
			t.Error("a viewer is led to the form for a new account")
		}
		b.Press(kb.Escape)
		for _, size := range [][2]int64{{390, 844}, {320, 256}} {
			b.Size(size[0], size[1])
			b.Click(`[data-palette-open]`)
			b.Until(paletteOpen)
			b.Run("type", insert("レポート"))
			b.Until(`document.querySelectorAll("#palette [role=option]").length > 3`)
			if !testkit.Eval[bool](b, `(r => r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight)(document.querySelector("#palette").getBoundingClientRect()) && document.querySelector("#palette-list").clientHeight > 80`) {
				t.Errorf("in %s at %v the palette does not fit", lang, size)
			}
			b.Click(`#palette [data-close]`)
			b.Until(`!` + paletteOpen + ` && document.activeElement.matches("[data-palette-open]")`)
		}
	}
}

// TestPalette_withoutScripts: there is no button that does nothing.
func TestPalette_withoutScripts(t *testing.T) {
	t.Parallel()
	_, b := withPalette(t, "en", testkit.Viewer)
	b.Run("turn scripts off", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
	b.Reload()
	for _, width := range []int64{1280, 390} {
		b.Size(width, 900)
		if testkit.Eval[bool](b, `[...document.querySelectorAll("#palette, [data-palette-open]")].some(e => e.checkVisibility())`) {
			t.Errorf("at %d px the palette shows without scripts", width)
		}
	}
}

// TestPalette_order: the nearest first, and no more of one kind than leaves room for
// accounts.
func TestPalette_order(t *testing.T) {
	t.Parallel()
	_, b := withPalette(t, "en", testkit.Editor)
	const kinds = `[...document.querySelectorAll("#palette [role=group]")].map(g => g.dataset.paletteGroup + " " + g.querySelectorAll("[data-search]").length).join(", ")`
	for _, tt := range []struct{ text, first, kinds string }{
		{"Invoices", "/flags/invoice", "flags 3"},
		{"csv", "/flags/invoice_download_csv_discount", "flags 2"}, // called so, nothing else
		{"aqua", "/flags/aqua_link", "flags 7"},
		{"co", "/compare", "screens 3, flags 6, accounts 8"},
	} {
		retype(b, tt.text)
		b.Until(`document.querySelector("#palette [role=status]").textContent !== "" && ` + paletteChosen)
		b.Until(fmt.Sprintf(`%s === %q`, kinds, tt.kinds))
		if got := testkit.Eval[string](b, paletteChosen+`.getAttribute("href")`); got != tt.first {
			t.Errorf("%s leads to %s first, want %s", tt.text, got, tt.first)
		}
	}
}
