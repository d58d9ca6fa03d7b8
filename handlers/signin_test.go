package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/handlers"
	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
)

const endSession = "https://login.example.co.jp/end_session?client_id=wave&id_token_hint=x"

// fakeSignIn is a handlers.SignInService that answers what it is told.
type fakeSignIn struct {
	handlers.SignInService // a method that a test did not expect panics

	returnTo, next string
	err            error
	kept           string
	ended          []string // tokens
}

func (f *fakeSignIn) EndByProvider(_ context.Context, token string) error {
	f.ended = append(f.ended, token)
	return f.err
}

func (f *fakeSignIn) Callback(http.ResponseWriter, *http.Request) (string, error) {
	return f.returnTo, f.err
}

func (f *fakeSignIn) SignOut(http.ResponseWriter, *http.Request) (string, error) {
	return f.next, f.err
}

func (f *fakeSignIn) KeepNext(_ http.ResponseWriter, next string) { f.kept = next }

func (f *fakeSignIn) TakeNext(http.ResponseWriter, *http.Request) string {
	next := f.kept
	f.kept = ""
	return next
}

func (f *fakeSignIn) Begin(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusSeeOther)
	return f.err
}

// TestSignIn_asksFirst: with the setting, nobody who has no session goes to the provider
// unless they pressed the button here. Another site, or a page that is opened, cannot
// press it for them.
func TestSignIn_asksFirst(t *testing.T) {
	press := []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-User: ?1"}
	own := "Referer: https://wave.example.co.jp/auth/login"
	for _, tt := range []struct {
		name    string
		query   string
		headers []string
		person  string
		on      bool
		asks    bool
	}{
		{"a page was opened", "", press, "", true, true},
		{"the setting is off", "", nil, "", false, false},
		{"the button was pressed", "start=1", press, "", true, false},
		{"another site links behind the button", "start=1", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-User: ?1"}, "", true, true},
		{"a neighbour does", "start=1", []string{"Sec-Fetch-Site: same-site", "Sec-Fetch-User: ?1"}, "", true, true},
		{"a bookmark", "start=1", []string{"Sec-Fetch-Site: none", "Sec-Fetch-User: ?1"}, "", true, true},
		{"nobody pressed", "start=1", []string{"Sec-Fetch-Site: same-origin"}, "", true, true},
		{"two words for from where", "start=1", append([]string{"Sec-Fetch-Site: cross-site"}, press...), "", true, true},
		{"an older browser, from here", "start=1", []string{own}, "", true, false},
		{"an older browser, from elsewhere", "start=1", []string{"Referer: https://evil.example/"}, "", true, true},
		{"an older browser, from nowhere", "start=1", nil, "", true, true},
		{"another number", "start=2", press, "", true, true},
		{"a page came by itself, whatever the setting", "ask=1", nil, "", false, true},
		{"and seems to have pressed", "ask=1&start=1", nil, "", false, true},
		{"signed in, to prove it again", "step_up=1", press, "misaki", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &handlers.SignIn{Auth: new(fakeSignIn), AskFirst: tt.on}
			r := httptest.NewRequest("GET", "https://wave.example.co.jp/auth/login?return_to=%2Fa%3Fb%3Dc&"+tt.query, nil)
			for _, header := range tt.headers {
				name, value, _ := strings.Cut(header, ": ")
				r.Header.Add(name, value)
			}
			w := httptest.NewRecorder()
			if err := h.Begin(w, r.WithContext(auth.WithActor(r.Context(), auth.Actor{Subject: tt.person}))); err != nil {
				t.Fatal(err)
			}
			if asks := w.Code == http.StatusOK; asks != tt.asks {
				t.Errorf("asks: %v, want %v", asks, tt.asks)
			}
			if link := `href="/auth/login?return_to=%2Fa%3Fb%3Dc&amp;start=1"`; tt.asks && !strings.Contains(w.Body.String(), link) {
				t.Errorf("no button leads on in\n%s", w.Body)
			}
		})
	}
}

func TestSignIn_Callback(t *testing.T) {
	f := &fakeSignIn{returnTo: "/resellers?q=x"}
	h := &handlers.SignIn{Auth: f}
	w := httptest.NewRecorder()
	if err := h.Callback(w, httptest.NewRequest("GET", "/auth/callback", nil)); err != nil {
		t.Fatal(err)
	}
	if got := w.Header().Get("Location"); w.Code != 303 || got != "/resellers?q=x" {
		t.Errorf("got %d to %q, want 303 to where it began", w.Code, got)
	}

	f.err = fault.New(fault.Invalid, errors.New("state"))
	w = httptest.NewRecorder()
	if err := h.Callback(w, httptest.NewRequest("GET", "/auth/callback", nil)); !fault.Is(err, fault.Invalid) || w.Header().Get("Location") != "" {
		t.Errorf("err = %v, to %q, want the fault and no redirect", err, w.Header().Get("Location"))
	}
}

// TestSignIn_SignOut: a plain form never gets a redirect to another origin,
// which the browser would block and leave the person on a dead page.
func TestSignIn_SignOut(t *testing.T) {
	tests := []struct {
		name, next string
		htmx       bool
		status     int
		header, to string
		kept       string
	}{
		{"htmx goes to the provider", endSession, true, 204, "HX-Redirect", endSession, ""},
		{"a form stays here", endSession, false, 303, "Location", "/auth/signed-out", endSession},
		{"htmx without a provider", "", true, 204, "HX-Redirect", "/auth/signed-out", ""},
		{"a form without a provider", "", false, 303, "Location", "/auth/signed-out", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeSignIn{next: tt.next}
			r := httptest.NewRequest("POST", "/auth/logout", nil)
			if tt.htmx {
				r.Header.Set("HX-Request", "true")
			}
			w := httptest.NewRecorder()
			if err := (&handlers.SignIn{Auth: f}).SignOut(w, r); err != nil {
				t.Fatal(err)
			}
			if got := w.Header().Get("Clear-Site-Data"); got != `"storage"` {
				t.Errorf("Clear-Site-Data = %s", got)
			}
			if w.Code != tt.status || w.Header().Get(tt.header) != tt.to || f.kept != tt.kept {
				t.Errorf("got %d %v, kept %q", w.Code, w.Header(), f.kept)
			}
		})
	}
}

func TestSignIn_SignedOut(t *testing.T) {
	h := &handlers.SignIn{Auth: &fakeSignIn{kept: endSession}}
	for _, want := range []int{1, 0} { // the link is offered once
		w := httptest.NewRecorder()
		if err := h.SignedOut(w, httptest.NewRequest("GET", "/auth/signed-out?provider=https://evil.example", nil)); err != nil {
			t.Fatal(err)
		}
		doc, err := goquery.NewDocumentFromReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.Find(`a[href="` + endSession + `"]`).Length(); w.Code != 200 || got != want {
			t.Errorf("got %d with %d links to the provider, want %d", w.Code, got, want)
		}
		if doc.Find(`a[href*="evil"]`).Length() != 0 {
			t.Error("the address decides where the page leads")
		}
	}
}

// TestSignIn_EndByProvider: one token, in the form, and 400 whatever is wrong.
func TestSignIn_EndByProvider(t *testing.T) {
	tests := []struct {
		name, target, form string
		err                error
		status             int
		token              string
	}{
		{"good", "/", "logout_token=x", nil, 200, "x"},
		{"refused", "/", "logout_token=x", fault.New(fault.Invalid, nil), 400, "x"},
		{"the database is broken", "/", "logout_token=x", fault.New(fault.Internal, nil), 400, "x"},
		{"none", "/", "", fault.New(fault.Invalid, nil), 400, ""},
		{"two", "/", "logout_token=x&logout_token=y", fault.New(fault.Invalid, nil), 400, ""},
		{"in the address", "/?logout_token=x", "", fault.New(fault.Invalid, nil), 400, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeSignIn{err: tt.err}
			r := httptest.NewRequest("POST", tt.target, strings.NewReader(tt.form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if err := r.ParseForm(); err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			if err := (&handlers.SignIn{Auth: f}).EndByProvider(w, r); err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || len(f.ended) != 1 || f.ended[0] != tt.token {
				t.Errorf("got %d with the tokens %q, want %d with %q", w.Code, f.ended, tt.status, tt.token)
			}
		})
	}
}
