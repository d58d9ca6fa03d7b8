package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/app"
	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

// TestEndSessions: the command works beside the servers, which refuse the session from
// the next request on, and the runs of its person pause.
func TestEndSessions(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		var cfg config.Config
		s := testkit.Start(t, testkit.Options{Accounts: 30, Config: func(c *config.Config) {
			if e.Name == "postgres" {
				c.Database.URL = config.DatabaseURL(e.Ready(t))
			}
			cfg = *c
		}})
		servers := []*testkit.Site{s}
		if e.Name == "postgres" {
			servers = append(servers, s.Beside(t))
		}
		var clients []*testkit.Client
		for _, server := range servers {
			clients = append(clients, server.SignedIn(t, testkit.Editor))
		}
		viewer := s.SignedIn(t, testkit.Viewer)
		run := slowRun(t, s, clients[0])

		all, err := app.Sessions(t.Context(), cfg)
		if err != nil || len(all) != len(clients)+1 {
			t.Fatalf("sessions = %+v, %v", all, err)
		}
		ended, err := app.EndSessions(t.Context(), cfg, "misaki.tanaka@example.co.jp", "root")
		if err != nil || len(ended) != len(clients) {
			t.Fatalf("ended %+v, %v", ended, err)
		}

		for n, c := range clients {
			if p := c.Unredirected().Get("/resellers"); p.Status != http.StatusSeeOther {
				t.Errorf("server %d answers %d with the session that was ended", n, p.Status)
			}
		}
		if p := viewer.Get("/resellers"); p.Status != http.StatusOK {
			t.Errorf("someone else gets %d", p.Status)
		}
		state := ""
		for end := time.Now().Add(60 * time.Second); state != "paused" && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			state = viewer.Get(run).Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", "")
		}
		why := i18n.T(i18n.WithLang(t.Context(), "en"), "bulk.why_role", "name", "田中 美咲")
		if text := viewer.Get(run).Find("main").Text(); state != "paused" || !strings.Contains(text, why) {
			t.Errorf("the run is %q, want it to be paused for the role: %s", state, text)
		}
		var events bytes.Buffer
		if err := app.ExportAudit(t.Context(), cfg, &events, "", ""); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`"by":"root","count":%d,"why":"command"`, len(clients)); !strings.Contains(events.String(), `"sessions_ended"`) || !strings.Contains(events.String(), want) {
			t.Errorf("no event with %s in\n%s", want, events.String())
		}
		if report, err := app.VerifyAudit(t.Context(), cfg, nil); err != nil || !report.OK() {
			t.Errorf("the audit log is not whole after it: %+v, %v", report, err)
		}
	})
}

// slowRun starts a bulk run that waits for Wave, and returns its page.
func slowRun(t *testing.T, s *testkit.Site, c *testkit.Client) string {
	t.Helper()
	form := url.Values{"flag.open_api": {"on"}, "flag.invoice": {"on"}, "flag.usage_tag": {"off"}}
	for _, a := range s.Wave.Accounts()[:20] {
		form.Add("user", string(a.UserID))
	}
	p := c.Post("/bulk", form)
	run := url.Values{"mark": {p.Find("input[name=mark]").AttrOr("value", "")}, "reason": {"FY2026"}}
	s.WaveLeaves()
	p = c.Post(p.URL.Path+"/run", run)
	if p.Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", "") != "running" {
		t.Fatalf("the run does not run: %d %s", p.Status, p.Find("main").Text())
	}
	return p.URL.Path
}
