package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"testing"

	"github.com/go-chi/chi/v5"
)

// Router returns the router of the whole site, to look at but not to serve with.
func Router() chi.Routes {
	d := Deps{
		Log: slog.New(slog.DiscardHandler), PublicURL: &url.URL{Scheme: "https", Host: "wave.example.com"}, DefaultLanguage: "ja",
		Load: func(next http.Handler) http.Handler { return next },
	}
	return newSite(d).handler(d.routes).(chi.Routes)
}

// NewPages returns the site's chain around pages that anyone may see.
func NewPages(t *testing.T, at *url.URL, pages map[string]http.HandlerFunc) http.Handler {
	t.Helper()
	return newTestSite(t, func(g groups) {
		for path, page := range pages {
			g.anyone.get(path, func(w http.ResponseWriter, r *http.Request) error {
				page(w, r)
				return nil
			})
		}
	}, func(d *Deps) { d.PublicURL, d.Log = at, slog.New(slog.DiscardHandler) }).handler
}
