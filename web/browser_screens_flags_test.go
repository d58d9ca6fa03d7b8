package web_test

import (
	"net/url"
	"time"

	"waveadmin/internal/testkit"
)

func init() { screens = append(screens, flagScreens...) }

// flagScreens are the overview and the pages of one function.
var flagScreens = []screen{
	{"overview", "", `[data-testid="adoption"]`, func(v *visit) { v.open("/") }},
	{"overview with its table", "", `.figures[open] table`, func(v *visit) {
		v.open("/")
		v.b.Click(`.figures summary`)
	}},
	{"overview with changes", "", `[data-testid="recent"] li`, func(v *visit) {
		c := v.s.SignedIn(v.t, testkit.Editor)
		c.Post(unusual+"/meta", url.Values{"was.open_api": {"off"}, "is.open_api": {"on"}, "reason": {time.Now().String()}})
		c.Post(unusual+"/meta", url.Values{"was.open_api": {"on"}})
		v.open("/")
	}},
	{"flag", "", `#flag-form`, func(v *visit) { v.open("/flags/usage_account_menu_budget?size=25") }},
	{"flag with all groups", "", `.tall`, func(v *visit) { v.open("/flags/open_api?groups=all&size=25") }},
	{"flag that nobody knows", "", `#flag-form`, func(v *visit) { v.open("/flags/new_in_2027?size=25") }},
	{"flag without a match", "", `.empty`, func(v *visit) { v.open("/flags/open_api?q=zzzzzzz") }},
	{"flag staged", testkit.Editor, `tr[data-dirty]`, func(v *visit) {
		v.open("/flags/open_api?q=BG-0000-0000-0001") // the unusual account alone
		v.b.Click(`.tick`)
		v.open("/flags/open_api?size=25")
		v.b.Click(`tr:nth-child(2) .tick`)
		v.leave = func() { v.b.Click(`[data-testid="discard"]`) }
	}},
	{"flag saved", testkit.Editor, `[data-testid="undo"]`, func(v *visit) {
		v.open("/flags/open_api?q=BG-0000-0000-0001")
		v.b.Click(`.tick`)
		v.b.Click(`[data-testid="save"]`)
		v.leave = func() {
			v.b.Click(`[data-testid="undo"]`)
			v.b.Until(`document.querySelector("[data-outcome]") && !document.querySelector("[data-testid=undo]")`)
		}
	}},
}
