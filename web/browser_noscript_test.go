package web_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// TestConflict_withoutScripts: the dialog stands above the form, its choices are
// those of a plain form, and it has no button that does nothing.
func TestConflict_withoutScripts(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.NewBrowser(t, "ja")
	a := account(t, s, map[wave.Key]bool{"invoice": false, "invoice_download_csv_merged": false})
	b.SignIn(testkit.Editor, "/resellers/"+string(a.UserID))
	b.Run("turn scripts off", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
	b.Reload()
	b.Click(box("invoice_download_csv_merged"))
	if err := s.Wave.SetFlag(a.UserID, "invoice", "true"); err != nil {
		t.Fatal(err)
	}
	b.Click(`[data-testid="save"]`)
	b.Wait(`#conflict`)
	const visible = `[...document.querySelectorAll("#conflict .bar > *")].filter(e => e.checkVisibility()).map(e => e.tagName + (e.getAttribute("href") ?? "")).join(" ")`
	if got, want := testkit.Eval[string](b, visible), "A#f-invoice_download_csv_merged BUTTON"; got != want {
		t.Errorf("the ways out are %q, want %q", got, want)
	}
	if top, grid := testkit.Eval[int](b, `Math.round(document.querySelector("#conflict").getBoundingClientRect().bottom)`),
		testkit.Eval[int](b, `Math.round(document.querySelector("[data-grid]").getBoundingClientRect().top)`); top > grid {
		t.Errorf("the dialog ends at %d, below the top of the grid at %d", top, grid)
	}
	b.Click(`[name="choose.invoice"][value="seen"]`)
	b.Click(`#conflict [data-reviewed]`)
	b.Wait(`[data-testid="undo"]`)
	if flagOn(t, s, a.UserID, "invoice") || !flagOn(t, s, a.UserID, "invoice_download_csv_merged") {
		t.Error("not as chosen")
	}
}
