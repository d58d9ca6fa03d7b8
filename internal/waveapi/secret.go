package waveapi

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// secret is a text that fmt cannot print: within a struct it stops at the pointer.
type secret struct{ text *string }

func hide(s string) secret { return secret{&s} }

func (s secret) reveal() string { return *s.text }

func (secret) String() string { return redacted }

const redacted = "[redacted]"

// scrub returns text without the secrets, in each form in which a server may
// repeat them: as they are, in JSON, or in a URL.
func scrub(text string, secrets ...secret) string {
	var forms []string
	for _, s := range secrets {
		if s.text == nil || s.reveal() == "" {
			continue
		}
		plain := s.reveal()
		forms = append(forms, plain, url.QueryEscape(plain), url.PathEscape(plain))
		if b, err := json.Marshal(plain); err == nil {
			forms = append(forms, string(b[1:len(b)-1]))
		}
		if b, err := jsontext.AppendQuote(nil, plain); err == nil { // leaves <, > and & as they are
			forms = append(forms, string(b[1:len(b)-1]))
		}
	}
	// Longest first: a token may hold a shorter secret.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	for _, form := range forms {
		text = strings.ReplaceAll(text, form, redacted)
	}
	return text
}
