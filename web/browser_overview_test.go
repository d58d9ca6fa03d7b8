package web_test

import (
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// TestOverview takes its pictures, and follows its ways out of a picture into the
// table.
func TestOverview(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 200, Config: onlyWhenAsked})
			newPast(t, s)
			b := s.NewBrowser(t, lang)
			b.SignIn(testkit.Editor, "/")
			b.Wait(`[data-testid="adoption"]`)

			b.Click(`.figures summary`)
			on := 0
			for _, a := range s.Wave.Accounts() {
				if !a.Registered.IsZero() {
					on++
				}
			}
			if got, want := b.Text(`.figures tbody tr td:last-child`), i18n.Number(on); got != want {
				t.Errorf("the table says that %s are registered, want %s", got, want)
			}
			b.Click(`[data-testid="adoption"] a[href="/resellers?on=open_api"]`)
			b.Wait(`table[data-testid="resellers"]`)
			if got, want := b.Text(`.chip`), say(t, lang, "filter.is_on", "label", wave.Flags[flagIndex("open_api")].Label.In(lang)); got != want {
				t.Errorf("the table shows %q, want %q", got, want)
			}
		})
	}
}

func flagIndex(key wave.Key) int {
	i, _ := wave.Index(key)
	return i
}
