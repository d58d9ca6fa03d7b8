package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"waveadmin/handlers"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// TestEveryKindIsAnswered fails when a kind of fault is added without a status,
// or without a title and a sentence in both languages.
func TestEveryKindIsAnswered(t *testing.T) {
	for _, k := range fault.Kinds {
		a, sentence, title := describe(fault.New(k, nil))
		if a.status < 400 || http.StatusText(a.status) == "" {
			t.Errorf("%v has the status %d", k, a.status)
		}
		for _, lang := range i18n.Languages {
			for _, key := range []string{sentence.Key, title} {
				if !i18n.Has(lang, key) {
					t.Errorf("%s lacks %q", lang, key)
				}
			}
		}
	}
}

func TestRefusalsAndSentencesOfThisPackageExist(t *testing.T) {
	keys := []string{
		"error.method", "error.method.title", "error.host", "error.host.title", "error.ration", "error.ration.title",
		"error.cross_site", "error.in_flight", "error.forbidden_viewer", "error.forbidden_editor", "error.with_id",
	}
	for _, key := range keys {
		for _, lang := range i18n.Languages {
			if !i18n.Has(lang, key) {
				t.Errorf("%s lacks %q", lang, key)
			}
		}
	}
}

func TestFail_showsOneSentence(t *testing.T) {
	const secret = "token=abc123"
	cause := errors.New(secret)
	tests := []struct {
		name   string
		err    error
		status int
		says   string
		retry  string // of Retry-After
	}{
		{"an error of no kind", cause, 500, "Something went wrong on our side.", ""},
		{"a wrapped fault", fmt.Errorf("read: %w", fault.New(fault.NotFound, cause)), 404, "There is no such page or account.", ""},
		{"a fault with its own sentence", &fault.Error{Kind: fault.Forbidden, Say: fault.Say("error.forbidden_editor"), Err: cause}, 403, "You need the editor role to change this. Nothing was changed.", ""},
		{"invalid input", fault.New(fault.Invalid, cause), 422, "The request could not be read.", ""},
		{"a conflict", fault.New(fault.Conflict, cause), 409, "Someone else changed this meanwhile. Look again before saving.", ""},
		{"busy, with a time", &fault.Error{Kind: fault.Busy, RetryAfter: 1200 * time.Millisecond, Err: cause}, 503, "Wave is busy. Nothing was changed.", "2"},
		{"unavailable", fault.New(fault.Unavailable, cause), 503, "Wave is not responding. Nothing was changed.", ""},
		{"refused by Wave", fault.New(fault.Rejected, cause), 422, "Wave refused the request. Nothing was changed.", ""},
		{"uncertain", fault.New(fault.Uncertain, cause), 502, "Wave did not confirm the change.", ""},
		{"a body over the limit", fault.New(fault.Invalid, fmt.Errorf("%s: %w", secret, &http.MaxBytesError{Limit: 1})), 413, "The request is too large.", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSite(t, func(g groups) { g.viewer.post("/x", fails(tt.err)) })

			page := s.do(request("POST", "/x", "As: viewer"))
			if page.Code != tt.status {
				t.Errorf("status = %d, want %d", page.Code, tt.status)
			}
			if got := page.Header().Get("Retry-After"); got != tt.retry {
				t.Errorf("Retry-After = %q, want %q", got, tt.retry)
			}
			if !strings.Contains(page.Body.String(), tt.says) {
				t.Errorf("the page does not say %q:\n%s", tt.says, page.Body)
			}
			id := page.Header().Get("X-Request-Id")
			if !strings.Contains(page.Body.String(), id) {
				t.Errorf("the page lacks the request id %s", id)
			}
			if strings.Contains(page.Body.String(), secret) {
				t.Error("the page gives the cause away")
			}
			if n := strings.Count(s.log.String(), `msg="request failed"`); n != 1 {
				t.Errorf("logged %d times, want once:\n%s", n, s.log)
			}

			part := s.do(request("POST", "/x", "As: viewer", "HX-Request: true"))
			if part.Code != tt.status {
				t.Errorf("status under htmx = %d, want %d", part.Code, tt.status)
			}
			if part.Body.Len() > 0 || part.Header().Get("HX-Reswap") != "none" {
				t.Errorf("under htmx: body %q, HX-Reswap %q: the form would be swapped away", part.Body, part.Header().Get("HX-Reswap"))
			}
			toast := toastOf(t, part)
			if !strings.HasPrefix(toast, tt.says) {
				t.Errorf("toast = %q, want %q", toast, tt.says)
			}
			if hasID := strings.Contains(toast, part.Header().Get("X-Request-Id")); hasID != (tt.status >= 500) {
				t.Errorf("toast %q has the request id = %v with status %d", toast, hasID, tt.status)
			}
		})
	}
}

func toastOf(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var trigger struct {
		Toast struct{ Level, Message string }
	}
	if err := json.Unmarshal([]byte(w.Header().Get("HX-Trigger")), &trigger); err != nil {
		t.Fatalf("HX-Trigger: %v", err)
	}
	if trigger.Toast.Level != "error" {
		t.Errorf("level = %q, want error", trigger.Toast.Level)
	}
	return trigger.Toast.Message
}

func TestPanic_isAnsweredOnceAndLoggedWithItsStack(t *testing.T) {
	s := newTestSite(t, func(g groups) {
		g.viewer.get("/x", func(http.ResponseWriter, *http.Request) error { panic("a bug: hunter2") })
	})
	w := s.do(request("GET", "/x", "As: viewer"))
	if w.Code != 500 || !strings.Contains(w.Body.String(), "Something went wrong on our side.") {
		t.Errorf("answer = %d %s, want a 500 page", w.Code, w.Body)
	}
	if strings.Contains(w.Body.String(), "hunter2") {
		t.Error("the page gives the panic away")
	}
	for _, want := range []string{"hunter2", "errors_test.go", "status=500"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, s.log)
		}
	}
}

func TestPanic_cutsAResponseThatHasBegun(t *testing.T) {
	tests := []struct {
		name string
		h    handlerFunc
	}{
		{"after a part is written", func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half a page")
			panic("a bug")
		}},
		{"on purpose", func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSite(t, func(g groups) { g.viewer.get("/x", tt.h) })
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("recovered %v, want http.ErrAbortHandler for net/http", v)
				}
			}()
			s.do(request("GET", "/x", "As: viewer"))
			t.Error("the chain returned")
		})
	}
}

// TestFail_toNobody: a reader who left is not answered; that they left is no
// failure, but what else went wrong is.
func TestFail_toNobody(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		logged bool
	}{
		{"the call was given up with the reader", fault.New(fault.Unavailable, context.Canceled), false},
		{"the database is broken", errors.New("disk full"), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSite(t, func(g groups) { g.viewer.get("/x", fails(tt.err)) })
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			w := s.do(request("GET", "/x", "As: viewer").WithContext(ctx))

			if w.Body.Len() > 0 {
				t.Errorf("wrote %q to nobody", w.Body)
			}
			if got := strings.Contains(s.log.String(), `msg="request failed"`); got != tt.logged {
				t.Errorf("logged as a failure = %v, want %v", got, tt.logged)
			}
			if !strings.Contains(s.log.String(), "status=499") {
				t.Errorf("the access log does not say 499:\n%s", s.log)
			}
		})
	}
}

func TestUnroutable(t *testing.T) {
	s := newTestSite(t, everyGroup)
	tests := []struct {
		name, method, target string
		status               int
		allow, says          string
	}{
		{"an unknown address", "GET", "/nowhere", 404, "", "There is no such page"},
		{"a trailing slash", "GET", "/page/", 404, "", "There is no such page"},
		{"a write to a page", "POST", "/page", 405, "GET", "This address cannot be opened this way."},
		{"a read of a write", "GET", "/refresh", 405, "POST", "This address cannot be opened this way."},
		{"a method of HTTP", "DELETE", "/form", 405, "GET,POST", "This address cannot be opened this way."},
		{"a method that shows headers", "TRACE", "/form", 405, "GET,POST", "This address cannot be opened this way."},
		{"a method of nobody", "BREW", "/form", 405, "GET,POST", "This address cannot be opened this way."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.do(request(tt.method, tt.target, "As: viewer"))
			if w.Code != tt.status {
				t.Errorf("status = %d, want %d", w.Code, tt.status)
			}
			if got := strings.Join(w.Header().Values("Allow"), ","); got != tt.allow {
				t.Errorf("Allow = %q, want %q", got, tt.allow)
			}
			if !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("the page does not say %q:\n%s", tt.says, w.Body)
			}
		})
	}
}

// TestFail_withAForm: what the person typed comes back, with the sentence in it.
func TestFail_withAForm(t *testing.T) {
	tests := []struct {
		kind   fault.Kind
		status int
		hasID  bool
	}{
		{fault.Invalid, 422, false},
		{fault.Conflict, 409, false},
		{fault.Unavailable, 503, true},
	}
	for _, tt := range tests {
		t.Run(tt.kind.String(), func(t *testing.T) {
			var got views.FailureProps
			s := newTestSite(t, func(g groups) {
				g.editor.post("/x", fails(&handlers.FormError{
					Err: fault.New(tt.kind, errors.New("the cause")),
					Form: func(p *views.FailureProps) templ.Component {
						got = *p
						return templ.Raw("<form>as typed</form>")
					},
				}))
			})
			w := s.do(request("POST", "/x", "As: editor", "HX-Request: true"))

			if w.Code != tt.status || w.Body.String() != "<form>as typed</form>" {
				t.Errorf("answer = %d %q, want %d with the form", w.Code, w.Body, tt.status)
			}
			if h := w.Header(); h.Get("HX-Reswap") != "" || h.Get("HX-Trigger") != "" {
				t.Errorf("HX-Reswap %q, HX-Trigger %q: the form says it all", h.Get("HX-Reswap"), h.Get("HX-Trigger"))
			}
			want := views.FailureProps{Sentence: i18n.T(i18n.WithLang(t.Context(), "en"), "error."+tt.kind.String())}
			if tt.hasID {
				want.RequestID = w.Header().Get("X-Request-Id")
			}
			if got != want {
				t.Errorf("the form got %+v, want %+v", got, want)
			}
			if n := strings.Count(s.log.String(), "the cause"); n != 1 {
				t.Errorf("the cause was logged %d times, want once", n)
			}
		})
	}
}
