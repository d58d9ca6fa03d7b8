package web_test

import (
	"testing"

	"waveadmin/internal/config"
	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

// TestBrowser_asksFirst: the page that asks before the way to the provider is like the
// other screens, and its button, which a browser tells of as it does of any press, leads
// to where the person wanted to go.
func TestBrowser_asksFirst(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 5, Config: func(c *config.Config) { c.Auth.AskFirst = true }})
	v := &visit{t: t, s: s, b: s.NewBrowser(t, "ja"), person: "nobody"}
	const button = `[data-testid="ask"] a`
	for _, v.lang = range i18n.Languages {
		v.b.Open("/presets?lang=" + v.lang)
		v.b.Wait(button)
		if got, want := v.b.Text("h1"), say(t, v.lang, "signin.ask_title"); got != want {
			t.Errorf("heading = %q, want %q", got, want)
		}
		v.inspect("asked to sign in")
	}
	v.b.Size(1280, 900)
	if n := s.IDP.Counts()["/authorize"]; n != 0 {
		t.Errorf("the provider was asked %d times before anybody pressed", n)
	}
	v.b.Click(button)
	v.b.Click(`button[value="` + testkit.Editor + `"]`)
	v.b.Until(`location.pathname === "/presets" && document.readyState === "complete"`)
}
