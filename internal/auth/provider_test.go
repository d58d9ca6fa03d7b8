package auth_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/sandbox/idp"
)

const discoveryPath = "/.well-known/openid-configuration"

func TestReady_comesWhenTheProviderDoes(t *testing.T) {
	s := newSite(t)
	s.idp.Script(at(discoveryPath, 503, `down for maintenance`))
	b := s.browser(t)

	if err := s.Ready(t.Context()); err == nil {
		t.Error("ready although the provider is down")
	}
	if status, body := b.open("/auth/login"); status != 503 || body != "signin.provider_down" {
		t.Errorf("sign-in answers %d %q, want 503", status, body)
	}
	if got := s.idp.Counts()[discoveryPath]; got != 1 {
		t.Errorf("asked %d times within a second, want once", got)
	}

	s.idp.Script(idp.Script{})
	s.clock.Add(time.Second)
	if status, body := b.open("/auth/login"); status != 200 {
		t.Errorf("sign-in answers %d %q once the provider is up", status, body)
	}
	s.idp.Script(at(discoveryPath, 503, ``))
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("a later outage makes it unready: %v", err)
	}
}

// TestReady_sharesOneDiscovery: many who wait cause one request, and one who
// leaves does not fail the others.
func TestReady_sharesOneDiscovery(t *testing.T) {
	s := newSite(t)
	arrived, answer := make(chan struct{}), make(chan struct{})
	s.idp.Script(idp.Script{Respond: func(http.ResponseWriter, *http.Request) bool {
		close(arrived) // a second request would panic
		<-answer
		return false
	}})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Ready(ctx); err == nil {
			t.Error("who left was told that all is well")
		}
	})
	<-arrived
	for range 5 {
		wg.Go(func() {
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	leave()
	close(answer)
	wg.Wait()
}

func TestDiscovery_refusesWhatIsNotTheProviders(t *testing.T) {
	set := func(name string, value any) func(map[string]any) {
		return func(doc map[string]any) { doc[name] = value }
	}
	tests := []struct {
		name  string
		alter func(map[string]any)
	}{
		{"another issuer", set("issuer", "https://evil.example")},
		{"keys elsewhere", set("jwks_uri", "https://evil.example/keys")},
		{"tokens elsewhere", set("token_endpoint", "https://evil.example/token")},
		{"tokens on another port", set("token_endpoint", "http://127.0.0.1:1/token")},
		{"authorization elsewhere", set("authorization_endpoint", "https://evil.example/")},
		{"userinfo elsewhere", set("userinfo_endpoint", "https://evil.example/")},
		{"end_session elsewhere", set("end_session_endpoint", "https://evil.example/")},
		{"plain http", set("token_endpoint", "http://login.example.co.jp/token")},
		{"a script", set("authorization_endpoint", "javascript:alert(1)")},
		{"no token endpoint", func(doc map[string]any) { delete(doc, "token_endpoint") }},
		{"no keys", func(doc map[string]any) { delete(doc, "jwks_uri") }},
		{"too much", set("x", strings.Repeat("x", 1<<20))},
	}
	s := newSite(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.clock.Add(time.Minute)
			s.idp.Script(idp.Script{Discovery: tt.alter})
			if status, body := s.browser(t).open("/auth/login"); status != 503 || !fault.Is(s.fault, fault.Unavailable) {
				t.Errorf("got %d %q, want 503", status, body)
			}
		})
	}
	t.Run("a redirect", func(t *testing.T) {
		s.clock.Add(time.Minute)
		s.idp.Script(at(discoveryPath, 302, ``))
		if err := s.Ready(t.Context()); err == nil || s.idp.Counts()["/elsewhere"] != 0 {
			t.Errorf("err = %v, want the redirect not to be followed", err)
		}
	})
}

func TestDiscovery_takesAllowedHosts(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.AllowedHosts = []string{"accounts.example.co.jp", "login.example.co.jp:8443"} })
	s.idp.Script(idp.Script{Discovery: func(doc map[string]any) {
		doc["userinfo_endpoint"] = "https://accounts.example.co.jp/userinfo"
		doc["end_session_endpoint"] = "https://login.example.co.jp:8443/end"
	}})
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestExchange_showsTheSecretAsTheProviderWants(t *testing.T) {
	for _, method := range []string{"client_secret_basic", "client_secret_post"} {
		t.Run(method, func(t *testing.T) {
			s := newSite(t)
			var basic bool
			s.idp.Script(idp.Script{
				Discovery: func(doc map[string]any) { doc["token_endpoint_auth_methods_supported"] = []string{method} },
				Respond: func(_ http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == "/token" {
						_, _, basic = r.BasicAuth()
					}
					return false
				},
			})
			if status, body := s.browser(t).open("/auth/login"); status != 200 || basic != (method == "client_secret_basic") {
				t.Errorf("got %d %q, in the header: %v", status, body, basic)
			}
		})
	}
}

// TestKeys_areFetchedAgainButNotForEverybody: a rotated key is found, and tokens
// with made-up keys do not make us call the provider without end.
func TestKeys_areFetchedAgainButNotForEverybody(t *testing.T) {
	s := newSite(t)
	s.signedIn(t)
	s.idp.RotateKey()
	s.signedIn(t)
	if got := s.idp.Counts()["/keys"]; got != 2 {
		t.Fatalf("keys were fetched %d times, want once for each key", got)
	}

	s.idp.Script(signing(func(sign *idp.Signing) { sign.Header["kid"] = "unknown" }))
	for range 10 {
		s.browser(t).open("/auth/login")
	}
	if got := s.idp.Counts()["/keys"]; got != 5 {
		t.Errorf("keys were fetched %d times, want 5", got)
	}

	s.idp.Script(idp.Script{})
	s.signedIn(t) // a known key needs no fetch
	s.idp.RotateKey()
	s.clock.Add(15 * time.Second)
	s.signedIn(t)
}
