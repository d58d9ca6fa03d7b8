package web

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
)

// TestRefused_isToldOfWrites: of each that was refused for who asked or from
// where, once, and of nothing else.
func TestRefused_isToldOfWrites(t *testing.T) {
	var told []string
	s := newTestSite(t, func(g groups) {
		everyGroup(g)
		g.editor.post("/service", fails(fault.New(fault.Forbidden, nil)))
		g.editor.post("/wrong", fails(fault.New(fault.Invalid, nil)))
	}, func(d *Deps) {
		d.Refused = func(ctx context.Context, method, path string, status int) {
			told = append(told, fmt.Sprintf("%s %s %d %s", method, path, status, auth.ActorFrom(ctx).Subject))
		}
	})
	tests := []struct {
		name    string
		request *http.Request
		want    []string
	}{
		{"done", request("POST", "/form", "As: editor"), nil},
		{"by a viewer", request("POST", "/form", "As: viewer"), []string{"POST /form 403 viewer"}},
		{"by nobody", request("POST", "/form"), []string{"POST /form 401 "}},
		{"by nobody, with htmx", request("POST", "/form", "HX-Request: true"), []string{"POST /form 401 "}},
		{"by a service", request("POST", "/service", "As: editor"), []string{"POST /service 403 editor"}},
		{"from another site", request("POST", "/form", "As: editor", "Sec-Fetch-Site: cross-site"), []string{"POST /form 403 "}},
		{"for what is in it", request("POST", "/wrong", "As: editor"), nil},
		{"a page, by a viewer", request("GET", "/form", "As: viewer"), nil},
		{"a page, by nobody", request("GET", "/form"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			told = nil
			s.do(tt.request)
			if diff := cmp.Diff(tt.want, told); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
