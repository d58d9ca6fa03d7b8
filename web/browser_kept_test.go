package web_test

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

// TestKept_outlivesTheSession: what is staged when a session runs out is offered to its
// person after the next sign-in. Until then nobody can read anything of it in the
// browser, and no one else who signs in there.
func TestKept_outlivesTheSession(t *testing.T) {
	clock := new(clock)
	b := stagedEverywhere(t, clock.now)
	mark := testkit.Eval[string](b.Browser, `document.body.dataset.user`)
	kept := keptIn(b.Browser)
	for _, name := range []string{
		"waveadmin.draft." + mark + "." + string(b.a.UserID), "waveadmin.preset." + mark + "./presets", "waveadmin.matrix." + mark,
		"waveadmin.matrix." + mark + ".steps", "waveadmin.staged." + mark + ".flag.open_api", "waveadmin.recent." + mark,
	} {
		if kept[name] == "" {
			t.Errorf("nothing is kept as %s", name)
		}
	}

	clock.pass(31 * time.Minute)
	b.Open("/auth/signed-out") // a page of the site for whoever comes
	nobodyReads := func(when string) {
		t.Helper()
		left := testkit.Eval[[][2]string](b.Browser, places)
		if len(left) < len(kept) {
			t.Errorf("%s: only %d of %d are left", when, len(left), len(kept))
		}
		for _, entry := range left {
			if !sealed.MatchString(entry[0] + "\n" + entry[1]) {
				t.Errorf("%s: %q is kept as %q", when, entry[1], entry[0])
			}
			for _, secret := range []string{
				string(b.a.UserID), b.a.Email, "invoice", "open_api", "usage_tag", keptReason, "Preset nobody", mark, "misaki", "matrix", "presets",
			} {
				if strings.Contains(strings.ToLower(entry[0]+"\n"+entry[1]), strings.ToLower(secret)) {
					t.Errorf("%s: %q stands in %q as %q", when, secret, entry[1], entry[0])
				}
			}
		}
	}
	nobodyReads("after the session")
	if key := testkit.Eval[string](b.Browser, `document.documentElement.outerHTML`); strings.Contains(key, "data-key") {
		t.Error("a page for nobody has a key")
	}

	path := "/resellers/" + string(b.a.UserID)
	b.s.IDP.Script(idp.Script{Claims: func(claims map[string]any) { claims["sub"], claims["name"] = "hana", otherEditor }})
	b.SignIn(testkit.Editor, path)
	b.s.IDP.Script(idp.Script{})
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	if testkit.Eval[bool](b.Browser, `Boolean(document.querySelector("[data-draft]"))`) {
		t.Error("someone else is offered the draft")
	}
	if found := keptIn(b.Browser); len(found) != 0 {
		t.Errorf("someone else reads %q", found)
	}
	nobodyReads("while someone else is signed in")

	clock.pass(31 * time.Minute)
	b.SignIn(testkit.Editor, path)
	b.Click(`[data-draft="restore"]`)
	if got := testkit.Eval[string](b.Browser, `document.querySelector("[name=reason]").value`); !checked(b.Browser, "invoice") || got != keptReason {
		t.Errorf("restored with the reason %q", got)
	}
	b.Open("/flags/open_api?q=" + url.QueryEscape(b.a.Email))
	b.Wait("tr[data-dirty]")
	b.Open("/presets/new")
	b.Click(`#preset-draft .btn`)
	b.Until(`document.querySelector("[name=name]").value === "Preset nobody knows"`)
	b.Open("/matrix?q=" + url.QueryEscape(b.a.Email))
	b.Wait("td[data-dirty]")
	b.Press("z", ctrl)
	b.Until(`!document.querySelector("td[data-dirty]")`)
	openPalette(b.Browser)
	b.Wait(`[data-palette-group="recent"] a[href="` + path + `"]`)
}

// sealed is how an entry of a storage looks.
var sealed = regexp.MustCompile(`^waveadmin\.[A-Za-z0-9+/]{12}\.[A-Za-z0-9+/]{43}=\n[A-Za-z0-9+/]{40,}={0,2}$`)

// TestKept_leavesThePage: the page holds its key no longer than it takes to import it.
func TestKept_leavesThePage(t *testing.T) {
	_, b, _ := editing(t, "en")
	if html := testkit.Eval[string](b, `document.documentElement.outerHTML`); strings.Contains(html, "data-key") {
		t.Error("the key is in the page")
	}
}

// TestKept_movedOrBroken: what stands at another place than it was written to, or is not
// as it was written, does not open. It is dropped; what is of others is left alone.
func TestKept_movedOrBroken(t *testing.T) {
	s, b, a := editing(t, "en")
	b.Click(box("invoice"))
	b.Open("/resellers/" + string(s.Wave.Accounts()[1].UserID))
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	b.Click(`.flag input[type=checkbox]:not([aria-disabled=true])`)
	keptIn(b)
	b.Until(`localStorage.length === 2`)
	testkit.Eval[bool](b, `(([[p, a], [q, b]]) => {
		localStorage[p] = b; localStorage[q] = a;
		localStorage[p.slice(0, 23) + "A".repeat(43) + "="] = "no";
		localStorage["waveadmin.AAAAAAAAAAAA." + "A".repeat(43) + "="] = a;
		return true;
	})(Object.entries(localStorage))`)
	b.Open("/resellers/" + string(a.UserID))
	b.Until(`document.querySelector("[data-unsaved]")?.textContent`)
	if testkit.Eval[bool](b, `Boolean(document.querySelector("[data-draft]"))`) {
		t.Error("what was moved is offered")
	}
	if left := testkit.Eval[string](b, `Object.keys(localStorage).join()`); !strings.HasPrefix(left, "waveadmin.AAAAAAAAAAAA.") || strings.Contains(left, ",") {
		t.Errorf("left are %s, want what is of others alone", left)
	}
}

// TestKept_fromBefore: what an earlier version kept in clear is offered and is encrypted
// from then on.
func TestKept_fromBefore(t *testing.T) {
	_, b, a := editing(t, "en")
	testkit.Eval[bool](b, `(localStorage["waveadmin.draft." + document.body.dataset.user + ".`+string(a.UserID)+`"] =
		JSON.stringify({ at: Date.now(), edits: { invoice: true }, reason: "`+keptReason+`" }),
		sessionStorage["waveadmin.recent." + document.body.dataset.user] = JSON.stringify([{ href: "/resellers/x", label: "x", detail: "" }]), true)`)
	b.Reload()
	b.Wait(`[data-draft="restore"]`)
	b.Until(`(all => all.length === 2 && !all.some(([place, value]) => /draft|recent|invoice|ticket/.test(place + value)))(` + places + `)`)
	b.Reload()
	b.Click(`[data-draft="restore"]`)
	if !checked(b, "invoice") {
		t.Error("the draft is lost")
	}
}

// TestKept_pressedAtOnce: what is pressed before it is known what is kept counts, and
// costs nothing of that.
func TestKept_pressedAtOnce(t *testing.T) {
	b := stagedEverywhere(t, nil)
	keptIn(b.Browser)
	b.Run("let the key wait", beforeScripts(`{
		const real = SubtleCrypto.prototype.importKey;
		SubtleCrypto.prototype.importKey = function (...all) { return new Promise((go) => { window.unlock = go; }).then(() => real.apply(this, all)); };
	}`))
	early := func(path, press string) {
		t.Helper()
		b.Open(path)
		b.Until(`document.readyState === "complete" && window.unlock`)
		b.Click(press)
		testkit.Eval[bool](b.Browser, `(unlock(), true)`)
	}
	at := "q=" + url.QueryEscape(b.a.Email)

	early("/resellers/"+string(b.a.UserID), box("open_api"))
	b.Wait(`[data-draft="restore"]`)
	if !checked(b.Browser, "open_api") || checked(b.Browser, "invoice") {
		t.Error("the press on the account's page is lost, or the draft came unasked")
	}
	b.Click(`[data-draft="restore"]`)
	if !checked(b.Browser, "open_api") || !checked(b.Browser, "invoice") {
		t.Error("of the press and the draft one is lost")
	}

	early("/matrix?"+at, fmt.Sprintf(`input[data-user-id=%q][data-flag="invoice"]`, b.a.UserID))
	b.Until(`document.querySelectorAll("td[data-dirty]").length === 2`)

	early("/flags/invoice?"+at, oneBox(string(b.a.UserID)))
	b.Until(`document.querySelectorAll("tr[data-dirty]").length === 1`)
	b.Open("/flags/open_api?" + at)
	b.Until(`window.unlock`)
	testkit.Eval[bool](b.Browser, `(unlock(), true)`)
	b.Until(`document.querySelectorAll("tr[data-dirty]").length === 1`)

	early("/presets/new", `[data-flag="usage_tag"] input:not(:checked)`)
	b.Wait(`#preset-draft .btn`)
	b.Click(`#preset-draft .btn`)
	b.Until(`document.querySelectorAll("[data-flag][data-dirty]").length === 1 && document.querySelector("[name=name]").value === "Preset nobody knows"`)
}

// TestKept_withoutRoom: where the browser has no WebCrypto, or keeps nothing, a page works
// and the matrix says so.
func TestKept_withoutRoom(t *testing.T) {
	for name, script := range map[string]string{
		"no WebCrypto": `Object.defineProperty(Crypto.prototype, "subtle", { value: undefined })`,
		"refused":      `Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } })`,
		"full":         `Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }`,
	} {
		t.Run(name, func(t *testing.T) {
			m := openMatrix(t, testkit.Editor, "?size=25")
			m.Run(name, beforeScripts(script))
			m.Reload()
			m.ready()
			m.Click(m.at("m03", "invoice"))
			m.wantStaged("staged", "m03 invoice on")
			m.Until(fmt.Sprintf(`document.querySelector("[data-already]").textContent.includes(%q)`, say(t, "en", "js.matrix_no_store")))
			m.press("z", ctrlKey)
			m.wantStaged("taken back", "")
			m.Open("/resellers/m03")
			m.Until(`document.querySelector("[data-unsaved]")?.textContent`)
			m.Click(box("invoice"))
			m.Wait(`.flag[data-flag="invoice"][data-dirty]`)
		})
	}
}

// TestKept_inTwoTabs: what one tab of the matrix stages the other shows, and what it takes
// back, too. Signing out in one leaves nothing for the other.
func TestKept_inTwoTabs(t *testing.T) {
	m := openMatrix(t, testkit.Editor, "?size=25")
	const other = `document.querySelectorAll('td[data-dirty] input').length`
	m.Run("open a second tab", func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		yes := true // else the browser takes it for an advertisement
		_, err = chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: `void (window.tab = open("/matrix?size=25"))`, UserGesture: &yes})
		return none, err
	})
	m.Until(`tab.document.querySelector('[data-testid="matrix"] [tabindex="0"]')`)
	m.Click(m.at("m03", "invoice"))
	m.Click(m.at("m04", "invoice"))
	m.Until(`tab.` + other + ` === 2`)
	testkit.Eval[bool](m.Browser, `(tab.document.querySelector('[data-user-id="m05"][data-flag="invoice"]').click(), true)`)
	m.Until(other + ` === 3`)
	testkit.Eval[bool](m.Browser, `(tab.document.querySelector('[data-testid="discard"]').click(), true)`)
	m.Until(other + ` === 0`)
	m.Click(m.at("m06", "invoice"))
	m.Until(`tab.` + other + ` === 1`)
	m.Click(`[data-testid="sign-out"]`)
	m.Click(`[data-sign-out-now]`)
	m.Until(`location.pathname === "/auth/signed-out" && document.readyState === "complete"`)
	if left := testkit.Eval[int](m.Browser, places+`.length`); left != 0 {
		t.Errorf("%d entries are left", left)
	}
}
