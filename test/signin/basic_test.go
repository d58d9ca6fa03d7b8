package signin

import (
	"net/http"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"waveadmin/internal/config"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox/idp"
)

// TestBasicRP has the modules of oidcc-client-basic-certification-test-plan.
func TestBasicRP(t *testing.T) {
	w := newWorld(t)
	one := published(rsaKey(), "")
	w.run(t, []row{
		{"oidcc-client-test", honest, signedIn},
		{"oidcc-client-test-invalid-iss", claim("iss", "https://evil.example"), "verify"},
		{"oidcc-client-test-missing-sub", without("sub"), "sub"},
		{"oidcc-client-test-invalid-aud", claim("aud", "someone-else"), "verify"},
		{"oidcc-client-test-missing-iat", without("iat"), "iat"},
		{"oidcc-client-test-kid-absent-single-jwks", signedRS256("", nil, one), signedIn},
		{"oidcc-client-test-kid-absent-multiple-jwks", signedRS256("", nil, published(otherRSAKey(), ""), one), signedIn},
		{"oidcc-client-test-idtoken-sig-rs256", signedRS256("r", nil, published(rsaKey(), "r")), signedIn},
		{"oidcc-client-test-idtoken-sig-none", idToken(unsigned("none")), "alg"},
		{"oidcc-client-test-invalid-sig-rs256", signedRS256("r", func(s *idp.Signing) { s.Key = otherRSAKey() }, published(rsaKey(), "r")), "verify"},
		{"oidcc-client-test-userinfo-invalid-sub", userinfo(func(c map[string]any) { c["sub"] = "sam" }), "userinfo_sub"},
		{"oidcc-client-test-nonce-invalid", claim("nonce", "x"), "nonce"},
	})
	play(t, "oidcc-client-test-scope-userinfo-claims", func(t *testing.T) {
		var scope string
		w.IDP.Script(idp.Script{
			Claims: func(c map[string]any) { delete(c, "groups"); delete(c, "name"); delete(c, "email") },
			Respond: func(_ http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/authorize" {
					scope = r.URL.Query().Get("scope")
				}
				return false
			},
		})
		w.clock.add(1)
		begin, p := w.mark(t), w.person(t, "en")
		page := p.signIn()
		w.wantSignedIn(t, p, page, begin)
		if scope != "openid email profile" {
			t.Errorf("scope = %q", scope)
		}
		if !strings.Contains(page.body, "田中 美咲") {
			t.Error("the page does not know the name, which only userinfo tells")
		}
	})
	play(t, "oidcc-client-test-client-secret-basic", func(t *testing.T) {
		w := newWorld(t)
		var id string
		var inBody bool
		w.IDP.Script(idp.Script{
			Discovery: func(doc map[string]any) {
				doc["token_endpoint_auth_methods_supported"] = []string{"client_secret_basic"}
			},
			Respond: func(_ http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/token" {
					id, _, _ = r.BasicAuth()
					inBody = r.PostFormValue("client_secret") != ""
				}
				return false
			},
		})
		begin, p := w.mark(t), w.person(t, "en")
		w.wantSignedIn(t, p, p.signIn(), begin)
		if id != w.clientID() || inBody {
			t.Errorf("the client shows itself as %q, in the body: %v", id, inBody)
		}
	})
}

// TestConfigRP has the modules of oidcc-client-config-certification-test-plan.
// Each has a program that has not seen the provider before.
func TestConfigRP(t *testing.T) {
	signIn := func(t *testing.T, w *world, want string) {
		t.Helper()
		for _, lang := range i18n.Languages {
			w.clock.add(2 * 1e9) // a failed discovery is not repeated within a second
			begin, p := w.mark(t), w.person(t, lang)
			if page := p.signIn(); want == signedIn {
				w.wantSignedIn(t, p, page, begin)
			} else {
				w.wantRefused(t, p, page, begin, want)
			}
		}
	}
	play(t, "oidcc-client-test-discovery-openid-config", func(t *testing.T) {
		w := newWorld(t)
		signIn(t, w, signedIn)
		if got := w.IDP.Counts()["/.well-known/openid-configuration"]; got != 1 {
			t.Errorf("the configuration was fetched %d times, want once", got)
		}
	})
	play(t, "oidcc-client-test-discovery-jwks-uri-keys", func(t *testing.T) {
		w := newWorld(t)
		fetched := 0
		w.IDP.Script(idp.Script{
			Discovery: func(doc map[string]any) { doc["jwks_uri"] = w.issuer() + "/elsewhere/keys?v=2" },
			Respond: func(_ http.ResponseWriter, r *http.Request) bool {
				if r.URL.RequestURI() == "/elsewhere/keys?v=2" {
					fetched++
					r.URL.Path = "/keys"
				}
				return false
			},
		})
		signIn(t, w, signedIn)
		if fetched != 1 {
			t.Errorf("keys were fetched %d times, want once", fetched)
		}
	})
	play(t, "oidcc-client-test-discovery-issuer-mismatch", func(t *testing.T) {
		w := newWorld(t)
		w.IDP.Script(document("issuer", "https://evil.example")(w))
		signIn(t, w, "down: discovery")
	})
	play(t, "oidcc-client-test-idtoken-sig-none", func(t *testing.T) {
		w := newWorld(t)
		w.IDP.Script(idToken(unsigned("none"))(w))
		signIn(t, w, "alg")
	})
	play(t, "oidcc-client-test-signing-key-rotation-just-before-signing", func(t *testing.T) {
		w := newWorld(t)
		w.IDP.Script(idp.Script{Respond: func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/token" {
				w.IDP.RotateKey()
			}
			return false
		}})
		signIn(t, w, signedIn)
	})
	play(t, "oidcc-client-test-signing-key-rotation", func(t *testing.T) {
		w := newWorld(t)
		signIn(t, w, signedIn)
		w.IDP.RotateKey()
		signIn(t, w, signedIn)
	})
}

// TestKeyTricks: a token says which key and algorithm it wants to be checked
// with. It is not asked.
func TestKeyTricks(t *testing.T) {
	ours := jose.JSONWebKey{Key: strangerKey().Public(), KeyID: "x", Algorithm: "ES256", Use: "sig"}
	public := must(jose.JSONWebKey{Key: rsaKey().Public()}.MarshalJSON())
	long := func(c *config.Config) {
		c.Auth.ClientSecret = config.NewSecret(strings.Repeat("long enough for HS256 ", 2))
	}
	newWorld(t, long).run(t, []row{
		{"alg none in capitals", idToken(unsigned("NONE")), "alg"},
		{"alg none in odd letters", idToken(unsigned("nOnE")), "alg"},
		{"no alg", idToken(unsigned("")), "alg"},
		{"two algs", idToken(func(compact string) string {
			return strings.Replace(unsigned("none")(compact), b64(`{"alg":"none","typ":"JWT"}`), b64(`{"alg":"ES256","alg":"none"}`), 1)
		}), "alg"},
		{"Alg beside alg", header("Alg", "none"), signedIn}, // the real one counts
		{"signed with our own secret", func(w *world) idp.Script {
			return signing(func(s *idp.Signing) { s.Alg, s.Key = jose.HS256, []byte(w.clientSecret()) })(w)
		}, "alg"},
		{"signed with the public key as a secret", signing(func(s *idp.Signing) { s.Alg, s.Key = jose.HS256, public }), "alg"},
		{"an algorithm that is not in the settings", signing(func(s *idp.Signing) { s.Alg, s.Key = jose.PS256, rsaKey() }), "alg"},
		{"another key under the same name", signing(func(s *idp.Signing) { s.Key = strangerKey() }), "verify"},
		{"another key, in the header", signing(func(s *idp.Signing) { s.Key = strangerKey(); s.Header["jwk"] = ours }), "verify"},
		{"another key, at an address in the header", signing(func(s *idp.Signing) {
			s.Key, s.Header["jku"] = strangerKey(), "https://evil.example/keys"
		}), "verify"},
		{"another key, in a certificate", signing(func(s *idp.Signing) {
			s.Key, s.Header["x5u"], s.Header["x5c"] = strangerKey(), "https://evil.example/cert", []string{"AAAA"}
		}), "verify"},
		{"a key that nobody has published", signing(func(s *idp.Signing) { s.Key = strangerKey(); s.Header["kid"] = "x" }), "verify"},
		{"a key name that is a path", signing(func(s *idp.Signing) { s.Key = strangerKey(); s.Header["kid"] = "../../dev/null" }), "verify"},
		{"a key name that is a number", signing(func(s *idp.Signing) { s.Header["kid"] = 7 }), "verify"},
		{"a critical header that we do not know", signing(func(s *idp.Signing) { s.Header["crit"] = []string{"x"}; s.Header["x"] = 1 }), "verify"},
		{"a critical header that is not there", header("crit", []string{"exp"}), "verify"},
		{"a compressed payload", header("zip", "DEF"), signedIn}, // means nothing in a JWS
		{"RS256 with a key for ES256", signing(func(s *idp.Signing) { s.Alg, s.Key = jose.RS256, rsaKey() }), "verify"},
		{"changed after signing", idToken(func(compact string) string { return strings.Replace(compact, ".ey", ".eyA", 1) }), "verify"},
		{"a signature of nothing", idToken(func(compact string) string { return compact[:strings.LastIndex(compact, ".")+1] }), "verify"},
		{"half a signature", idToken(func(compact string) string { return compact[:len(compact)-10] }), "verify"},
	})
}
