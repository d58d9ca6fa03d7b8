package web_test

import (
	"net/url"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// asked counts how often the page has asked by itself, and told how often it was told.
const (
	asked = `performance.getEntriesByType("resource").filter((e) => e.name.includes("/progress")).length`
	told  = `document.documentElement.dataset.told | 0`
	count = `(document.addEventListener("htmx:sseMessage", () => { const d = document.documentElement.dataset; d.told = (d.told | 0) + 1; }), true)`
)

// TestBulk_stream: the page of a run is told how it goes, and asks only when it is not
// told: here because the person has two such pages already. The focus stays in either.
func TestBulk_stream(t *testing.T) {
	t.Parallel()
	for n, lang := range i18n.Languages {
		refused := n == 1
		t.Run(map[bool]string{false: "told", true: "refused"}[refused], func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 12, Config: onlyWhenAsked})
			bulkAccounts(s.Wave, 40)
			c := s.SignedIn(t, testkit.Editor)
			post(t, c, "/refresh", url.Values{})
			stop := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Delay: 3 * time.Second})
			v := &visit{t: t, s: s}
			path := runOf(v, url.Values{"all": {"1"}, "list": {"q=tenant"}, "flag.open_api": {"on"}}, false)
			var streams sync.WaitGroup
			defer streams.Wait()
			if refused {
				for range 2 {
					other := s.SignedIn(t, testkit.Editor)
					streams.Go(func() { other.Get(path + "/events") })
				}
				time.Sleep(500 * time.Millisecond) // both are open by then, or the page is told after all and the test fails
			}
			b := s.NewBrowser(t, lang)
			b.SignIn(testkit.Editor, path)
			b.Wait(`[data-testid="bulk-pause"]`)
			b.Until(count)
			b.Until(`(document.querySelector("#bulk-pause").focus(), true)`)
			b.Until(`document.querySelector("#bulk-progress").dataset.seen = "1"`)
			b.Until(`!document.querySelector("#bulk-progress").dataset.seen`) // it was swapped
			if on := testkit.Eval[string](b, `document.activeElement.id`); on != "bulk-pause" {
				t.Errorf("the focus went to %q", on)
			}
			// Once the run is over the other pages give up their streams, and the page may have one.
			if n := testkit.Eval[int](b, told); refused && n > 0 {
				t.Errorf("the page was told %d times", n)
			}
			stop()
			b.Wait(`[data-testid="bulk-progress"][data-state="done"]`)
			if n := testkit.Eval[int](b, asked); (n > 0) != refused {
				t.Errorf("the page has asked %d times", n)
			}
			if n := testkit.Eval[int](b, told); n == 0 && !refused {
				t.Error("the page was never told")
			}
		})
	}
}
