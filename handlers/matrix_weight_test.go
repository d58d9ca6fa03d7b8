package handlers_test

import (
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

// TestMatrix_weight: 100 rows, packed, in either language and whatever the browser
// unpacks.
func TestMatrix_weight(t *testing.T) {
	const limit = 40_000
	s := testkit.Start(t, testkit.Options{Accounts: 300})
	c := s.SignedIn(t, testkit.Editor)
	for _, lang := range i18n.Languages {
		for _, packed := range []string{"zstd", "gzip"} { // which Go leaves as they are
			p := c.Get("/matrix?size=100", "Accept-Encoding: "+packed, "Accept-Language: "+lang)
			t.Logf("%s, %s: %d bytes", lang, packed, len(p.Body))
			if p.Header.Get("Content-Encoding") != packed || len(p.Body) > limit {
				t.Errorf("%s: %d bytes as %q, want at most %d", lang, len(p.Body), p.Header.Get("Content-Encoding"), limit)
			}
		}
	}
}
