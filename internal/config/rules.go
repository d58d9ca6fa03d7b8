package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type validator struct {
	report func(path, message string)
}

func (v validator) fail(path, format string, args ...any) {
	v.report(path, fmt.Sprintf(format, args...))
}

const howToMakeKey = "make one with: openssl rand -base64 32"

// decodeKey returns the 32 bytes of a session secret. Its errors do not show it.
func decodeKey(s Secret) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(s.Reveal())
	if err != nil {
		return nil, errors.New("is no base64: " + howToMakeKey)
	}
	if len(key) != 32 {
		return nil, fmt.Errorf("has %d bytes, not 32: %s", len(key), howToMakeKey)
	}
	// 32 random bytes have fewer than 16 different values less than once in 10^15.
	distinct := slices.Compact(slices.Sorted(slices.Values(key)))
	if len(distinct) < 16 || ascending(key) {
		return nil, errors.New("is not random: " + howToMakeKey)
	}
	return key, nil
}

// ascending reports 0, 1, 2, … as people type into examples.
func ascending(key []byte) bool {
	for i := range key[1:] {
		if key[i+1] != key[i]+1 {
			return false
		}
	}
	return true
}

// placeholders are secrets that only stand in examples.
var placeholders = []string{"changeme", "change-me", "secret", "client-secret", "client_secret", "password", "example", "placeholder"}

// clientSecret checks a secret that someone else made. One that is used against
// this machine may be what it likes.
func (v validator) clientSecret(path string, s Secret, usedAt string) {
	text := strings.ToLower(s.Reveal())
	switch {
	case s.IsZero():
		v.fail(path, "is required (or %s_file, or %s)", path, EnvName(path))
	case onLoopback(usedAt):
	case slices.Contains(placeholders, text), strings.HasPrefix(text, "<"), strings.HasPrefix(text, "your"), text == "demo-secret":
		v.fail(path, "is the text of an example")
	case len(text) < 8:
		v.fail(path, "is shorter than 8 characters")
	case strings.TrimSpace(text) != text:
		v.fail(path, "begins or ends with space")
	}
}

func onLoopback(text string) bool {
	u, err := url.Parse(text)
	return err == nil && IsLoopback(u.Hostname())
}

// IsLoopback reports whether host can only be this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// url checks an address and returns it, or nil when it is reported.
func (v validator) url(path, text string) *url.URL {
	if text == "" {
		v.required(path, text)
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http"):
		v.fail(path, "%q is no address such as https://host.example", text)
	case u.User != nil:
		v.fail(path, "holds a user name or password")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		v.fail(path, "%q has a query or fragment", text)
	case u.Scheme == "http" && !IsLoopback(u.Hostname()):
		v.fail(path, "%q is plain http: only https is safe beyond this machine", text)
	default:
		return u
	}
	return nil
}

func (v validator) required(path, text string) {
	if text == "" {
		v.fail(path, "is required (or %s)", EnvName(path))
	}
}

func (v validator) names(path string, names []string) {
	for i, name := range names {
		if strings.TrimSpace(name) == "" {
			v.fail(fmt.Sprintf("%s[%d]", path, i), "is empty")
		}
	}
}

func (v validator) oneOf(path, text string, allowed ...string) {
	if !slices.Contains(allowed, text) {
		v.fail(path, "%q is none of %s", text, strings.Join(allowed, ", "))
	}
}

func (v validator) between(path string, n, low, high int) {
	if n < low || n > high {
		v.fail(path, "%d is not between %d and %d", n, low, high)
	}
}

func (v validator) duration(path string, d, low, high time.Duration) {
	if d < low || d > high {
		v.fail(path, "%s is not between %s and %s", short(d), short(low), short(high))
	}
}

func (v validator) address(path, text string) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		v.fail(path, "%q is no address such as 127.0.0.1:8080", text)
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		v.fail(path, "%q has no port between 0 and 65535", text)
	}
	if strings.ContainsAny(host, " /") {
		v.fail(path, "%q has no host name or IP address", text)
	}
}
