package web_test

import (
	"testing"
	"time"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

// TestBrowser_proofLosesNothing: a page that was open for long keeps what was typed on
// it over the way through the provider.
func TestBrowser_proofLosesNothing(t *testing.T) {
	t.Parallel()
	clock := new(clock)
	s := testkit.Start(t, testkit.Options{Accounts: 3, Now: clock.now, Config: onlyWhenAsked})
	account := s.Wave.Accounts()[0]
	path := "/resellers/" + string(account.UserID) + "/delete"
	s.IDP.Script(idp.Script{Claims: func(c map[string]any) { c["auth_time"] = time.Now().Add(-5 * time.Minute).Unix() }})
	b := s.NewBrowser(t, "en")
	b.SignIn(testkit.Editor, path)
	s.IDP.Script(idp.Script{})
	b.Type("#confirm", account.Email)
	clock.pass(6 * time.Minute)

	b.Click(`[data-testid="delete-save"]`)
	b.Click(`button[value="` + testkit.Editor + `"]`) // at the provider
	b.Wait(".notice-line.warning")

	if got := testkit.Eval[string](b, `location.pathname + " " + document.querySelector("#confirm").value`); got != path+" "+account.Email {
		t.Errorf("back at %q, want what was typed", got)
	}
	if n := s.Wave.Count(sandbox.OpDelete); n != 0 {
		t.Errorf("%d calls before the second press", n)
	}
	b.Click(`[data-testid="delete-save"]`)
	b.Until(`location.pathname === "/resellers"`)
	if n := s.Wave.Count(sandbox.OpDelete); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}
