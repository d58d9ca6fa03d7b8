package auth

import (
	"net/url"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxReturn keeps five login cookies within the headers that we read.
const maxReturn = 1024

// ReturnTo returns where a sign-in may lead: raw if it is a path of this site
// with or without a query, and not one of sign-in itself; else "/".
func ReturnTo(raw string) string {
	const home = "/"
	if len(raw) > maxReturn || !strings.HasPrefix(raw, "/") || strings.ContainsAny(raw, "\\#") || !printable(raw) {
		return home
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return home
	}
	// The decoded path, because that is what routes and, in part, browsers see.
	p := u.Path
	if !printable(p) || strings.Contains(p, "\\") || strings.TrimSuffix(p, "/") != strings.TrimSuffix(path.Clean(p), "/") {
		return home // such as //host and /a/../auth/login
	}
	if p == "/auth" || strings.HasPrefix(p, "/auth/") {
		return home
	}
	return raw
}

func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}
