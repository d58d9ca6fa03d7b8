package idp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	jose "github.com/go-jose/go-jose/v4"
)

// signingKey signs ID tokens with ES256, whose keys cost nothing to make.
type signingKey struct {
	id  string
	key *ecdsa.PrivateKey
}

func newKey() signingKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return signingKey{id: rand.Text(), key: key}
}

func (p *Provider) current() signingKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.key
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	k := p.current()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: k.key.Public(), KeyID: k.id, Algorithm: string(jose.ES256), Use: "sig"},
	}}
	if alter := p.scripted().Keys; alter != nil {
		alter(&set)
	}
	writeJSON(w, http.StatusOK, set)
}

// token answers POST /token: a code, once, for an ID token and an access token.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		refuseToken(w, http.StatusBadRequest, "invalid_request")
		return
	}
	if !p.authenticated(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		refuseToken(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if r.PostForm.Get("grant_type") != "authorization_code" {
		refuseToken(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	g, ok := p.take(p.codes, r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if !ok || g.redirectURI != r.PostForm.Get("redirect_uri") || !same(g.challenge, b64(sum[:])) {
		refuseToken(w, http.StatusBadRequest, "invalid_grant")
		return
	}

	g.expires = p.o.Now().Add(tokenLife)
	access := p.keep(p.tokens, g)
	idToken, err := p.idToken(g, access)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer := map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()), "id_token": idToken,
	}
	if alter := p.scripted().Token; alter != nil {
		alter(answer)
	}
	writeJSON(w, http.StatusOK, answer)
}

// authenticated reports whether r carries the client's secret, by
// client_secret_basic, whose parts are form-encoded, or client_secret_post.
func (p *Provider) authenticated(r *http.Request) bool {
	id, secret, basic := r.BasicAuth()
	if basic {
		var err1, err2 error
		id, err1 = url.QueryUnescape(id)
		secret, err2 = url.QueryUnescape(secret)
		if err1 != nil || err2 != nil {
			return false
		}
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	return same(id, p.o.ClientID) && same(secret, p.o.ClientSecret)
}

func (p *Provider) idToken(g grant, access string) (string, error) {
	script, k, now := p.scripted(), p.current(), p.o.Now()
	hash := sha256.Sum256([]byte(access))
	claims := p.claims(g.person)
	claims["iss"] = p.o.Issuer
	claims["aud"] = p.o.ClientID
	claims["iat"] = now.Unix()
	claims["exp"] = now.Add(tokenLife).Unix()
	claims["auth_time"] = g.at.Unix()
	claims["sid"] = g.sid
	claims["at_hash"] = b64(hash[:len(hash)/2])
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if script.Claims != nil {
		script.Claims(claims)
	}

	s := Signing{Alg: jose.ES256, Key: k.key, Header: map[string]any{"kid": k.id, "typ": "JWT"}}
	if script.Sign != nil {
		script.Sign(&s)
	}
	compact, err := sign(s, claims)
	if err == nil && script.IDToken != nil {
		compact = script.IDToken(compact)
	}
	return compact, err
}

func (p *Provider) claims(c Person) map[string]any {
	return map[string]any{"sub": c.Key, "name": c.Name, "email": c.Email, "email_verified": true, "groups": c.Groups}
}

func sign(s Signing, claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	var o jose.SignerOptions
	for name, value := range s.Header {
		o.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: s.Alg, Key: s.Key}, &o)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}

// userinfo answers GET /userinfo with the claims of the access token's person.
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	access, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	g, ok := p.tokens[access]
	p.mu.Unlock()
	if !bearer || !ok || !p.o.Now().Before(g.expires) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	claims := p.claims(g.person)
	if alter := p.scripted().UserInfo; alter != nil {
		alter(claims)
	}
	writeJSON(w, http.StatusOK, claims)
}

func refuseToken(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]string{"error": code})
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
