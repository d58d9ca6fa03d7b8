package handlers

import (
	"net/http"

	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/views"
)

// Refresh asks Wave for newer data.
type Refresh struct {
	Directory Directory
}

// Now answers POST /refresh: it lists again and goes back to the page it came
// from. When Wave is away that page says so and shows what there was.
func (h *Refresh) Now(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	_, err := h.Directory.Refresh(r.Context())
	if err != nil && h.Directory.Status().AsOf.IsZero() && !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Busy) && !fault.Is(err, fault.Denied) {
		return err
	}
	hx.Redirect(w, r, views.LocalPath(r.PostFormValue("return_to")))
	return nil
}
