package web

import (
	"crypto/rand"
	"net/http"

	"github.com/a-h/templ"
)

// The policy, around the nonce of one response. No script runs that a page of
// ours did not name, and none from data. Neither strict-dynamic nor htmx's
// inlineScriptNonce may join it: both make scripts in swapped fragments run.
const (
	policyBefore = "default-src 'none'; script-src 'nonce-"
	policyAfter  = "'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types default; report-to csp; report-uri " + reportPath
)

// fixedHeaders are the same on every response. No handler weakens them, but
// static files replace Cache-Control.
var fixedHeaders = []struct{ name, value string }{
	{"Cache-Control", "no-store"},
	{"Cross-Origin-Embedder-Policy", "require-corp"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), clipboard-write=(), " +
		"display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), hid=(), " +
		"identity-credentials-get=(), idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), " +
		"otp-credentials=(), payment=(), picture-in-picture=(), publickey-credentials-create=(), " +
		"publickey-credentials-get=(), screen-wake-lock=(), serial=(), storage-access=(), usb=(), " +
		"web-share=(), window-management=(), xr-spatial-tracking=()"},
	{"Referrer-Policy", "same-origin"},
	{"Reporting-Endpoints", `csp="` + reportPath + `"`},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
}

// headers sets the security headers of every response, and puts the nonce where
// templates find it: templ.GetNonce. Behind TLS browsers are told to stay there.
func headers(overTLS bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			for _, fixed := range fixedHeaders {
				h.Set(fixed.name, fixed.value)
			}
			nonce := rand.Text() // 130 bits
			h.Set("Content-Security-Policy", policyBefore+nonce+policyAfter)
			if overTLS {
				h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
			}
			next.ServeHTTP(w, r.WithContext(templ.WithNonce(r.Context(), nonce)))
		})
	}
}
