package app

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
)

// TestCookies_areSecureBehindAProxy: the proxy ends the TLS, so a request does
// not show how the browser came, and the settings decide.
func TestCookies_areSecureBehindAProxy(t *testing.T) {
	var a *App
	var mu sync.Mutex
	seen := make(map[string]bool) // cookies by name: whether all were Secure
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.TLS = nil
		a.Handler().ServeHTTP(w, r)
		mu.Lock()
		defer mu.Unlock()
		for _, c := range (&http.Response{Header: w.Header()}).Cookies() {
			before, known := seen[c.Name]
			seen[c.Name] = c.Secure && (before || !known)
		}
	}))
	public := "https://" + proxy.Listener.Addr().String()
	wave := httptest.NewServer(sandbox.New(sandbox.Options{Accounts: 1, ListMethod: sandbox.ListByBoth}))
	defer wave.Close()
	provider := httptest.NewUnstartedServer(nil)
	cfg := DemoConfig(public, wave.URL, "http://"+provider.Listener.Addr().String(), t.TempDir())
	people := idp.New(idp.Options{
		Issuer: cfg.Auth.Issuer, ClientID: cfg.Auth.ClientID, ClientSecret: cfg.Auth.ClientSecret.Reveal(),
		RedirectURIs: []string{public + "/auth/callback"},
	})
	people.AutoChoose("misaki")
	provider.Config.Handler = people
	provider.Start()
	defer provider.Close()
	var err error
	if a, err = New(t.Context(), cfg, Options{}); err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	proxy.StartTLS()
	defer proxy.Close()

	client := proxy.Client()
	client.Jar, _ = cookiejar.New(nil)
	get := func(path string, cookies ...*http.Cookie) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, public+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cookies {
			req.AddCookie(c)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d", path, resp.StatusCode)
		}
	}
	get("/auth/login?return_to=%2Fresellers%3Ftheme%3Ddark")
	get("/resellers", &http.Cookie{Name: "__Host-done", Value: "say=save.nothing"}) // said once, so deleted
	proxy.Close()                                                                   // waits for what is still being answered
	mu.Lock()
	defer mu.Unlock()
	for name, secure := range seen {
		if !secure {
			t.Errorf("the cookie %s is not Secure", name)
		}
		if !strings.HasPrefix(name, "__Host-") {
			t.Errorf("the cookie %s could be set by another host", name)
		}
	}
	for _, name := range []string{"__Host-waveadmin", "__Host-theme", "__Host-done"} {
		if _, ok := seen[name]; !ok {
			t.Errorf("no cookie %s, so nothing is tested", name)
		}
	}
}
