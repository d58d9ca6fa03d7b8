package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"waveadmin/internal/fault"
)

// routeOnEscapedPath makes chi match the path as it was sent. By itself chi
// takes RawPath or Path, whichever is set, and so gives one and the same value
// for %2F and %252F.
func routeOnEscapedPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chi.RouteContext(r.Context()).RoutePath = r.URL.EscapedPath()
		next.ServeHTTP(w, r)
	})
}

// decodePathValues decodes the values of the matched route, once: a handler
// reads them with r.PathValue. A value that could be taken for something else
// than a name is NotFound.
func decodePathValues(r *http.Request) error {
	params := &chi.RouteContext(r.Context()).URLParams
	for i, name := range params.Keys {
		if name == "*" {
			continue
		}
		value, err := pathValue(params.Values[i])
		if err != nil {
			return fault.New(fault.NotFound, err)
		}
		params.Values[i] = value
		r.SetPathValue(name, value)
	}
	return nil
}

const maxPathValue = 256 // bytes

var errPathValue = errors.New("a path value that is no name")

func pathValue(escaped string) (string, error) {
	value, err := url.PathUnescape(escaped)
	if err != nil {
		return "", err
	}
	odd := func(c rune) bool { return c == '/' || c == '\\' || !unicode.IsPrint(c) }
	if value == "" || value == "." || value == ".." || len(value) > maxPathValue ||
		!utf8.ValidString(value) || strings.ContainsFunc(value, odd) {
		return "", errPathValue
	}
	return value, nil
}
