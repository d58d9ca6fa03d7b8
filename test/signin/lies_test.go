package signin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"waveadmin/internal/sandbox/idp"
)

func claims(alter func(c map[string]any)) lie {
	return func(*world) idp.Script { return idp.Script{Claims: alter} }
}

func claim(name string, value any) lie { return claims(func(c map[string]any) { c[name] = value }) }

func without(names ...string) lie {
	return claims(func(c map[string]any) {
		for _, name := range names {
			delete(c, name)
		}
	})
}

// at is a claim of a time from now.
func at(name string, d time.Duration) lie {
	return func(w *world) idp.Script { return claim(name, w.clock.now().Add(d).Unix())(w) }
}

func callback(alter func(q url.Values)) lie {
	return func(*world) idp.Script { return idp.Script{Callback: alter} }
}

func signing(alter func(s *idp.Signing)) lie {
	return func(*world) idp.Script { return idp.Script{Sign: alter} }
}

func header(name string, value any) lie {
	return signing(func(s *idp.Signing) { s.Header[name] = value })
}

func idToken(alter func(compact string) string) lie {
	return func(*world) idp.Script { return idp.Script{IDToken: alter} }
}

func token(alter func(answer map[string]any)) lie {
	return func(*world) idp.Script { return idp.Script{Token: alter} }
}

func discovery(alter func(doc map[string]any)) lie {
	return func(*world) idp.Script { return idp.Script{Discovery: alter} }
}

func document(name string, value any) lie {
	return discovery(func(doc map[string]any) { doc[name] = value })
}

// userinfo leaves the groups to userinfo, and alters what that says.
func userinfo(alter func(c map[string]any)) lie {
	return func(*world) idp.Script {
		return idp.Script{Claims: func(c map[string]any) { delete(c, "groups") }, UserInfo: alter}
	}
}

// answer lets path answer something else.
func answer(path string, status int, contentType, body string) lie {
	return func(*world) idp.Script {
		return idp.Script{Respond: func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != path {
				return false
			}
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}}
	}
}

const asJSON = "application/json"

// hangUp breaks the connection off at path.
func hangUp(path string) lie {
	return func(*world) idp.Script {
		return idp.Script{Respond: func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				panic(http.ErrAbortHandler)
			}
			return false
		}}
	}
}

// askingUserinfo adds to a lie that the ID token has no groups.
func askingUserinfo(l lie) lie {
	return func(w *world) idp.Script {
		s := l(w)
		s.Claims = func(c map[string]any) { delete(c, "groups") }
		return s
	}
}

var (
	strangerKey = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	rsaKey      = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	smallRSAKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 1024)) })
	largeRSAKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 3072)) })
	otherRSAKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// signedRS256 signs with RSA, and publishes the keys with those ids: the one that
// signs comes last.
func signedRS256(kid string, alter func(s *idp.Signing), keys ...jose.JSONWebKey) lie {
	return func(*world) idp.Script {
		return idp.Script{
			Keys: func(set *jose.JSONWebKeySet) { set.Keys = keys },
			Sign: func(s *idp.Signing) {
				s.Alg, s.Key = jose.RS256, rsaKey()
				if s.Header["kid"] = kid; kid == "" {
					delete(s.Header, "kid")
				}
				if alter != nil {
					alter(s)
				}
			},
		}
	}
}

func published(key *rsa.PrivateKey, kid string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key.Public(), KeyID: kid, Algorithm: "RS256", Use: "sig"}
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// unsigned returns a token with the same claims, of an algorithm that is none.
func unsigned(alg string) func(string) string {
	return func(compact string) string {
		return b64(`{"alg":"`+alg+`","typ":"JWT"}`) + "." + strings.Split(compact, ".")[1] + "."
	}
}

// inJSON returns the general JSON form of a token, and flattened the other one:
// both are good signatures.
func inJSON(compact string) string {
	p := strings.Split(compact, ".")
	return `{"payload":"` + p[1] + `","signatures":[{"protected":"` + p[0] + `","signature":"` + p[2] + `"}]}`
}

func flattened(compact string) string {
	p := strings.Split(compact, ".")
	return `{"payload":"` + p[1] + `","protected":"` + p[0] + `","signature":"` + p[2] + `"}`
}
