package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"waveadmin/static"
)

type requestIDKey struct{}

// RequestID returns the id of the request that ctx belongs to, which stands in
// its log lines, in its X-Request-Id header and on its error page; "" for none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Origin returns the id of the request that ctx belongs to and the address of
// its client, or nothing.
func Origin(ctx context.Context) (requestID, remoteAddress string) {
	return RequestID(ctx), middleware.GetClientIP(ctx)
}

// ClientAddress returns the address of the client of r, or nothing.
func ClientAddress(r *http.Request) string { return middleware.GetClientIP(r.Context()) }

// withRequestID gives the request an id of ours. One that the client sends is
// not looked at: it could be made to match another person's lines in the log.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:16] // 80 bits
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// LogHandler returns a handler that adds the request id of the context to what
// h logs, so that a line of any package can be traced to its request.
func LogHandler(h slog.Handler) slog.Handler { return idHandler{h} }

type idHandler struct{ slog.Handler }

func (h idHandler) Handle(ctx context.Context, rec slog.Record) error {
	if id := RequestID(ctx); id != "" {
		rec = rec.Clone()
		rec.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, rec)
}

func (h idHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return idHandler{h.Handler.WithAttrs(attrs)}
}

func (h idHandler) WithGroup(name string) slog.Handler {
	return idHandler{h.Handler.WithGroup(name)}
}

// clientAddress finds out who asks, for the log and the ration of sign-ins. With no trusted proxies
// the X-Forwarded- headers are whatever the client likes, and ignored.
func clientAddress(trustedProxies int) func(http.Handler) http.Handler {
	if trustedProxies < 1 {
		return middleware.ClientIPFromRemoteAddr
	}
	return middleware.ClientIPFromXFFTrustedProxies(trustedProxies)
}

// statusGone is what the log says of a request whose client left before it was
// answered; nginx has made the number known.
const statusGone = 499

// observe writes the access log and the metrics: one line a request, without
// query, cookies, bodies, user agent or referrer, since a query holds codes of
// the provider and words that people searched for. It is our own because
// httplog puts the whole URL into every message.
func (s *site) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() { // also after a panic that cuts the connection
			took := time.Since(start)
			status := statusFor(ww.Status(), r.Context().Err() != nil)
			route := chi.RouteContext(r.Context()).RoutePattern()
			if isStream(ww.Header()) {
				s.metrics.streamEnded(route, took)
			} else {
				s.metrics.observe(r.Method, route, status, took)
			}
			s.log.LogAttrs(r.Context(), accessLevel(r, route, status), "request",
				slog.String("request_id", RequestID(r.Context())),
				slog.String("method", r.Method),
				slog.String("path", r.URL.EscapedPath()),
				slog.String("route", route),
				slog.Int("status", status),
				slog.Int("bytes", ww.BytesWritten()),
				slog.Float64("ms", float64(took.Microseconds())/1000),
				slog.String("client", middleware.GetClientIP(r.Context())))
		}()
		next.ServeHTTP(ww, r)
	})
}

func statusFor(written int, gone bool) int {
	switch {
	case written != 0:
		return written
	case gone:
		return statusGone
	}
	return http.StatusOK // net/http answers for a handler that wrote nothing
}

// accessLevel keeps probes, static files and what pages do by themselves every few
// seconds out of the log at its usual level.
func accessLevel(r *http.Request, route string, status int) slog.Level {
	switch {
	case status >= 500:
		return slog.LevelError
	case status >= 400:
		return slog.LevelWarn
	case isProbe(r) || strings.HasPrefix(r.URL.Path, static.Prefix) || route == presencePath, route == progressPath:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
