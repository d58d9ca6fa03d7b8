package web_test

import (
	"cmp"
	"os"

	"waveadmin/internal/testkit"
)

// heights are those of the windows in which a screen is shown, if not usual.
var heights = map[string]int64{"overview": 1500, "flag": 1100}

// pictures takes those of a page for docs/screenshots, if they are asked for: light and
// dark, and in English on a phone. Other tests take those of states that they lead to.
// The page is open, and in the end open in no particular state.
func pictures(b *testkit.Browser, p page, lang string) {
	if os.Getenv("WAVEADMIN_SCREENSHOTS") == "" {
		return
	}
	b.Size(1280, cmp.Or(heights[p.name], 900))
	b.Shot(p.name + "-" + lang + "-light")
	b.Dark(true)
	b.Shot(p.name + "-" + lang + "-dark")
	b.Dark(false)
	if lang == "en" {
		b.Size(390, 844)
		openPage(b, p)
		b.Shot(p.name + "-en-phone")
	}
	b.Size(1280, 900)
}
