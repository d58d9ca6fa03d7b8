package web_test

import (
	"cmp"
	"os"
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

// heights are those of the windows in which a screen is shown, if not usual.
var heights = map[string]int64{"overview": 1500, "flag": 1100}

// TestPictures takes the pictures of all main screens for docs/screenshots: both
// languages, light and dark, and in English on a phone. Other tests take those of states
// that they lead to.
func TestPictures(t *testing.T) {
	if os.Getenv("WAVEADMIN_SCREENSHOTS") == "" {
		t.Skip("no pictures are asked for: make screenshots")
	}
	s, all := pages(t)
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/resellers")
	for _, lang := range i18n.Languages {
		b.Open("/resellers?lang=" + lang)
		for _, p := range all {
			b.Size(1280, cmp.Or(heights[p.name], 900))
			openPage(b, p)
			b.Shot(p.name + "-" + lang + "-light")
			b.Dark(true)
			b.Shot(p.name + "-" + lang + "-dark")
			b.Dark(false)
			if lang != "en" {
				continue
			}
			b.Size(390, 844)
			openPage(b, p)
			b.Shot(p.name + "-en-phone")
		}
	}
}
