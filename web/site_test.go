package web

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/views"
)

const (
	publicURL = "https://wave.example.com"
	public    = "wave.example.com"
)

var jst = time.FixedZone("JST", 9*60*60)

// testSite is the whole chain around handlers of a test.
type testSite struct {
	t       *testing.T
	handler http.Handler
	log     *bytes.Buffer
}

// newTestSite serves what register adds. Who asks stands in the header As:
// nobody without it, else a person with that role.
func newTestSite(t *testing.T, register func(groups), options ...func(*Deps)) *testSite {
	t.Helper()
	log := new(bytes.Buffer)
	d := Deps{
		Log:             slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		PublicURL:       mustParse(publicURL),
		DefaultLanguage: "ja",
		Zone:            jst,
		Load:            loadAs,
		ActorNow:        func(r *http.Request) (auth.Actor, error) { return auth.ActorFrom(r.Context()), nil },
		Ready:           func(context.Context) error { return nil },
		Metrics:         NewMetrics(),
	}
	for _, option := range options {
		option(&d)
	}
	return &testSite{t: t, handler: newSite(d).handler(register), log: log}
}

func mustParse(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func loadAs(next http.Handler) http.Handler {
	roles := map[string]auth.Role{"none": auth.NoRole, "viewer": auth.Viewer, "editor": auth.Editor}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := r.Header.Get("As"); name != "" {
			actor := auth.Actor{Issuer: "https://id.example", Subject: name, Role: roles[name]}
			r = r.WithContext(auth.WithActor(r.Context(), actor))
		}
		next.ServeHTTP(w, r)
	})
}

// request returns one as a browser sends it from a page of ours, changed by
// headers: "Name: value", or "Name:" to leave a header out.
func request(method, target string, headers ...string) *http.Request {
	body := ""
	if !safe(method) {
		body = "a=b"
	}
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = public
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "en")
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if value = strings.TrimSpace(value); value == "" {
			r.Header.Del(name)
		} else if name == "Host" {
			r.Host = value
		} else {
			r.Header.Set(name, value)
		}
	}
	return r
}

func (s *testSite) do(r *http.Request) *httptest.ResponseRecorder {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// everyGroup registers one page and one write at each level of access.
func everyGroup(g groups) {
	g.anyone.get("/open", ok)
	g.anyone.post("/open", ok)
	g.viewer.get("/page", ok)
	g.viewer.post("/refresh", ok)
	g.editor.get("/form", ok)
	g.editor.post("/form", ok)
}

func ok(w http.ResponseWriter, _ *http.Request) error {
	_, err := io.WriteString(w, "ok")
	return err
}

// fails returns a handler that fails with err.
func fails(err error) handlerFunc {
	return func(http.ResponseWriter, *http.Request) error { return err }
}

// page is a real page, with scripts.
func page(w http.ResponseWriter, r *http.Request) error {
	return views.Render(w, r, http.StatusOK, views.ErrorPage(views.ErrorProps{Title: "a page"}))
}
