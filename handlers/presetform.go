package handlers

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// New answers GET /presets/new: an empty form, with copy=… what another preset says,
// or with from=…, an id or an email, all flags of an account.
func (h *Presets) New(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var content preset.Content
	var from string
	switch q := r.URL.Query(); {
	case q.Get("copy") != "":
		p := h.Store.Book().Get(q.Get("copy"))
		if p == nil {
			return &fault.Error{Kind: fault.NotFound, Say: fault.Say("preset.gone")}
		}
		content = p.Content()
		content.Name = cut(i18n.T(ctx, "preset.copy_name", "name", presetName(ctx, p)), preset.MaxName)
		from = i18n.T(ctx, "preset.from_preset", "name", presetName(ctx, p))
	case q.Get("from") != "":
		word := strings.TrimSpace(q.Get("from"))
		snapshot, err := h.Directory.CurrentWith(ctx, wave.UserID(word))
		if err != nil {
			return err
		}
		account, ok := accountNamed(snapshot, word)
		if !ok {
			return &fault.Error{Kind: fault.NotFound, Say: fault.Say("error.no_account")}
		}
		content.Flags = make(wave.Wanted, len(wave.Flags))
		for _, f := range wave.Flags {
			if account.Meta.State(f.Key) != wave.Odd { // which says neither
				content.Flags[f.Key] = account.Meta.On(f.Key)
			}
		}
		from = i18n.T(ctx, "preset.from_account", "account", account.Email)
	}
	form := presetForm(ctx, nil, content)
	form.From = from
	return views.Render(w, r, http.StatusOK, views.PresetNewPage(form))
}

// Create answers POST /presets.
func (h *Presets) Create(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	content, err := readPreset(r.PostForm, preset.Content{})
	if err != nil {
		return err
	}
	saved, err := h.Store.Save(r.Context(), auth.ActorFrom(r.Context()), preset.Edit{Content: content})
	if err != nil {
		return refusedPreset(r.Context(), err, presetForm(r.Context(), nil, content), views.PresetNewPage)
	}
	sayNext(w, r, "preset.done_created", 0)
	hx.Redirect(w, r, views.PresetURL(saved[0].ID))
	return nil
}

// Update answers POST /presets/{presetID}. What the person touched since the version
// that the form names is saved; when there is a newer one, the form comes back with
// both, for the person to look at and save again.
func (h *Presets) Update(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("presetID")
	seen := number(r.PostForm.Get("version"))
	base, err := h.Store.Version(ctx, id, seen)
	if err != nil {
		return err
	}
	mine, err := readPreset(r.PostForm, base.Content())
	if err != nil {
		return err
	}
	saved, err := h.Store.Save(ctx, auth.ActorFrom(ctx), preset.Edit{ID: id, Seen: seen, Content: mine})
	switch {
	case err == nil:
		say := "preset.done_saved"
		if saved[0].Version == seen {
			say = "preset.done_nothing"
		}
		sayNext(w, r, say, 0)
		hx.Redirect(w, r, views.PresetURL(id))
		return nil
	case fault.Is(err, fault.NotFound): // what was typed can still become a new one
		return refusedPreset(ctx, err, presetForm(ctx, nil, mine), views.PresetNewPage)
	}
	newest, getErr := h.Store.Versions(ctx, id, 1)
	if getErr != nil {
		return getErr
	}
	now := newest[0]
	form := presetForm(ctx, now, mine)
	if fault.Is(err, fault.Conflict) {
		form = presetForm(ctx, now, mergePreset(base.Content(), mine, now.Content()))
		form.Moved = &views.PresetMoved{
			Sentence: i18n.T(ctx, "preset.moved_by", "name", now.By.Display(), "time", i18n.Clock(ctx, now.Changed)),
			Lines:    presetDiff(ctx, base.Content(), now.Content()),
		}
	}
	page := h.frame(w, r, h.Store.Book(), now)
	page.Failed = true
	return refusedPreset(ctx, err, form, func(f views.PresetFormProps) templ.Component { return views.PresetPage(page, f) })
}

// refusedPreset answers with the form as it was sent, and what is wrong with it.
func refusedPreset(ctx context.Context, err error, form views.PresetFormProps, page func(views.PresetFormProps) templ.Component) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		form.Errors = fieldErrors(ctx, f)
	}
	return &FormError{Err: err, Form: func(failure *views.FailureProps) templ.Component {
		if len(form.Errors) == 0 && form.Moved == nil {
			form.Failure = failure
		}
		return page(form)
	}}
}

// readPreset reads the form over what the person saw. A flag that it does not bring
// stays as it was seen; one that the catalogue lacks, or another value, is refused.
func readPreset(form url.Values, seen preset.Content) (preset.Content, error) {
	c := preset.Content{Name: form.Get("name"), Note: form.Get("note"), Flags: maps.Clone(seen.Flags)}.Tidy()
	if c.Flags == nil {
		c.Flags = make(wave.Wanted)
	}
	for name, values := range form {
		flag, ok := strings.CutPrefix(name, "flag.")
		if !ok {
			continue
		}
		key := wave.Key(flag)
		if _, known := wave.Lookup(key); !known || len(values) > 1 {
			return c, oddField(name, values)
		}
		switch values[0] {
		case "on", "off":
			c.Flags[key] = values[0] == "on"
		case "none":
			delete(c.Flags, key)
		default:
			return c, oddField(name, values)
		}
	}
	return c, nil
}

// mergePreset lays what a person touched, from base to mine, over what is there now.
func mergePreset(base, mine, now preset.Content) preset.Content {
	out := preset.Content{Name: now.Name, Note: now.Note, Flags: maps.Clone(now.Flags)}
	if out.Flags == nil {
		out.Flags = make(wave.Wanted)
	}
	if mine.Name != base.Name {
		out.Name = mine.Name
	}
	if mine.Note != base.Note {
		out.Note = mine.Note
	}
	for _, key := range presetKeys(base.Flags, mine.Flags) {
		on, specified := mine.Flags[key]
		switch {
		case valueOf(base.Flags, key) == valueOf(mine.Flags, key):
		case specified:
			out.Flags[key] = on
		default:
			delete(out.Flags, key)
		}
	}
	return out
}

// presetKeys returns the flags that any of two sets names: those of the catalogue in
// its order, then the others by key.
func presetKeys(a, b wave.Wanted) []wave.Key {
	var keys, others []wave.Key
	for _, f := range wave.Flags {
		keys = append(keys, f.Key)
	}
	for _, flags := range []wave.Wanted{a, b} {
		for key := range flags {
			if _, known := wave.Lookup(key); !known && !slices.Contains(others, key) {
				others = append(others, key)
			}
		}
	}
	slices.Sort(others)
	return append(keys, others...)
}
