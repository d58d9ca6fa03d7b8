package handlers_test

import (
	"net/http"
	"net/url"
	"testing"

	"waveadmin/internal/testkit"
)

const (
	chromeOnWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36"
	edgeOnWindows   = chromeOnWindows + " Edg/144.0.0.0"
	safariOnPhone   = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"
	firefoxOnLinux  = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)

// signedInWith is SignedIn with a browser that calls itself so.
func signedInWith(t *testing.T, s *testkit.Site, person, agent string) *testkit.Client {
	t.Helper()
	c := s.Client(t)
	s.IDP.AutoChoose(person)
	defer s.IDP.AutoChoose("")
	wantStatus(t, c.Get("/sessions", "User-Agent: "+agent), http.StatusOK)
	return c
}

func TestSessions(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	edge, phone := signedInWith(t, s, testkit.Viewer, edgeOnWindows), signedInWith(t, s, testkit.Viewer, safariOnPhone)
	editor := s.SignedIn(t, testkit.Editor)

	p := c.Get("/sessions")
	rows := p.Find(`[data-testid="sessions"] tbody tr`)
	if rows.Length() != 3 || rows.Find(`[data-testid="session-here"]`).Length() != 1 || rows.Find("form").Length() != 2 {
		t.Fatalf("the list is %s", short(p.Find("main")))
	}
	wantText(t, p, `[data-testid="sessions"]`, says("sessions.browser_on", "browser", "Edge", "system", "Windows"))
	wantText(t, p, `[data-testid="sessions"]`, says("sessions.browser_on", "browser", "Safari", "system", "iPhone"))
	wantText(t, p, `[data-testid="sessions"]`, "Go-http-client/1.1")
	wantText(t, p, `[data-testid="sessions"]`, "127.0.0.1")

	form := p.Find(`tr:contains("Edge") form`)
	end, _ := form.Attr("action")
	p = c.Post(end, fields(t, form))
	wantText(t, p, ".notice-line.success", says("sessions.ended", "count", 1))
	if got := edge.Unredirected().Get("/sessions"); got.Status != http.StatusSeeOther {
		t.Errorf("the ended session gets %d", got.Status)
	}
	if got := phone.Get("/sessions"); got.Find(`[data-testid="sessions"] tbody tr`).Length() != 2 {
		t.Errorf("the other one gets %d", got.Status)
	}
	wantText(t, c.Post(end, url.Values{}), ".notice-line.success", says("sessions.ended", "count", 0))

	theirs, _ := editor.Get("/sessions").Find("tr[data-session]").Attr("data-session")
	c.Post("/sessions/"+theirs+"/end", url.Values{})
	wantStatus(t, editor.Unredirected().Get("/sessions"), http.StatusOK)

	p = c.Post("/sessions/end-others", url.Values{})
	if p.Find("tr[data-session]").Length() != 1 || p.Find(`[data-testid="end-others"]`).Length() != 0 {
		t.Errorf("left is %s", short(p.Find("main")))
	}
	wantStatus(t, phone.Unredirected().Get("/sessions"), http.StatusSeeOther)
	wantStatus(t, editor.Unredirected().Get("/sessions"), http.StatusOK)
	if link := c.Get("/").Find(`[data-testid="sessions-link"]`).AttrOr("href", ""); link != "/sessions" {
		t.Errorf("the menu leads to %q", link)
	}
}

// TestSessions_endWantsAProof: whoever finds a browser left open ends no other session.
func TestSessions_endWantsAProof(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	other := s.SignedIn(t, testkit.Editor)
	c := longAgo(t, s)
	form := url.Values{}
	refused := c.Post("/sessions/end-others", form)
	wantStatus(t, other.Unredirected().Get("/sessions"), http.StatusOK)
	link, _ := refused.Find(`[data-testid="proof"] a`).Attr("href")
	if p := c.Get(link); p.Status != http.StatusOK || p.URL.Path != "/sessions" {
		t.Fatalf("the way back ends with %d at %s", p.Status, p.URL)
	}
	c.Post("/sessions/end-others", form)
	wantStatus(t, other.Unredirected().Get("/sessions"), http.StatusSeeOther)
}

func TestSessions_browserNames(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	for agent, want := range map[string]string{
		chromeOnWindows:    "Chrome on Windows",
		firefoxOnLinux:     "Firefox on Linux",
		"Linux":            says("sessions.unknown") + " on Linux",
		"curl/8.1":         "curl/8.1",
		"<b>x</b>":         "<b>x</b>",
		"Firefox/140.0 ":   "Firefox",
		"Mozilla/4.0 (X)<": "Mozilla/4.0 (X)<",
	} {
		c := signedInWith(t, s, testkit.Viewer, agent)
		wantText(t, c.Get("/sessions"), "tr:has([data-testid=session-here]) th", want)
	}
}
