package web_test

import (
	"net/url"
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

// TestBulk_preview goes from the form to the preview and leaves an account out.
func TestBulk_preview(t *testing.T) {
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
		b.Until(`(scrollTo(0, 0), true)`)
		b.Shot("bulk-new-" + lang + "-light")
		b.Click(`[data-testid="bulk-preview-button"]`)
		b.Wait(`[data-testid="bulk-preview"]`)
		b.Shot("bulk-preview-" + lang + "-light")
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
	b.Dark(true)
	b.Open("/bulk?lang=ja")
	b.Wait(`[data-testid="bulk-list"] a`)
	b.Shot("bulk-list-ja-dark")
	b.Click(`[data-testid="bulk-list"] tbody a`)
	b.Wait(`[data-testid="bulk-preview"]`)
	b.Shot("bulk-preview-ja-dark")
	b.Dark(false)
	b.Size(390, 844)
	b.Open("/bulk/new?lang=en&user=bulk-01&user=bulk-02")
	b.Wait(`#bulk-new`)
	b.Shot("bulk-new-en-phone")
}
