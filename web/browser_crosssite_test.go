package web_test

import (
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// requests is the access log of a site.
type requests struct {
	mu   sync.Mutex
	seen []string // method, path, status
}

func (r *requests) Write(line []byte) (int, error) {
	var e struct {
		Msg, Method, Path string
		Status            int
	}
	if json.Unmarshal(line, &e) == nil && e.Msg == "request" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen = append(r.seen, fmt.Sprint(e.Method, " ", e.Path, " ", e.Status))
	}
	return len(line), nil
}

// of returns the requests for path so far.
func (r *requests) of(path string) (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.seen {
		if strings.Contains(line, " "+path+" ") {
			all = append(all, line)
		}
	}
	return all
}

// attack is what a page of another origin does when the person clicks on it. It
// sends something to TARGET.
type attack struct {
	name   string
	write  bool // TARGET takes a write, else it is a page
	script string
	want   string // method and status of what arrives
}

const writeForm = `<form action="TARGET" method="post" ATTR><input name="was.invoice" value="off"><input name="is.invoice" value="on"></form>`

// submit is the script that submits writeForm.
func submit(attr string) string {
	form := strings.Replace(writeForm, "ATTR", attr, 1)
	return fmt.Sprintf("document.body.insertAdjacentHTML('beforeend', %q); document.forms[0].submit()", form)
}

func markup(text string) string {
	return fmt.Sprintf("document.body.insertAdjacentHTML('beforeend', %q)", text)
}

var attacks = []attack{
	{"a form", true, submit(""), "POST 403"},
	{"a form into a frame", true, markup(`<iframe name="f"></iframe>`) + ";" + submit(`target="f"`), "POST 403"},
	{"a form into a window", true, submit(`target="_blank"`), "POST 403"},
	{"a form of plain text", true, submit(`enctype="text/plain"`), "POST 403"},
	{"a form with a file", true, submit(`enctype="multipart/form-data"`), "POST 403"},
	{
		"a form in a sandboxed frame", true,
		markup(`<iframe sandbox="allow-forms allow-scripts" srcdoc="` +
			html.EscapeString(strings.Replace(writeForm, "ATTR", "", 1)+`<script>document.forms[0].submit()</script>`) + `"></iframe>`),
		"POST 403",
	},
	{"fetch", true, `fetch('TARGET', {method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams({'is.invoice': 'on'})}).catch(() => {})`, "POST 403"},
	{
		"fetch as htmx does", true,
		`fetch('TARGET', {method: 'POST', credentials: 'include', headers: {'HX-Request': 'true'}, body: new URLSearchParams({'is.invoice': 'on'})}).catch(() => {})`,
		"OPTIONS 403",
	},
	{"fetch with another method", true, `fetch('TARGET', {method: 'PUT', credentials: 'include'}).catch(() => {})`, "OPTIONS 403"},
	{"a beacon", true, `navigator.sendBeacon('TARGET', new URLSearchParams({'is.invoice': 'on'}))`, "POST 403"},
	{"a frame", false, markup(`<iframe src="TARGET"></iframe>`), "GET 403"},
	{"an object", false, markup(`<object data="TARGET"></object>`), "GET 403"},
	{"an embedded page", false, markup(`<embed src="TARGET">`), "GET 403"},
	{"a picture", false, markup(`<img src="TARGET">`), "GET 403"},
	{"a stylesheet", false, markup(`<link rel="stylesheet" href="TARGET">`), "GET 403"},
	{"a script", false, `document.body.append(Object.assign(document.createElement('script'), {src: 'TARGET'}))`, "GET 403"},
	{"fetch of a page", false, `fetch('TARGET', {credentials: 'include'}).then(r => r.text()).then(t => { document.title = t }, () => {})`, "GET 403"},
	{"fetch of a page without asking", false, `fetch('TARGET', {mode: 'no-cors', credentials: 'include'}).catch(() => {})`, "GET 403"},
	{"a stream of events", false, `new EventSource('TARGET', {withCredentials: true}).onerror = e => e.target.close()`, "GET 403"},
	{"a worker", false, `try { new Worker('TARGET') } catch { fetch('TARGET', {mode: 'no-cors', credentials: 'include'}).catch(() => {}) }`, "GET 403"},
}

// TestBrowser_otherOrigins: a page of another site, and one of another port of
// this one, makes the browser of an editor who is signed in send whatever it can.
// Nothing is written and nothing is read.
func TestBrowser_otherOrigins(t *testing.T) {
	t.Parallel()
	log := new(requests)
	s := testkit.Start(t, testkit.Options{Accounts: 2 * len(attacks), Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, "/resellers")
	accounts := s.Wave.Accounts()
	s.Wave.ResetJournal()

	var page string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, page)
	}))
	defer other.Close()
	for name, origin := range map[string]string{
		"another site": strings.Replace(other.URL, "127.0.0.1", "localhost", 1),
		"another port": other.URL,
	} {
		for _, a := range attacks {
			t.Run(a.name+" of "+name, func(t *testing.T) {
				path := "/resellers/" + string(accounts[0].UserID)
				accounts = accounts[1:]
				if a.write {
					path += "/meta"
				}
				page = `<!doctype html><button id="go">x</button><script>document.getElementById('go').onclick = () => {` +
					strings.NewReplacer("TARGET", s.URL+path, "</script>", `<\/script>`).Replace(a.script) + `}</script>`
				b.Run("open the other page", chromedp.Navigate(origin))
				b.Click("#go")
				method, status, _ := strings.Cut(a.want, " ")
				want := method + " " + path + " " + status
				for range 200 {
					if len(log.of(path)) > 0 {
						break
					}
					time.Sleep(20 * time.Millisecond) // for the browser, which tells nobody when it has sent
				}
				for _, got := range append(log.of(path), "")[:max(1, len(log.of(path)))] {
					if got != want {
						t.Errorf("got %q, want %q", got, want)
					}
				}
				if title := testkit.Eval[string](b, "document.title"); strings.Contains(title, "<") {
					t.Errorf("the other page could read %.80q", title)
				}
			})
		}
	}
	b.Open("/resellers") // and so the last of the other pages is gone
	b.Complaints()       // they do complain

	for _, e := range s.Wave.Journal() {
		if e.Applied || e.Op == sandbox.OpMeta {
			t.Errorf("%s %s arrived at Wave", e.Method, e.Path)
		}
	}
	b.Open("/resellers")
	if !testkit.Eval[bool](b, `document.querySelector('table[data-testid="resellers"]') !== null`) {
		t.Error("the editor is no longer signed in")
	}
}

// TestBrowser_otherOriginsWindow: a page of ours that another one opened shows, as
// after a click on a link, but the other one has no hold of it.
func TestBrowser_otherOriginsWindow(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 1})
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, "/resellers")
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><button id="go">x</button><script>
			document.getElementById('go').onclick = () => { window.opened = window.open(%q) }</script>`, s.URL+"/resellers")
	}))
	defer other.Close()
	for _, origin := range []string{strings.Replace(other.URL, "127.0.0.1", "localhost", 1), other.URL} {
		b.Run("open the other page", chromedp.Navigate(origin))
		b.Click("#go")
		b.Until("window.opened && window.opened.closed") // so it seems to who opened it
		got := testkit.Eval[string](b, `(() => { try { return window.opened.document.title } catch (e) { return e.name } })()`)
		if got != "SecurityError" && got != "TypeError" {
			t.Errorf("the other page reads %q", got)
		}
		if n := testkit.Eval[int](b, "window.opened.length"); n != 0 {
			t.Errorf("the other page counts %d frames", n)
		}
	}
}

// TestBrowser_backAfterSignOut: who sits down at the machine next and goes back
// sees the sign-in, and nothing of what was there.
func TestBrowser_backAfterSignOut(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 5})
	account := s.Wave.Accounts()[0]
	for _, back := range []string{"history.back()", "history.go(-2)", "history.go(-3)"} {
		t.Run(back, func(t *testing.T) {
			b := s.NewBrowser(t, "ja")
			b.SignIn(testkit.Editor, "/resellers")
			b.Open("/presets")
			b.Open("/resellers/" + string(account.UserID))
			b.Open("/resellers")
			b.Wait(`table[data-testid="resellers"]`)
			b.Click(`[data-testid="sign-out"]`)
			b.Until(`location.pathname === "/auth/signed-out" && document.readyState === "complete"`)
			testkit.Eval[bool](b, back+", true")
			b.Until(fmt.Sprintf(`document.querySelector('nav') || document.querySelector('button[value=%q]')`, testkit.Viewer))
			shown := testkit.Eval[string](b, "document.documentElement.outerHTML")
			if strings.Contains(shown, account.Email) || strings.Contains(shown, "<nav") {
				t.Errorf("a page of before shows at %s", testkit.Eval[string](b, "location.href"))
			}
		})
	}
}
