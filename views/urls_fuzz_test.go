package views_test

import (
	"net/url"
	"strings"
	"testing"

	"waveadmin/views"
)

// FuzzLocalPath: a browser that follows the answer stays on this site, as browsers
// read addresses.
func FuzzLocalPath(f *testing.F) {
	for _, path := range []string{
		"/resellers?q=x#y", "//evil.example", "/\\evil.example", "/\t/evil.example", "/%2F/evil.example", "/.//evil.example", "https:evil.example",
		"javascript:alert(1)", "/a:b@evil.example", "/\x00", "/\u2028", "///", "/%zz", "/..//evil.example",
	} {
		f.Add(path)
	}
	site, err := url.Parse("https://wave-admin.example.co.jp/resellers/1/meta")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := views.LocalPath(path)
		if got != path && got != views.ResellersURL {
			t.Fatalf("LocalPath(%q) = %q, want it as it is, or %s", path, got, views.ResellersURL)
		}
		u, err := site.Parse(got)
		if err != nil || u.Scheme != site.Scheme || u.Host != site.Host || u.User != nil {
			t.Errorf("LocalPath(%q) = %q, which leads to %v, %v", path, got, u, err)
		}
		// Browsers drop tabs and line breaks, read a backslash as a slash, and cut what
		// they take for space in front.
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\t\r\n") {
			t.Errorf("LocalPath(%q) = %q", path, got)
		}
	})
}
