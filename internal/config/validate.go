package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// validate reports every setting that breaks a rule.
func validate(c *Config, report func(path, message string)) {
	v := validator{report}
	v.server(c.Server)
	v.wave(c.Wave)
	v.auth(c.Auth)
	v.session(c.Session)
	v.database(c.Database)
	v.oneOf("ui.default_language", c.UI.DefaultLanguage, "ja", "en")
	if _, err := time.LoadLocation(c.UI.TimeZone); err != nil || c.UI.TimeZone == "" {
		v.fail("ui.time_zone", "%q is no time zone such as Asia/Tokyo", c.UI.TimeZone)
	}
	v.oneOf("ui.confirm", c.UI.Confirm, "always", "risky", "never")
	v.oneOf("ui.conflict", c.UI.Conflict, "merge", "strict")
	v.oneOf("ui.require_reason", c.UI.RequireReason, "never", "bulk", "always")
	if flags := c.UI.ApprovalFlags(); flags == nil {
		v.oneOf("ui.approval", c.UI.Approval, "off", "runs", "flags: [key, …]")
	} else if slices.Contains(flags, "") {
		v.fail("ui.approval", "names an empty flag")
	}
	v.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	v.oneOf("log.format", c.Log.Format, "json", "text")
}

func (v validator) server(s Server) {
	v.address("server.listen", s.Listen)
	if s.OpsListen != "" {
		v.address("server.ops_listen", s.OpsListen)
		if s.OpsListen == s.Listen && !strings.HasSuffix(s.Listen, ":0") {
			v.fail("server.ops_listen", "is the same as server.listen")
		}
	}
	if u := v.url("server.public_url", s.PublicURL); u != nil && strings.Trim(u.Path, "/") != "" {
		v.fail("server.public_url", "%q has a path: give scheme and host only", s.PublicURL)
	}
	v.between("server.trusted_proxies", s.TrustedProxies, 0, 10)
	if (s.TLS.CertFile == "") != (s.TLS.KeyFile == "") {
		v.fail("server.tls", "cert_file and key_file go together")
	}
	if s.TLS.KeyFile != "" {
		v.keyFile("server.tls.key_file", s.TLS.KeyFile)
	}
}

func (v validator) keyFile(path, name string) {
	f, err := os.Open(name)
	if err == nil {
		defer f.Close()
		err = notForEveryone(f)
	}
	if err != nil {
		v.fail(path, "%v", err)
	}
}

func (v validator) wave(w Wave) {
	v.url("wave.base_url", w.BaseURL)
	v.url("wave.token_url", w.TokenURL)
	v.required("wave.client_id", w.ClientID)
	v.clientSecret("wave.client_secret", w.ClientSecret, w.BaseURL)
	v.oneOf("wave.list_method", w.ListMethod, "auto", "get", "post")
	v.between("wave.rate_per_second", w.RatePerSecond, 1, 100) // the API allows 100
	v.duration("wave.timeout", w.Timeout, time.Second, 5*time.Minute)
	v.duration("wave.max_snapshot_age", w.MaxSnapshotAge, time.Second, 24*time.Hour)
	v.between("wave.password.min_length", w.Password.MinLength, 1, 256)
	v.between("wave.password.max_length", w.Password.MaxLength, 1, 256)
	if w.Password.MinLength > w.Password.MaxLength {
		v.fail("wave.password.min_length", "%d is more than max_length, %d", w.Password.MinLength, w.Password.MaxLength)
	}
}

func (v validator) auth(a Auth) {
	v.url("auth.issuer", a.Issuer)
	v.required("auth.client_id", a.ClientID)
	v.clientSecret("auth.client_secret", a.ClientSecret, a.Issuer)
	v.names("auth.scopes", a.Scopes)
	if !slices.Contains(a.Scopes, "openid") {
		v.fail("auth.scopes", "lacks openid, without which there is no sign-in")
	}
	v.required("auth.groups_claim", a.GroupsClaim)
	v.names("auth.roles.viewer", a.Roles.Viewer)
	v.names("auth.roles.editor", a.Roles.Editor)
	if len(a.Roles.Viewer)+len(a.Roles.Editor) == 0 {
		v.fail("auth.roles", "nobody could use this: name a group in auth.roles.editor or auth.roles.viewer")
	}
	if len(a.SigningAlgs) == 0 {
		v.fail("auth.signing_algs", "names no algorithm")
	}
	for i, alg := range a.SigningAlgs { // never none, never HS…: the key would be the client secret
		v.oneOf(fmt.Sprintf("auth.signing_algs[%d]", i), alg,
			"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
	}
	v.between("auth.min_rsa_bits", a.MinRSABits, 2048, 8192)
	v.names("auth.allowed_hosts", a.AllowedHosts)
	for i, host := range a.AllowedHosts {
		if strings.ContainsAny(host, "/@ ") {
			v.fail(fmt.Sprintf("auth.allowed_hosts[%d]", i), "%q is no host name", host)
		}
	}
}

// minSession is twice how often auth writes that someone is active: below it a
// session could end under their hands.
const minSession = 2 * time.Minute

func (v validator) session(s Session) {
	if s.Secret.IsZero() {
		v.fail("session.secret", "is required (or session.secret_file, or %s): %s", EnvName("session.secret"), howToMakeKey)
	} else if _, err := decodeKey(s.Secret); err != nil {
		v.fail("session.secret", "%v", err)
	}
	for i, secret := range s.PreviousSecrets {
		if _, err := decodeKey(secret); err != nil {
			v.fail(fmt.Sprintf("session.previous_secrets[%d]", i), "%v", err)
		}
	}
	v.duration("session.idle", s.Idle, minSession, 24*time.Hour)
	v.duration("session.absolute", s.Absolute, minSession, 7*24*time.Hour)
	if s.Idle > s.Absolute {
		v.fail("session.idle", "%s is longer than session.absolute, %s", short(s.Idle), short(s.Absolute))
	}
}

func (v validator) database(d Database) {
	text := d.URL.Reveal()
	if path, ok := strings.CutPrefix(text, "sqlite:"); ok {
		if path == "" {
			v.fail("database.url", "sqlite: wants the path of a file")
		}
		return
	}
	if scheme, _, _ := strings.Cut(text, ":"); scheme == "postgres" || scheme == "postgresql" {
		if _, err := pgconn.ParseConfig(text); err != nil { // it may repeat the password
			v.fail("database.url", "is no address that PostgreSQL takes, such as postgres://user:password@host:5432/name")
		}
		return
	}
	// It may hold a password: it is not repeated here.
	v.fail("database.url", "is no address such as sqlite:data/waveadmin.db or postgres://user:password@host:5432/name")
}
