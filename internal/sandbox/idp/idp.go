// Package idp is a small OpenID provider for the demo and for tests: discovery,
// the authorization code flow with PKCE, userinfo and sign-out. Nobody proves who
// they are, so it only ever serves loopback addresses. A Script makes it lie.
package idp

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// A Person may be chosen on the sign-in page. Key is also the subject.
type Person struct {
	Key    string
	Name   string // the name claim
	Latin  string // the name in Latin letters, if Name is not
	Email  string
	Groups []string // the groups claim
	Role   Text     // what the person may do, for the page
}

// Text is a sentence in both languages of the page.
type Text struct{ En, Ja string }

// Groups that the people of the demo are in.
const (
	EditorGroup = "wave-editors"
	ViewerGroup = "wave-viewers"
)

// People are the ones that the demo offers.
var People = []Person{
	{
		"misaki", "田中 美咲", "Tanaka Misaki", "misaki.tanaka@example.co.jp",
		[]string{"staff", EditorGroup},
		Text{"Editor: may view and change everything", "編集者：閲覧と変更ができます"},
	},
	{
		"sam", "Sam Carter", "", "sam.carter@example.co.jp",
		[]string{"staff", ViewerGroup},
		Text{"Viewer: may look, but not change", "閲覧者：閲覧だけができます"},
	},
	{
		"ken", "佐藤 健", "Sato Ken", "ken.sato@example.co.jp",
		[]string{"staff"},
		Text{"No access: is turned away", "権限なし：利用できません"},
	},
	{
		"hana", "鈴木 花", "Suzuki Hana", "hana.suzuki@example.co.jp",
		[]string{"staff", EditorGroup},
		Text{"A second editor: can approve what the first asks for", "もう一人の編集者：依頼された一括変更を承認できます"},
	},
}

// Options of a Provider. All but People and Now are required.
type Options struct {
	Issuer       string // an http URL with a loopback host
	ClientID     string
	ClientSecret string
	RedirectURIs []string // compared exactly
	PostLogout   []string // compared exactly
	BackChannel  string   // of the client, for logout tokens; empty for none
	People       []Person // nil for the People of the demo
	Now          func() time.Time
}

// Provider is the OpenID provider. It keeps all state in memory and is safe for
// concurrent use.
type Provider struct {
	o    Options
	path string // of the issuer, without the last slash
	mux  *http.ServeMux

	mu       sync.Mutex
	key      signingKey
	codes    map[string]grant
	tokens   map[string]grant // by access token
	sessions map[string]login // by the value of the session cookie
	counts   map[string]int
	told     []int // see Told
	auto     string
	script   Script
}

// login is a person who chose to be someone.
type login struct {
	person Person
	at     time.Time
	sid    string
}

// grant is what a code or an access token stands for.
type grant struct {
	login
	redirectURI, challenge, nonce string
	expires                       time.Time
}

const (
	codeLife  = time.Minute
	tokenLife = 5 * time.Minute
)

// New returns a Provider. It panics when the issuer is not an http URL on a
// loopback host: whoever reaches this provider may sign in as anybody.
func New(o Options) *Provider {
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Scheme != "http" || !loopback(u.Hostname()) {
		panic(fmt.Sprintf("idp: issuer %q is not http on a loopback host", o.Issuer))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.People == nil {
		o.People = People
	}
	p := &Provider{
		o: o, path: trimSlash(u.Path), key: newKey(),
		codes: map[string]grant{}, tokens: map[string]grant{}, sessions: map[string]login{}, counts: map[string]int{},
	}
	p.mux = http.NewServeMux()
	p.mux.HandleFunc("GET "+p.path+"/.well-known/openid-configuration", p.discovery)
	p.mux.HandleFunc("GET "+p.path+"/keys", p.jwks)
	p.mux.HandleFunc("GET "+p.path+"/authorize", p.authorize)
	p.mux.HandleFunc("POST "+p.path+"/authorize", p.choose)
	p.mux.HandleFunc("POST "+p.path+"/token", p.token)
	p.mux.HandleFunc("GET "+p.path+"/userinfo", p.userinfo)
	p.mux.HandleFunc("GET "+p.path+"/end_session", p.endSession)
	return p
}

// ServeHTTP answers requests at and below the issuer.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.counts[r.URL.Path]++
	respond := p.script.Respond
	p.mu.Unlock()

	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if respond != nil && respond(w, r) {
		return
	}
	p.mux.ServeHTTP(w, r)
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	at := func(path string) string { return trimSlash(p.o.Issuer) + path }
	doc := map[string]any{
		"issuer":                                         p.o.Issuer,
		"authorization_endpoint":                         at("/authorize"),
		"token_endpoint":                                 at("/token"),
		"userinfo_endpoint":                              at("/userinfo"),
		"jwks_uri":                                       at("/keys"),
		"end_session_endpoint":                           at("/end_session"),
		"response_types_supported":                       []string{"code"},
		"grant_types_supported":                          []string{"authorization_code"},
		"subject_types_supported":                        []string{"public"},
		"scopes_supported":                               []string{"openid", "email", "profile", "groups"},
		"id_token_signing_alg_values_supported":          []string{"ES256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":               []string{"S256"},
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
		"prompt_values_supported":                        []string{"none", "login"},
		"ui_locales_supported":                           []string{"ja", "en"},
		"authorization_response_iss_parameter_supported": true,
	}
	if alter := p.scripted().Discovery; alter != nil {
		alter(doc)
	}
	writeJSON(w, http.StatusOK, doc)
}

func (p *Provider) person(key string) (Person, bool) {
	i := slices.IndexFunc(p.o.People, func(c Person) bool { return c.Key == key })
	if i < 0 {
		return Person{}, false
	}
	return p.o.People[i], true
}

// take removes and returns the grant of key, if it has not expired.
func (p *Provider) take(grants map[string]grant, key string) (grant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := grants[key]
	delete(grants, key)
	return g, ok && p.o.Now().Before(g.expires)
}

// keep stores g under a new random key, and drops what has expired.
func (p *Provider) keep(grants map[string]grant, g grant) string {
	key, now := rand.Text(), p.o.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(grants, func(_ string, old grant) bool { return !now.Before(old.expires) })
	grants[key] = g
	return key
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func trimSlash(s string) string {
	if s != "" && s[len(s)-1] == '/' {
		return s[:len(s)-1]
	}
	return s
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
