package handlers

import (
	"net/http"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/views"
)

// ConfirmDelete answers GET /presets/{presetID}/delete.
func (h *Presets) ConfirmDelete(w http.ResponseWriter, r *http.Request) error {
	book, p, err := h.preset(r)
	if err != nil {
		return err
	}
	return views.Render(w, r, http.StatusOK, views.PresetDeletePage(h.frame(w, r, book, p), h.deletion(r, book, p)))
}

// deletion says why p cannot be deleted, if it cannot.
func (h *Presets) deletion(r *http.Request, book *preset.Book, p *preset.Preset) (d views.PresetDeleteProps) {
	if p.ID == preset.Defaults {
		d.Blocked = append(d.Blocked, i18n.T(r.Context(), "preset.built_in"))
	}
	if n := len(book.AccountsOf(p.ID)); n > 0 {
		d.Blocked = append(d.Blocked, i18n.T(r.Context(), "preset.in_use", "count", n))
	}
	if book.ForNew().ID == p.ID {
		d.Blocked = append(d.Blocked, i18n.T(r.Context(), "preset.in_use_new"))
	}
	return d
}

// Delete answers POST /presets/{presetID}/delete.
func (h *Presets) Delete(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	book, p, err := h.preset(r)
	if err != nil {
		return err
	}
	err = h.Store.Delete(r.Context(), auth.ActorFrom(r.Context()), p.ID, number(r.PostForm.Get("version")))
	if err == nil {
		sayNext(w, r, "preset.done_deleted", 0)
		hx.Redirect(w, r, views.PresetsURL)
		return nil
	}
	if fault.Is(err, fault.NotFound) {
		return err
	}
	page, props := h.frame(w, r, book, p), h.deletion(r, book, p)
	page.Failed = true
	return &FormError{Err: err, Form: func(failure *views.FailureProps) templ.Component {
		props.Failure = failure
		if len(props.Blocked) > 0 { // they say it
			props.Failure = nil
		}
		return views.PresetDeletePage(page, props)
	}}
}
