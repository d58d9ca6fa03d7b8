package web_test

import (
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/testkit"
)

func init() { screens = append(screens, matrixScreens...) }

// matrixScreens are the states of the matrix. What is staged stays in the browser, so
// each screen that stages takes it back.
var matrixScreens = []screen{
	{"matrix", "", `[data-testid="matrix"]`, func(v *visit) { v.open("/matrix?size=25") }},
	{"matrix of the unusual", "", `[data-testid="matrix"]`, func(v *visit) {
		v.open("/matrix?unusual=1&sort=-flag.invoice&hide=dashboard_graph,report_filters&size=25")
	}},
	{"matrix staged", testkit.Editor, `#matrix-save[data-dirty]`, func(v *visit) {
		v.open("/matrix?size=25")
		v.b.Until(`(document.querySelectorAll("tbody tr td:nth-child(4) input, tbody tr td:nth-child(8) input").forEach((b, n) => n < 20 && b.click()), true)`)
		v.b.Click(`[data-staged-details] summary`)
		v.leave = func() {
			v.b.Size(1280, 900)
			v.b.Click(`#matrix-save [data-discard]`)
		}
	}},
	{"matrix with a range", "", `[data-testid="matrix"]`, func(v *visit) {
		v.open("/matrix?size=25")
		v.b.Until(`document.querySelector('[data-testid="matrix"] [tabindex="0"]')`)
		v.b.Until(`(document.querySelector("tbody tr:nth-child(3) td:nth-child(5) input").focus(), true)`)
		for range 3 {
			v.b.Press(kb.ArrowDown, chromedp.KeyModifiers(shiftKey))
			v.b.Press(kb.ArrowRight, chromedp.KeyModifiers(shiftKey))
		}
	}},
	{"matrix columns", "", `[data-testid="columns"]`, func(v *visit) {
		v.open("/matrix?size=25&hide=invoice")
		v.b.Click(`.chips [data-popover] summary`)
	}},
	{"matrix menu", "", `#column-menu:popover-open`, func(v *visit) {
		v.open("/matrix?size=25")
		v.b.Click(`th[data-flag="usage_account"] button`)
	}},
	{"matrix help", "", `.keys`, func(v *visit) {
		v.open("/matrix?q=unusual")
		v.b.Click(`.matrix-help summary`)
	}},
	{"matrix without a match", "", `.empty`, func(v *visit) { v.open("/matrix?q=zzzzzzzz&never_registered=1") }},
}
