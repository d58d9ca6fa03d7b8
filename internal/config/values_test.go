package config_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/config"
)

func TestValues_showEverySettingAndNoSecret(t *testing.T) {
	cfg := config.Default()
	cfg.Session.Secret = config.NewSecret("canary-1")
	cfg.Session.PreviousSecrets = []config.Secret{config.NewSecret("canary-2")}
	cfg.Database.URL = "postgres://me:canary-3@db/wave"
	cfg.Session.Idle = 90 * time.Minute
	text, err := json.Marshal(config.Values(cfg))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "canary") {
		t.Errorf("shows a secret: %s", text)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(config.Paths()) || got["session.idle"] != "1h30m" || got["session.secret"] != "[redacted]" || got["ui.conflict"] != "merge" {
		t.Errorf("got %s", text)
	}
}
