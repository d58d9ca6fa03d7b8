package web_test

import (
	"strings"
	"testing"

	"waveadmin/internal/testkit"
)

// TestFirstLoad_weight: the first page of a day and all that it links, as they
// travel.
func TestFirstLoad_weight(t *testing.T) {
	const limit = 80 << 10
	s := testkit.Start(t, testkit.Options{Accounts: 300})
	c := s.SignedIn(t, testkit.Editor)
	for _, path := range []string{"/", "/flags/open_api", "/resellers", "/resellers/new", "/resellers/" + string(s.Wave.Accounts()[0].UserID)} {
		// Go unpacks only what it has asked for itself.
		sum := len(c.Get(path, "Accept-Encoding: gzip").Body)
		linked := c.Get(path).Find(`link[href], script[src]`)
		for i := range linked.Length() {
			el := linked.Eq(i)
			asset := c.Get(el.AttrOr("href", el.AttrOr("src", "")), "Accept-Encoding: gzip")
			if asset.Status != 200 || !strings.Contains(asset.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %s answers %d, kept %q", path, asset.URL.Path, asset.Status, asset.Header.Get("Cache-Control"))
			}
			sum += len(asset.Body)
		}
		t.Logf("%s: %d bytes with %d files", path, sum, linked.Length())
		if linked.Length() < 4 || sum > limit {
			t.Errorf("%s weighs %d bytes with its %d files, want at most %d", path, sum, linked.Length(), limit)
		}
	}
}
