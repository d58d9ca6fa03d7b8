package web

import (
	"log/slog"
	"net/http"
	"net/url"

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
