package web_test

import (
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

// TestFits: no page is wider than its window, from 320 pixels on, in either
// language; tables scroll inside themselves.
func TestFits(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 200})
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/resellers")
	id := s.Wave.Accounts()[4].UserID
	past := newPast(t, s)
	pages := []struct{ name, path string }{
		{"resellers", "/resellers?on=usage_tag&off=invoice"},
		{"account", "/resellers/" + string(id)},
		{"details", "/resellers/" + string(id) + "/details"},
		{"password", "/resellers/" + string(id) + "/password"},
		{"delete", "/resellers/" + string(id) + "/delete"},
		{"history", "/resellers/" + string(id) + "/history"},
		{"issue", "/resellers/new"},
		{"matrix", "/matrix?on=usage_tag"},
		{"missing", "/resellers/none"},
		{"changes", "/changes"},
		{"change", "/changes/" + past.first},
		{"undo", "/resellers/history?undo=" + past.first},
		{"gone", "/resellers/gone"},
	}
	for _, lang := range i18n.Languages {
		b.Open("/resellers?lang=" + lang)
		for _, width := range []int64{1280, 390, 320} {
			b.Size(width, 900)
			for _, p := range pages {
				b.Open(p.path)
				b.Wait("main")
				if over := testkit.Eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s in %s is %d px wider than a window of %d", p.path, lang, over, width)
				}
			}
		}
	}
}
