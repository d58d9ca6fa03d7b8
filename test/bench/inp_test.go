package bench

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/testkit"
)

const (
	slowdown = 4   // of the processor
	wantP75  = 200 // milliseconds from an interaction to the next paint
)

// act is one thing that a person does in the matrix: a press of a key, or a click on
// what the selector names, once or again and again.
type act struct {
	what      string
	times     int
	click     string
	key       string
	modifiers chromedp.Modifier
}

const (
	ctrl  = chromedp.Modifier(2)
	shift = chromedp.Modifier(8)
)

// acts are what people do all day, and at the end the most that one press can do: all
// 3,500 cells at once.
var acts = []act{
	{what: "click a box", times: 8, click: `tbody tr:nth-child(%d) td:nth-child(5) input`},
	{what: "click a box further right", times: 6, click: `tbody tr:nth-child(%d) td:nth-child(12) input`},
	{what: "arrow down", times: 6, key: kb.ArrowDown},
	{what: "space", times: 4, key: " "},
	{what: "arrow right", times: 6, key: kb.ArrowRight},
	{what: "page down", times: 4, key: kb.PageDown},
	{what: "end of the row", times: 1, key: kb.End},
	{what: "home", times: 1, key: kb.Home},
	{what: "extend down", times: 6, key: kb.ArrowDown, modifiers: shift},
	{what: "extend right", times: 4, key: kb.ArrowRight, modifiers: shift},
	{what: "set the range on", times: 1, key: "1"},
	{what: "set the range off", times: 1, key: "0"},
	{what: "revert the range", times: 1, key: kb.Delete},
	{what: "undo", times: 3, key: "z", modifiers: ctrl},
	{what: "redo", times: 2, key: "z", modifiers: ctrl | shift},
	{what: "select the row", times: 1, key: " ", modifiers: shift},
	{what: "clear", times: 1, key: kb.Escape},
	{what: "open the menu of a column", times: 1, click: `thead tr:last-child th:nth-child(%d) button`},
	{what: "set the column on", times: 1, click: `#column-menu button:nth-of-type(%d)`},
	{what: "to the first cell", times: 1, key: kb.Home, modifiers: ctrl},
	{what: "select everything", times: 1, key: kb.End, modifiers: ctrl | shift},
	{what: "set everything on", times: 1, key: "1"},
	{what: "undo everything", times: 1, key: "z", modifiers: ctrl},
}

// observe notes how long each interaction takes until the next paint, as browsers measure
// it. Those under 16 ms are not told of.
const observe = `(window.paints = new Map(), new PerformanceObserver(list => { for (const e of list.getEntries())
	if (e.interactionId) paints.set(e.interactionId, Math.max(e.duration, paints.get(e.interactionId) ?? 0)); })
	.observe({type: "event", durationThreshold: 16, buffered: false}), true)`

// painted sets settled once the paint after an interaction is over and told of.
const painted = `(window.settled = false, requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => { settled = true; }, 400))), true)`

// BenchmarkMatrixInteractions acts as a person does in the matrix of 100 accounts by all
// flags, on a processor slowed down to a quarter, and reports the interactions to next
// paint. It fails when a quarter of them takes longer than wanted.
func BenchmarkMatrixInteractions(b *testing.B) {
	s := testkit.Start(b, testkit.Options{Accounts: 300})
	w := s.NewBrowser(b, "ja")
	w.SignIn(testkit.Editor, "/matrix?size=100")
	w.Until(`document.querySelector('[data-testid="matrix"] [tabindex="0"]') && document.querySelectorAll("tbody tr").length === 100`)
	w.Run("open the window", wholeWindow)
	w.Run("slow down", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: slowdown})
		return chromedp.Void{}, err
	})
	w.Until(observe)
	var all []int
	for b.Loop() {
		all = append(all, interact(b, w)...)
		w.Until(`(document.querySelector("#matrix-save [data-discard]").click(), document.querySelector(".matrix-scroll").scrollTo(0, 0), true)`)
	}
	slices.Sort(all)
	p75, worst := all[len(all)*3/4], all[len(all)-1]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(all)), "interactions")
	b.ReportMetric(float64(p75), "p75-ms")
	b.ReportMetric(float64(worst), "max-ms")
	if p75 > wantP75 {
		b.Errorf("the next paint comes after %d ms at p75, want %d", p75, wantP75)
	}
}

// wholeWindow makes the window as large as the page that is laid out in it: what changes
// outside of the window is never painted, so no time would be told.
func wholeWindow(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
	w, err := chromedp.Call(ctx, browser.GetWindowForTarget, browser.GetWindowForTargetParams{})
	if err != nil {
		return chromedp.Void{}, err
	}
	_, err = chromedp.Call(ctx, browser.SetWindowBounds, browser.SetWindowBoundsParams{
		WindowID: w.WindowID, Bounds: &browser.Bounds{Width: 1280, Height: 1000},
	})
	return chromedp.Void{}, err
}

// interact does all acts and returns how long each took, in milliseconds; 16 stands for
// what was quicker.
func interact(b *testing.B, w *testkit.Browser) []int {
	b.Helper()
	var took []int
	for _, a := range acts {
		var each []int
		for n := range a.times {
			w.Until(`(paints.clear(), true)`)
			if a.click != "" {
				sel := fmt.Sprintf(a.click, 2+n)
				if a.what == "set the column on" {
					sel = fmt.Sprintf(a.click, 1)
				}
				at := testkit.Eval[[]float64](w, fmt.Sprintf(`(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector(%q).getBoundingClientRect())`, sel))
				w.Run(a.what, chromedp.MouseClickXY(at[0], at[1]))
			} else {
				w.Press(a.key, chromedp.KeyModifiers(a.modifiers))
			}
			w.Until(painted)
			w.Until(`window.settled`)
			each = append(each, testkit.Eval[int](w, `Math.max(16, ...paints.values())`))
		}
		b.Logf("%-28s %v ms", a.what, each)
		took = append(took, each...)
	}
	return took
}
