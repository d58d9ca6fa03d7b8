package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/config"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// clock is the real time and what a test adds to it.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// poll is what marks the pings of a page.
var poll = []string{htmx, auth.PollHeader + ": 1"}

// ping sends what an open page sends by itself, and returns what it is told.
func ping(t *testing.T, c *testkit.Client, editing string, headers ...string) string {
	t.Helper()
	form := url.Values{}
	if editing != "" {
		form.Set("editing", editing)
	}
	p := c.Post("/resellers/acme/presence", form, append(headers, poll...)...)
	wantStatus(t, p, http.StatusOK)
	wantFragment(t, p, poll)
	return shown(p.Selection)
}

// TestPresence: whoever looks at an account is told who else has unsaved edits on
// it, until these say that they have none, or are silent for a minute.
func TestPresence(t *testing.T) {
	var clock clock
	s := testkit.Start(t, testkit.Options{Accounts: 3, Now: clock.now})
	editor, other, viewer := s.SignedIn(t, testkit.Editor), secondEditor(t, s), s.SignedIn(t, testkit.Viewer)
	add(t, s, editor, accountOf("acme"))
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	at := func() string { return i18n.MomentShort(i18n.WithZone(english, tokyo), clock.now(), clock.now()) }
	is := func(name string) string { return says("presence.one", "name", name, "time", at()) }
	look := func(what string, c *testkit.Client, want string) {
		t.Helper()
		if got := ping(t, c, ""); got != want {
			t.Errorf("%s: is told %q, want %q", what, got, want)
		}
		for _, path := range []string{"", "/details", "/history"} { // also without scripts
			if got := shown(c.Get("/resellers/acme" + path).Find("#presence[role=status]")); got != want {
				t.Errorf("%s: the page%s says %q, want %q", what, path, got, want)
			}
		}
	}
	look("nobody", viewer, "")
	if got := ping(t, editor, "on"); got != "" {
		t.Errorf("an editor is told of themselves: %q", got)
	}
	look("to a viewer", viewer, is(editorName))
	look("to another editor", other, is(editorName))
	look("to myself in another tab", editor, "")
	if got := ping(t, viewer, "on"); got != is(editorName) {
		t.Errorf("a viewer who claims to edit is told %q", got)
	}
	look("a viewer is never shown", editor, "")

	ping(t, other, "on")
	want := says("presence.many", "count", 2, "names", i18n.Join(english, []string{
		says("presence.item", "name", editorName, "time", at()), says("presence.item", "name", secondEditorName, "time", at()),
	}))
	look("two", viewer, want)
	if got := ping(t, viewer, "", japanese); !strings.HasPrefix(got, "ほかに2人が編集中です：") {
		t.Errorf("in Japanese: %q", got)
	}
	ping(t, editor, "off")
	look("one has saved", viewer, is(secondEditorName))

	began := is(secondEditorName)
	clock.pass(59 * time.Second)
	look("silent for nearly a minute", viewer, began)
	clock.pass(2 * time.Second)
	look("silent for a minute", viewer, "")
	if got := s.Wave.Count(sandbox.OpMeta); got != 0 {
		t.Errorf("%d calls changed something", got)
	}
}

// TestPresence_asksNobody: a ping makes no call of Wave, and does not keep the
// session alive.
func TestPresence_asksNobody(t *testing.T) {
	var clock clock
	s := testkit.Start(t, testkit.Options{Accounts: 3, Now: clock.now, Config: func(c *config.Config) { c.Session.Idle = 5 * time.Minute }})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	s.Wave.ResetJournal()
	for range 4 {
		clock.pass(70 * time.Second) // more than a snapshot may be old
		ping(t, c, "on")
	}
	if got := s.Wave.Journal(); len(got) != 0 {
		t.Errorf("Wave was called: %+v", got)
	}
	clock.pass(30 * time.Second)
	p := c.Post("/resellers/acme/presence", url.Values{"editing": {"on"}}, poll...)
	if p.Status != http.StatusUnauthorized {
		t.Errorf("a page that pinged for five minutes is still signed in: %d", p.Status)
	}
}

// TestPresence_refused: what is no account that can be edited has nobody.
func TestPresence_refused(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	s.Wave.AddRecord(`{"user_id":"acme","email":"second@example.co.jp","company_id":"k2","meta":{}}`)
	refresh(t, c)
	if p := c.Get("/resellers/acme"); p.Status != http.StatusOK || p.Find("#presence").Length() != 0 {
		t.Errorf("the page of a flawed account = %d with %d places for editors", p.Status, p.Find("#presence").Length())
	}
	for _, id := range []string{"acme", "nobody", "%00", "%2e%2e"} {
		if p := c.Post("/resellers/"+id+"/presence", url.Values{"editing": {"on"}}, poll...); p.Status != http.StatusNotFound {
			t.Errorf("%s = %d, want 404", id, p.Status)
		}
	}
	p := s.Client(t).Unredirected().Post("/resellers/acme/presence", url.Values{})
	if p.Status != http.StatusUnauthorized || strings.Contains(p.Body, editorName) {
		t.Errorf("a stranger gets %d", p.Status)
	}
}
