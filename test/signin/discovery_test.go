package signin

import (
	"strings"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox/idp"
)

// TestDiscovery: a program that has not seen its provider believes no
// configuration that leads elsewhere, and asks again until it gets a good one.
func TestDiscovery(t *testing.T) {
	const path = "/.well-known/openid-configuration"
	const down = "down: discovery"
	drop := func(name string) lie { return discovery(func(doc map[string]any) { delete(doc, name) }) }
	w := newWorld(t)
	rows := []row{
		{"of another issuer", document("issuer", "https://evil.example"), down},
		{"of the issuer with a slash", func(w *world) idp.Script { return document("issuer", w.issuer()+"/")(w) }, down},
		{"of no issuer", drop("issuer"), down},
		{"it redirects", answer(path, 302, "", ``), down},
		{"it redirects for good", answer(path, 301, "", ``), down},
		{"it is not found", answer(path, 404, "text/html", `<script>evil</script>`), down},
		{"it fails", answer(path, 500, "text/html", ``), down},
		{"it hangs up", hangUp(path), down},
		{"no JSON", answer(path, 200, asJSON, `<html>`), down},
		{"a list", answer(path, 200, asJSON, `[]`), down},
		{"2 MiB", document("x", strings.Repeat("x", 2<<20)), down},
		{"no keys", drop("jwks_uri"), down},
		{"no token endpoint", drop("token_endpoint"), down},
		{"no authorization endpoint", drop("authorization_endpoint"), down},
		{"a token endpoint that is a number", document("token_endpoint", 7), down},
	}
	for _, endpoint := range []string{"jwks_uri", "token_endpoint", "authorization_endpoint", "userinfo_endpoint", "end_session_endpoint"} {
		for _, to := range []struct{ name, url string }{
			{"another host", "https://evil.example/x"},
			{"another port", "http://127.0.0.1:1/x"},
			{"plain http", "http://login.example.co.jp/x"},
			{"a name that begins like ours", strings.Replace(w.issuer(), "127.0.0.1", "127.0.0.1.evil.example", 1)},
			{"ours as a user", strings.Replace(w.issuer(), "http://", "http://evil.example@", 1) + "/x"},
			{"a script", "javascript:alert(1)"},
			{"a file", "file:///etc/passwd"},
			{"a path", "/x"},
			{"the metadata service of a cloud", "http://169.254.169.254/latest/meta-data/"},
		} {
			rows = append(rows, row{endpoint + " on " + to.name, document(endpoint, to.url), down})
		}
	}
	w.run(t, rows)
	w.run(t, []row{{"a good one, at last", honest, signedIn}})
}

// TestDiscovery_allowedHosts: an operator can name more hosts, which are names and
// not patterns.
func TestDiscovery_allowedHosts(t *testing.T) {
	for _, tt := range []struct{ allowed, url, want string }{
		{"accounts.example.co.jp", "https://accounts.example.co.jp/userinfo", signedIn},
		{"accounts.example.co.jp:8443", "https://accounts.example.co.jp:8443/userinfo", signedIn},
		{"accounts.example.co.jp", "http://accounts.example.co.jp/userinfo", "down: discovery"},
		{"accounts.example.co.jp", "https://x.accounts.example.co.jp/userinfo", "down: discovery"},
		{"accounts.example.co.jp", "https://accounts.example.co.jp.evil.example/userinfo", "down: discovery"},
		{"*.example.co.jp", "https://accounts.example.co.jp/userinfo", "down: discovery"},
	} {
		w := newWorld(t, func(c *config.Config) { c.Auth.AllowedHosts = []string{tt.allowed} })
		w.run(t, []row{{tt.url + " with " + tt.allowed, document("userinfo_endpoint", tt.url), tt.want}})
	}
}

// TestKeys: keys come and go at the provider.
func TestKeys(t *testing.T) {
	signIn := func(t *testing.T, w *world, want string) {
		t.Helper()
		for _, lang := range i18n.Languages {
			w.clock.add(time.Millisecond)
			begin, p := w.mark(t), w.person(t, lang)
			if page := p.signIn(); want == signedIn {
				w.wantSignedIn(t, p, page, begin)
			} else {
				w.wantRefused(t, p, page, begin, want)
			}
		}
	}
	fetches := func(w *world) int { return w.IDP.Counts()["/keys"] }
	unknown := idp.Script{Sign: func(s *idp.Signing) { s.Key, s.Header["kid"] = strangerKey(), "unknown" }}

	for _, after := range []time.Duration{0, 3 * time.Second, 45 * time.Second} {
		play(t, "rotation, "+after.String()+" later", func(t *testing.T) {
			w := newWorld(t)
			signIn(t, w, signedIn)
			w.IDP.RotateKey()
			w.clock.add(after)
			signIn(t, w, signedIn)
			if got := fetches(w); got != 2 {
				t.Errorf("keys were fetched %d times, want once for each key", got)
			}
		})
		play(t, "rotation, published "+after.String()+" late", func(t *testing.T) {
			w := newWorld(t)
			signIn(t, w, signedIn)
			w.IDP.Script(unknown) // signs with a key that is not there yet
			signIn(t, w, "verify")
			w.IDP.Script(idp.Script{})
			w.IDP.RotateKey()
			w.clock.add(after)
			signIn(t, w, signedIn)
		})
	}
	play(t, "a flood of unknown key names", func(t *testing.T) {
		w := newWorld(t)
		signIn(t, w, signedIn)
		w.IDP.Script(unknown)
		for range 20 {
			signIn(t, w, "verify")
		}
		if got := fetches(w); got > 5 {
			t.Errorf("40 sign-ins fetched the keys %d times, want at most 5", got)
		}
		w.IDP.Script(idp.Script{})
		signIn(t, w, signedIn) // the known key needs no fetch
		w.IDP.RotateKey()
		for _, step := range []struct {
			later time.Duration
			want  string
		}{{0, "verify"}, {3 * time.Second, "verify"}, {42 * time.Second, signedIn}} {
			w.clock.add(step.later)
			signIn(t, w, step.want)
		}
	})
	play(t, "a flood of logout tokens does not stop sign-ins", func(t *testing.T) {
		w := newWorld(t)
		signIn(t, w, signedIn)
		before := fetches(w)
		for range 40 {
			w.logout(t, "", func(s *idp.Script) {
				s.LogoutSign = func(s *idp.Signing) { s.Key, s.Header["kid"] = strangerKey(), "unknown" }
			})
		}
		if got := fetches(w) - before; got > 5 {
			t.Errorf("40 logout tokens fetched the keys %d times, want at most 5", got)
		}
		w.IDP.RotateKey()
		signIn(t, w, signedIn)
	})
	play(t, "a key that was withdrawn", func(t *testing.T) {
		w := newWorld(t)
		signIn(t, w, signedIn)
		w.IDP.Script(idp.Script{Keys: withoutKeys})
		w.clock.add(14 * time.Minute)
		signIn(t, w, signedIn) // not looked at yet
		w.clock.add(time.Minute)
		signIn(t, w, "verify")
	})
	play(t, "the keys cannot be had", func(t *testing.T) {
		w := newWorld(t)
		w.IDP.Script(answer("/keys", 500, "text/html", `evil`)(w))
		signIn(t, w, "down: keys")
		w.IDP.Script(hangUp("/keys")(w))
		signIn(t, w, "down: keys")
		w.IDP.Script(idp.Script{})
		w.clock.add(time.Minute)
		signIn(t, w, signedIn)
		w.clock.add(time.Hour)
		w.IDP.Script(answer("/keys", 500, "text/html", ``)(w))
		signIn(t, w, signedIn) // the ones of before will do
	})
	for _, tt := range []struct {
		name string
		lie  lie
	}{
		{"no JSON for keys", answer("/keys", 200, asJSON, `<html>`)},
		{"no keys at all", answer("/keys", 200, asJSON, `{"keys":[]}`)},
		{"a secret key for keys", answer("/keys", 200, asJSON, `{"keys":[{"kty":"oct","k":"AAAA"}]}`)},
		{"2 MiB of keys", answer("/keys", 200, asJSON, `{"keys":[],"x":"`+strings.Repeat("x", 2<<20)+`"}`)},
		{"keys that are elsewhere", answer("/keys", 302, "", ``)},
	} {
		play(t, tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.IDP.Script(tt.lie(w))
			signIn(t, w, "verify")
			w.IDP.Script(idp.Script{})
			signIn(t, w, signedIn)
		})
	}
}
