package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// shows answers with the preferences that a page would be drawn with.
func shows(g groups) {
	g.anyone.get("/x", func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		p := views.PrefsFrom(ctx)
		_, err := fmt.Fprintf(w, "%s %q %q %v", i18n.Lang(ctx), p.Theme, p.Density, i18n.Zone(ctx))
		return err
	})
}

func TestPreferences(t *testing.T) {
	tests := []struct {
		name, accept, cookie, first string
		want                        string
	}{
		{"nothing", "", "", "ja", `ja "" "" JST`},
		{"nothing, with English as the default", "", "", "en", `en "" "" JST`},
		{"a browser in English", "en-GB,en;q=0.9", "", "ja", `en "" "" JST`},
		{"a browser in Japanese", "ja-JP", "", "en", `ja "" "" JST`},
		{"a browser that prefers French to English", "fr, en;q=0.5, ja;q=0.4", "", "ja", `en "" "" JST`},
		{"a browser in a language that we lack", "fr-FR", "", "ja", `ja "" "" JST`},
		{"the same, with English as the default", "fr-FR", "", "en", `en "" "" JST`},
		{"a header that is none", ";;q=;", "", "ja", `ja "" "" JST`},
		{"a header without end", strings.Repeat("en-", 100), "", "ja", `ja "" "" JST`},
		{"the cookie against the browser", "en", "__Host-lang=ja", "en", `ja "" "" JST`},
		{"a cookie that another host can set", "en", "lang=ja", "en", `en "" "" JST`},
		{"a cookie that is none", "en", "__Host-lang=xx", "ja", `en "" "" JST`},
		{"a dark and compact page", "", "__Host-theme=dark; __Host-density=compact", "ja", `ja "dark" "compact" JST`},
		{"the system's theme", "", "__Host-theme=auto; __Host-density=comfortable", "ja", `ja "" "" JST`},
		{"cookies with markup", "", `__Host-theme="><script>; __Host-density=x`, "ja", `ja "" "" JST`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSite(t, shows, func(d *Deps) { d.DefaultLanguage = tt.first })
			w := s.do(request("GET", "/x", "Accept-Language: "+tt.accept, "Cookie: "+tt.cookie))
			if got := w.Body.String(); got != tt.want {
				t.Errorf("the page is drawn with %s, want %s", got, tt.want)
			}
		})
	}
}

func TestSwitchPreferences(t *testing.T) {
	tests := []struct {
		name, target string
		location     string   // empty for no redirect
		cookies      []string // name=value, without the prefix
	}{
		{"a language", "/x?lang=en", "/x", []string{"lang=en"}},
		{"a language beside a search", "/x?q=%E6%9D%B1&lang=ja&page=2", "/x?page=2&q=%E6%9D%B1", []string{"lang=ja"}},
		{"a theme", "/x?theme=dark", "/x", []string{"theme=dark"}},
		{"the system's theme", "/x?theme=auto", "/x", []string{"theme=auto"}},
		{"a density", "/x?density=compact", "/x", []string{"density=compact"}},
		{"all at once", "/x?lang=en&theme=light&density=comfortable", "/x", []string{"lang=en", "theme=light", "density=comfortable"}},
		{"a language that we lack", "/x?lang=fr", "/x", nil},
		{"markup", "/x?theme=%3Cscript%3E", "/x", nil},
		{"another parameter", "/x?language=en", "", nil},
		{"an escaped path", "/r%2Fx?lang=en", "/r%2Fx", []string{"lang=en"}},
		{"a path that would be another host", "//evil.example/x?lang=en", "/evil.example/x", []string{"lang=en"}},
		{"the same with backslashes", "/\\evil.example/x?lang=en", "/%5Cevil.example/x", []string{"lang=en"}},
	}
	s := newTestSite(t, shows)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request("GET", "/")
			r.URL = mustParse(publicURL + tt.target)
			w := s.do(r)
			if got := w.Header().Get("Location"); got != tt.location {
				t.Errorf("Location = %q, want %q", got, tt.location)
			}
			if want := map[bool]int{true: 200, false: 303}[tt.location == ""]; w.Code != want {
				t.Errorf("status = %d, want %d", w.Code, want)
			}
			got := w.Result().Cookies()
			if len(got) != len(tt.cookies) {
				t.Fatalf("cookies = %v, want %v", got, tt.cookies)
			}
			for i, c := range got {
				if c.Name+"="+c.Value != "__Host-"+tt.cookies[i] {
					t.Errorf("cookie = %s=%s, want __Host-%s", c.Name, c.Value, tt.cookies[i])
				}
				if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 365*24*60*60 {
					t.Errorf("cookie = %v, want a year, HttpOnly, Secure, Lax", c)
				}
			}
		})
	}
}

func TestSwitchPreferences_onlyForAGet(t *testing.T) {
	s := newTestSite(t, everyGroup)
	w := s.do(request("POST", "/form?lang=en", "As: editor"))
	if w.Code != 200 || len(w.Result().Cookies()) > 0 {
		t.Errorf("POST = %d with %v, want 200 without cookies", w.Code, w.Result().Cookies())
	}
}

func TestSwitchPreferences_withoutTLS(t *testing.T) {
	s := newTestSite(t, shows, func(d *Deps) { d.PublicURL = mustParse("http://127.0.0.1:8080") })
	c := s.do(request("GET", "/x?lang=en", "Host: 127.0.0.1:8080")).Result().Cookies()
	if len(c) != 1 || c[0].Secure || c[0].Name != "lang" {
		t.Errorf("cookies = %v, want one that is not Secure: the browser would drop it", c)
	}
}

func TestRefusals_areInThePersonsLanguage(t *testing.T) {
	s := newTestSite(t, everyGroup)
	w := s.do(request("POST", "/form", "Sec-Fetch-Site: cross-site", "Cookie: __Host-lang=ja"))
	if want := "ほかのサイトからのリクエスト"; w.Code != 403 || !strings.Contains(w.Body.String(), want) {
		t.Errorf("answer = %d, want 403 with %q:\n%s", w.Code, want, w.Body)
	}
}
