package web_test

import (
	"fmt"
	"testing"

	"waveadmin/internal/testkit"
)

// TestBrowser_signOutLeavesNothing: signing out asks before it removes edits that are
// not saved, and then nothing is left in the browser; another tab shows nothing either.
func TestBrowser_signOutLeavesNothing(t *testing.T) {
	t.Parallel()
	_, b, a := editing(t, "ja")
	const kept = `[localStorage, sessionStorage].flatMap((all) => Object.keys(all)).filter((key) => key.startsWith("waveadmin")).length`
	answer := func(yes bool) {
		testkit.Eval[bool](b, fmt.Sprintf(`(window.confirm = (words) => { window.asked = words; return %v; }, true)`, yes))
	}
	b.Click(box("invoice"))
	b.Until(kept + " > 0")

	answer(false)
	b.Click(`[data-testid="sign-out"]`)
	b.Until(`window.asked`)
	if got := testkit.Eval[string](b, "window.asked"); got != say(t, "ja", "js.sign_out_drafts") {
		t.Errorf("asks %q", got)
	}
	b.Reload()
	b.Wait(`[data-draft="restore"]`) // still signed in, with the edit

	answer(true)
	b.Click(`[data-testid="sign-out"]`)
	b.Until(`location.pathname === "/auth/signed-out" && document.readyState === "complete"`)
	if n := testkit.Eval[int](b, kept); n != 0 {
		t.Errorf("%d entries are left", n)
	}

	b.SignIn(testkit.Editor, "/resellers/"+string(a.UserID))
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	if testkit.Eval[bool](b, `Boolean(document.querySelector("[data-draft]"))`) {
		t.Error("an edit from before the sign-out is offered")
	}
	answer(false) // there is nothing to ask about
	testkit.Eval[bool](b, `(sessionStorage.setItem("waveadmin.recent.x", "[]"), true)`)
	b.Click(`[data-testid="sign-out"]`)
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
