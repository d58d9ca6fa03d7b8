package handlers_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

// TestRoleCheck: an hour after the sign-in the next page finds out what role the person
// has by now, and what they asked for is shown with it.
func TestRoleCheck(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		var clock clock
		s := testkit.Start(t, testkit.Options{Accounts: 3, Now: clock.now, Config: func(c *config.Config) {
			if e.Name == "postgres" {
				c.Database.URL = config.DatabaseURL(e.Ready(t))
			}
		}})
		c, elsewhere := s.SignedIn(t, testkit.Editor), s.SignedIn(t, testkit.Editor)
		s.IDP.AutoChoose(testkit.Editor)
		s.IDP.Script(idp.Script{Claims: func(c map[string]any) { c["groups"] = []string{idp.ViewerGroup} }})
		for range 2 {
			clock.pass(25 * time.Minute)
			for _, c := range []*testkit.Client{c, elsewhere} {
				wantText(t, c.Get("/resellers?q=a"), ".who", says("role.editor"))
			}
		}
		clock.pass(11 * time.Minute)

		if p := c.Post("/resellers/none/meta", url.Values{}, htmx); p.Status != http.StatusNotFound {
			t.Errorf("a save in the middle of work gets %d", p.Status)
		}
		p := c.Get("/resellers?q=a")
		wantStatus(t, p, http.StatusOK)
		wantText(t, p, ".who", says("role.viewer"))
		if got := p.URL.RequestURI(); got != "/resellers?q=a" {
			t.Errorf("back at %s", got)
		}
		wantStatus(t, c.Post("/resellers/none/meta", url.Values{}), http.StatusForbidden)

		if p := elsewhere.Unredirected().Post("/resellers/none/meta", url.Values{}, htmx); p.Status != http.StatusUnauthorized {
			t.Errorf("another browser with the former role gets %d", p.Status)
		}
	})
}
