package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// A staging is what an address of an account's page asks to be staged. Saving it is an
// ordinary save.
type staging struct {
	undo, restore string  // changes
	preset        string  // the ID of one
	copyOf        string  // another account, as a person may name it
	only          *string // of that one only these flags, joined by commas; nil for all that differ
}

// stagingIn reads the parameters undo, restore, preset, copy and only. A page that
// offers rows to choose from repeats only, and brings it empty besides.
func stagingIn(query url.Values) staging {
	st := staging{
		undo: query.Get("undo"), restore: query.Get("restore"),
		preset: query.Get("preset"), copyOf: cut(strings.TrimSpace(query.Get("copy")), maxText),
	}
	if chosen, ok := query["only"]; ok {
		only := strings.Trim(strings.Join(chosen, ","), ",")
		st.only = &only
	}
	return st
}

// stagingOf reads what a form that is sent was staged from.
func stagingOf(form url.Values) staging {
	st := staging{
		undo: form.Get("undo_of"), restore: form.Get("restore_of"),
		preset: form.Get("from_preset"), copyOf: form.Get("from_copy"),
	}
	if form.Has("from_only") {
		only := form.Get("from_only")
		st.only = &only
	}
	return st
}

// mark names what a form was staged from, as the form itself does.
func (st staging) mark() string {
	return views.TakeBackProps{UndoOf: st.undo, RestoreOf: st.restore, Preset: st.preset, Copy: st.copyOf}.Mark()
}

// stage lays over the form what the address asks for, and returns the status of the
// page: a preset that is gone, or an account that nobody can tell, is said on it.
func (h *Account) stage(r *http.Request, page *views.AccountProps, form *views.PermFormProps) (int, error) {
	st := stagingIn(r.URL.Query())
	if st.copyOf != "" && auth.ActorFrom(r.Context()).MayModify() {
		id := form.Account.UserID
		other, field, err := pick(r, h.Directory, st.copyOf, func(other wave.UserID) string { return views.StageCopyURL(id, other) })
		if err != nil {
			return 0, err
		}
		if other.UserID == id {
			field.Error = i18n.T(r.Context(), "stage.copy_self")
		}
		if page.Copy = field; field.Error != "" {
			page.Failed = true
			return http.StatusUnprocessableEntity, nil
		}
		st.copyOf = string(other.UserID)
	}
	p, staged, err := h.panel(r.Context(), form.Account, st)
	if fault.Is(err, fault.NotFound) && st.preset != "" {
		page.Failed = true
		page.Notice = &views.NoticeProps{Level: "error", Sentence: i18n.T(r.Context(), "stage.no_preset")}
		return http.StatusNotFound, nil
	}
	if err != nil {
		return 0, err
	}
	if p != nil {
		form.TakeBack, form.Staged = p, staged
	}
	return http.StatusOK, nil
}

// panel returns what the form says of st above the grid, with what it stages, or
// nothing for a staging of nothing. It fails with fault.NotFound for a change, a
// preset or another account that there is none of, with fault.Invalid for an account
// that no change can be made to, and with fault.Forbidden.
func (h *Account) panel(ctx context.Context, account wave.Reseller, st staging) (*views.TakeBackProps, wave.Wanted, error) {
	if st.preset == "" && st.copyOf == "" {
		return h.takeBack(ctx, account.UserID, st.undo, st.restore)
	}
	if !auth.ActorFrom(ctx).MayModify() {
		return nil, nil, &fault.Error{Kind: fault.Forbidden, Say: fault.Say("error.forbidden_editor")}
	}
	if account.Flaw != wave.NoFlaw {
		return nil, nil, &fault.Error{Kind: fault.Invalid, Say: fault.Say("change.flawed")}
	}
	if st.preset != "" {
		return h.presetPanel(ctx, account, st.preset)
	}
	return h.copyPanel(ctx, account, st)
}

// presetPanel stages what a preset says and the account is otherwise. A flag that
// neither the catalogue nor the account has cannot be set.
func (h *Account) presetPanel(ctx context.Context, account wave.Reseller, id string) (*views.TakeBackProps, wave.Wanted, error) {
	preset := h.Presets.Book().Get(id)
	if preset == nil {
		return nil, nil, &fault.Error{Kind: fault.NotFound, Say: fault.Say("stage.no_preset")}
	}
	p := &views.TakeBackProps{
		Preset: id, Of: views.PresetURL(id), Look: i18n.T(ctx, "stage.look_preset"), Then: i18n.T(ctx, "follow.preset"),
		Title: i18n.T(ctx, "stage.preset", "name", presetName(ctx, preset), "version", preset.Version), Nothing: i18n.T(ctx, "stage.preset_nothing"),
	}
	staged := make(wave.Wanted)
	for _, m := range preset.Drift(account.Meta) {
		left := wave.CopyLeft("")
		if _, known := wave.Lookup(m.Key); !known && m.From == wave.Unset {
			left = wave.LeftMissing
		}
		stageFlag(ctx, p, staged, wave.Copied{Key: m.Key, There: m.To, Here: m.From, Left: left})
	}
	return p, staged, nil
}

// copyPanel stages the flags of another account, or the chosen ones of them.
func (h *Account) copyPanel(ctx context.Context, account wave.Reseller, st staging) (*views.TakeBackProps, wave.Wanted, error) {
	snapshot, err := h.Directory.Current(ctx)
	if err != nil {
		return nil, nil, err
	}
	other, ok := snapshot.Get(wave.UserID(st.copyOf))
	if !ok {
		return nil, nil, &fault.Error{Kind: fault.NotFound, Say: fault.Say("error.no_account")}
	}
	p := &views.TakeBackProps{
		Copy: st.copyOf, Only: st.only, Of: views.CompareURL(account.UserID, other.UserID), Look: i18n.T(ctx, "stage.compare"),
		Then:  i18n.T(ctx, "stage.there"),
		Title: i18n.T(ctx, "stage.copy", "email", other.Email), Nothing: i18n.T(ctx, "stage.copy_nothing"),
	}
	chosen := func(wave.Key) bool { return true }
	if st.only != nil {
		keys := make(map[wave.Key]bool)
		for _, key := range strings.Split(*st.only, ",") {
			keys[wave.Key(key)] = true
		}
		chosen = func(key wave.Key) bool { return keys[key] }
		p.Title = i18n.T(ctx, "stage.copy_chosen", "email", other.Email)
		if *st.only == "" {
			p.Nothing = i18n.T(ctx, "stage.none_chosen")
		}
	}
	staged := make(wave.Wanted)
	for _, c := range wave.Copy(other.Meta, account.Meta) {
		if chosen(c.Key) {
			stageFlag(ctx, p, staged, c)
		}
	}
	return p, staged, nil
}

// stageFlag adds a flag to the panel and, unless it is left, to what is staged.
func stageFlag(ctx context.Context, p *views.TakeBackProps, staged wave.Wanted, c wave.Copied) {
	row := views.TakeBackRow{Label: views.FlagLabel(ctx, c.Key), Then: c.There, Now: c.Here, Will: c.Here}
	if c.Left != "" {
		row.Stays, row.Why = true, i18n.T(ctx, "stays."+string(c.Left))
	} else {
		staged[c.Key] = c.There == wave.On
		row.Will = wave.StateOf(staged[c.Key])
		p.Staged++
	}
	p.Rows = append(p.Rows, row)
}
