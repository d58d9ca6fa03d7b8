package signin

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox/idp"
)

// stay shows a redirect instead of following it.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// attempt is a case of TestAttempts. It does what it likes with the browsers of
// two people and returns the answer that matters to p, and why that is a refusal.
type attempt struct {
	name string
	do   func(w *world, p, other *person) page
	want string
}

// TestAttempts: an attempt to sign in belongs to the browser that began it, ends
// once and in time, and does not disturb the others.
func TestAttempts(t *testing.T) {
	w := newWorld(t)
	login := func(p *person) map[string]string {
		all := p.cookies()
		maps.DeleteFunc(all, func(name, _ string) bool { return !strings.HasPrefix(name, "waveadmin-l-") })
		return all
	}
	for _, tt := range []attempt{
		{"login CSRF: the callback of another person", func(_ *world, p, other *person) page {
			return p.open(other.stop("/auth/login"))
		}, "login_cookie"},
		{"login CSRF: the callback of another person during one's own attempt", func(_ *world, p, other *person) page {
			p.stop("/auth/login")
			return p.open(other.stop("/auth/login"))
		}, "login_cookie"},
		{"login CSRF: one's own state with the code of another person", func(_ *world, p, other *person) page {
			own, theirs := must(url.Parse(p.stop("/auth/login"))), must(url.Parse(other.stop("/auth/login")))
			q := own.Query()
			q.Set("code", theirs.Query().Get("code"))
			return p.open("/auth/callback?" + q.Encode())
		}, "exchange"},
		{"code injection: the code of another person in one's own attempt, at a provider without PKCE", func(w *world, p, other *person) page {
			var nonce, stolen string
			w.IDP.Script(idp.Script{Claims: func(c map[string]any) { nonce, _ = c["nonce"].(string) }})
			other.signIn()
			stolen = nonce
			w.IDP.Script(idp.Script{Claims: func(c map[string]any) { c["nonce"] = stolen }})
			return p.signIn()
		}, "nonce"},
		{"the code of one tab with the state of another", func(_ *world, p, _ *person) page {
			one, two := must(url.Parse(p.stop("/auth/login"))), must(url.Parse(p.stop("/auth/login")))
			q := one.Query()
			q.Set("code", two.Query().Get("code"))
			return p.open("/auth/callback?" + q.Encode())
		}, "exchange"},
		{"replay: the callback a second time, signed out since", func(_ *world, p, _ *person) page {
			callback := p.stop("/auth/login")
			p.open(callback)
			p.do("POST", "/auth/logout", url.Values{})
			return p.open(callback)
		}, "login_cookie"},
		{"replay: the callback and the cookie, copied before", func(_ *world, p, other *person) page {
			callback := other.stop("/auth/login")
			p.setCookies(login(other))
			other.open(callback)
			return p.open(callback)
		}, "state_used"},
		{"replay: the cookie again, with a new code", func(_ *world, p, other *person) page {
			used := must(url.Parse(other.stop("/auth/login")))
			p.setCookies(login(other))
			other.open(used.RequestURI())
			q := used.Query()
			q.Set("code", must(url.Parse(other.stop("/auth/login"))).Query().Get("code"))
			return p.open("/auth/callback?" + q.Encode())
		}, "state_used"},
		{"replay: at the same moment", func(_ *world, p, other *person) page {
			callback := other.stop("/auth/login")
			p.setCookies(login(other))
			done := make(chan page)
			go func() { done <- other.open(callback) }()
			mine := p.open(callback)
			if theirs := <-done; mine.status < 400 { // one of the two, whichever
				p.jar, other.jar = other.jar, p.jar
				p.http.Jar, other.http.Jar = p.jar, other.jar
				return theirs
			}
			return mine
		}, "state_used"},
		{"after 10 minutes", func(w *world, p, _ *person) page {
			callback := p.stop("/auth/login")
			w.clock.add(10 * time.Minute)
			return p.open(callback)
		}, "login_cookie"},
		{"an hour later", func(w *world, p, _ *person) page {
			callback := p.stop("/auth/login")
			w.clock.add(time.Hour)
			return p.open(callback)
		}, "login_cookie"},
		{"two minutes before it began", func(w *world, p, _ *person) page {
			w.clock.add(2 * time.Minute)
			callback := p.stop("/auth/login")
			w.clock.add(-2 * time.Minute)
			return p.open(callback)
		}, "login_cookie"},
		{"with a changed cookie", func(_ *world, p, _ *person) page {
			callback := p.stop("/auth/login")
			for name, value := range login(p) {
				p.setCookies(map[string]string{name: value[:len(value)-4] + "AAAA"})
			}
			return p.open(callback)
		}, "login_cookie"},
		{"with an empty cookie", func(_ *world, p, _ *person) page {
			callback := p.stop("/auth/login")
			for name := range login(p) {
				p.setCookies(map[string]string{name: ""})
			}
			return p.open(callback)
		}, "login_cookie"},
		{"with the cookie of another attempt", func(_ *world, p, other *person) page {
			callback := p.stop("/auth/login")
			other.stop("/auth/login")
			for name := range login(p) {
				for _, value := range login(other) {
					p.setCookies(map[string]string{name: value})
				}
			}
			return p.open(callback)
		}, "login_cookie"},
		{"begun before the person signed out", func(_ *world, p, _ *person) page {
			p.signIn()
			callback := p.stop("/auth/login?check=1")
			p.do("POST", "/auth/logout", url.Values{})
			return p.open(callback)
		}, "login_cookie"},
		{"that was never begun", func(_ *world, p, _ *person) page {
			return p.open("/auth/callback?state=x&code=y")
		}, "login_cookie"},
		{"with nothing at all", func(_ *world, p, _ *person) page { return p.open("/auth/callback") }, "login_cookie"},
		{"code replay: the provider gives one code twice", func(w *world, p, other *person) page {
			var code string
			w.IDP.Script(idp.Script{Callback: func(q url.Values) { code = q.Get("code") }})
			other.signIn()
			w.IDP.Script(idp.Script{Callback: func(q url.Values) { q.Set("code", code) }})
			return p.signIn()
		}, "exchange"},
		{"the sixth tab ends the first one", func(w *world, p, _ *person) page {
			first := p.stop("/auth/login")
			for range 5 {
				w.clock.add(time.Second)
				p.stop("/auth/login")
			}
			return p.open(first)
		}, "login_cookie"},
	} {
		play(t, tt.name, func(t *testing.T) {
			for _, lang := range i18n.Languages {
				w.clock.add(time.Hour)
				p, other := w.person(t, lang), w.person(t, lang)
				begin := w.mark(t)
				page := tt.do(w, p, other)
				w.IDP.Script(idp.Script{})
				w.wantRefusedNow(t, p, page, begin, tt.want)
			}
		})
	}
}

// wantRefusedNow is wantRefused where others signed in meanwhile.
func (w *world) wantRefusedNow(t *testing.T, p *person, page page, begin mark, want string) {
	t.Helper()
	say, status := sayOf(want, false)
	if page.status != status || p.isSignedIn() {
		t.Errorf("status = %d, signed in: %v, want %d and not", page.status, p.isSignedIn(), status)
	}
	var refused []event
	for _, e := range w.since(t, begin) {
		if e.kind == "sign_in_refused" {
			refused = append(refused, e)
		}
	}
	if len(refused) != 1 || refused[0].reason != want {
		t.Errorf("refusals = %v, want one for %s", refused, want)
	}
	wantPage(t, p, page, say)
}
