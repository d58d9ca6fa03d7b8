package web_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// asks makes the page ask at once who is editing, as it does every 20 seconds, and
// waits for the answer.
func asks(b *testkit.Browser) {
	testkit.Eval[bool](b, `(document.body.dataset.asked = "", document.addEventListener("htmx:afterRequest", (e) => {
		if (e.detail.elt.id === "presence") document.body.dataset.asked = e.detail.xhr.status; }, { once: true }),
		htmx.trigger(document.body, "wa:editing"), true)`)
	b.Until(`document.body.dataset.asked !== ""`)
}

// TestPresence: the other person sees that I have unsaved edits, a viewer too, and
// no more once they are saved, I have left, or I was silent for a minute. I never
// see myself, and nothing on the page moves.
func TestPresence(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			var ahead atomic.Int64
			s := testkit.Start(t, testkit.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
			a := account(t, s, map[wave.Key]bool{"invoice": false, "open_api": false})
			path := "/resellers/" + string(a.UserID)
			b := s.NewBrowser(t, lang)
			b.SignIn(testkit.Editor, path)
			b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
			viewer := s.NewBrowser(t, lang)
			viewer.SignIn(testkit.Viewer, path)
			viewer.Until(`document.querySelector("#presence")`)
			other := otherWindow(t, s, lang, path)

			told := func(b *testkit.Browser) string { return b.Text("#presence") }
			place := func(b *testkit.Browser) string {
				return testkit.Eval[string](b, `JSON.stringify([...document.querySelectorAll(".tools, #perm-form, .savebar")].map(e => e.getBoundingClientRect().top))`)
			}
			for what, w := range map[string]*testkit.Browser{"editor": b, "viewer": viewer, "other": other} {
				if got := told(w); got != "" {
					t.Errorf("%s is told %q while nobody edits", what, got)
				}
			}
			before := place(other)

			b.Click(box("invoice"))
			for what, w := range map[string]*testkit.Browser{"viewer": viewer, "other": other} {
				for end := time.Now().Add(20 * time.Second); told(w) == "" && time.Now().Before(end); {
					asks(w)
				}
				if got := told(w); !strings.Contains(got, "田中 美咲") {
					t.Errorf("%s is told %q", what, got)
				}
			}
			if after := place(other); after != before {
				t.Errorf("the line moved the page: %s, then %s", before, after)
			}
			other.Shot("presence-" + lang + "-light")
			other.Dark(true)
			other.Size(390, 844)
			other.Shot("presence-" + lang + "-phone-dark")
			other.Dark(false)
			other.Size(1280, 900)
			asks(b)
			if got := told(b); got != "" {
				t.Errorf("I am told of myself: %q", got)
			}

			b.Click(box("invoice")) // back as it was
			untilTold(t, other, "")
			b.Click(box("invoice"))
			untilTold(t, other, "田中 美咲")
			b.Click(`[data-testid="save"]`)
			b.Wait(`[data-testid="undo"]`)
			untilTold(t, other, "")

			b.Click(box("open_api"))
			untilTold(t, other, "田中 美咲")
			b.Open("/resellers") // without a word
			untilTold(t, other, "")
			b.Open(path)
			b.Click(`[data-draft="restore"]`)
			untilTold(t, other, "田中 美咲")

			// The page dies: nothing is heard of it any more.
			b.Run("cut the network", disconnected(true))
			ahead.Add(int64(61 * time.Second))
			asks(other)
			if got := told(other); got != "" {
				t.Errorf("after a minute of silence the other is told %q", got)
			}
			b.Run("join the network", disconnected(false))
			asks(b)
			untilTold(t, other, "田中 美咲")
			if got := b.Text("#toasts"); got != "" {
				t.Errorf("failed pings are complained about: %q", got)
			}
		})
	}
}

// untilTold makes the page ask until its line has the words, or is empty for "".
func untilTold(t *testing.T, b *testkit.Browser, words string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		asks(b)
		got := b.Text("#presence")
		if words == "" && got == "" || words != "" && strings.Contains(got, words) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the other is told %q, want %q", got, words)
		}
	}
}

// TestPresence_quiet: a page asks nothing while nobody looks at it and it has no
// edits, goes on in silence when the session has ended, and does not read the same
// out twice.
func TestPresence_quiet(t *testing.T) {
	t.Parallel()
	s, b, a := editing(t, "en")
	testkit.Eval[bool](b, `(window.pings = [], document.addEventListener("htmx:beforeSend", (e) => {
		if (e.detail.elt.id === "presence") pings.push(String(new URLSearchParams(e.detail.requestConfig.formData))); }), true)`)
	hide := func(hidden bool) {
		testkit.Eval[bool](b, fmt.Sprintf(`(Object.defineProperty(document, "hidden", { value: %v, configurable: true }), document.dispatchEvent(new Event("visibilitychange")), true)`, hidden))
	}
	sent := func() string { return testkit.Eval[string](b, `pings.join(" ")`) }
	nudge := func() { testkit.Eval[bool](b, `(htmx.trigger(document.body, "wa:editing"), true)`) }

	hide(true)
	nudge()
	if got := testkit.Eval[int](b, `pings.length`); got != 0 {
		t.Errorf("%d pings from a page that nobody sees", got)
	}
	hide(false)
	b.Until(`pings.length === 1`)
	b.Until(`document.querySelectorAll(".htmx-request").length === 0`)
	b.Click(box("invoice"))
	b.Until(`pings.at(-1) === "editing=on"`)
	b.Until(`document.querySelectorAll(".htmx-request").length === 0`)
	hide(true)
	nudge()
	b.Until(`pings.length === 3`)
	if got := sent(); got != " editing=on editing=on" {
		t.Errorf("sent %q: edits must count though nobody looks", got)
	}
	hide(false)
	b.Until(`pings.length === 4 && document.querySelectorAll(".htmx-request").length === 0`)

	other := otherWindow(t, s, "en", "/resellers/"+string(a.UserID))
	other.Until(`document.querySelector("#presence span")`)
	testkit.Eval[bool](other, `(window.line = document.querySelector("#presence span"), true)`)
	asks(other)
	asks(other)
	if !testkit.Eval[bool](other, `line.isConnected`) {
		t.Error("the same words were put there again, and are read out again")
	}

	b.Run("forget the session", clearCookies)
	asks(b)
	if got := testkit.Eval[string](b, `location.pathname`); got != "/resellers/"+string(a.UserID) || b.Text("#toasts") != "" || b.Text("[data-form-error]") != "" {
		t.Errorf("a ping without a session led to %s and said %q", got, b.Text("body"))
	}
	before := testkit.Eval[int](b, `pings.length`)
	nudge()
	if got := testkit.Eval[int](b, `pings.length`); got != before || !checked(b, "invoice") {
		t.Errorf("%d pings after the session ended, want no more", got-before)
	}
}

// TestPresence_duringASave: the answer to a ping does not free a form that waits for
// the answer to its save, nor does it move the focus.
func TestPresence_duringASave(t *testing.T) {
	t.Parallel()
	s, b, _ := editing(t, "en")
	b.Click(box("invoice"))
	b.Until(`document.querySelectorAll("#presence.htmx-request").length === 0`)
	slow(s)
	b.Run("focus the reason", chromedp.Focus(chromedp.CSS(`[name="reason"]`)))
	b.Press("s", chromedp.KeyModifiers(2))
	b.Until(`document.querySelector("#perm-form").matches("[data-busy]")`)
	asks(b)
	if !testkit.Eval[bool](b, `document.querySelector("#perm-form").matches("[data-busy]")`) {
		t.Error("a ping freed the form while its save was under way")
	}
	b.Wait(`[data-testid="undo"]`)
}
