package handlers

import (
	"context"
	"net/http"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// PresetStore is the part of preset.Store that the pages of presets need.
type PresetStore interface {
	Book
	Versions(ctx context.Context, id string, limit int) ([]*preset.Preset, error)
	Version(ctx context.Context, id string, version int) (*preset.Preset, error)
	Save(ctx context.Context, by auth.Actor, edits ...preset.Edit) ([]*preset.Preset, error)
	Delete(ctx context.Context, by auth.Actor, id string, seen int) error
	ChooseForNew(ctx context.Context, by auth.Actor, id string) error
	Assign(ctx context.Context, by auth.Actor, id string, accounts []wave.UserID) (int, error)
	Unassign(ctx context.Context, by auth.Actor, id string, accounts []wave.UserID) (int, error)
}

// Book is what pages need of presets.
type Book interface{ Book() *preset.Book }

// Presets serves the pages of presets. None of them writes to Wave. They stand while
// the accounts cannot be read, without what differs.
type Presets struct {
	Directory Directory
	Store     PresetStore
	Views     CarriedViews // in their files
	Exports   ExportRecorder
}

// List answers GET /presets.
func (h *Presets) List(w http.ResponseWriter, r *http.Request) error {
	book, snapshot := h.Store.Book(), h.snapshot(r.Context())
	p := views.PresetsProps{Notice: saidNotice(w, r)}
	for _, one := range book.All() {
		p.Rows = append(p.Rows, presetSum(r.Context(), book, one, snapshot))
	}
	return views.Render(w, r, http.StatusOK, views.PresetsPage(p))
}

// snapshot returns the accounts, or nil when they cannot be had.
func (h *Presets) snapshot(ctx context.Context) *reseller.Snapshot {
	snapshot, err := h.Directory.Current(ctx)
	if err != nil {
		return h.Directory.Last()
	}
	return snapshot
}

// presetSum describes a preset with the accounts that follow it. Without a snapshot
// it is not known how many differ.
func presetSum(ctx context.Context, book *preset.Book, p *preset.Preset, snapshot *reseller.Snapshot) views.PresetSum {
	ids := book.AccountsOf(p.ID)
	sum := views.PresetSum{
		ID: p.ID, Name: presetName(ctx, p), Note: p.Note, BuiltIn: p.ID == preset.Defaults, ForNew: book.ForNew().ID == p.ID,
		Version: p.Version, Accounts: len(ids), Changed: p.Changed, By: p.By.Display(), Uncertain: snapshot == nil,
	}
	for _, on := range p.Flags {
		if on {
			sum.On++
		} else {
			sum.Off++
		}
	}
	if snapshot == nil {
		return sum
	}
	for _, id := range ids {
		if account, ok := snapshot.Get(id); ok && p.DriftCount(account.Meta) > 0 {
			sum.Differ++
		}
	}
	return sum
}

// preset returns the preset that the address names, or fails with fault.NotFound.
func (h *Presets) preset(r *http.Request) (*preset.Book, *preset.Preset, error) {
	book := h.Store.Book()
	p := book.Get(r.PathValue("presetID"))
	if p == nil {
		return nil, nil, &fault.Error{Kind: fault.NotFound, Say: fault.Say("preset.gone")}
	}
	return book, p, nil
}

// frame describes a preset for any of its pages.
func (h *Presets) frame(w http.ResponseWriter, r *http.Request, book *preset.Book, p *preset.Preset) views.PresetProps {
	return views.PresetProps{PresetSum: presetSum(r.Context(), book, p, h.snapshot(r.Context())), Notice: saidNotice(w, r)}
}

// presetName is what a preset is called; the built-in one has its name from the
// catalogues.
func presetName(ctx context.Context, p *preset.Preset) string {
	if p.ID == preset.Defaults {
		return i18n.T(ctx, "preset.defaults")
	}
	return p.Name
}
