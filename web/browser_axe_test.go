package web_test

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

// axeSource is axe-core 4.14.1 as npm has it, for tests only. It runs through
// the debugger, so the page's own policy need not let it in.
//
//go:embed testdata/axe/axe.min.js
var axeSource string

// axeRules are WCAG 2.2 at the levels A and AA, and what axe holds good besides.
const axeRules = `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}`

type violation struct {
	ID, Help string
	Nodes    []struct {
		HTML, FailureSummary string
	}
}

func (v violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", v.ID, v.Help)
	for _, n := range v.Nodes[:min(len(v.Nodes), 3)] {
		fmt.Fprintf(&b, "\n\t%s\n\t\t%s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n\t\t"))
	}
	return b.String()
}

// axe returns what is wrong with the page as it is now, by the rules of the
// option runOnly.
func axe(b *testkit.Browser, runOnly string) []violation {
	// What sticks covers a part of some box wherever one scrolls to; a reader
	// scrolls on, axe cannot.
	const run = `(document.querySelector(".savebar")?.style.setProperty("position", "static"), axe.run({runOnly: %s, resultTypes: ["violations"], preload: false}).then(r => r.violations.map(v =>
		({ID: v.id, Help: v.help, Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary}))})))
		.finally(() => document.querySelector(".savebar")?.style.removeProperty("position")))`
	var found []violation
	b.Run("run axe", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		if ready, err := chromedp.Evaluate[bool](`"axe" in window`)(ctx, t); err != nil || !ready {
			if _, err := chromedp.Evaluate[chromedp.Void](axeSource+"; undefined")(ctx, t); err != nil {
				return chromedp.Void{}, err
			}
		}
		var err error
		found, err = chromedp.Evaluate[[]violation](fmt.Sprintf(run, runOnly), chromedp.EvalAwaitPromise)(ctx, t)
		return chromedp.Void{}, err
	})
	return found
}

// TestScreens looks at every screen in both languages, by both roles, on a desk
// and in a hand, light and dark: nothing that axe finds, nothing wider than the
// window or over half of it, also at 320 × 256 pixels, which is a zoom of 400 %.
// With WAVEADMIN_SCREENS=dir it leaves pictures of all of them there.
func TestScreens(t *testing.T) {
	t.Parallel()
	for _, person := range []string{testkit.Editor, testkit.Viewer} {
		for _, lang := range i18n.Languages {
			t.Run(person+"/"+lang, func(t *testing.T) {
				t.Parallel()
				v := newVisit(t, person, lang)
				for _, s := range slices.Concat(screens, historyScreens) {
					if s.only == "" || s.only == person {
						t.Log(s.name) // where it stopped, if it does
						v.b.Size(1280, 900)
						s.reach(v)
						v.b.Wait(s.shows)
						v.inspect(s.name)
						if v.leave != nil {
							v.leave()
							v.leave = nil
						}
					}
				}
				v.without()
			})
		}
	}
}

// inspect looks at the screen in each size. Only colours differ in the dark.
func (v *visit) inspect(name string) {
	for _, width := range []int64{1280, 390, 320} {
		v.b.Size(width, 900)
		if wide := testkit.Eval[int](v.b, `document.documentElement.scrollWidth`); wide > int(width) {
			v.t.Errorf("%s in %s at %d px: the page is %d px wide: %s", name, v.lang, width, wide, testkit.Eval[string](v.b, widest))
		}
		picture(v.b, fmt.Sprintf("%s-%s-%s-%d-light", name, v.person, v.lang, width))
		if width > 320 {
			v.report(fmt.Sprintf("%s in %s at %d px", name, v.lang, width), axe(v.b, axeRules))
		}
		if width == 1280 {
			v.b.Dark(true)
			v.report(fmt.Sprintf("%s in %s in the dark", name, v.lang), axe(v.b, `{type: "rule", values: ["color-contrast"]}`))
			picture(v.b, fmt.Sprintf("%s-%s-%s-%d-dark", name, v.person, v.lang, width))
			v.b.Dark(false)
		}
	}
	v.b.Size(320, 256)
	if covered := testkit.Eval[string](v.b, covering); covered != "" {
		v.t.Errorf("%s in %s at 400 %%: %s covers half of the window", name, v.lang, covered)
	}
}

// covering names what stays in place over more than half of the window.
const covering = `[...document.querySelectorAll("body *")].filter(e => /sticky|fixed/.test(getComputedStyle(e).position) &&
	!e.closest("dialog") && e.offsetHeight > innerHeight / 2).map(e => e.className)[0] ?? ""`

func (v *visit) report(where string, found []violation) {
	for _, f := range found {
		v.t.Errorf("%s: %v", where, f)
	}
}

// widest names an element that sticks out of the window.
const widest = `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth &&
	!e.closest(".scroll")).map(e => e.outerHTML.slice(0, 120))[0] ?? "nothing visible"`

// picture writes what the window shows to the folder that the environment names.
func picture(b *testkit.Browser, name string) {
	dir := os.Getenv("WAVEADMIN_SCREENS")
	if dir == "" {
		return
	}
	b.Run("picture", func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		png, err := chromedp.CaptureScreenshot()(ctx, target)
		if err != nil {
			return chromedp.Void{}, err
		}
		return chromedp.Void{}, os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, " ", "_")+".png"), png, 0o644)
	})
}
