package auth_test

import (
	"strings"
	"testing"

	"waveadmin/internal/sandbox/idp"
)

// TestSignIn_names: what people are called is one short line that changes nothing of the
// words beside it, or their address.
func TestSignIn_names(t *testing.T) {
	const address = "misaki.tanaka@example.co.jp"
	s := newSite(t)
	for _, tt := range []struct {
		name any
		want string
	}{
		{"田中 美咲", "田中 美咲"},
		{"  Tanaka Misaki ", "Tanaka Misaki"},
		{"O'Brien & <b>", "O'Brien & <b>"},
		{"\u202eikasim\u202c", "ikasim"},
		{"\u2067a\u2069\u200e\u200f\u061c", "a"},
		{"\u202e \u2066", address},
		{"", address},
		{"a\nb", address},
		{"a\x00", address},
		{strings.Repeat("a", 256), address},
		{7, address},
		{nil, address},
		{[]string{"a"}, address},
	} {
		s.idp.Script(idp.Script{Claims: func(c map[string]any) { c["name"] = tt.name }})
		if _, body := s.browser(t).open("/auth/login"); body != "/: "+tt.want+" is editor" {
			t.Errorf("%q is called %q, want %q", tt.name, body, tt.want)
		}
	}
}
