package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// TestBulk_preview goes from the form to the preview and leaves an account out.
func TestBulk_preview(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 12, Config: onlyWhenAsked})
	bulkAccounts(s.Wave, 12)
	post(t, s.SignedIn(t, testkit.Editor), "/refresh", url.Values{})
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/bulk")
	for _, lang := range i18n.Languages {
		b.Open("/bulk/new?lang=" + lang + "&all=1&list=" + "q%3Dtenant")
		b.Wait(`[data-flag="open_api"]`)
		b.Click(`[data-flag="open_api"] label.on`)
		b.Click(`[data-flag="usage_tag"] label.off`)
		b.Type(`#paste`, "nobody@example.co.jp")
		b.Type(`#reason`, "FY2026")
		b.Click(`[data-testid="bulk-preview-button"]`)
		b.Wait(`[data-testid="bulk-preview"]`)
		before := b.Text(`[data-testid="bulk-sum"]`)
		b.Click(`[name="out"][value="1"]`)
		b.Until(`document.querySelector('[data-testid="bulk-sum"]').innerText.trim() !== ` + "`" + before + "`")
		if on := testkit.Eval[string](b, `document.activeElement.id`); on != "out-1" {
			t.Errorf("the focus went to %q", on)
		}
		left := b.Text(`[data-testid="bulk-sum"]`)
		b.Reload()
		b.Wait(`[data-testid="bulk-sum"]`)
		if after := b.Text(`[data-testid="bulk-sum"]`); after != left || !testkit.Eval[bool](b, `document.querySelector('[name="out"][value="1"]').checked`) {
			t.Errorf("after a reload the plan is %q, want %q", after, left)
		}
	}
	b.Open("/bulk?lang=ja")
	b.Wait(`[data-testid="bulk-list"] a`)
	b.Click(`[data-testid="bulk-list"] tbody a`)
	b.Wait(`[data-testid="bulk-preview"]`)
}

// TestBulk_run runs a plan, reloads in the midst of it, signs out and comes back.
func TestBulk_run(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 12, Config: onlyWhenAsked})
			bulkAccounts(s.Wave, 60)
			post(t, s.SignedIn(t, testkit.Editor), "/refresh", url.Values{})
			slow := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Delay: 4 * time.Second})
			b := s.NewBrowser(t, lang)
			b.SignIn(testkit.Editor, "/bulk/new?all=1&list=q%3Dtenant")
			b.Wait(`[data-flag="open_api"]`)
			b.Click(`[data-flag="open_api"] label.on`)
			b.Type(`#reason`, "FY2026")
			b.Click(`[data-testid="bulk-preview-button"]`)
			b.Wait(`[data-testid="bulk-run"]`)
			b.Shot("bulk-run-button-" + lang + "-light")
			b.Click(`[data-testid="bulk-run"]`)
			b.Wait(`[data-testid="bulk-progress"][data-state="running"]`)
			b.Until(`document.querySelector("#sr-status").textContent !== ""`)
			b.Until(`document.querySelectorAll('[data-testid="bulk-result"] tr[data-state="done"]').length > 2`) // by itself
			b.Shot("bulk-running-" + lang + "-light")
			b.Reload()
			b.Wait(`[data-testid="bulk-progress"]`)
			b.Until(`(document.querySelector("#bulk-pause").focus(), true)`)
			b.Until(`document.querySelector("#bulk-progress").dataset.seen = "1"`)
			b.Until(`!document.querySelector("#bulk-progress").dataset.seen`)
			if on := testkit.Eval[string](b, `document.activeElement.id`); on != "bulk-pause" {
				t.Errorf("the focus went to %q", on)
			}
			path := testkit.Eval[string](b, `location.pathname`)
			b.Press(kb.Enter) // on what has the focus
			b.Wait(`[data-testid="bulk-resume"]`)
			b.Shot("bulk-paused-" + lang + "-light")
			b.Until(`(document.querySelector('[data-testid="bulk-resume"]').focus(), true)`)
			b.Press(kb.Enter) // a swap between finding and clicking it would end the test
			b.Wait(`[data-testid="bulk-pause"]`)
			b.Click(`[data-testid="sign-out"]`)
			b.Until(`location.pathname === "/auth/signed-out"`)
			slow()
			b.SignIn(testkit.Editor, path)
			b.Wait(`[data-testid="bulk-progress"][data-state="done"]`)
			if text := b.Text(`[data-testid="bulk-how"]`); !strings.Contains(text, "60") {
				t.Errorf("at the end it says %q", text)
			}
			b.Shot("bulk-done-" + lang + "-light")
			b.Dark(true)
			b.Shot("bulk-done-" + lang + "-dark")
			b.Dark(false)
			b.Size(390, 844)
			b.Shot("bulk-done-" + lang + "-phone")
		})
	}
}
