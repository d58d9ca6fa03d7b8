package auth_test

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/auth"
)

func goodConfig() auth.Config {
	return auth.Config{
		Issuer: "https://login.example.co.jp", ClientID: "wave", PublicURL: "https://wave-admin.example.co.jp",
		ViewerGroups: []string{"v"}, EditorGroups: []string{"e"}, SessionSecret: bytes.Repeat([]byte{7}, 32),
	}
}

func TestNew_refuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*auth.Config)
		want   string
	}{
		{"plain http", func(c *auth.Config) { c.PublicURL = "http://wave-admin.example.co.jp" }, "public URL"},
		{"no public URL", func(c *auth.Config) { c.PublicURL = "" }, "public URL"},
		{"a plain issuer", func(c *auth.Config) { c.Issuer = "http://login.example.co.jp" }, "issuer"},
		{"a host that only looks like loopback", func(c *auth.Config) { c.Issuer = "http://localhost.example.co.jp" }, "issuer"},
		{"no issuer", func(c *auth.Config) { c.Issuer = "" }, "issuer"},
		{"no client", func(c *auth.Config) { c.ClientID = "" }, "client id"},
		{"scopes without openid", func(c *auth.Config) { c.Scopes = []string{"email"} }, "openid"},
		{"an empty viewer group", func(c *auth.Config) { c.ViewerGroups = []string{"v", ""} }, "without a name"},
		{"an empty editor group", func(c *auth.Config) { c.EditorGroups = []string{""} }, "without a name"},
		{"no signature", func(c *auth.Config) { c.SigningAlgs = []string{"none"} }, "none"},
		{"our own secret as key", func(c *auth.Config) { c.SigningAlgs = []string{"RS256", "HS256"} }, "HS256"},
		{"a short secret", func(c *auth.Config) { c.SessionSecret = make([]byte, 31) }, "secret 1"},
		{"a short previous secret", func(c *auth.Config) { c.PreviousSecrets = [][]byte{nil} }, "secret 2"},
		{"sessions shorter than the writes", func(c *auth.Config) { c.Idle = time.Minute }, "session times"},
		{"idle above absolute", func(c *auth.Config) { c.Idle = 9 * time.Hour }, "session times"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := goodConfig()
			tt.change(&cfg)
			_, err := auth.New(cfg, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one about %q", err, tt.want)
			}
		})
	}
	if _, err := auth.New(goodConfig(), nil); err != nil {
		t.Errorf("a good configuration: %v", err)
	}
}

// TestCookies_overTLS: the names and attributes that browsers hold us to.
func TestCookies_overTLS(t *testing.T) {
	s := newSite(t, func(c *auth.Config) {
		c.PublicURL, c.RedirectURL = "https://wave-admin.example.co.jp", c.PublicURL+"/auth/callback"
	})
	begin := httptest.NewRecorder()
	if err := s.Begin(begin, httptest.NewRequest("GET", "/auth/login", nil)); err != nil {
		t.Fatal(err)
	}
	login := begin.Result().Cookies()[0]

	resp, err := s.browser(t).Get(begin.Header().Get("Location")) // the provider; it comes back without the cookie
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	r := httptest.NewRequest("GET", resp.Request.URL.RequestURI(), nil)
	r.AddCookie(login)
	end := httptest.NewRecorder()
	if _, err := s.Callback(end, r); err != nil {
		t.Fatal(err)
	}

	cookies := end.Result().Cookies()
	if len(cookies) != 2 || cookies[0].Name != login.Name || cookies[0].MaxAge >= 0 {
		t.Fatalf("cookies = %v, want the login cookie deleted and the session's set", cookies)
	}
	if got := cookies[1].Name; got != "__Host-waveadmin" {
		t.Errorf("session cookie is %q", got)
	}
	if !strings.HasPrefix(login.Name, "__Host-waveadmin-l-") || login.MaxAge != 600 {
		t.Errorf("login cookie = %v", login)
	}
	for _, c := range append(cookies, login) {
		if raw := c.String(); !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || !strings.Contains(raw, "SameSite=Lax") {
			t.Errorf("cookie = %s", raw)
		}
	}
}
