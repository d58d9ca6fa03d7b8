package idp_test

import (
	"net/url"
	"testing"
	"time"
)

func TestAuthorize_refuses(t *testing.T) {
	p := start(t)
	for _, pairs := range [][]string{{"client_id", "x"}, {"redirect_uri", redirectURI + "/"}, {"redirect_uri", "https://evil.example"}} {
		if resp := p.do("GET", p.authorize(pairs...), nil); resp.StatusCode != 400 || resp.Header.Get("Location") != "" {
			t.Errorf("%v: got %d to %q, want 400 here", pairs, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	tests := []struct {
		want  string
		pairs []string
	}{
		{"unsupported_response_type", []string{"response_type", "token"}},
		{"invalid_scope", []string{"scope", "email"}},
		{"invalid_request", []string{"code_challenge_method", "plain"}},
		{"invalid_request", []string{"code_challenge", ""}},
		{"login_required", []string{"prompt", "none"}},
	}
	for _, tt := range tests {
		if got := p.answer(p.do("GET", p.authorize(tt.pairs...), nil)); got.Get("error") != tt.want || got.Has("code") {
			t.Errorf("%v: got %v, want %s", tt.pairs, got, tt.want)
		}
	}
	if got := p.choose(""); got.Get("error") != "access_denied" {
		t.Errorf("cancel: got %v", got)
	}
}

func TestAuthorize_withoutAsking(t *testing.T) {
	p := start(t)
	p.choose("sam")
	p.after.Add(int64(5 * time.Minute))
	if got := p.answer(p.do("GET", p.authorize("prompt", "none", "max_age", "600"), nil)); !got.Has("code") {
		t.Errorf("got %v, want a code", got)
	}
	if got := p.answer(p.do("GET", p.authorize("prompt", "none", "max_age", "60"), nil)); got.Get("error") != "login_required" {
		t.Errorf("got %v, want login_required: the login is too old", got)
	}
	if resp := p.do("GET", p.authorize("prompt", "login"), nil); resp.StatusCode != 200 {
		t.Errorf("prompt=login: got %d, want the page", resp.StatusCode)
	}

	resp := p.do("GET", p.url+"/end_session?post_logout_redirect_uri="+url.QueryEscape("http://127.0.0.1:1/bye")+"&state=z", nil)
	if got := resp.Header.Get("Location"); got != "http://127.0.0.1:1/bye?state=z" {
		t.Errorf("after signing out: %q", got)
	}
	if got := p.answer(p.do("GET", p.authorize("prompt", "none"), nil)); got.Get("error") != "login_required" {
		t.Errorf("got %v, want login_required after signing out", got)
	}
	resp = p.do("GET", p.url+"/end_session?post_logout_redirect_uri=https%3A%2F%2Fevil.example", nil)
	if resp.StatusCode != 200 {
		t.Errorf("an unknown address: got %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
}
