package providers

import (
	"fmt"
	"strings"
	"testing"

	"waveadmin/internal/testkit"
)

// TestBrowser goes through a whole day in a real browser: the provider's form with a
// wrong and the right password, a change, signing out there and here, and no way back.
func TestBrowser(t *testing.T) {
	each(t, func(t *testing.T, site *testkit.Site, p *provider) {
		b := site.NewBrowser(t, "en")
		account := site.Wave.Accounts()[0]
		path := "/resellers/" + string(account.UserID)
		one, _ := p.people.get("misaki")
		arrived := func(origin string) {
			b.Until(fmt.Sprintf(`location.href.startsWith(%q) && document.readyState === "complete"`, origin))
		}
		fill := func(password string) {
			b.Wait("input[name=" + p.user + "]")
			b.Until(fmt.Sprintf("((document.querySelector('input[name=%s]').value = '') || true)", p.user))
			b.Type("input[name="+p.user+"]", one.Username)
			b.Type("input[name="+p.password+"]", password)
			b.Click("button[type=submit]")
		}

		b.Open(path)
		arrived(p.issuer)
		fill("wrong")
		b.Until(`/invalid|wrong/i.test(document.body.innerText)`)
		fill(one.Password)
		if p.asksConsent {
			b.Wait("[name=approval][value=approve] + button")
			b.Click("[name=approval][value=approve] + button")
		}
		arrived(site.URL + path)
		if who := b.Text(".foot .who"); !strings.Contains(who, p.shows(one)) || !strings.Contains(who, "editor") {
			t.Errorf("the page says of who is here: %q", who)
		}

		const box = "#f-invoice"
		before := testkit.Eval[bool](b, `document.querySelector("`+box+`").checked`)
		b.Until(`document.querySelector("[data-unsaved]")?.textContent`) // the scripts are at work
		b.Click(box)
		b.Click(`[data-testid="save"]`)
		b.Wait(`[data-testid="undo"]`)
		if now := testkit.Eval[bool](b, `document.querySelector("`+box+`").checked`); now == before {
			t.Error("the change was not saved")
		}

		b.Click(`[data-testid="sign-out"]`)
		arrived(site.URL + "/auth/signed-out")
		b.Open(path)
		arrived(p.issuer)
		b.Wait("input[name=" + p.password + "]")
	})
}
