package idp

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// pageTexts are the sentences of the page, by language.
var pageTexts = map[string]map[string]string{
	"en": {
		"title":  "Choose who to sign in as",
		"note":   "This is the sandbox sign-in of the demo. There is no password, and nobody here is real.",
		"cancel": "Cancel",
	},
	"ja": {
		"title":  "サインインするユーザーを選択",
		"note":   "デモ用のサインイン画面です。パスワードは不要で、登場する人物はすべて架空です。",
		"cancel": "キャンセル",
	},
}

var pageLanguages = language.NewMatcher([]language.Tag{language.Japanese, language.English})

type card struct {
	Key, Name, Latin, Email, Role, Initials string
}

func (p *Provider) showPage(w http.ResponseWriter, r *http.Request, q request) {
	lang := pageLanguage(r, q.Get("ui_locales"))
	cards := make([]card, 0, len(p.o.People))
	for _, c := range p.o.People {
		role := c.Role.En
		if lang == "ja" {
			role = c.Role.Ja
		}
		cards = append(cards, card{c.Key, c.Name, c.Latin, c.Email, role, initials(c.Name)})
	}
	nonce := rand.Text()
	var html bytes.Buffer
	err := page.Execute(&html, map[string]any{
		"Lang": lang, "T": pageTexts[lang], "People": cards, "Nonce": nonce,
		"Action": template.URL("?" + q.Encode()), // relative, so always this page; Encode escapes it
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}

	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Vary", "Accept-Language")
	// The answer to the form is a redirect to the client, which form-action
	// covers as well.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; form-action 'self' "+origin(q.redirectURI)+
		"; base-uri 'none'; frame-ancestors 'none'")
	_, _ = html.WriteTo(w)
}

// pageLanguage returns ja or en: what the client asked for, else what the
// browser prefers.
func pageLanguage(r *http.Request, uiLocales string) string {
	tag, _ := language.MatchStrings(pageLanguages, strings.ReplaceAll(uiLocales, " ", ","), r.Header.Get("Accept-Language"))
	base, _ := tag.Base()
	return base.String()
}

// initials returns the letters of an avatar: one of a Japanese name, the first
// of each word of another.
func initials(name string) string {
	var letters string
	for word := range strings.FieldsSeq(name) {
		first, size := utf8.DecodeRuneInString(word)
		letters += string(first)
		if size > 1 { // kanji are wide: the family name's is enough
			break
		}
	}
	return letters
}

func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
