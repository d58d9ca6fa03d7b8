// Package bench measures the program as a whole, side by side with the least
// that could do the same work. See docs/performance.md.
package bench

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"waveadmin/internal/wave"
)

// newFloor returns a bare server that answers every GET of /resellers with rows.
func newFloor(rows []wave.Reseller) http.Handler {
	r := chi.NewRouter()
	r.Get("/resellers", templ.Handler(floor(rows)).ServeHTTP)
	return r
}
