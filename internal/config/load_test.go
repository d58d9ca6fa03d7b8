package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/config"
)

// key is base64 of 32 bytes from a random source.
const key = "x8Vd3bPq0yLk7sT1uWmZ5nR9aCfEhJgKiMoQ2rBtYvA="

// complete is the shortest file that is accepted.
const complete = `server:
  public_url: https://admin.example.com
wave:
  client_id: api-user
  client_secret: canary-wave-secret
auth:
  issuer: https://id.example.com
  client_id: waveadmin
  client_secret: canary-auth-secret
  roles: {editor: [ops]}
session:
  secret: ` + key + "\n"

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad_aFileOverDefaults(t *testing.T) {
	got, _, err := config.Load(config.Sources{File: write(t, "c.yaml", complete, 0o600)})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Server.PublicURL = "https://admin.example.com"
	want.Wave.ClientID = "api-user"
	want.Wave.ClientSecret = config.NewSecret("canary-wave-secret")
	want.Auth.Issuer = "https://id.example.com"
	want.Auth.ClientID = "waveadmin"
	want.Auth.ClientSecret = config.NewSecret("canary-auth-secret")
	want.Auth.Roles.Editor = []string{"ops"}
	want.Session.Secret = config.NewSecret(key)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if keys := got.Session.Keys(); len(keys) != 1 || len(keys[0]) != 32 {
		t.Errorf("%d keys, want one of 32 bytes", len(keys))
	}
}

func TestLoad_laterSourcesWin(t *testing.T) {
	got, origins, err := config.Load(config.Sources{
		File: write(t, "c.yaml", complete+"log: {level: warn, format: text}\nui: {time_zone: UTC}\n", 0o600),
		Env: []string{
			"WAVEADMIN_LOG_LEVEL=error", "WAVEADMIN_LOG_FORMAT=", "WAVEADMIN_UI_TIME_ZONE=Europe/Paris",
			"WAVEADMIN_AUTH_ROLES_EDITOR=a, b", "WAVEADMIN_WAVE_TIMEOUT=2m", "WAVEADMIN_PORT=tcp://10.0.0.1:80",
		},
		Set: []string{"log.level=debug"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path string
		got, want  any
	}{
		{"the flag wins over the environment", "log.level", got.Log.Level, "debug"},
		{"an empty variable counts as not set", "log.format", got.Log.Format, "text"},
		{"the environment wins over the file", "ui.time_zone", got.UI.TimeZone, "Europe/Paris"},
		{"a list is separated by commas", "auth.roles.editor", got.Auth.Roles.Editor, []string{"a", "b"}},
		{"a duration", "wave.timeout", got.Wave.Timeout, 2 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.path, diff)
			}
			if origins[tt.path] == (config.Origin{}) {
				t.Errorf("%s has no origin", tt.path)
			}
		})
	}
	if got := origins["log.level"].String(); got != "--set log.level" {
		t.Errorf("origin of log.level = %q", got)
	}
}

// TestLoad_refusals changes one thing of a complete file; what is said about it
// must name the setting and the place.
func TestLoad_refusals(t *testing.T) {
	tests := []struct {
		name      string
		old, text string // replaced in the complete file; an empty old appends
		env       string
		want      []string
	}{
		{"an unknown key", "client_id: api-user", "client_idd: api-user", "", []string{`c.yaml:4:3: unknown setting "wave.client_idd", did you mean "wave.client_id"?`, "wave.client_id: is required (or WAVEADMIN_WAVE_CLIENT_ID)"}},
		{"an unknown section", "session:", "sesion:", "", []string{`c.yaml:11:1: unknown setting "sesion", did you mean "session"?`}},
		{"a key of another section", "", "log:\n  rate_per_second: 5\n", "", []string{`c.yaml:14:3: unknown setting "log.rate_per_second", did you mean "wave.rate_per_second"?`}},
		{"a value out of a list", "", "log: {level: loud}\n", "", []string{
			`c.yaml:13:14: log.level: "loud" is none of debug, info, warn, error`,
			"   13 | log: {level: loud}\n      |              ^",
		}},
		{"a number that is none", "", "wave2: 1\n", "WAVEADMIN_WAVE_RATE_PER_SECOND=many", []string{`WAVEADMIN_WAVE_RATE_PER_SECOND: wave.rate_per_second: "many" is not a whole number`}},
		{"a rate above the API's", "", "", "WAVEADMIN_WAVE_RATE_PER_SECOND=101", []string{"wave.rate_per_second: 101 is not between 1 and 100"}},
		{"a duration without a unit", "", "", "WAVEADMIN_SESSION_IDLE=30", []string{`"30" is not a duration such as 15s, 30m or 8h`}},
		{"idle above absolute", "", "", "WAVEADMIN_SESSION_IDLE=9h", []string{"session.idle: 9h is longer than session.absolute, 8h"}},
		{"neither true nor false", "", "", "WAVEADMIN_AUTH_STEP_UP=yes", []string{`auth.step_up: "yes" is neither true nor false`}},
		{"a misspelt variable", "", "", "WAVEADMIN_WAVE_CLIENT_IDD=x", []string{`WAVEADMIN_WAVE_CLIENT_IDD: unknown variable "WAVEADMIN_WAVE_CLIENT_IDD", did you mean "WAVEADMIN_WAVE_CLIENT_ID"?`}},
		{"plain http", "https://admin.", "http://admin.", "", []string{`server.public_url: "http://admin.example.com" is plain http`}},
		{"plain http to the provider", "https://id.", "http://id.", "", []string{`auth.issuer: "http://id.example.com" is plain http`}},
		{"a path in the public address", "admin.example.com", "admin.example.com/wave", "", []string{"server.public_url:", "has a path"}},
		{"a query in an address", "", "", "WAVEADMIN_WAVE_BASE_URL=https://a.example/?x=1", []string{"wave.base_url:", "has a query or fragment"}},
		{"an empty group", "[ops]", `[ops, ""]`, "", []string{"c.yaml:10:25: auth.roles.editor[1]: is empty"}},
		{"nobody has a role", "[ops]", "[]", "", []string{"auth.roles: nobody could use this"}},
		{"one group without brackets", "[ops]", "ops", "", []string{"auth.roles.editor: wants a list, such as [a, b]"}},
		{"a list for a value", "api-user", "[a]", "", []string{"wave.client_id: is one value, not a list"}},
		{"a mapping for a value", "api-user", "{a: b}", "", []string{"wave.client_id: wants a value, not a mapping"}},
		{"a value for a section", "", "log: info\n", "", []string{"c.yaml:13:6: log: wants settings below it, not a single value"}},
		{"an anchor", "api-user", "&a api-user", "", []string{"wave.client_id: wants a value, not an anchor or alias"}},
		{"a key twice", "", "session: {idle: 1h}\n", "", []string{"c.yaml:13:1: syntax: ", "session"}},
		{"broken YAML", "", "log: [\n", "", []string{"c.yaml:13:"}},
		{"a second document", "", "---\nlog: {}\n", "", []string{"a second YAML document"}},
		{"no session key", "secret: " + key, "idle: 1h", "", []string{"session.secret: is required", "openssl rand -base64 32"}},
		{"a session key that is no base64", key, "correct horse battery staple", "", []string{"session.secret: is no base64"}},
		{"a short session key", key, "c2hvcnQ=", "", []string{"session.secret: has 5 bytes, not 32"}},
		{"a session key of zeros", key, strings.Repeat("A", 43) + "=", "", []string{"session.secret: is not random"}},
		{"a session key that counts", key, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "", []string{"session.secret: is not random"}},
		{"a bad previous key", "", "", "WAVEADMIN_SESSION_PREVIOUS_SECRETS=" + key + ",abc", []string{"session.previous_secrets[1]: is no base64"}},
		{"an example's secret", "canary-wave-secret", "changeme", "", []string{"wave.client_secret: is the text of an example"}},
		{"a short secret", "canary-wave-secret", "abc", "", []string{"wave.client_secret: is shorter than 8 characters"}},
		{"no algorithm for signatures", "", "", "WAVEADMIN_AUTH_SIGNING_ALGS=none", []string{`auth.signing_algs`, `"none" is none of RS256`}},
		{"no openid scope", "", "", "WAVEADMIN_AUTH_SCOPES=email", []string{"auth.scopes: lacks openid"}},
		{"no such time zone", "", "", "WAVEADMIN_UI_TIME_ZONE=Asia/Edo", []string{`"Asia/Edo" is no time zone such as Asia/Tokyo`}},
		{"a listener without a port", "", "", "WAVEADMIN_SERVER_LISTEN=localhost", []string{`server.listen: "localhost" is no address such as 127.0.0.1:8080`}},
		{"both listeners in one place", "", "", "WAVEADMIN_SERVER_OPS_LISTEN=127.0.0.1:8080", []string{"server.ops_listen: is the same as server.listen"}},
		{"a certificate without a key", "", "", "WAVEADMIN_SERVER_TLS_CERT_FILE=a.pem", []string{"server.tls: cert_file and key_file go together"}},
		{"another database", "", "", "WAVEADMIN_DATABASE_URL=mysql://u:canary@h/d", []string{"database.url: is no address such as sqlite:data/waveadmin.db or postgres://"}},
		{"what PostgreSQL does not take", "", "", "WAVEADMIN_DATABASE_URL=postgres://u:canary@h:port/d", []string{"database.url: is no address that PostgreSQL takes, such as postgres://user:password@host:5432/name"}},
		{"a session that ends between two clicks", "", "", "WAVEADMIN_SESSION_IDLE=1m59s", []string{"session.idle: 1m59s is not between 2m and 24h"}},
		{"passwords upside down", "", "", "WAVEADMIN_WAVE_PASSWORD_MIN_LENGTH=20", []string{"wave.password.min_length: 20 is more than max_length, 18"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := complete + tt.text
			if tt.old != "" {
				text = strings.Replace(complete, tt.old, tt.text, 1)
			}
			_, _, err := config.Load(config.Sources{File: write(t, "c.yaml", text, 0o600), Env: []string{tt.env}})
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error lacks %q:\n%v", want, err)
				}
			}
			for _, secret := range []string{"canary", key} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("error shows a secret:\n%v", err)
				}
			}
		})
	}
}

func TestLoad_saysAllAtOnce(t *testing.T) {
	text := "wave:\n  list_method: put\n  rate_per_second: 0\nlog:\n  level: loud\n"
	_, _, err := config.Load(config.Sources{File: write(t, "c.yaml", text, 0o600)})
	for _, want := range []string{"wave.list_method", "wave.rate_per_second", "log.level", "auth.issuer", "session.secret"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %s: %v", want, err)
		}
	}
}

func TestLoad_flagsTakeNoSecrets(t *testing.T) {
	for _, set := range []string{"wave.client_secret=canary", "database.url=postgres://u:canary@h/d"} {
		_, _, err := config.Load(config.Sources{Set: []string{set}})
		if err == nil || !strings.Contains(err.Error(), "cannot be a flag") || strings.Contains(err.Error(), "canary") {
			t.Errorf("--set %s: %v", set, err)
		}
	}
}

func TestLoad_loopbackMayBePlain(t *testing.T) {
	for _, host := range []string{"localhost:80", "127.0.0.1", "[::1]:8080"} {
		text := strings.Replace(complete, "https://admin.example.com", `"http://`+host+`"`, 1)
		if _, _, err := config.Load(config.Sources{File: write(t, "c.yaml", text, 0o600)}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestLoad_noSuchFile(t *testing.T) {
	_, _, err := config.Load(config.Sources{File: "no/such.yaml"})
	if err == nil || !strings.Contains(err.Error(), "no/such.yaml") || strings.Contains(err.Error(), "required") {
		t.Errorf("error = %v, want only that the file is missing", err)
	}
}

func TestLoad_approval(t *testing.T) {
	for text, want := range map[string]string{
		"off":                           "off",
		"runs":                          "runs",
		"{flags: [invoice, open_api]}":  "flags: invoice, open_api",
		"\n    flags:\n      - invoice": "flags: invoice",
		"'flags: invoice,open_api'":     "flags: invoice,open_api",
	} {
		got, _, err := config.Load(config.Sources{File: write(t, "c.yaml", complete+"ui:\n  approval: "+text+"\n", 0o600)})
		if err != nil || got.UI.Approval != want {
			t.Errorf("%s: %q, %v", text, got.UI.Approval, err)
		}
		if flags := got.UI.ApprovalFlags(); strings.HasPrefix(want, "flags") != (len(flags) > 0 && flags[0] == "invoice") {
			t.Errorf("%s: flags %q", text, flags)
		}
	}
	for _, text := range []string{"on", "true", "{flags: []}", "{keys: [invoice]}", "{flags: invoice}", "[runs]", "{flags: [a], runs: true}"} {
		if _, _, err := config.Load(config.Sources{File: write(t, "c.yaml", complete+"ui:\n  approval: "+text+"\n", 0o600)}); err == nil || !strings.Contains(err.Error(), "approval") {
			t.Errorf("%s is taken: %v", text, err)
		}
	}
}
