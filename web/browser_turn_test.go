package web_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// TestEnterSaves: Enter in a form presses Save, never the Undo that stands before
// it after a save. The save leaves the focus where it was.
func TestEnterSaves(t *testing.T) {
	t.Parallel()
	s, b, a := editing(t, "en")
	b.Click(box("invoice"))
	b.Press(kb.Enter)
	b.Wait(`[data-testid="undo"]`)
	b.Until(`document.activeElement.id === "f-invoice"`)
	b.Press(kb.Enter)
	b.Until(fmt.Sprintf(`document.querySelector("#sr-status").textContent === %q`, say(t, "en", "js.nothing_to_save")))
	if !flagOn(t, s, a.UserID, "invoice") {
		t.Error("Enter took the save back")
	}

	b.Click(box("open_api"))
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
	b.Until(`document.activeElement.id === "save"`)
}

// TestNoEditsDuringASave: the answer to a save brings the form anew, so nothing
// can be edited until it is there, by mouse or by keyboard.
func TestNoEditsDuringASave(t *testing.T) {
	t.Parallel()
	s, b, a := editing(t, "en")
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Nth: 1, Delay: 2 * time.Second})
	b.Click(box("invoice"))
	b.Click(`[data-testid="save"]`)
	b.Until(`document.querySelector("#perm-form").matches("[data-busy]")`)
	b.Click(box("open_api"))
	b.Run("focus a box", chromedp.Focus(chromedp.CSS(box("usage_tag"))))
	b.Press(" ")
	if checked(b, "open_api") || !checked(b, "usage_tag") {
		t.Error("a box was switched while the save was under way")
	}
	b.Until(fmt.Sprintf(`document.querySelector("#sr-status").textContent === %q`, say(t, "en", "js.busy")))
	b.Wait(`[data-testid="undo"]`)
	b.Click(box("open_api"))
	if !checked(b, "open_api") || !flagOn(t, s, a.UserID, "invoice") {
		t.Error("after the save the form is not free again, or it was not saved")
	}
}

// inDoubt makes a save of misaki's whose outcome nobody knows yet: invoices on,
// applied or not.
func inDoubt(t *testing.T, s *testkit.Site, when sandbox.When) wave.Reseller {
	t.Helper()
	a := account(t, s, map[wave.Key]bool{"invoice": false, "open_api": false})
	c := s.SignedIn(t, testkit.Editor)
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, When: when, Reset: true})
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Times: 1000, Status: 503})
	page := c.Post("/resellers/"+string(a.UserID)+"/meta", map[string][]string{"was.invoice": {"off"}, "is.invoice": {"on"}})
	if page.Status != 202 {
		t.Fatalf("the save ended with %d, want it in doubt", page.Status)
	}
	return a
}

// TestDoubtOfAnother: what someone else wanted is not on my page as if it were
// saved, or mine; that it is being checked is.
func TestDoubtOfAnother(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	a := inDoubt(t, s, sandbox.Before)
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Viewer, "/resellers/"+string(a.UserID))
	b.Wait(`.checking`)
	if got, want := b.Text(`.checking`), say(t, "en", "save.checking_other", "name", "田中 美咲"); got != want {
		t.Errorf("the page says %q, want %q", got, want)
	}
	if checked(b, "invoice") || testkit.Eval[int](b, `localStorage.length`) != 0 {
		t.Error("another person's edit stands on the page, or became a draft")
	}
}

// TestPollingGoesOn after a poll that failed, as when the server restarts.
func TestPollingGoesOn(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	a := inDoubt(t, s, sandbox.After)
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, "/resellers/"+string(a.UserID))
	b.Wait(`.checking`)
	b.Run("cut the network", disconnected(true))
	testkit.Eval[bool](b, `document.addEventListener("htmx:sendError", () => { document.body.dataset.failed = "1"; }), true`)
	b.Until(`document.body.dataset.failed`)
	b.Run("join the network", disconnected(false))
	s.Wave.ClearFaults()
	b.Wait(`[data-testid="undo"]`)
	if got := b.Text(`.savebar [data-form-error]`); got != "" {
		t.Errorf("the bar says %q, though the page asks by itself", got)
	}
}
