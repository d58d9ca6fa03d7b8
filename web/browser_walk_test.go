package web_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// say returns a sentence as a page in lang shows it.
func say(t *testing.T, lang, key string, args ...any) string {
	return i18n.T(i18n.WithLang(t.Context(), lang), key, args...)
}

// account returns an account of the sandbox whose record nothing is odd about
// and whose flags are as wanted.
func account(t *testing.T, s *testkit.Site, is map[wave.Key]bool) wave.Reseller {
	t.Helper()
	for _, a := range s.Wave.Accounts() {
		fits := len(a.Meta.Unknown()) == 0 && !a.Meta.HasOdd()
		for key, on := range is {
			fits = fits && a.Meta.State(key) == wave.StateOf(on)
		}
		if fits {
			return a
		}
	}
	t.Fatalf("no account of the sandbox is %v", is)
	return wave.Reseller{}
}

func flagOn(t *testing.T, s *testkit.Site, id wave.UserID, key wave.Key) bool {
	t.Helper()
	a, ok := s.Wave.Get(id)
	if !ok {
		t.Fatalf("the sandbox has no account %s", id)
	}
	return a.Meta.On(key)
}

// TestWalk is the main job as an editor does it, in both languages: sign in,
// search, switch three flags, save, undo, issue an account, reset its password,
// delete it, sign out. It also makes pictures for docs/screenshots.
func TestWalk(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 200})
			b := s.NewBrowser(t, lang)
			shot := func(name string) { b.Shot(name + "-" + lang + "-light") }

			b.Open("/")
			shot("sign-in")
			b.Click(`button[value="` + testkit.Editor + `"]`)
			b.Wait(`[data-testid="adoption"]`)
			b.Click(`nav a[href="/resellers"]`)
			b.Wait(`table[data-testid="resellers"]`)

			id := walkSearch(t, s, b)
			walkFlags(t, s, b, id, lang, shot)
			walkIssue(t, s, b)

			b.Click(`[data-testid="sign-out"]`)
			b.Until(`location.pathname === "/auth/signed-out"`)
			b.Open("/resellers")
			b.Wait(`button[value="` + testkit.Viewer + `"]`) // the provider asks again
		})
	}
}

func walkSearch(t *testing.T, s *testkit.Site, b *testkit.Browser) wave.UserID {
	a := account(t, s, map[wave.Key]bool{"invoice": false, "open_api": false, "usage_tag": true, "usage_tag_graph": true})
	b.Type(`input[name="q"]`, strings.ToUpper(a.Email))
	row := fmt.Sprintf(`tr[data-user-id="%s"]`, a.UserID)
	b.Until(`document.querySelectorAll("tbody tr").length === 1`)
	b.Wait(row)
	b.Until(`new URLSearchParams(location.search).get("q") !== null`) // a link to this view can be sent
	b.Click(row + ` a`)
	b.Wait(`form[data-testid="perm-form"]`)
	return a.UserID
}

func walkFlags(t *testing.T, s *testkit.Site, b *testkit.Browser, id wave.UserID, lang string, shot func(string)) {
	b.Until(`document.querySelector("[data-unsaved]").textContent !== ""`)
	for _, key := range []string{"invoice", "open_api", "usage_tag"} {
		b.Click(`input[name="is.` + key + `"]`)
	}
	want := say(t, lang, "js.unsaved", "count", 3, "on", 2, "off", 1)
	if got := b.Text(`[data-testid="unsaved-count"]`); got != want {
		t.Errorf("the save bar says %q, want %q", got, want)
	}
	if n := testkit.Eval[int](b, `document.querySelectorAll("input[data-dirty]").length`); n != 3 {
		t.Errorf("%d boxes are marked as changed, want 3", n)
	}

	s.Wave.ResetJournal()
	b.Click(`[data-testid="save"]`)
	b.Wait(`[data-testid="undo"]`)
	shot("account-saved")
	if !flagOn(t, s, id, "invoice") || !flagOn(t, s, id, "open_api") || flagOn(t, s, id, "usage_tag") {
		t.Error("the three flags are not as they were set")
	}
	if n := s.Wave.Count(sandbox.OpMeta); n != 1 {
		t.Errorf("%d calls changed the flags, want 1", n)
	}

	b.Click(`[data-testid="undo"]`)
	b.Until(`document.querySelector("[data-outcome]") && !document.querySelector("[data-testid=undo]")`)
	if flagOn(t, s, id, "invoice") || flagOn(t, s, id, "open_api") || !flagOn(t, s, id, "usage_tag") {
		t.Error("the undo did not put the three flags back")
	}

	// Save on a form that nobody touched asks nobody.
	s.Wave.ResetJournal()
	b.Click(`[data-testid="save"]`)
	b.Until(fmt.Sprintf(`document.querySelector("[data-unsaved]").textContent === %q`, say(t, lang, "js.nothing_to_save")))
	if n := s.Wave.Count(sandbox.OpMeta); n != 0 {
		t.Errorf("%d calls after a save of nothing, want none", n)
	}

	b.Click(`.tabs a[href$="/history"]`)
	b.Wait(`[data-testid="history"]`)
	if n := testkit.Eval[int](b, `document.querySelectorAll("[data-testid=history] tbody tr").length`); n != 2 {
		t.Errorf("the history has %d lines, want the save and its undo", n)
	}
}

func walkIssue(t *testing.T, s *testkit.Site, b *testkit.Browser) {
	const email = "new.customer@example.co.jp"
	group := s.Wave.Groups()[3]
	b.Open("/resellers/new")
	b.Type(`#email`, email)
	b.Type(`#company_id`, group.CompanyID)
	b.Until(fmt.Sprintf(`document.querySelector("#company-hint").textContent.includes(%q)`, group.ID))
	b.Click(`input[name="input_type"][value="Custom"]`)
	b.Type(`#password`, "correct-horse-9")
	b.Click(`#f-invoice`)
	b.Click(`[data-testid="create-save"]`)
	b.Until(`document.querySelector("form[data-testid=perm-form]") && document.querySelector(".notice-line.success")`)
	created := slices.IndexFunc(s.Wave.Accounts(), func(a wave.Reseller) bool { return a.Email == email })
	if created < 0 {
		t.Fatal("the account was not issued")
	}
	a := s.Wave.Accounts()[created]
	if a.BillingGroup.CompanyID != group.CompanyID || !a.Meta.On("invoice") || !a.Meta.On("dashboard_graph") || a.Meta.On("open_api") {
		t.Errorf("issued %+v, want it in %s with the defaults and invoices", a, group.CompanyID)
	}
	if sent := s.Wave.Journal(); !slices.ContainsFunc(sent, func(e sandbox.Entry) bool {
		return e.Op == sandbox.OpCreate && strings.Contains(string(e.Body), `"password":"correct-horse-9"`)
	}) {
		t.Error("the password that was typed was not sent")
	}

	b.Click(`.tabs a[href$="/details"]`)
	b.Wait(`.facts`)
	b.Click(`a[href$="/password"]`)
	b.Wait(`#password-form`)
	b.Click(`[data-testid="password-save"]`)
	b.Until(`location.pathname.endsWith("/details") && document.querySelector(".notice-line.success")`)
	if got := s.Wave.Passwords(a.UserID); len(got) != 1 || got[0].Input != wave.Auto {
		t.Errorf("passwords set: %+v, want one that Wave makes up", got)
	}

	b.Click(`a[href$="/delete"]`)
	b.Type(`#confirm`, email)
	b.Click(`[data-testid="delete-save"]`)
	b.Until(`location.pathname === "/resellers" && document.querySelector(".notice-line.success")`)
	if !strings.Contains(b.Text(".notice-line"), email) {
		t.Errorf("the notice says %q, want the deleted account named", b.Text(".notice-line"))
	}
	if _, ok := s.Wave.Get(a.UserID); ok {
		t.Error("the account is still there")
	}
}

// TestWalk_viewer sees everything, is told why nothing can be changed, and
// changes nothing by any way.
func TestWalk_viewer(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{})
			b := s.NewBrowser(t, lang)
			a := account(t, s, map[wave.Key]bool{"invoice": false})
			b.SignIn(testkit.Viewer, "/resellers/"+string(a.UserID))
			b.Wait(`form[data-testid="perm-form"]`)
			if got, want := b.Text(`.notice-line`), say(t, lang, "account.viewer"); got != want {
				t.Errorf("the page says %q, want %q", got, want)
			}
			b.Click(`#f-invoice`)
			if testkit.Eval[bool](b, `document.querySelector("#f-invoice").checked`) {
				t.Error("a viewer's click switched a box")
			}
			if testkit.Eval[bool](b, `Boolean(document.querySelector("[data-testid=save], a[href='/resellers/new']"))`) {
				t.Error("a viewer is offered what the role does not allow")
			}
			b.Shot("account-viewer-" + lang + "-light")
			b.Open("/resellers/" + string(a.UserID) + "/delete")
			if got, want := b.Text("main"), say(t, lang, "error.forbidden_editor"); !strings.Contains(got, want) {
				t.Errorf("the page says %q, want %q", got, want)
			}
			b.Shot("refused-" + lang + "-light")
		})
	}
}

// TestWalk_nobody signs in without a role and is turned away.
func TestWalk_nobody(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Nobody, "/resellers")
	b.Until(`location.pathname === "/auth/callback"`)
	if !strings.Contains(b.Text("main"), say(t, "ja", "signin.no_role", "name", "佐藤 健")) {
		t.Errorf("the page says %q, want that the person has no role", b.Text("main"))
	}
}
