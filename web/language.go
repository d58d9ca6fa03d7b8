package web

import (
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/text/language"

	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// A choice is a preference that a person sets by a parameter of any page, and
// that a cookie of the same name, over TLS with a prefix, keeps for a year.
type choice struct {
	name   string
	values []string
}

var choices = []choice{
	{"lang", i18n.Languages},
	{"theme", []string{"light", "dark", "auto"}},
	{"density", []string{"compact", "comfortable"}},
}

// maxAcceptLanguage bounds what we parse; browsers send far less.
const maxAcceptLanguage = 200

// preferences puts language, zone, look and address into the context, before
// anything can answer with a page.
func (s *site) preferences(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := i18n.WithZone(r.Context(), s.zone)
		ctx = i18n.WithLang(ctx, s.languageFor(r))
		ctx = views.WithPrefs(ctx, s.prefs(r))
		ctx = views.WithPath(ctx, pageOf(r))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// pageOf returns the address of the page that r is for. What answers a post with
// a page is the page that posted: its own address takes no GET.
func pageOf(r *http.Request) *url.URL {
	if safe(r.Method) {
		return r.URL
	}
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != r.Host {
		return &url.URL{Path: views.HomeURL}
	}
	return &url.URL{Path: from.Path, RawPath: from.RawPath, RawQuery: from.RawQuery}
}

// languageFor obeys the cookie, else the browser, else the settings.
func (s *site) languageFor(r *http.Request) string {
	if lang := s.chosen(r, choices[0]); lang != "" {
		return lang
	}
	accept := r.Header.Get("Accept-Language")
	if accept == "" || len(accept) > maxAcceptLanguage {
		return s.languages[0]
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return s.languages[0]
	}
	_, i, confidence := s.matcher.Match(wanted...)
	if confidence == language.No {
		return s.languages[0]
	}
	return s.languages[i]
}

// prefs leaves empty what follows the system or is the default.
func (s *site) prefs(r *http.Request) views.Prefs {
	var p views.Prefs
	if theme := s.chosen(r, choices[1]); theme != "auto" {
		p.Theme = theme
	}
	if density := s.chosen(r, choices[2]); density != "comfortable" {
		p.Density = density
	}
	return p
}

// chosen returns the value of the cookie, or "" if it is none of the choice's.
func (s *site) chosen(r *http.Request, c choice) string {
	cookie, err := r.Cookie(s.cookieName(c.name))
	if err != nil || !slices.Contains(c.values, cookie.Value) {
		return ""
	}
	return cookie.Value
}

// switchPreferences keeps what the parameters lang, theme and density of a GET
// choose, and sends the browser to the same address without them. A value that
// is none is dropped.
func (s *site) switchPreferences(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.RawQuery == "" {
			next.ServeHTTP(w, r)
			return
		}
		query, rest := r.URL.Query(), *r.URL
		found := false
		for _, c := range choices {
			if !query.Has(c.name) {
				continue
			}
			if value := query.Get(c.name); slices.Contains(c.values, value) {
				http.SetCookie(w, s.preferenceCookie(c.name, value))
			}
			query.Del(c.name)
			found = true
		}
		if !found {
			next.ServeHTTP(w, r)
			return
		}
		rest.RawQuery = query.Encode()
		hx.Redirect(w, r, localURL(&rest))
	})
}

// cookieName returns the name of a cookie. Over TLS its prefix makes browsers refuse
// one that another host or a plain connection set.
func (s *site) cookieName(name string) string {
	if s.overTLS() {
		return "__Host-" + name
	}
	return name
}

func (s *site) preferenceCookie(name, value string) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: 365 * 24 * 60 * 60,
		HttpOnly: true, Secure: s.overTLS(), SameSite: http.SameSiteLaxMode,
	}
}

// newMatcher returns a matcher over the languages, and their order: the first is
// what a browser gets that wants none of them.
func newMatcher(first string) (language.Matcher, []string) {
	ordered := []string{first}
	for _, lang := range i18n.Languages {
		if lang != first {
			ordered = append(ordered, lang)
		}
	}
	tags := make([]language.Tag, len(ordered))
	for i, lang := range ordered {
		tags[i] = language.MustParse(lang)
	}
	return language.NewMatcher(tags), ordered
}
