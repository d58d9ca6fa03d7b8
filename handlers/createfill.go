package handlers

import (
	"context"
	"net/http"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// createForm is the form for a new account as it was sent.
type createForm struct {
	reseller.Creation
	touched wave.Wanted // flags as the form has them; nil for a form that brings none

	preset string // that the account is to follow; empty for none
	copyOf string // the account whose functions it is to begin with, as it was typed
	change string // the change that the form was filled in from

	told                       bool   // the form says what its functions were filled in from
	filledPreset, filledCopyOf string // from which they were
}

// stale reports whether the form names another preset or account than the one that its
// functions were filled in from.
func (f createForm) stale() bool {
	return f.told && (f.preset != f.filledPreset || f.copyOf != f.filledCopyOf)
}

// readCreateForm reads the form. It fails with fault.Invalid for flags that no form of
// ours sends.
func readCreateForm(r *http.Request) (createForm, error) {
	if err := parseForm(r); err != nil {
		return createForm{}, err
	}
	meta, err := createMeta(r.PostForm)
	if err != nil {
		return createForm{}, err
	}
	input, notify := readInput(r)
	f := createForm{
		Creation: reseller.Creation{
			Actor: auth.ActorFrom(r.Context()), SubmitID: r.PostFormValue("submit_id"), Reason: trimmed(r, "reason"),
			NewReseller: wave.NewReseller{
				Email: trimmed(r, "email"), CompanyID: trimmed(r, "company_id"),
				Input: input, Notify: notify, Password: passwordOf(r, input), Meta: meta,
			},
		},
		preset: r.PostFormValue("preset"), copyOf: cut(trimmed(r, "copy"), maxText), change: r.PostFormValue("from_change"),
		told: r.PostForm.Has("filled_preset"), filledPreset: r.PostFormValue("filled_preset"), filledCopyOf: r.PostFormValue("filled_copy"),
		touched: make(wave.Wanted),
	}
	for _, flag := range wave.Flags {
		if r.PostForm.Has("flag." + string(flag.Key)) {
			f.touched[flag.Key] = meta.On(flag.Key)
		}
	}
	return f, nil
}

// fill returns the form with the functions that it names. Those that the form had
// otherwise than what it was filled in from are the person's, and stay. What cannot be
// filled in is said beside its field, and the functions stay as they are.
func (h *Creation) fill(r *http.Request, f createForm) (views.CreateProps, error) {
	ctx := r.Context()
	wrong := make(map[string]string)
	other, field, err := pick(r, h.Directory, f.copyOf, nil)
	switch {
	case err != nil:
		return views.CreateProps{}, err
	case field.Error != "":
		wrong["pick-copy"] = field.Error // which is the id of that field
	case other.UserID != "":
		f.copyOf = field.Value
	}
	if f.preset != "" && h.Presets.Book().Get(f.preset) == nil {
		wrong["preset"] = i18n.T(ctx, "stage.no_preset")
	}
	if len(wrong) > 0 {
		if f.touched == nil {
			f.Meta = wave.Defaults()
		}
		p := h.filledIn(ctx, f)
		p.Errors = wrong
		return p, nil
	}
	next, err := h.base(ctx, f.preset, f.copyOf, f.change)
	if err != nil {
		return views.CreateProps{}, err
	}
	if f.told {
		before, err := h.base(ctx, f.filledPreset, f.filledCopyOf, f.change)
		if err == nil { // else nobody knows any more what the person did
			for key, on := range f.touched {
				if on != before.On(key) {
					next = next.With(key, on)
				}
			}
		}
	}
	f.Meta, f.filledPreset, f.filledCopyOf = next, f.preset, f.copyOf
	return h.filledIn(ctx, f), nil
}

// base returns the functions that a new account begins with: those of the account to
// copy, else those of the preset over the defaults, else those of the change. Only what
// the catalogue has can be asked for of a new account.
func (h *Creation) base(ctx context.Context, presetID, copyOf, changeID string) (wave.Meta, error) {
	m := wave.Defaults()
	copied := func(from wave.Meta) wave.Meta {
		for _, f := range wave.Flags {
			if from.State(f.Key) != wave.Odd { // which says neither
				m = m.With(f.Key, from.On(f.Key))
			}
		}
		return m
	}
	switch {
	case copyOf != "":
		snapshot, err := h.Directory.Current(ctx)
		if err != nil {
			return m, err
		}
		found := meant(snapshot, copyOf)
		if len(found) != 1 {
			return m, &fault.Error{Kind: fault.NotFound, Say: fault.Say("error.no_account")}
		}
		return copied(found[0].Meta), nil
	case presetID != "":
		p := h.Presets.Book().Get(presetID)
		if p == nil {
			return m, &fault.Error{Kind: fault.NotFound, Say: fault.Say("stage.no_preset")}
		}
		for _, f := range wave.Flags {
			if on, ok := p.Flags[f.Key]; ok {
				m = m.With(f.Key, on)
			}
		}
	case changeID != "":
		c, err := h.Service.Change(ctx, changeID)
		if err != nil {
			return m, err
		}
		had := seedOf(c)
		if had == nil {
			return m, &fault.Error{Kind: fault.Invalid, Say: fault.Say("restore.no_flags")}
		}
		return copied(*had), nil
	}
	return m, nil
}

// filledIn is the form with everything but the password.
func (h *Creation) filledIn(ctx context.Context, f createForm) views.CreateProps {
	p := views.CreateProps{
		Email: f.Email, CompanyID: f.CompanyID, Input: f.Input, Notify: f.Notify, Reason: f.Reason, SubmitID: f.SubmitID,
		NeedReason: h.ReasonRequired, Min: h.Min, Max: h.Max, Groups: views.Grid(ctx, f.Meta, nil),
		Preset: f.preset, Copy: f.copyOf, FilledPreset: f.filledPreset, FilledCopy: f.filledCopyOf,
	}
	for _, preset := range h.Presets.Book().All() {
		p.Presets = append(p.Presets, views.PresetChoice{ID: preset.ID, Name: presetName(ctx, preset), Version: preset.Version})
		if preset.ID == f.filledPreset {
			p.PresetFlags = preset.Flags
		}
	}
	if f.change != "" {
		if c, err := h.Service.Change(ctx, f.change); err == nil {
			p.From = seedOfChange(c)
		}
	}
	h.companies(ctx, &p)
	return p
}

// seedOfChange says what the form was filled in from, with the functions that were on
// and that it does not offer; nil when c left none.
func seedOfChange(c change.Change) *views.SeedProps {
	had := seedOf(c)
	if had == nil {
		return nil
	}
	p := &views.SeedProps{ChangeID: c.ID, Email: c.Email, At: c.Created, URL: views.ChangeURL(c.ID, "")}
	for _, key := range had.Unknown() {
		if had.On(key) {
			p.Left = append(p.Left, string(key))
		}
	}
	return p
}
