package idp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	jose "github.com/go-jose/go-jose/v4"

	"waveadmin/internal/sandbox/idp"
)

const (
	verifier    = "a-verifier-of-at-least-forty-three-characters"
	redirectURI = "http://127.0.0.1:1/auth/callback"
)

type provider struct {
	*idp.Provider
	t      *testing.T
	url    string
	client *http.Client // stops at redirects
	after  atomic.Int64 // how far the clock is ahead
}

func start(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t}
	srv := httptest.NewUnstartedServer(nil)
	p.url = "http://" + srv.Listener.Addr().String() + "/idp"
	p.Provider = idp.New(idp.Options{
		Issuer: p.url, ClientID: "wave", ClientSecret: "s/e c", RedirectURIs: []string{redirectURI},
		PostLogout: []string{"http://127.0.0.1:1/bye"},
		Now:        func() time.Time { return time.Unix(1_800_000_000, p.after.Load()) },
	})
	srv.Config.Handler = p.Provider
	srv.Start()
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p
}

// authorize returns the address of a good authorization request, changed by the
// pairs of name and value; an empty value removes the name.
func (p *provider) authorize(pairs ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {"wave"}, "redirect_uri": {redirectURI}, "scope": {"openid email"}, "state": {"st"}, "nonce": {"no"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return p.url + "/authorize?" + q.Encode()
}

func (p *provider) do(method, to string, form url.Values, header ...string) *http.Response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, to, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// choose clicks on a person and returns what the client is told.
func (p *provider) choose(person string, pairs ...string) url.Values {
	p.t.Helper()
	resp := p.do("POST", p.authorize(pairs...), url.Values{"person": {person}})
	return p.answer(resp)
}

func (p *provider) answer(resp *http.Response) url.Values {
	p.t.Helper()
	u, err := resp.Location()
	if err != nil || !strings.HasPrefix(u.String(), redirectURI+"?") {
		p.t.Fatalf("got %d to %v (%v), want the client", resp.StatusCode, u, err)
	}
	return u.Query()
}

func (p *provider) redeem(code string, pairs ...string) (int, map[string]any) {
	p.t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
		"client_id": {"wave"}, "client_secret": {"s/e c"},
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	resp := p.do("POST", p.url+"/token", form)
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func TestNew_servesLoopbackOnly(t *testing.T) {
	for _, issuer := range []string{"http://192.0.2.1", "https://127.0.0.1", "http://localhost.example.com", "http://0.0.0.0", ""} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was accepted", issuer)
				}
			}()
			idp.New(idp.Options{Issuer: issuer})
		}()
	}
	for _, issuer := range []string{"http://127.0.0.1:8080", "http://localhost/idp", "http://[::1]:80"} {
		idp.New(idp.Options{Issuer: issuer})
	}
}

func TestPage_offersPeopleInBothLanguages(t *testing.T) {
	p := start(t)
	tests := []struct{ uiLocales, accept, want string }{
		{"", "ja-JP,ja;q=0.9,en;q=0.5", "ja"},
		{"", "en-GB", "en"},
		{"en", "ja", "en"},
		{"ja", "en", "ja"},
		{"fr de", "en", "en"},
		{"", "", "ja"},
		{"", "zz;;;", "ja"},
	}
	for _, tt := range tests {
		resp := p.do("GET", p.authorize("ui_locales", tt.uiLocales), nil, "Accept-Language", tt.accept)
		doc, err := goquery.NewDocumentFromReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.Find("html").AttrOr("lang", ""); got != tt.want {
			t.Errorf("%+v: lang = %q", tt, got)
		}
		if got := doc.Find("button.person").Length(); got != 4 {
			t.Errorf("%d people", got)
		}
		nonce := doc.Find("style").AttrOr("nonce", "")
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'; style-src 'nonce-"+nonce+"'") || doc.Find("[style], script, [onclick]").Length() != 0 {
			t.Errorf("policy %q does not fit the page", csp)
		}
	}
}

func TestFlow(t *testing.T) {
	p := start(t)
	back := p.choose("misaki")
	if back.Get("state") != "st" || back.Get("iss") != p.url {
		t.Fatalf("the client is told %v", back)
	}
	status, answer := p.redeem(back.Get("code"))
	if status != 200 {
		t.Fatalf("got %d %v", status, answer)
	}

	var keys jose.JSONWebKeySet
	if err := json.NewDecoder(p.do("GET", p.url+"/keys", nil).Body).Decode(&keys); err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(answer["id_token"].(string), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := jws.Verify(keys.Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if claims["sub"] != "misaki" || claims["nonce"] != "no" || claims["aud"] != "wave" || claims["name"] != "田中 美咲" {
		t.Errorf("claims = %v", claims)
	}

	info := p.do("GET", p.url+"/userinfo", nil, "Authorization", "Bearer "+answer["access_token"].(string))
	var who map[string]any
	if err := json.NewDecoder(info.Body).Decode(&who); err != nil || who["sub"] != "misaki" {
		t.Errorf("userinfo = %v (%v)", who, err)
	}
	if got := p.do("GET", p.url+"/userinfo", nil, "Authorization", "Bearer x").StatusCode; got != 401 {
		t.Errorf("userinfo with a wrong token: %d", got)
	}
	if status, answer := p.redeem(back.Get("code")); status != 400 || answer["error"] != "invalid_grant" {
		t.Errorf("the code again: %d %v", status, answer)
	}
}

func TestToken_refuses(t *testing.T) {
	p := start(t)
	tests := []struct {
		name, field, value, want string
	}{
		{"another verifier", "code_verifier", "x", "invalid_grant"},
		{"another redirect URI", "redirect_uri", "http://127.0.0.1:1/", "invalid_grant"},
		{"another code", "code", "x", "invalid_grant"},
		{"another secret", "client_secret", "x", "invalid_client"},
		{"another client", "client_id", "x", "invalid_client"},
		{"another grant", "grant_type", "password", "unsupported_grant_type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := p.redeem(p.choose("sam").Get("code"), tt.field, tt.value)
			if status < 400 || answer["error"] != tt.want {
				t.Errorf("got %d %v, want %s", status, answer, tt.want)
			}
		})
	}
	t.Run("too late", func(t *testing.T) {
		code := p.choose("sam").Get("code")
		p.after.Add(int64(time.Minute))
		if status, _ := p.redeem(code); status != 400 {
			t.Errorf("got %d", status)
		}
	})
}
