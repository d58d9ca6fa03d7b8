package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"waveadmin/internal/auth"
)

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkChain is what a request costs around its handler, which does nothing,
// with an access log that is written and thrown away.
func BenchmarkChain(b *testing.B) {
	d := Deps{
		Log:             slog.New(slog.NewJSONHandler(io.Discard, nil)),
		PublicURL:       mustParse(publicURL),
		DefaultLanguage: "ja",
		Zone:            jst,
		Ready:           func(context.Context) error { return nil },
		Metrics:         NewMetrics(),
		Load: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r.WithContext(auth.WithActor(r.Context(), auth.Actor{Subject: "a", Role: auth.Editor})))
			})
		},
	}
	h := newSite(d).handler(func(g groups) {
		g.viewer.get("/r/{userID}", func(http.ResponseWriter, *http.Request) error { return nil })
	})
	for name, headers := range map[string][]string{
		"by language of the browser": {"Accept-Language: ja,en-US;q=0.9,en;q=0.8"},
		"by cookie":                  {"Cookie: lang=en"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := request("GET", "/r/r-1?q=a", headers...)
			for b.Loop() {
				h.ServeHTTP(discard{make(http.Header, 16)}, r)
			}
		})
	}
}
