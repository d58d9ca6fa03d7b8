package app

import (
	"strings"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
)

// TestNew_takesWhatConfigCheckTakes holds the bounds of config and those of the
// packages behind it together: each setting stands at the edge of what is
// accepted, and one step further it is refused before anything starts.
func TestNew_takesWhatConfigCheckTakes(t *testing.T) {
	tests := []struct {
		name         string
		edge, beyond func(*config.Config)
	}{
		{
			"the shortest idle time",
			func(c *config.Config) { c.Session.Idle = 2 * time.Minute },
			func(c *config.Config) { c.Session.Idle -= time.Nanosecond },
		},
		{
			"the shortest session",
			func(c *config.Config) { c.Session.Idle, c.Session.Absolute = 2*time.Minute, 2*time.Minute },
			func(c *config.Config) { c.Session.Absolute -= time.Nanosecond },
		},
		{
			"the longest session",
			func(c *config.Config) { c.Session.Idle, c.Session.Absolute = 24*time.Hour, 7*24*time.Hour },
			func(c *config.Config) { c.Session.Absolute += time.Nanosecond },
		},
		{
			"every signing algorithm",
			func(c *config.Config) {
				c.Auth.SigningAlgs = strings.Fields("RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA")
			},
			func(c *config.Config) { c.Auth.SigningAlgs = append(c.Auth.SigningAlgs, "HS256") },
		},
		{
			"the slowest rate, the shortest waits",
			func(c *config.Config) {
				c.Wave.RatePerSecond, c.Wave.Timeout, c.Wave.MaxSnapshotAge = 1, time.Second, time.Second
			},
			func(c *config.Config) { c.Wave.RatePerSecond = 0 },
		},
		{
			"every way to list accounts",
			func(c *config.Config) { c.Wave.ListMethod = "post" },
			func(c *config.Config) { c.Wave.ListMethod = "put" },
		},
		{
			"plain http on this machine",
			func(c *config.Config) { c.Auth.Issuer, c.Wave.BaseURL = "http://[::1]:1", "http://localhost:1/" },
			func(c *config.Config) { c.Auth.Issuer = "http://[::1%25lo]:1" },
		},
		{
			"a database in a file",
			func(*config.Config) {},
			func(c *config.Config) { c.Database.URL = "data/waveadmin.db" },
		},
		{
			"a database on a server",
			func(c *config.Config) { c.Database.URL = "postgres" },
			func(c *config.Config) { c.Database.URL = "postgres://wave@127.0.0.1:port/wave" },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := testConfig(t, "http://127.0.0.1:8080")
			tt.edge(&cfg)
			if cfg.Database.URL == "postgres" {
				cfg.Database.URL = config.DatabaseURL(dbtest.Postgres.Empty(t))
			}
			if err := cfg.Validate(); err != nil {
				t.Fatalf("config check refuses the edge: %v", err)
			}
			a, err := New(t.Context(), cfg, Options{})
			if err != nil {
				t.Fatalf("serve refuses what config check took: %v", err)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			tt.beyond(&cfg)
			if cfg.Validate() == nil {
				t.Error("config check takes what is beyond the edge")
			}
		})
	}
}
