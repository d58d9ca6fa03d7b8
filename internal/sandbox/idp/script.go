package idp

import (
	"maps"
	"net/http"
	"net/url"

	jose "github.com/go-jose/go-jose/v4"
)

// A Script makes the provider lie or fail, for tests. Each hook is called for
// every answer of its kind and changes it in place; a nil hook leaves it honest.
type Script struct {
	Respond   func(w http.ResponseWriter, r *http.Request) bool // answers itself, or returns false
	Discovery func(doc map[string]any)
	Keys      func(set *jose.JSONWebKeySet)
	Callback  func(query url.Values) // what the browser brings back: code, state, iss or error
	Claims    func(claims map[string]any)
	Sign      func(s *Signing)
	IDToken   func(compact string) string // after signing
	Token     func(answer map[string]any)
	UserInfo  func(claims map[string]any)

	LogoutClaims func(claims map[string]any)
	LogoutSign   func(s *Signing)
	LogoutToken  func(compact string) string // after signing
}

// Signing is how a token is going to be signed.
type Signing struct {
	Alg    jose.SignatureAlgorithm
	Key    any
	Header map[string]any // kid and typ, and whatever a test adds
}

// Script replaces the script of p.
func (p *Provider) Script(s Script) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.script = s
}

func (p *Provider) scripted() Script {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.script
}

// AutoChoose makes the person with this key sign in without the page. An empty
// key shows the page again.
func (p *Provider) AutoChoose(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.auto = key
}

// RotateKey signs with a new key from now on and publishes that one alone.
func (p *Provider) RotateKey() {
	key := newKey()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key = key
}

// Counts returns how many requests each path has had.
func (p *Provider) Counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts)
}
