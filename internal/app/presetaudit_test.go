package app_test

import (
	"testing"

	"waveadmin/internal/app"
	"waveadmin/internal/auth"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
)

// Each step with a preset is an event in the chain, with what it says or who follows it.
func TestAudit_ofPresets(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		s, cfg := start(t, e, new(logs))
		by := auth.Actor{Issuer: "idp", Subject: "1", Name: "田中", Role: auth.Editor}
		saved, err := s.Presets.Save(t.Context(), by, preset.Edit{Content: preset.Content{Name: "標準", Note: "既定", Flags: wave.Wanted{"invoice": true}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Presets.Assign(t.Context(), by, saved[0].ID, []wave.UserID{"acme"}); err != nil {
			t.Fatal(err)
		}
		_, events := export(t, cfg)
		byKind := make(map[string]event)
		for _, e := range events {
			byKind[e.Kind] = e
		}
		made, given := byKind["preset_created"], byKind["preset_assigned"]
		if flags, _ := made.Details["flags"].(map[string]any); made.ActorName != "田中" || made.Details["name"] != "標準" ||
			made.Details["note"] != "既定" || flags["invoice"] != true || made.Details["version"] != 1.0 {
			t.Errorf("created: %+v", made)
		}
		accounts, _ := given.Details["accounts"].([]any)
		if given.Details["preset"] != saved[0].ID || len(accounts) != 1 || accounts[0] != "acme" || given.Details["flags"] != nil {
			t.Errorf("assigned: %+v", given)
		}
		if report, err := app.VerifyAudit(t.Context(), cfg, nil); err != nil || !report.OK() {
			t.Errorf("verify: %+v, %v", report, err)
		}
	})
}
