package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// later moves the clock of the page ahead of when it came, and lets it be looked at again.
func later(b *testkit.Browser, by time.Duration) {
	testkit.Eval[bool](b, fmt.Sprintf(`(window.real ??= Date.now, Date.now = () => real.call(Date) + %d, document.dispatchEvent(new Event("visibilitychange")), true)`, by.Milliseconds()))
}

// looked waits until the page has asked whether its session goes on so many times.
func looked(b *testkit.Browser, times int) {
	b.Until(fmt.Sprintf(`performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/sessions/left")).length === %d`, times))
}

// TestOver_clearsThePage: a page that nobody uses goes when its session has run out, to
// where its person can sign in again and come back. Asking for that does not put it off.
func TestOver_clearsThePage(t *testing.T) {
	clock := new(clock)
	s := testkit.Start(t, testkit.Options{Now: clock.now, Config: onlyWhenAsked})
	a := account(t, s, map[wave.Key]bool{"invoice": false})
	path := "/resellers/" + string(a.UserID)
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, path)
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	b.Click(box("invoice"))
	later(b, 29*time.Minute)
	clock.pass(20 * time.Minute) // as if another tab had been used in between
	later(b, 31*time.Minute)
	looked(b, 1)
	later(b, 35*time.Minute) // less than it was told
	if testkit.Eval[string](b, `location.pathname`) != path {
		t.Fatal("the page goes, and its session does not")
	}
	clock.pass(11 * time.Minute)
	later(b, 45*time.Minute)
	b.Wait(`[data-testid="ask"]`)
	if html := testkit.Eval[string](b, `document.documentElement.outerHTML.replace(/return_to=[^"]*/, "")`); strings.Contains(html, a.Email) || strings.Contains(html, string(a.UserID)) {
		t.Error("the account is still there")
	}
	b.Click(`[data-testid="ask"] a`)
	b.Click(`button[value="` + testkit.Editor + `"]`)
	b.Until(`location.pathname === "` + path + `"`)
	b.Click(`[data-draft="restore"]`)
	if !checked(b, "invoice") {
		t.Error("the edit is lost")
	}
}

// TestOver_withoutTheServer: when nobody answers, the page stays until its session must be
// over, and then shows nothing any more.
func TestOver_withoutTheServer(t *testing.T) {
	for _, lang := range []string{"ja", "en"} {
		t.Run(lang, func(t *testing.T) {
			m := testkit.Start(t, testkit.Options{})
			a := account(t, m, map[wave.Key]bool{"invoice": false})
			b := m.NewBrowser(t, lang)
			b.SignIn(testkit.Editor, "/matrix?q="+a.Email)
			b.Until(`document.querySelector('[data-testid="matrix"] [tabindex="0"]')`)
			b.Click(fmt.Sprintf(`input[data-user-id=%q][data-flag="invoice"]`, a.UserID))
			b.Run("cut the network", disconnected(true))
			later(b, 7*time.Hour)
			looked(b, 1)
			if testkit.Eval[bool](b, `!document.querySelector("td[data-dirty]")`) {
				t.Error("emptied before the session must be over")
			}
			later(b, 8*time.Hour+time.Minute)
			b.Until(fmt.Sprintf(`document.body.innerText.trim() === %q`, say(t, lang, "js.session_over")+"\n\n"+say(t, lang, "js.session_again")))
			b.Press("k", ctrl)
			b.Press("z", ctrl)
			html := testkit.Eval[string](b, `document.documentElement.outerHTML.replace(/href="[^"]*"/g, "")`)
			if strings.Contains(html, a.Email) || strings.Contains(html, string(a.UserID)) {
				t.Error("the account is still there")
			}
			b.Run("join the network", disconnected(false))
			b.Click(`main a`)
			b.Wait("td[data-dirty]") // here the session went on
		})
	}
}
