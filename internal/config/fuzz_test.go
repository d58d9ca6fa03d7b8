package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/config"
)

// FuzzLoad: no file makes the loader panic. Whatever stands before and behind the
// secrets of a file, none of them is in what is said about it or printed of it; and
// what was taken is printed as a file that is taken as the same.
func FuzzLoad(f *testing.F) {
	f.Add("", "")
	f.Add("log: {level: \"\n", "x: \"}\n")
	f.Add("", "wave: {client_secret: \"canary-\\x41\", x: 1}\n")
	f.Add("", "  previous_secrets: |\n    canary-1\n    canary-2\n bad")
	f.Add("a: *b\n<<: [1]\n? x\n", "log: {level: warn}\nui: {time_zone: Asia/Tokyo}\n")
	f.Add("database: {url: 'postgres://u:canary-1@h/d'}\n", "  idle: 5m\n")
	f.Add("- |\n  ", "\n... \n--- \n")
	f.Add("\r", "# x")
	example, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example), "")
	path := filepath.Join(f.TempDir(), "c.yaml")
	load := func(t *testing.T, text []byte, env ...string) (config.Config, config.Origins, error) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return config.Load(config.Sources{File: path, Env: env})
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		cfg, origins, err := load(t, []byte(before+complete+after))
		if err != nil {
			if text := err.Error(); text == "" || strings.Contains(text, "canary-wave-secret") || strings.Contains(text, "canary-auth-secret") || strings.Contains(text, key) {
				t.Errorf("it says\n%s", text)
			}
			return
		}
		var out bytes.Buffer
		if err := config.Print(&out, cfg, origins); err != nil {
			t.Fatal(err)
		}
		secrets := []string{cfg.Wave.ClientSecret.Reveal(), cfg.Auth.ClientSecret.Reveal(), cfg.Session.Secret.Reveal()}
		var previous []string
		for _, s := range cfg.Session.PreviousSecrets {
			previous = append(previous, s.Reveal())
		}
		for _, s := range append(secrets, previous...) {
			if strings.Contains(out.String(), s) {
				t.Errorf("a secret is in\n%s", out.String())
			}
		}
		again, _, err := load(
			t, out.Bytes(), "WAVEADMIN_WAVE_CLIENT_SECRET="+secrets[0], "WAVEADMIN_AUTH_CLIENT_SECRET="+secrets[1], "WAVEADMIN_SESSION_SECRET="+secrets[2],
			"WAVEADMIN_SESSION_PREVIOUS_SECRETS="+strings.Join(previous, ","), "WAVEADMIN_DATABASE_URL="+string(cfg.Database.URL),
		)
		// An empty list and none are the same setting.
		none := cmp.FilterValues(func(a, b []string) bool { return len(a)+len(b) == 0 }, cmp.Ignore())
		noSecrets := cmp.FilterValues(func(a, b []config.Secret) bool { return len(a)+len(b) == 0 }, cmp.Ignore())
		if diff := cmp.Diff(cfg, again, none, noSecrets); diff != "" || err != nil {
			t.Errorf("%s\nis taken as (-first +again) %s, %v", out.String(), diff, err)
		}
	})
}
