package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"waveadmin/internal/config"
)

func TestSecret_printsInNoFormat(t *testing.T) {
	type holder struct{ hidden config.Config } // fmt cannot call methods in there
	cfg := config.Default()
	cfg.Session.Secret = config.NewSecret("canary")
	cfg.Session.PreviousSecrets = []config.Secret{config.NewSecret("canary")}
	cfg.Database.URL = "postgres://user:canary@db.example/wave?password=canary"

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, cfg)
		fmt.Fprintf(&out, verb, &cfg.Session)
		if got := fmt.Sprintf(verb, cfg.Session.Secret); got != "[redacted]" {
			t.Errorf("%s prints %q", verb, got)
		}
		fmt.Fprintf(&out, verb, cfg.Database.URL)
	}
	fmt.Fprintf(&out, "%v %+v", holder{config.Config{Session: cfg.Session}}, cfg.Session.PreviousSecrets)
	j, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	y, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	out.Write(y)
	slog.New(slog.NewTextHandler(&out, nil)).Info("start", "config", cfg, "secret", cfg.Session.Secret, "url", cfg.Database.URL)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("start", "config", cfg, "secret", cfg.Session.Secret, "url", cfg.Database.URL)
	if err := config.Print(&out, cfg, nil); err != nil {
		t.Fatal(err)
	}

	if strings.Contains(out.String(), "canary") || strings.Contains(out.String(), "63616e617279") {
		t.Errorf("a secret is printed:\n%s", out.String())
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Error("nothing says [redacted]")
	}
	if got := cfg.Session.Secret.Reveal(); got != "canary" {
		t.Errorf("Reveal = %q", got)
	}
}

func TestDatabaseURL_printsAllButThePassword(t *testing.T) {
	tests := []struct{ name, url, want string }{
		{"a file", "sqlite:data/wave.db", "sqlite:data/wave.db"},
		{"a password", "postgres://user:pw@h:5432/d?sslmode=require", "postgres://user@h:5432/d?sslmode=require"},
		{"a password as a parameter", "postgres://h/d?user=u&password=pw", "postgres://h/d?user=u"},
		{"the password of a key", "postgres://h/d?sslpassword=pw&user=u", "postgres://h/d?user=u"},
		{"what cannot be read", "postgres://user:p%w@h", "[redacted]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := config.DatabaseURL(tt.url).String(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// On Windows each file has the mode 0666, or 0444, whoever may read it.
func TestOpenTo(t *testing.T) {
	for _, tt := range []struct {
		goos       string
		mode, bits os.FileMode
		want       bool
	}{
		{"linux", 0o600, 0o044, false},
		{"linux", 0o640, 0o044, true},
		{"linux", 0o640, 0o004, false},
		{"darwin", 0o444, 0o004, true},
		{"windows", 0o666, 0o004, false},
		{"windows", 0o444, 0o044, false},
	} {
		if got := config.OpenTo(tt.goos, tt.mode, tt.bits); got != tt.want {
			t.Errorf("on %s %#o is open to %#o: %v", tt.goos, tt.mode, tt.bits, got)
		}
	}
}

func TestLoad_secretFiles(t *testing.T) {
	withFile := func(path string) string {
		return strings.Replace(complete, "client_secret: canary-wave-secret", "client_secret_file: "+path, 1)
	}
	tests := []struct {
		name, text string
		mode       os.FileMode
		want       string // of the secret
		refusal    string
	}{
		{"one newline is cut", "canary-from-file\n", 0o600, "canary-from-file", ""},
		{"only one newline is cut", "canary-from-file\n\n", 0o640, "canary-from-file\n", "begins or ends with space"},
		{"an empty file", "\n", 0o600, "", "is empty"},
		{"a file for everyone", "canary-from-file", 0o644, "", "can be read by everyone (mode 0644)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := write(t, "secret", tt.text, tt.mode)
			cfg, _, err := config.Load(config.Sources{File: write(t, "c.yaml", withFile(file), 0o600)})
			if tt.refusal != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refusal) || strings.Contains(err.Error(), "canary") {
					t.Fatalf("error = %v, want %q", err, tt.refusal)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.Wave.ClientSecret.Reveal(); got != tt.want {
				t.Errorf("secret = %q, want %q", got, tt.want)
			}
		})
	}

	t.Run("both given", func(t *testing.T) {
		file := write(t, "secret", "canary-from-file", 0o600)
		_, _, err := config.Load(config.Sources{
			File: write(t, "c.yaml", withFile(file), 0o600),
			Env:  []string{"WAVEADMIN_WAVE_CLIENT_SECRET=canary-from-env"},
		})
		if err == nil || !strings.Contains(err.Error(), "is given as well as wave.client_secret (WAVEADMIN_WAVE_CLIENT_SECRET)") || strings.Contains(err.Error(), "canary") {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("no such file", func(t *testing.T) {
		_, _, err := config.Load(config.Sources{File: write(t, "c.yaml", withFile("/no/such"), 0o600)})
		if err == nil || !strings.Contains(err.Error(), "c.yaml:5:23: wave.client_secret_file: open /no/such") {
			t.Errorf("error = %v", err)
		}
	})
}

// TestLoad_modeOfTheFile: a file with a secret in it is its owner's alone, whatever wins
// over the secret; one without may be read by everyone.
func TestLoad_modeOfTheFile(t *testing.T) {
	key2 := strings.Replace(key, "x8", "y8", 1)
	env := []string{
		"WAVEADMIN_WAVE_CLIENT_SECRET=canary-from-env", "WAVEADMIN_AUTH_CLIENT_SECRET=canary-from-env",
		"WAVEADMIN_SESSION_SECRET=" + key, "WAVEADMIN_DATABASE_URL=sqlite:data/x.db",
	}
	public := regexp.MustCompile(`(client_)?secret: \S+`).ReplaceAllString(complete, `${1}secret: ""`)
	secretFile := write(t, "secret", "canary-from-file", 0o640) // as Kubernetes mounts one
	database := func(url string) string { return public + "database: {url: '" + url + "'}\n" }
	tests := []struct {
		name, text string
		mode       os.FileMode
		held       string // what the refusal names; empty when the file is taken
	}{
		{"the owner's", complete, 0o600, ""},
		{"nobody writes", complete, 0o400, ""},
		{"for a group", complete, 0o640, "wave.client_secret, auth.client_secret, session.secret"},
		{"for a group that cannot write", complete, 0o440, "wave.client_secret, auth.client_secret, session.secret"},
		{"for all but the group", complete, 0o604, "wave.client_secret, auth.client_secret, session.secret"},
		{"for everyone", complete, 0o644, "wave.client_secret, auth.client_secret, session.secret"},
		{"without a secret for everyone", public, 0o644, ""},
		{"a secret in a file of its own", strings.Replace(public, `client_secret: ""`, "client_secret_file: "+secretFile, 1), 0o644, ""},
		{"a session key", strings.Replace(public, `  secret: ""`, "  secret: "+key2, 1), 0o640, "session.secret"},
		{"a former session key", public + "  previous_secrets: [" + key2 + "]\n", 0o644, "session.previous_secrets"},
		{"no former session key", public + "  previous_secrets: []\n", 0o644, ""},
		{"the database's password", database("postgres://u:canary-pw@h/d"), 0o644, "database.url"},
		{"the database's password as a parameter", database("postgres://h/d?user=u&password=canary-pw"), 0o644, "database.url"},
		{"the password of a key for the database", database("postgres://h/d?sslpassword=canary-pw"), 0o644, "database.url"},
		{"an address that cannot be read", database("postgres://u:canary%pw@h"), 0o644, "database.url"},
		{"a database without a password", database("postgres://u@h/d?sslmode=verify-full"), 0o644, ""},
		{"a database file", database("sqlite:data/wave.db"), 0o644, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := write(t, "c.yaml", tt.text, 0o600)
			if err := os.Chmod(file, tt.mode); err != nil { // past the umask
				t.Fatal(err)
			}
			from := env
			if strings.Contains(tt.text, secretFile) {
				from = env[1:]
			}
			_, _, err := config.Load(config.Sources{File: file, Env: from})
			if tt.held == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			want := fmt.Sprintf("the configuration has 1 problem:\n%s: holds %s and can be read by others than its owner (mode %#o): chmod 600 %s,", file, tt.held, tt.mode, file)
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("error = %v\nwant %s", err, want)
			}
			if err := os.Chmod(file, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, err := config.Load(config.Sources{File: file, Env: from}); err != nil {
				t.Errorf("after the chmod that it asks for: %v", err)
			}
		})
	}
}

// TestLoad_quotesNoSecret puts something wrong beside a secret, so that its line
// is quoted.
func TestLoad_quotesNoSecret(t *testing.T) {
	tests := []struct{ name, text, quoted string }{
		{"an unknown key behind it", "wave: {client_secret: canary-1, colour: blue}\n", "wave: {client_secret: [redacted]\n"},
		{"an unknown key before it", "wave: {colour: blue, client_secret: canary-1}\n", "wave: {colour: blue, client_secret: [redacted]\n      |        ^"},
		{"an unknown key below it", "wave:\n  client_secret: canary-1\n  colour: blue\n", "3 |   colour: blue\n      |   ^"},
		{"in quotes with an escape", `wave: {client_secret: "can\x61ry-1", colour: blue}` + "\n", "wave: {client_secret: [redacted]\n"},
		{"over two lines", "wave: {client_secret: \"x\n canary-1\", colour: blue}\n", "2 | [redacted]\n"},
		{"a block", "wave:\n  client_secret: |\n    canary-1\n    canary-2\n  colour: blue\n", "5 |   colour: blue\n      |   ^"},
		{"misspelt itself", "wave: {client_secrets: canary-1}\n", "wave: {client_secrets: [redacted]\n      |        ^"},
		{"one of a list", "session: {previous_secrets: [canary-1, {a: b}], colour: blue}\n", "previous_secrets: [[redacted]\n"},
		{"a mapping in its place", "session: {secret: {a: canary-1}}\n", "session: {secret: {[redacted]"},
		{"the password of a database", "database: {url: postgres://u:canary-1@h/d, colour: blue}\n", "database: {url: [redacted]\n"},
		{"broken behind it", "wave: {client_secret: canary-1, colour: [}\n", ""},
		{"broken below it", "wave:\n  client_secret: canary-1\n  colour: [\n", "colour: ["},
		{"broken by it", "wave:\n  client_secret: \"canary-1\n  colour: blue\n", ""},
		{"a block that breaks", "session:\n  secret: |\n    canary-1\n    canary-2\n bad\n", ""},
		{"in a text that is not closed", "log: {level: \"\nwave:\n  client_secret: canary-1\nx: \"}\n", "c.yaml:1:14: a text over several lines, perhaps for want of a quotation mark"},
		{"in a name that is not closed", "\"wave:\n  client_secret: canary-1\n\": 1\n", "1 | \"wave:\n"},
		{"in a block of another setting", "log:\n  level: |\n    client_secret: canary-1\n", "over several lines"},
		{"in a list", "auth: {scopes: [\"a\n  client_secret: canary-1\n\"]}\n", "over several lines"},
		{"with line ends of long ago", "wave: {client_secret: canary-1}\rlog: {colour: blue}\r", "c.yaml:2:7"},
		{"a colon too many", "session:\n  secret: canary-1: canary-2\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := config.Load(config.Sources{File: write(t, "c.yaml", tt.text, 0o600)})
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), `can\x61ry`) {
				t.Errorf("a secret is quoted:\n%v", err)
			}
			if !strings.Contains(err.Error(), tt.quoted) {
				t.Errorf("the line is not quoted as %q:\n%v", tt.quoted, err)
			}
		})
	}
}
