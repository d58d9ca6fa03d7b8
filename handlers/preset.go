package handlers

import (
	"context"
	"net/http"

	"waveadmin/internal/auth"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Show answers GET /presets/{presetID}. With version=… an earlier version stands in
// the form, not yet saved.
func (h *Presets) Show(w http.ResponseWriter, r *http.Request) error {
	book, p, err := h.preset(r)
	if err != nil {
		return err
	}
	form := presetForm(r.Context(), p, p.Content())
	if version := number(r.URL.Query().Get("version")); version > 0 && version != p.Version && auth.ActorFrom(r.Context()).MayModify() {
		earlier, err := h.Store.Version(r.Context(), p.ID, version)
		if err != nil {
			return err
		}
		form = presetForm(r.Context(), p, earlier.Content())
		form.From = i18n.T(r.Context(), "preset.from_version", "version", version)
	}
	return views.Render(w, r, http.StatusOK, views.PresetPage(h.frame(w, r, book, p), form))
}

// presetForm is the form of p with content in it. P is nil for a new preset.
func presetForm(ctx context.Context, p *preset.Preset, content preset.Content) views.PresetFormProps {
	f := views.PresetFormProps{Name: content.Name, Note: content.Note, ReadOnly: !auth.ActorFrom(ctx).MayModify()}
	f.SavedName, f.SavedNote = f.Name, f.Note
	var saved wave.Wanted
	if p != nil {
		f.ID, f.Version, saved = p.ID, p.Version, p.Flags
		f.SavedName, f.SavedNote = p.Name, p.Note
		f.ReadOnly = f.ReadOnly || p.ID == preset.Defaults
	}
	lang := i18n.Lang(ctx)
	for _, g := range wave.Groups {
		group := views.PresetGroup{ID: g.ID, Label: g.Label.In(lang)}
		for _, flag := range g.Flags {
			one := views.PresetFlag{
				Key: flag.Key, Label: flag.Label.In(lang), Help: flag.Help.In(lang), Child: flag.Parent != "",
				Value: valueOf(content.Flags, flag.Key), Saved: valueOf(saved, flag.Key),
			}
			if p == nil { // nothing is saved yet, so nothing is otherwise
				one.Saved = one.Value
			}
			group.Flags = append(group.Flags, one)
		}
		f.Groups = append(f.Groups, group)
	}
	return f
}

// valueOf is what flags say of one: on, off or none.
func valueOf(flags wave.Wanted, key wave.Key) string {
	on, ok := flags[key]
	if !ok {
		return "none"
	}
	return wave.StateOf(on).String()
}

// shownVersions is how many versions the history shows.
const shownVersions = 100

// History answers GET /presets/{presetID}/versions.
func (h *Presets) History(w http.ResponseWriter, r *http.Request) error {
	book, p, err := h.preset(r)
	if err != nil {
		return err
	}
	all, err := h.Store.Versions(r.Context(), p.ID, shownVersions+1)
	if err != nil {
		return err
	}
	props := views.PresetVersionsProps{More: len(all) > shownVersions}
	for i, v := range all[:min(len(all), shownVersions)] {
		line := views.PresetVersion{Version: v.Version, At: v.Changed, By: v.By.Display()}
		if i+1 < len(all) {
			line.Lines = presetDiff(r.Context(), all[i+1].Content(), v.Content())
		} else {
			line.Lines = []string{i18n.T(r.Context(), "preset.version_first", "name", v.Name, "count", len(v.Flags))}
		}
		props.Versions = append(props.Versions, line)
	}
	return views.Render(w, r, http.StatusOK, views.PresetVersionsPage(h.frame(w, r, book, p), props))
}

// presetDiff says in sentences what is otherwise in after than in before.
func presetDiff(ctx context.Context, before, after preset.Content) (lines []string) {
	if before.Name != after.Name {
		lines = append(lines, i18n.T(ctx, "preset.diff_name", "from", before.Name, "to", after.Name))
	}
	if before.Note != after.Note {
		lines = append(lines, i18n.T(ctx, "preset.diff_note"))
	}
	for _, key := range presetKeys(before.Flags, after.Flags) {
		if from, to := valueOf(before.Flags, key), valueOf(after.Flags, key); from != to {
			lines = append(lines, i18n.T(ctx, "history.line", "label", views.FlagLabel(ctx, key),
				"from", views.PresetStateLabel(ctx, from), "to", views.PresetStateLabel(ctx, to)))
		}
	}
	return lines
}

// ChooseForNew answers POST /presets/{presetID}/for-new.
func (h *Presets) ChooseForNew(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := r.PathValue("presetID")
	if err := h.Store.ChooseForNew(r.Context(), auth.ActorFrom(r.Context()), id); err != nil {
		return err
	}
	sayNext(w, r, "preset.done_for_new", 0)
	hx.Redirect(w, r, views.PresetURL(id))
	return nil
}
