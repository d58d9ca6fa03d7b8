package app

import (
	"context"
	"database/sql"

	"waveadmin/internal/audit"
	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
)

// presetAudit is the audit log as the presets write it.
type presetAudit struct{ log *audit.Log }

// presetDetails is what an event keeps of a preset: what it says, or who follows it.
type presetDetails struct {
	Preset   string        `json:"preset"`
	Name     string        `json:"name,omitempty"`
	Version  int           `json:"version"`
	Note     string        `json:"note,omitempty"`
	Flags    wave.Wanted   `json:"flags,omitempty"`
	Accounts []wave.UserID `json:"accounts,omitempty"`
}

// Append implements preset.Appender.
func (a presetAudit) Append(ctx context.Context, tx *sql.Tx, e preset.Event) error {
	d := presetDetails{Preset: e.Preset.ID, Name: e.Preset.Name, Version: e.Preset.Version, Accounts: e.Accounts}
	switch e.Step {
	case preset.Created, preset.Changed, preset.Deleted:
		d.Note, d.Flags = e.Preset.Note, e.Preset.Flags
	}
	return a.log.Append(ctx, tx, audit.Event{Kind: audit.PresetKind(string(e.Step)), Actor: e.By, Details: d})
}
