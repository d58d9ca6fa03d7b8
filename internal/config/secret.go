package config

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
)

const redacted = "[redacted]"

// Secret is a text that no format prints: fmt, JSON, YAML and slog show
// [redacted], or nothing when it is empty. Only Reveal gives it away.
type Secret struct {
	// A pointer, because fmt cannot call Format on an unexported field of some
	// other struct and would print a string as it is.
	text *string
}

// NewSecret returns text as a Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// Equal reports whether both hold the same text. It is for tests: its time
// depends on the texts.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format prints the same for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue is what slog prints.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText serves JSON, YAML and everything else that asks for text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// DatabaseURL is sqlite:PATH. What else was written there prints without the
// password that it may hold; Reveal returns it whole.
type DatabaseURL string

// Reveal returns the URL with its password.
func (d DatabaseURL) Reveal() string { return string(d) }

func (d DatabaseURL) String() string {
	if strings.HasPrefix(string(d), "sqlite:") {
		return string(d)
	}
	u, err := url.Parse(string(d))
	if err != nil || u.Host == "" {
		return redacted
	}
	if _, has := u.User.Password(); has {
		u.User = url.User(u.User.Username())
	}
	if q := u.Query(); slices.ContainsFunc(passwords, q.Has) {
		for _, name := range passwords {
			q.Del(name)
		}
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// passwords are parameters that libpq takes one from: that of the person, and that of
// the key of a client certificate.
var passwords = []string{"password", "sslpassword"}

// holdsPassword reports whether a password may stand in there: of what is no address
// it is not known.
func (d DatabaseURL) holdsPassword() bool {
	if d == "" || strings.HasPrefix(string(d), "sqlite:") {
		return false
	}
	u, err := url.Parse(string(d))
	if err != nil {
		return true
	}
	password, _ := u.User.Password()
	q := u.Query()
	return password != "" || slices.ContainsFunc(passwords, func(name string) bool { return q.Get(name) != "" })
}

// Format prints the same for every verb and flag.
func (d DatabaseURL) Format(f fmt.State, _ rune) { io.WriteString(f, d.String()) }

// LogValue is what slog prints.
func (d DatabaseURL) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalJSON hides the password from JSON.
func (d DatabaseURL) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// MarshalYAML hides the password from YAML.
func (d DatabaseURL) MarshalYAML() (any, error) { return d.String(), nil }
