// Package config reads the settings: defaults, then a YAML file, then the
// environment, then flags. Everything that is wrong is reported at once, each
// with the place where it was written.
package config

import (
	"strings"
	"time"
	_ "time/tzdata" // ui.time_zone must load in an image without zones
)

// Config is every setting. Its field tags are the keys of the file; the name of
// an environment variable is EnvPrefix and the path in capitals.
type Config struct {
	Server   Server   `yaml:"server"`
	Wave     Wave     `yaml:"wave"`
	Auth     Auth     `yaml:"auth"`
	Session  Session  `yaml:"session"`
	Database Database `yaml:"database"`
	UI       UI       `yaml:"ui"`
	Log      Log      `yaml:"log"`
}

// Server is where the program listens and what it is called from outside.
type Server struct {
	Listen         string `yaml:"listen"`
	PublicURL      string `yaml:"public_url"` // scheme and host only
	OpsListen      string `yaml:"ops_listen"` // empty for none
	TrustedProxies int    `yaml:"trusted_proxies"`
	TLS            TLS    `yaml:"tls"`
}

// TLS is a certificate of our own; both empty when a proxy has it.
type TLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Enabled reports whether the server speaks TLS itself.
func (t TLS) Enabled() bool { return t.CertFile != "" }

// Wave is the Wave for Reseller API.
type Wave struct {
	BaseURL          string        `yaml:"base_url"`
	TokenURL         string        `yaml:"token_url"`
	ClientID         string        `yaml:"client_id"`
	ClientSecret     Secret        `yaml:"client_secret"`
	ClientSecretFile string        `yaml:"client_secret_file"`
	ListMethod       string        `yaml:"list_method"` // auto, get or post
	RatePerSecond    int           `yaml:"rate_per_second"`
	Timeout          time.Duration `yaml:"timeout"` // of one call
	MaxSnapshotAge   time.Duration `yaml:"max_snapshot_age"`
	Password         Password      `yaml:"password"`
}

// Password is the rule for passwords of accounts, in characters.
type Password struct {
	MinLength int `yaml:"min_length"`
	MaxLength int `yaml:"max_length"`
}

// Auth is the OpenID provider and who may do what.
type Auth struct {
	Issuer           string   `yaml:"issuer"`
	ClientID         string   `yaml:"client_id"`
	ClientSecret     Secret   `yaml:"client_secret"`
	ClientSecretFile string   `yaml:"client_secret_file"`
	Scopes           []string `yaml:"scopes"`
	GroupsClaim      string   `yaml:"groups_claim"`
	Roles            Roles    `yaml:"roles"`
	SigningAlgs      []string `yaml:"signing_algs"`
	MinRSABits       int      `yaml:"min_rsa_bits"`  // of the provider's keys for RS256 and the like
	AllowedHosts     []string `yaml:"allowed_hosts"` // of the provider's endpoints, beside the issuer's
	StrictAudience   bool     `yaml:"strict_audience"`
	StepUp           bool     `yaml:"step_up"`
	AskFirst         bool     `yaml:"ask_first"` // a press before the way to the provider
}

// Roles names the groups that give a role. Names are compared exactly.
type Roles struct {
	Viewer []string `yaml:"viewer"`
	Editor []string `yaml:"editor"`
}

// Session is the life and the key of sessions.
type Session struct {
	Secret          Secret        `yaml:"secret"`
	SecretFile      string        `yaml:"secret_file"`
	PreviousSecrets []Secret      `yaml:"previous_secrets"` // still accepted for reading
	Idle            time.Duration `yaml:"idle"`
	Absolute        time.Duration `yaml:"absolute"`
}

// Keys returns the session key and then the previous ones, 32 bytes each, of a
// Config that Load or Validate accepted.
func (s Session) Keys() [][]byte {
	var keys [][]byte
	for _, secret := range append([]Secret{s.Secret}, s.PreviousSecrets...) {
		if key, err := decodeKey(secret); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// Database is where sessions and changes are kept.
type Database struct {
	URL DatabaseURL `yaml:"url"`
}

// UI is how pages look and what they ask.
type UI struct {
	DefaultLanguage string `yaml:"default_language"` // ja or en
	TimeZone        string `yaml:"time_zone"`
	Confirm         string `yaml:"confirm"`        // always, risky or never
	Conflict        string `yaml:"conflict"`       // merge or strict
	RequireReason   string `yaml:"require_reason"` // never, bulk or always
	Approval        string `yaml:"approval"`       // off, runs, or flags: and keys; see ApprovalFlags
}

// ApprovalFlags returns the flags whose change in a bulk run another editor must
// approve, as Approval names them: "flags: a, b".
func (u UI) ApprovalFlags() []string {
	keys, ok := strings.CutPrefix(u.Approval, approvalFlags)
	if !ok {
		return nil
	}
	var out []string
	for key := range strings.SplitSeq(keys, ",") {
		out = append(out, strings.TrimSpace(key))
	}
	return out
}

const approvalFlags = "flags:"

// Location returns the time zone of a Config that Load or Validate accepted.
func (u UI) Location() *time.Location {
	zone, err := time.LoadLocation(u.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Log is what is logged, to stderr.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // json or text
}

// Default returns the settings that hold where nothing else is said. They are
// not complete: see the settings that Validate calls required.
func Default() Config {
	return Config{
		Server: Server{Listen: "127.0.0.1:8080", OpsListen: "127.0.0.1:9090"},
		Wave: Wave{
			BaseURL:        "https://api.alphaus.cloud/m/ripple/",
			TokenURL:       "https://login.alphaus.cloud/ripple/access_token",
			ListMethod:     "auto",
			RatePerSecond:  80,
			Timeout:        15 * time.Second,
			MaxSnapshotAge: 30 * time.Second,
			Password:       Password{MinLength: 8, MaxLength: 18},
		},
		Auth: Auth{
			Scopes:         []string{"openid", "email", "profile"},
			GroupsClaim:    "groups",
			SigningAlgs:    []string{"RS256", "ES256"},
			MinRSABits:     2048,
			StrictAudience: true,
			StepUp:         true,
		},
		Session:  Session{Idle: 30 * time.Minute, Absolute: 8 * time.Hour},
		Database: Database{URL: "sqlite:data/waveadmin.db"},
		UI: UI{
			DefaultLanguage: "ja",
			TimeZone:        "Asia/Tokyo",
			Confirm:         "risky",
			Conflict:        "merge",
			RequireReason:   "bulk",
			Approval:        "off",
		},
		Log: Log{Level: "info", Format: "json"},
	}
}
