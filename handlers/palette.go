package handlers

import (
	"net/http"
	"strings"

	"waveadmin/internal/hx"
	"waveadmin/internal/reseller"
	"waveadmin/views"
)

// Palette serves the search over the whole tool.
type Palette struct {
	Directory Directory
}

// paletteRows is how many accounts the search lists.
const paletteRows = 8

// Find answers GET /palette?q=…: the accounts that match, or that they cannot be
// searched, with status 503. Without q it is what the search knows without asking. Who
// opens the address as a page comes to the table.
func (h *Palette) Find(w http.ResponseWriter, r *http.Request) error {
	text := cut(strings.TrimSpace(r.URL.Query().Get("q")), maxText)
	if !hx.WantsFragment(r) {
		hx.Redirect(w, r, views.ListQuery{Text: text}.URL())
		return nil
	}
	if text == "" {
		return views.Render(w, r, http.StatusOK, views.PalettePlaces())
	}
	p := views.PaletteProps{Text: text}
	snapshot, err := h.Directory.Current(r.Context())
	if err != nil {
		p.Failed = true
		return views.Render(w, r, http.StatusServiceUnavailable, views.PaletteAccounts(p))
	}
	found := snapshot.Find(reseller.Query{Text: text, Size: paletteRows}, nil)
	p.Rows, p.Total = found.Rows, found.Total
	if h.Directory.Status().Failed {
		p.Away = snapshot.AsOf()
	}
	return views.Render(w, r, http.StatusOK, views.PaletteAccounts(p))
}
