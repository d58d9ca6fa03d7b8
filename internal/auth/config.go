package auth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/db"
)

// Config is what sign-in and sessions need to know.
type Config struct {
	Issuer       string // as the provider spells it in its tokens
	ClientID     string
	ClientSecret string
	PublicURL    string   // our own origin, as browsers see it
	RedirectURL  string   // empty for PublicURL/auth/callback
	Scopes       []string // empty for openid, email, profile
	GroupsClaim  string   // empty for "groups"
	ViewerGroups []string // exact names; a member of one may read
	EditorGroups []string // exact names; a member of one may change
	SigningAlgs  []string // empty for RS256 and ES256
	MinRSABits   int      // of the provider's RSA keys; 0 for 2048
	AllowedHosts []string // of the provider's endpoints, beside the issuer's own
	// StrictAudience takes only ID tokens that are for us alone. Without it one
	// for several parties is taken if its azp is us.
	StrictAudience bool

	// StepUp demands a recent proof of who someone is for what cannot be taken back.
	StepUp bool

	SessionSecret   []byte        // at least 32 random bytes
	PreviousSecrets [][]byte      // still accepted for what they signed
	Idle            time.Duration // 0 for 30 minutes
	Absolute        time.Duration // 0 for 8 hours

	Log   *slog.Logger     // nil for the default one
	Now   func() time.Time // nil for time.Now
	Audit Auditor          // nil for none
	// Address returns where a request comes from, for the list of sessions. Nil for the
	// peer of its connection.
	Address func(r *http.Request) string
	// Fail answers a request whose session could not be looked up, which is not
	// the same as having none. Nil for a bare 503.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
}

// Auditor records in the audit log who came, who was refused and who left.
type Auditor interface {
	// SignedIn records inside the transaction that makes the session. When it
	// fails nobody is signed in.
	SignedIn(ctx context.Context, tx *sql.Tx, who Actor) error
	SignedOut(ctx context.Context, who Actor)
	// SignedInAgain records inside the transaction that gives the session its new id: who
	// has proved again who they are ("step_up"), or was asked for their role
	// ("role_check"). When it fails the session is as it was.
	SignedInAgain(ctx context.Context, tx *sql.Tx, who Actor, why string) error
	// SessionsEnded records inside the transaction that ends sessions of who. When it
	// fails they go on.
	SessionsEnded(ctx context.Context, tx *sql.Tx, who Actor, e Ending) error
	// SignInRefused gets the code of the refusal, and the zero Actor unless the
	// provider's word for who it is was good.
	SignInRefused(ctx context.Context, who Actor, reason string)
	// EndedByProvider records inside the transaction that ends a session because the
	// provider said so. When it fails the session goes on.
	EndedByProvider(ctx context.Context, tx *sql.Tx, who Actor) error
	// LogoutRefused gets the code of why a logout token was not believed.
	LogoutRefused(ctx context.Context, reason string)
}

// noAudit is the Auditor of a Config without one.
type noAudit struct{}

func (noAudit) SignedIn(context.Context, *sql.Tx, Actor) error { return nil }
func (noAudit) SignedOut(context.Context, Actor)               {}
func (noAudit) SignInRefused(context.Context, Actor, string)   {}
func (noAudit) LogoutRefused(context.Context, string)          {}

func (noAudit) EndedByProvider(context.Context, *sql.Tx, Actor) error       { return nil }
func (noAudit) SignedInAgain(context.Context, *sql.Tx, Actor, string) error { return nil }
func (noAudit) SessionsEnded(context.Context, *sql.Tx, Actor, Ending) error { return nil }

// The names of the asymmetric algorithms: with the others our own secret, or
// nothing, would sign.
var safeAlgs = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// withDefaults returns c filled in, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	public, err := url.Parse(c.PublicURL)
	if err != nil || !originAllowed(public) {
		return c, fmt.Errorf("public URL %q: want https, or http on a loopback host", c.PublicURL)
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil || !originAllowed(issuer) || issuer.RawQuery != "" || issuer.Fragment != "" {
		return c, fmt.Errorf("issuer %q: want https, or http on a loopback host", c.Issuer)
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if c.RedirectURL == "" {
		c.RedirectURL = c.PublicURL + "/auth/callback"
	}
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"openid", "email", "profile"}
	}
	if c.GroupsClaim == "" {
		c.GroupsClaim = "groups"
	}
	if len(c.SigningAlgs) == 0 {
		c.SigningAlgs = []string{"RS256", "ES256"}
	}
	if c.MinRSABits == 0 {
		c.MinRSABits = 2048
	}
	if c.Idle == 0 {
		c.Idle = 30 * time.Minute
	}
	if c.Absolute == 0 {
		c.Absolute = 8 * time.Hour
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Address == nil {
		c.Address = peerOf
	}
	if c.Audit == nil {
		c.Audit = noAudit{}
	}
	if c.Fail == nil {
		c.Fail = func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		}
	}
	return c, c.check()
}

func (c Config) check() error {
	var errs []error
	if c.ClientID == "" {
		errs = append(errs, errors.New("the client id is missing"))
	}
	if !slices.Contains(c.Scopes, "openid") {
		errs = append(errs, errors.New("the scopes lack openid"))
	}
	// A provider that answers with an empty group must not make everyone an editor.
	if slices.Contains(c.ViewerGroups, "") || slices.Contains(c.EditorGroups, "") {
		errs = append(errs, errors.New("a role has a group without a name"))
	}
	for _, alg := range c.SigningAlgs {
		if !slices.Contains(safeAlgs, alg) {
			errs = append(errs, fmt.Errorf("signing algorithm %q is not one of %v", alg, safeAlgs))
		}
	}
	for i, secret := range slices.Concat([][]byte{c.SessionSecret}, c.PreviousSecrets) {
		if len(secret) < 32 {
			errs = append(errs, fmt.Errorf("session secret %d is shorter than 32 bytes", i+1))
		}
	}
	if c.Idle < 2*seenEvery || c.Absolute < c.Idle {
		errs = append(errs, fmt.Errorf("session times %v and %v: want at least %v, and idle not above absolute", c.Idle, c.Absolute, 2*seenEvery))
	}
	return errors.Join(errs...)
}

// secure reports whether browsers reach us over TLS. Cookies cannot be Secure
// without it, which only a loopback origin may be.
func (c Config) secure() bool { return strings.HasPrefix(c.PublicURL, "https:") }

// originAllowed reports whether u is safe to send secrets to.
func originAllowed(u *url.URL) bool {
	switch u.Scheme {
	case "https":
		return u.Host != ""
	case "http":
		return loopback(u.Hostname())
	}
	return false
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Auth signs people in and knows who asks. It is safe for concurrent use.
type Auth struct {
	cfg      Config
	db       *db.DB
	provider *provider
	store    *store
	logins   box // of login cookies
	leaving  box // of the cookie between sign-out here and at the provider
	kept     box // of what was typed before the way through the provider
}

// New returns an Auth with its tables in db. It does not call the provider: the
// first sign-in or Ready does, and tries again when that failed.
func New(cfg Config, database *db.DB) (*Auth, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("sign-in: %w", err)
	}
	secrets := slices.Concat([][]byte{cfg.SessionSecret}, cfg.PreviousSecrets)
	return &Auth{
		cfg:      cfg,
		db:       database,
		provider: newProvider(cfg),
		store:    newStore(cfg, database, secrets),
		logins:   newBox(secrets, "login cookie"),
		leaving:  newBox(secrets, "sign-out cookie"),
		kept:     newBox(secrets, "kept form"),
	}, nil
}

// Ready returns nil once the provider has been discovered, and tries if it has
// not. Later outages of the provider do not make it fail.
func (a *Auth) Ready(ctx context.Context) error {
	_, err := a.provider.discovered(ctx)
	return err
}
