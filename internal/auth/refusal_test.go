package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox/idp"
)

func rememberPrompt(prompt *string) func(http.ResponseWriter, *http.Request) bool {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/authorize" {
			*prompt = r.URL.Query().Get("prompt")
		}
		return false
	}
}

// at answers path with status and body instead of the provider.
func at(path string, status int, body string) idp.Script {
	return idp.Script{Respond: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}}
}

func callback(alter func(url.Values)) idp.Script { return idp.Script{Callback: alter} }

func claim(name string, value any) idp.Script {
	return idp.Script{Claims: func(c map[string]any) { c[name] = value }}
}

func without(name string) idp.Script {
	return idp.Script{Claims: func(c map[string]any) { delete(c, name) }}
}

func signing(alter func(*idp.Signing)) idp.Script { return idp.Script{Sign: alter} }

func idToken(alter func(string) string) idp.Script { return idp.Script{IDToken: alter} }

// TestSignIn_refuses: whatever is wrong with what comes back, nobody is signed
// in, the attempt is used up, and one event says why.
func TestSignIn_refuses(t *testing.T) {
	s := newSite(t)
	from := func(name string, d time.Duration) idp.Script { // a time claim, from now
		return idp.Script{Claims: func(c map[string]any) { c[name] = s.clock.Now().Add(d).Unix() }}
	}
	otherKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := func(raw string) string {
		_, rest, _ := strings.Cut(raw, ".")
		payload, _, _ := strings.Cut(rest, ".")
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + "."
	}
	tests := []struct {
		name   string
		script idp.Script
		want   string // reason
		status int
	}{
		// the callback
		{"no state", callback(func(q url.Values) { q.Del("state") }), "login_cookie", 400},
		{"another state", callback(func(q url.Values) { q.Set("state", "x"+q.Get("state")) }), "login_cookie", 400},
		{"two states", callback(func(q url.Values) { q.Add("state", "x") }), "state_repeated", 400},
		{"the issuer of another provider", callback(func(q url.Values) { q.Set("iss", "https://evil.example") }), "callback_iss", 400},
		{"no issuer although the provider sends it", callback(func(q url.Values) { q.Del("iss") }), "callback_iss", 400},
		{"denied", callback(func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }), "access_denied", 403},
		{"denied, but with a code", callback(func(q url.Values) { q.Set("error", "access_denied") }), "access_denied", 403},
		{"another error", callback(func(q url.Values) { q.Set("error", "server_error") }), "provider_error", 400},
		{"an empty error", callback(func(q url.Values) { q.Set("error", "") }), "provider_error", 400},
		{"no code", callback(func(q url.Values) { q.Del("code") }), "code_missing", 400},
		{"two codes", callback(func(q url.Values) { q.Add("code", "x") }), "code_repeated", 400},
		{"a code that the provider does not know", callback(func(q url.Values) { q.Set("code", "x") }), "exchange", 400},
		// the token endpoint
		{"it refuses", at("/token", 400, `{"error":"invalid_grant"}`), "exchange", 400},
		{"it fails", at("/token", 500, `oops`), "exchange", 503},
		{"it redirects", at("/token", 307, ``), "exchange", 400},
		{"it answers too much", at("/token", 200, `{"access_token":"`+strings.Repeat("x", 2<<20)+`"}`), "exchange", 400},
		{"no ID token", idp.Script{Token: func(a map[string]any) { delete(a, "id_token") }}, "id_token_missing", 400},
		{"an ID token that is no string", idp.Script{Token: func(a map[string]any) { a["id_token"] = 7 }}, "id_token_missing", 400},
		// the ID token's shape
		{"too large", claim("x", strings.Repeat("x", 16<<10)), "id_token_too_large", 400},
		{"not compact", idToken(func(raw string) string { return raw + ".x" }), "id_token_not_compact", 400},
		{"not base64", idToken(func(raw string) string { return "%" + raw }), "id_token_not_compact", 400},
		{"no JSON", idToken(func(string) string { return "eA.eA.eA" }), "id_token_not_compact", 400},
		{"of another type", signing(func(s *idp.Signing) { s.Header["typ"] = "logout+jwt" }), "typ", 400},
		{"of a type that is no string", signing(func(s *idp.Signing) { s.Header["typ"] = 7 }), "typ", 400},
		{"not signed", idToken(unsigned), "alg", 400},
		{"signed with our own secret", signing(func(s *idp.Signing) { s.Alg, s.Key = jose.HS256, []byte(clientSecret) }), "alg", 400},
		// its signature
		{"changed after signing", idToken(func(raw string) string { return strings.Replace(raw, ".ey", ".eyA", 1) }), "verify", 400},
		{"another key of the same name", signing(func(s *idp.Signing) { s.Key = otherKey }), "verify", 400},
		{"a critical header that we do not know", signing(func(s *idp.Signing) { s.Header["crit"] = []string{"x"}; s.Header["x"] = 1 }), "verify", 400},
		// its claims
		{"of another issuer", claim("iss", "https://evil.example"), "verify", 400},
		{"for another client", claim("aud", "other"), "verify", 400},
		{"for us and another client", claim("aud", []string{"wave", "other"}), "audience", 400},
		{"for us twice", claim("aud", []string{"wave", "wave"}), "audience", 400},
		{"for us, made for another", claim("azp", "other"), "audience", 400},
		{"made for a number", claim("azp", 7), "audience", 400},
		{"expired", from("exp", -time.Second), "expired", 400},
		{"without an end", without("exp"), "expired", 400},
		{"not valid yet", from("nbf", time.Hour), "verify", 400},
		{"issued too long ago", from("iat", -11*time.Minute), "iat", 400},
		{"issued in the future", from("iat", 3*time.Minute), "iat", 400},
		{"not said when issued", without("iat"), "iat", 400},
		{"of another attempt", claim("nonce", "x"), "nonce", 400},
		{"of no attempt", without("nonce"), "nonce", 400},
		{"of nobody", without("sub"), "sub", 400},
		{"of a number", claim("sub", 7), "verify", 400},
		{"of a subject too long", claim("sub", strings.Repeat("x", 256)), "sub", 400},
		{"of a subject with a line break", claim("sub", "a\nb"), "sub", 400},
		{"of two subjects", claim("Sub", "sam"), "claim_names", 400},
		{"a logout token", claim("events", map[string]any{}), "events", 400},
		{"for another access token", claim("at_hash", "x"), "at_hash", 400},
		// userinfo
		{"it fails", idp.Script{Claims: without("groups").Claims, Respond: at("/userinfo", 500, `{}`).Respond}, "userinfo", 503},
		{"it is no JSON", idp.Script{Claims: without("groups").Claims, Respond: at("/userinfo", 200, `x`).Respond}, "userinfo", 400},
	}
	for _, tt := range tests {
		t.Run(tt.want+": "+tt.name, func(t *testing.T) {
			s.clock.Add(time.Hour) // so that fetches of keys are not what is refused
			s.idp.Script(tt.script)
			seen := len(s.log.reasons())
			b := s.browser(t)

			status, body := b.open("/auth/login")

			if status != tt.status {
				t.Errorf("got %d %q, want %d", status, body, tt.status)
			}
			if got := s.log.reasons()[seen:]; len(got) != 1 || got[0] != tt.want {
				t.Errorf("reasons = %q, want %q\n%v", got, tt.want, s.fault)
			}
			if b.cookies()["waveadmin"] != "" || s.rows(t, "sessions") != 0 {
				t.Error("there is a session")
			}
			for _, lang := range i18n.Languages {
				if !i18n.Has(lang, fault.SentenceOf(s.fault).Key) {
					t.Errorf("%s has no sentence for it", lang)
				}
			}
			for _, secret := range []string{clientSecret, "eyJ"} {
				if strings.Contains(s.log.String(), secret) {
					t.Errorf("the log has %q", secret)
				}
			}
		})
	}
}

func TestCallback_worksOnce(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	callback := b.stop("/auth/login")
	kept := b.cookies() // what a thief has copied

	if status, _ := b.open(callback); status != 200 {
		t.Fatalf("the first time answers %d", status)
	}
	if status, body := b.open(callback); status != 400 || body != "signin.again" {
		t.Errorf("the second time answers %d %q, want 400", status, body)
	}
	thief := s.browser(t)
	for name, value := range kept {
		thief.setCookie(name, value)
	}
	thief.open(callback)
	if got := strings.Join(s.log.reasons(), " "); got != "login_cookie state_used" {
		t.Errorf("reasons = %q, want the thief to be refused for the used state", got)
	}
	if got := s.idp.Counts()["/token"]; got != 1 {
		t.Errorf("the provider was asked %d times, want once", got)
	}
}

func TestCallback_needsTheBrowserThatBegan(t *testing.T) {
	s := newSite(t)
	tests := []struct {
		name string
		meet func(b *browser)
	}{
		{"another browser", func(b *browser) { b.Jar = s.browser(t).Jar }},
		{"too late", func(*browser) { s.clock.Add(10 * time.Minute) }},
		{"the cookie was changed", func(b *browser) {
			for name, value := range b.cookies() {
				b.setCookie(name, value[:len(value)-2]+"xx")
			}
		}},
		{"the cookie of another attempt", func(b *browser) {
			var mine string
			for name := range b.cookies() {
				if strings.HasPrefix(name, "waveadmin-l-") {
					mine = name
				}
			}
			other := s.browser(t)
			other.stop("/auth/login")
			for name, value := range other.cookies() {
				if strings.HasPrefix(name, "waveadmin-l-") {
					b.setCookie(mine, value)
				}
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := s.browser(t)
			callback := b.stop("/auth/login")
			tt.meet(b)
			if status, body := b.open(callback); status != 400 || body != "signin.again" {
				t.Errorf("got %d %q, want 400", status, body)
			}
			if s.rows(t, "sessions") != 0 {
				t.Error("there is a session")
			}
		})
	}
}

// TestSignIn_forSeveralParties: without strict_audience a token for others too is
// taken if it was made for us.
func TestSignIn_forSeveralParties(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.StrictAudience = false })
	for azp, want := range map[any]int{"wave": 200, "other": 400, nil: 400} {
		s.idp.Script(idp.Script{Claims: func(c map[string]any) {
			c["aud"] = []string{"wave", "other"}
			if azp != nil {
				c["azp"] = azp
			}
		}})
		if status, _ := s.browser(t).open("/auth/login"); status != want {
			t.Errorf("azp %v: got %d, want %d", azp, status, want)
		}
	}
}
