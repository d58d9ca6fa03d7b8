package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"waveadmin/internal/sandbox/idp"
)

func TestSignOut_endsTheSessionEverywhere(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	cookie := b.cookies()["waveadmin"]

	_, next := b.open("/auth/logout")

	if b.cookies()["waveadmin"] != "" || s.rows(t, "sessions") != 0 {
		t.Error("the cookie or the row is left")
	}
	b.setCookie("waveadmin", cookie)
	if b.isSignedIn() {
		t.Error("a copy of the cookie still works")
	}
	u, err := url.Parse(next)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if !strings.HasPrefix(next, s.cfg.Issuer+"/end_session?") || q.Get("client_id") != "wave" ||
		q.Get("post_logout_redirect_uri") != s.url+"/auth/signed-out" || strings.Count(q.Get("id_token_hint"), ".") != 2 {
		t.Errorf("next = %q, want the provider's end_session with a hint", next)
	}
	if status, body := b.open("/auth/logout"); status != 200 || body != "" {
		t.Errorf("signing out again: got %d %q", status, body)
	}
}

func TestSignOut_whenTheProviderCannot(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	t.Run("it is down and was never seen", func(t *testing.T) {
		s.restart(t)
		if status, next := b.open("/auth/logout"); status != 200 || next != "" || b.isSignedIn() {
			t.Errorf("got %d %q, want to be signed out here", status, next)
		}
	})
	t.Run("it has no end_session", func(t *testing.T) {
		s.idp.Script(idp.Script{Discovery: func(doc map[string]any) { delete(doc, "end_session_endpoint") }})
		s.restart(t)
		b := s.signedIn(t)
		var kept string
		if err := s.db.Read().QueryRowContext(t.Context(), "SELECT id_token FROM sessions").Scan(&kept); err != nil || kept != "" {
			t.Errorf("id_token = %q (%v), want none to be kept", kept, err)
		}
		if status, next := b.open("/auth/logout"); status != 200 || next != "" || b.isSignedIn() {
			t.Errorf("got %d %q, want to be signed out here", status, next)
		}
	})
}

func TestNext_isKeptOnceAndSealed(t *testing.T) {
	s := newSite(t)
	const next = "https://login.example.co.jp/end_session?id_token_hint=secret"
	w := httptest.NewRecorder()
	s.KeepNext(w, next)
	cookie := w.Result().Cookies()[0]
	if strings.Contains(cookie.Value, "secret") || !cookie.HttpOnly || cookie.MaxAge != 300 {
		t.Errorf("cookie = %v", cookie)
	}
	r := httptest.NewRequest("GET", "/auth/signed-out", nil)
	r.AddCookie(cookie)
	w = httptest.NewRecorder()
	if got := s.TakeNext(w, r); got != next || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("got %q, want %q and the cookie gone", got, next)
	}
	r = httptest.NewRequest("GET", "/auth/signed-out", nil)
	r.AddCookie(&http.Cookie{Name: cookie.Name, Value: "aHR0cHM6Ly9ldmlsLmV4YW1wbGU"})
	if got := s.TakeNext(httptest.NewRecorder(), r); got != "" {
		t.Errorf("got %q from a cookie that is not ours", got)
	}
}
