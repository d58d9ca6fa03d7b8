package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// TestBulk_steeredByKeyboard: from the preview to the start without going through all
// accounts, and from each button of the run to the one that takes its place. That a run
// stands still is announced, also when it stops by itself.
func TestBulk_steeredByKeyboard(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 12, Config: onlyWhenAsked})
	bulkAccounts(s.Wave, 45)
	post(t, s.SignedIn(t, testkit.Editor), "/refresh", url.Values{})
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/bulk")
	announced := func(words string) {
		b.Until(`document.querySelector("#sr-status").textContent === ` + strconv.Quote(words))
	}
	on := func(sel string) { b.Until(`document.activeElement.matches(` + strconv.Quote(sel) + `)`) }
	who := b.Text(".side .who b")
	for _, lang := range i18n.Languages {
		b.Open("/bulk/new?lang=" + lang + "&all=1&list=q%3Dtenant")
		b.Wait(`[data-flag="usage_tag"]`)
		b.Click(`[data-flag="usage_tag"] label.` + map[string]string{"ja": "on", "en": "off"}[lang])
		b.Click(`[data-flag="invoice"] label.` + map[string]string{"ja": "on", "en": "off"}[lang])
		b.Click(`[data-testid="bulk-preview-button"]`)
		b.Wait(`[data-testid="bulk-preview"]`)
		b.Until(`(document.querySelector("#show-out").focus(), true)`)
		b.Press(kb.Tab)
		on(`[data-testid="bulk-skip"]`)
		b.Shot("bulk-skip-" + lang + "-light")
		b.Press(kb.Enter)
		on(`#reason`)
		b.Press("FY2026")
		b.Until(`(document.querySelector('[data-testid="bulk-run"]').focus(), true)`)

		slow := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Delay: 2 * time.Second})
		b.Press(kb.Enter)
		b.Wait(`#bulk-pause`)
		b.Until(`(document.querySelector("#bulk-pause").focus(), true)`)
		b.Press(kb.Enter)
		b.Wait(`#bulk-resume`)
		announced(say(t, lang, "bulk.why_person", "name", who))
		if top := testkit.Eval[int](b, `scrollY`); top != 0 {
			t.Errorf("the page is scrolled by %d", top)
		}
		on(`#bulk-title`)
		b.Press(kb.Tab)
		on(`[data-testid="bulk-csv"]`)
		b.Press(kb.Tab)
		on(`#bulk-resume`)
		b.Press(kb.Enter)
		b.Wait(`#bulk-pause`)
		slow()
		denied := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Status: http.StatusForbidden})
		b.Wait(`#bulk-resume`)
		announced(say(t, lang, "bulk.why_denied"))
		denied()
		b.Until(`(document.querySelector("#bulk-resume").focus(), true)`)
		b.Press(kb.Enter)
		b.Until(`document.querySelector('[data-testid="bulk-progress"]').dataset.state.match(/done|failed/)`)
	}
}
