package web

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
)

// TestPathValues: a value is decoded once, so that no two addresses mean the same
// account and none means another than it says.
func TestPathValues(t *testing.T) {
	tests := []struct {
		path string
		want string // empty for 404
	}{
		{"/r/r-1", "r-1"},
		{"/r/a%40b.example", "a@b.example"},
		{"/r/a@b.example", "a@b.example"},
		{"/r/%E6%9D%B1%E4%BA%AC", "東京"},
		{"/r/a%20b", "a b"},
		{"/r/a+b", "a+b"},
		{"/r/a%2Bb", "a+b"},
		{"/r/50%25", "50%"},
		{"/r/a%252Fb", "a%2Fb"},
		{"/r/a%25252Fb", "a%252Fb"},
		{"/r/..a", "..a"},
		{"/r/%252e%252e", "%2e%2e"},
		{"/r/a%2Fb", ""},
		{"/r/a%2fb", ""},
		{"/r/a/b", ""},
		{"/r/a%5Cb", ""},
		{"/r/.", ""},
		{"/r/..", ""},
		{"/r/%2e%2e", ""},
		{"/r/%2E", ""},
		{"/r/.%2e", ""},
		{"/r/", ""},
		{"/r//", ""},
		{"/r/a%00", ""},
		{"/r/a%0Ab", ""},
		{"/r/a%7F", ""},
		{"/r/a%FF", ""},
		{"/r/a%E2%80%AEb", ""}, // turns the reading direction
		{"/r/" + strings.Repeat("a", maxPathValue), strings.Repeat("a", maxPathValue)},
		{"/r/" + strings.Repeat("a", maxPathValue+1), ""},
		{"/%72/r-1", ""},
	}
	s := newTestSite(t, func(g groups) {
		g.viewer.get("/r/{userID}", func(w http.ResponseWriter, r *http.Request) error {
			value := r.PathValue("userID")
			if again := chi.URLParam(r, "userID"); again != value {
				t.Errorf("chi.URLParam = %q, r.PathValue = %q", again, value)
			}
			_, err := io.WriteString(w, value)
			return err
		})
	})
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			r := request("GET", "/", "As: viewer")
			r.URL = mustParse(publicURL + tt.path)
			w := s.do(r)
			if tt.want == "" {
				if w.Code != 404 {
					t.Errorf("answer = %d %q, want 404", w.Code, w.Body)
				}
				return
			}
			if w.Code != 200 || w.Body.String() != tt.want {
				t.Errorf("answer = %d %q, want %q", w.Code, w.Body, tt.want)
			}
		})
	}
}
