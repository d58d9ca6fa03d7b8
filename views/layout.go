package views

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/i18n"
)

var languageNames = map[string]string{"ja": "日本語", "en": "English"}

var themes = []struct{ name, icon string }{{"auto", "monitor"}, {"light", "sun"}, {"dark", "moon"}}

func themeOf(ctx context.Context) string { return cmp.Or(PrefsFrom(ctx).Theme, "auto") }

func densityOf(ctx context.Context) string { return cmp.Or(PrefsFrom(ctx).Density, "comfortable") }

type pathKey struct{}

// WithPath returns a context whose pages know their own address, path and query,
// so that a switch of language comes back to the same view.
func WithPath(ctx context.Context, u *url.URL) context.Context {
	return context.WithValue(ctx, pathKey{}, u)
}

// withParam returns the address of this page with one parameter set.
func withParam(ctx context.Context, name, value string) string {
	u, _ := ctx.Value(pathKey{}).(*url.URL)
	if u == nil {
		return "?" + url.Values{name: {value}}.Encode()
	}
	q := u.Query()
	q.Set(name, value)
	return u.EscapedPath() + "?" + q.Encode()
}

// AsField is the form field that says to whom the form was given.
const AsField = "as"

// pollHeaders mark a request that the page makes by itself; see auth.PollHeader.
const pollHeaders = `{"` + auth.PollHeader + `": "1"}`

// UserMark names the person who asks, in forms and in the keys of drafts in the
// browser, without giving the subject away to whoever reads these. It is empty
// when nobody is signed in.
func UserMark(ctx context.Context) string { return MarkOf(auth.ActorFrom(ctx)) }

// MarkOf names a person as UserMark does.
func MarkOf(a auth.Actor) string {
	if a.Subject == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(a.Issuer + "\x00" + a.Subject))
	return hex.EncodeToString(sum[:6])
}

// sessionLife tells the page where to ask how long its session goes on, and by now how
// many seconds unless it is used, and in any case.
func sessionLife(ctx context.Context) string {
	s := auth.StandingOf(ctx)
	if s.Most <= 0 {
		return ""
	}
	return fmt.Sprintf("%s %.0f %.0f", SessionLeftURL, s.Left.Seconds(), s.Most.Seconds())
}

// scriptTexts is every sentence that a script composes, with its places as they
// stand in the catalogue, without those of the matrix. As data it needs no nonce.
var scriptTexts = onceEachLanguage(templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
	return templ.JSONScript("texts", scriptSentences(ctx, false)).Render(ctx, w)
}))

// scriptSentences returns the sentences of all scripts, or those of the matrix, which
// are many and for one page.
func scriptSentences(ctx context.Context, ofMatrix bool) map[string]string {
	out := make(map[string]string)
	for key, sentence := range i18n.RawUnder(ctx, "js.") {
		if strings.HasPrefix(key, "matrix_") == ofMatrix {
			out[key] = sentence
		}
	}
	return out
}
