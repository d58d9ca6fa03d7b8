package web_test

import (
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

// TestCompact: in compact density all flags of an account stand on one screen of
// 1280 × 900, with the save bar, in both languages. The choice is remembered.
func TestCompact(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.NewBrowser(t, "en")
	path := "/resellers/" + string(account(t, s, nil).UserID)
	b.SignIn(testkit.Editor, path)
	b.Click(`[data-density-set=compact]`)
	for _, lang := range i18n.Languages {
		b.Open(path + "?lang=" + lang)
		b.Until(`document.documentElement.dataset.density === "compact" && document.querySelector('[data-density-set=compact]').ariaPressed === "true"`)
		if tall := testkit.Eval[int](b, `document.documentElement.scrollHeight`); tall > 900 {
			t.Errorf("%s: the page is %d px tall, want one screen of 900", lang, tall)
		}
		b.Shot("account-compact-" + lang + "-light")
	}
}
