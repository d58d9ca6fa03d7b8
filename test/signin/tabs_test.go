package signin

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

// TestTabs: several attempts of one browser.
func TestTabs(t *testing.T) {
	w := newWorld(t)
	for _, n := range []int{2, 5, 10} {
		play(t, fmt.Sprintf("%d tabs", n), func(t *testing.T) {
			w.clock.add(time.Hour)
			p := w.person(t, "ja")
			callbacks := make([]string, n)
			for i := range callbacks {
				w.clock.add(time.Second)
				callbacks[i] = p.stop(fmt.Sprintf("/auth/login?return_to=/presets?tab=%d", i))
			}
			for i := n - 1; i >= 0; i-- { // the last one first
				begin := w.mark(t)
				page := p.open(callbacks[i])
				if lapsed := i < n-5; lapsed {
					if page.status != 422 {
						t.Errorf("tab %d: got %d, want it to have lapsed", i, page.status)
					}
					w.wantEvent(t, begin, event{kind: "sign_in_refused", reason: "login_cookie"})
					wantPage(t, p, page, "signin.again")
				} else if want := fmt.Sprintf("/presets?tab=%d", i); page.status != 200 || page.url.RequestURI() != want {
					t.Errorf("tab %d: got %d at %s, want %s", i, page.status, page.url.RequestURI(), want)
				}
			}
			if !p.isSignedIn() { // a lapsed tab ends no session
				t.Error("the session is gone")
			}
		})
	}
	play(t, "9 minutes and 59 seconds at the provider", func(t *testing.T) {
		w.clock.add(time.Hour)
		w.IDP.AutoChoose("")
		defer w.IDP.AutoChoose(testkit.Editor)
		begin, p := w.mark(t), w.person(t, "ja")
		asked := p.open("/auth/login?return_to=/presets")
		w.clock.add(10*time.Minute - time.Second)
		page := p.do("POST", asked.url.String(), url.Values{"person": {testkit.Editor}})
		w.wantSignedIn(t, p, page, begin)
	})
}

// TestTabs_cookiesStaySmall: whatever is asked for, by whichever site, the cookies of
// attempts leave room in the 8 KiB that a proxy may take, and the last attempt works.
func TestTabs_cookiesStaySmall(t *testing.T) {
	w := newWorld(t)
	for name, back := range map[string]string{
		"short addresses":   "/presets?tab=1",
		"long addresses":    "/presets?q=" + strings.Repeat("a", 1000),
		"addresses of &":    "/presets?" + strings.Repeat("&", 1000),
		"addresses of < >":  "/presets?q=" + strings.Repeat("<>", 500),
		"addresses of kana": "/presets?q=" + strings.Repeat("あ", 330),
		"addresses of \"":   "/presets?q=" + strings.Repeat(`"`, 1000),
	} {
		play(t, name, func(t *testing.T) {
			w.clock.add(time.Hour)
			p := w.person(t, "ja")
			last := ""
			for range 8 {
				w.clock.add(time.Second)
				last = p.stop("/auth/login?return_to=" + url.QueryEscape(back))
				size := 0
				for name, value := range p.cookies() {
					if one := len(name) + len(value); one > 4096 {
						t.Fatalf("a cookie of %d bytes, which browsers do not take", one)
					} else {
						size += one + len("=; ")
					}
				}
				if size > 7000 {
					t.Fatalf("%d bytes of cookies", size)
				}
			}
			if page := p.open(last); page.status != 200 || page.url.Path != "/presets" || !p.isSignedIn() {
				t.Errorf("the last attempt ends with %d at %v", page.status, page.url.Path)
			}
		})
	}
}

// TestSessionAtSignIn: what the browser had before is not what it has after, and
// stays what it was when nobody is signed in.
func TestSessionAtSignIn(t *testing.T) {
	w := newWorld(t)
	play(t, "fixation: a session that was planted", func(t *testing.T) {
		attacker, p := w.person(t, "en"), w.person(t, "ja")
		w.IDP.AutoChoose(testkit.Viewer)
		attacker.signIn()
		planted := attacker.cookies()["waveadmin"]
		w.IDP.AutoChoose(testkit.Editor)
		p.setCookies(map[string]string{"waveadmin": planted})
		p.signIn()
		if p.cookies()["waveadmin"] == planted || !p.isSignedIn() {
			t.Error("the session kept its id")
		}
		if attacker.isSignedIn() {
			t.Error("the planted session goes on")
		}
	})
	play(t, "fixation: a cookie that was made up", func(t *testing.T) {
		p := w.person(t, "ja")
		p.setCookies(map[string]string{"waveadmin": strings.Repeat("A", 86)})
		p.signIn()
		if got := p.cookies()["waveadmin"]; got == strings.Repeat("A", 86) || !p.isSignedIn() {
			t.Error("the made-up cookie became a session")
		}
	})
	play(t, "login CSRF: into a browser with a session", func(t *testing.T) {
		p, other := w.person(t, "ja"), w.person(t, "en")
		p.signIn()
		before := p.cookies()["waveadmin"]
		begin := w.mark(t)
		page := p.open(other.stop("/auth/login"))
		if page.status != 422 || p.cookies()["waveadmin"] != before || !p.isSignedIn() {
			t.Errorf("got %d, want 422 and the session to stay", page.status)
		}
		w.wantEvent(t, begin, event{kind: "sign_in_refused", reason: "login_cookie"})
	})
	play(t, "a refusal leaves the session alone", func(t *testing.T) {
		p := w.person(t, "ja")
		p.signIn()
		w.IDP.Script(claim("nonce", "x")(w))
		defer w.IDP.Script(idp.Script{})
		if page := p.signIn(); page.status != 422 || !p.isSignedIn() {
			t.Errorf("got %d, want 422 and the session to stay", page.status)
		}
	})
	play(t, "the session of before ends with the new one", func(t *testing.T) {
		p, thief := w.person(t, "ja"), w.person(t, "en")
		p.signIn()
		thief.setCookies(map[string]string{"waveadmin": p.cookies()["waveadmin"]})
		p.signIn()
		if thief.isSignedIn() {
			t.Error("a copy of the old cookie still works")
		}
	})
}

// TestAskFirst: with the setting a page that is opened leads to a question, and only the
// answer to the provider.
func TestAskFirst(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Auth.AskFirst = true })
	for _, lang := range i18n.Languages {
		play(t, lang, func(t *testing.T) {
			w.clock.add(time.Hour)
			begin, p, asked := w.mark(t), w.person(t, lang), w.IDP.Counts()["/authorize"]
			page := p.open("/presets?tab=1")
			link, ok := page.Find(`[data-testid="ask"] a`).Attr("href")
			if page.status != 200 || page.url.Path != "/auth/login" || !ok || w.IDP.Counts()["/authorize"] != asked {
				t.Fatalf("got %d at %v, want to be asked before the provider is", page.status, page.url)
			}
			if got, want := page.Find("h1").Text(), i18n.T(i18n.WithLang(t.Context(), lang), "signin.ask_title"); got != want {
				t.Errorf("heading = %q, want %q", got, want)
			}
			page = p.open(link)
			w.wantSignedIn(t, p, page, begin)
			if got := page.url.RequestURI(); got != "/presets?tab=1" {
				t.Errorf("back at %s", got)
			}
			if page := p.open("/auth/login?check=1&return_to=/presets"); page.url.Path != "/presets" {
				t.Errorf("who is signed in is asked again, at %v", page.url)
			}
		})
	}
}
