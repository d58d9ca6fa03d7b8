package auth

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

const (
	providerTimeout = 10 * time.Second
	providerBody    = 1 << 20
	// discoveryPause keeps a provider that is down from being asked by everyone
	// who tries to sign in.
	discoveryPause = time.Second
)

// provider is the OpenID provider, discovered when it is first needed.
type provider struct {
	cfg    Config
	client *http.Client
	info   *http.Client // for userinfo
	keys   *budget      // for the signing keys alone
	// The same for logout tokens, which anyone may send: whoever uses up their
	// fetches does not stop sign-ins.
	logoutKeys *budget
	flight     singleflight.Group

	mu     sync.Mutex
	found  *discovery
	failed error // the last one
	again  time.Time
}

// discovery is what the provider says about itself.
type discovery struct {
	oauth      oauth2.Config
	verifier   *oidc.IDTokenVerifier
	logout     *oidc.IDTokenVerifier // of logout tokens
	oidc       *oidc.Provider
	endSession string
	sendsIss   bool // RFC 9207
}

func newProvider(cfg Config) *provider {
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	guarded := &guard{cfg: cfg, next: tr}
	rationed := func() *budget {
		return &budget{now: cfg.Now, left: rate.NewLimiter(keyFetchRate, keyFetches), next: guarded}
	}
	return &provider{cfg: cfg, client: newClient(guarded), info: newClient(&plain{guarded}), keys: rationed(), logoutKeys: rationed()}
}

func newClient(tr http.RoundTripper) *http.Client {
	return &http.Client{
		Timeout:   providerTimeout,
		Transport: tr,
		// A redirect could carry the client secret or a code elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// context makes go-oidc and x/oauth2 use our client.
func (p *provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

// statusKey is where a context holds a *int, see withStatus.
type statusKey struct{}

// withStatus returns a context in which last always holds the status of the
// latest answer of the provider, or 0 if it did not answer. The libraries do not
// say whether they failed for want of an answer or for what was in it.
func withStatus(ctx context.Context) (_ context.Context, last *int) {
	last = new(int)
	return context.WithValue(ctx, statusKey{}, last), last
}

// outage reports whether a status of withStatus means that the provider is down.
func outage(status int) bool { return status == 0 || status >= 500 }

// known returns what was discovered, or nil.
func (p *provider) known() *discovery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.found
}

// discovered returns what the provider says about itself. Until it has once
// answered, each call asks, but not more than one at a time and not again
// within a second. One caller's leaving does not fail the others.
func (p *provider) discovered(ctx context.Context) (*discovery, error) {
	if d, known, err := p.heard(); known {
		return d, err
	}
	done := p.flight.DoChan("", func() (any, error) {
		if d, known, err := p.heard(); known { // by who was on the way while this caller looked
			return d, err
		}
		d, err := p.discover(p.context(context.WithoutCancel(ctx)))
		p.mu.Lock()
		defer p.mu.Unlock()
		p.found, p.failed, p.again = d, err, p.cfg.Now().Add(discoveryPause)
		return d, err
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case res := <-done:
		d, _ := res.Val.(*discovery)
		return d, res.Err
	}
}

// heard returns what the provider said, or what came of asking it within the last
// second. Known is false when it is to be asked.
func (p *provider) heard() (d *discovery, known bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.found != nil:
		return p.found, true, nil
	case p.cfg.Now().Before(p.again):
		return nil, true, p.failed
	}
	return nil, false, nil
}

func (p *provider) discover(ctx context.Context) (*discovery, error) {
	found, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	var doc struct {
		Keys        string   `json:"jwks_uri"`
		EndSession  string   `json:"end_session_endpoint"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		SendsIss    bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&doc); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	endpoint := found.Endpoint()
	endpoint.AuthStyle = authStyle(doc.AuthMethods)
	for name, raw := range map[string]string{
		"authorization_endpoint": endpoint.AuthURL, "token_endpoint": endpoint.TokenURL, "jwks_uri": doc.Keys,
		"userinfo_endpoint": found.UserInfoEndpoint(), "end_session_endpoint": doc.EndSession,
	} {
		optional := name == "userinfo_endpoint" || name == "end_session_endpoint"
		if raw == "" && optional {
			continue
		}
		if u, err := url.Parse(raw); err != nil || !p.cfg.mayCall(u) {
			return nil, fmt.Errorf("discovery: %s %q is not https on an allowed host", name, raw)
		}
	}
	verifier := func(b *budget) *oidc.IDTokenVerifier {
		ctx := oidc.ClientContext(ctx, newClient(b))
		keys := &keySet{by: b, fetch: func() oidc.KeySet { return oidc.NewRemoteKeySet(ctx, doc.Keys) }}
		return oidc.NewVerifier(p.cfg.Issuer, keys, &oidc.Config{
			ClientID: p.cfg.ClientID, SupportedSigningAlgs: p.cfg.SigningAlgs, Now: p.cfg.Now,
		})
	}
	return &discovery{
		oauth: oauth2.Config{
			ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: endpoint,
			RedirectURL: p.cfg.RedirectURL, Scopes: p.cfg.Scopes,
		},
		verifier:   verifier(p.keys),
		logout:     verifier(p.logoutKeys),
		oidc:       found,
		endSession: doc.EndSession,
		sendsIss:   doc.SendsIss,
	}, nil
}

// authStyle chooses how the client shows its secret. It is never left to x/oauth2
// to find out by trying: the try would use the code up.
func authStyle(methods []string) oauth2.AuthStyle {
	if slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// mayCall reports whether u is an address of the provider.
func (c Config) mayCall(u *url.URL) bool {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || u.User != nil || !originAllowed(u) || u.Scheme == "http" && issuer.Scheme != "http" {
		return false
	}
	return u.Host == issuer.Host || slices.Contains(c.AllowedHosts, u.Host) || slices.Contains(c.AllowedHosts, u.Hostname())
}
