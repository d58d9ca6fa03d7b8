package auth_test

import (
	"net/url"
	"strings"
	"testing"

	"waveadmin/internal/auth"
)

func TestReturnTo(t *testing.T) {
	kept := []string{
		"/", "/resellers", "/resellers/", "/resellers?q=%E6%97%A5%E6%9C%AC&sort=-email", "/resellers?q=https://evil.example//x",
		"/resellers/a%2Fb/meta", "/authors", "/resellers/%E3%81%82",
	}
	refused := []string{
		"", "resellers", "https://evil.example", "https:/evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
		"/x\\y", "/%5Cevil.example", "/%2Fevil.example", "/./x", "/x/../..//evil.example", "/.//evil.example", "/x//y",
		"/auth", "/auth/", "/auth/login?return_to=/", "/auth/logout", "/%61uth/login", "/x/../auth/login", "/a\r\nSet-Cookie: x", "/%0d%0aX", "/\t/evil.example",
		"/x#y", "/\x00", "/%00", "/\x7f", "/\u0085", "/\xff", "/%zz", "javascript:alert(1)", " /x", "/" + strings.Repeat("x", 1024),
	}
	for _, raw := range kept {
		if got := auth.ReturnTo(raw); got != raw {
			t.Errorf("ReturnTo(%q) = %q, want it kept", raw, got)
		}
	}
	for _, raw := range refused {
		if got := auth.ReturnTo(raw); got != "/" {
			t.Errorf("ReturnTo(%q) = %q, want /", raw, got)
		}
	}
}

// FuzzReturnTo: whatever is asked for, a browser that follows the answer stays
// here and does not sign in or out again.
func FuzzReturnTo(f *testing.F) {
	for _, raw := range []string{"/resellers?q=x", "//evil.example", "/\\evil.example", "/%2F/evil.example", "/.//evil", "/%61uth/logout", "/a/..;/b"} {
		f.Add(raw)
	}
	site, err := url.Parse("https://wave-admin.example.co.jp/auth/callback")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := auth.ReturnTo(raw)
		if got != raw && got != "/" {
			t.Fatalf("ReturnTo(%q) = %q, want it as it is, or /", raw, got)
		}
		u, err := site.Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		if u.Scheme != site.Scheme || u.Host != site.Host || strings.HasPrefix(u.Path+"/", "/auth/") {
			t.Errorf("ReturnTo(%q) = %q, which leads to %v", raw, got, u)
		}
		// Browsers drop tabs and line breaks, and read a backslash as a slash.
		if strings.ContainsAny(got, "\\\t\r\n\x00") || strings.HasPrefix(got, "//") || len(got) > 1024 {
			t.Errorf("ReturnTo(%q) = %q", raw, got)
		}
	})
}
