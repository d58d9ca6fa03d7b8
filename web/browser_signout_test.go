package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/testkit"
)

// TestBrowser_signOutLeavesNothing: signing out asks before it removes edits that are
// not saved, and then nothing is left in the browser; another tab shows nothing either.
func TestBrowser_signOutLeavesNothing(t *testing.T) {
	t.Parallel()
	_, b, a := editing(t, "ja")
	const kept = `[localStorage, sessionStorage].flatMap((all) => Object.keys(all)).filter((key) => key.startsWith("waveadmin")).length`
	asks := func(open bool) { b.Until(fmt.Sprintf(`document.querySelector("#sign-out-ask").open === %v`, open)) }
	focused := func(sel string) { b.Until(fmt.Sprintf(`document.activeElement.matches(%q)`, sel)) }
	b.Click(box("invoice"))
	b.Until(kept + " > 0")

	b.Click(`[data-testid="sign-out"]`)
	asks(true)
	focused(`#sign-out-ask [data-close]`)
	if got := b.Text("#sign-out-ask"); !strings.Contains(got, say(t, "ja", "sign_out.why")) {
		t.Errorf("asks %q", got)
	}
	b.Shot("sign-out-ask-ja-light")
	b.Press(kb.Escape)
	asks(false)
	focused(`[data-testid="sign-out"]`)
	b.Reload()
	b.Wait(`[data-draft="restore"]`) // still signed in, with the edit

	b.Until(`(document.querySelector('[data-testid="sign-out"]').focus(), true)`)
	b.Press(kb.Enter)
	asks(true)
	b.Press(kb.Tab)
	focused(`[data-sign-out-now]`)
	b.Press(kb.Enter)
	b.Until(`location.pathname === "/auth/signed-out" && document.readyState === "complete"`)
	if n := testkit.Eval[int](b, kept); n != 0 {
		t.Errorf("%d entries are left", n)
	}

	b.SignIn(testkit.Editor, "/resellers/"+string(a.UserID))
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	if testkit.Eval[bool](b, `Boolean(document.querySelector("[data-draft]"))`) {
		t.Error("an edit from before the sign-out is offered")
	}
	testkit.Eval[bool](b, `(sessionStorage.setItem("waveadmin.recent.x", "[]"), true)`)
	b.Click(`[data-testid="sign-out"]`) // there is nothing to ask about
	b.Until(`location.pathname === "/auth/signed-out" && document.readyState === "complete"`)
}

// TestBrowser_signOutOfAnotherTab: what a tab shows goes when another one signs out.
func TestBrowser_signOutOfAnotherTab(t *testing.T) {
	t.Parallel()
	_, b, _ := editing(t, "en")
	b.Click(box("invoice"))
	testkit.Eval[bool](b, `(dispatchEvent(new StorageEvent("storage", { key: "waveadmin.draft.x" })), true)`)
	if got := testkit.Eval[string](b, "location.pathname"); got == "/auth/signed-out" {
		t.Error("leaves for an edit in another tab")
	}
	// As the browser tells the other tabs of localStorage.clear().
	testkit.Eval[bool](b, `(dispatchEvent(new StorageEvent("storage", { key: null })), true)`)
	b.Until(`location.pathname === "/auth/signed-out" && document.readyState === "complete"`)
}
