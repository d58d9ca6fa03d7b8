package web_test

import (
	"fmt"
	"net/url"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

func init() { screens = append(screens, bulkScreens...) }

// bulkScreens are the pages of bulk changes with what can be seen on them.
var bulkScreens = []screen{
	{"bulk new", testkit.Editor, `#bulk-new`, func(v *visit) { v.open("/bulk/new?user=unusual&user=none") }},
	{"bulk new by preset", testkit.Editor, `#preset`, func(v *visit) { v.open("/bulk/new?preset=defaults") }},
	{"bulk new refused", testkit.Editor, `.form-error li`, func(v *visit) {
		v.open("/bulk/new?paste=nobody%0Anothing")
		v.b.Click(`[data-testid="bulk-preview-button"]`)
	}},
	{"bulk preview", "", `[data-testid="bulk-preview"]`, func(v *visit) {
		v.open(planOf(v, url.Values{"user": {"unusual", "none"}, "paste": {"nobody"}, "flag.open_api": {"on"}, "flag.usage_tag": {"off"}}))
	}},
	{"bulk preview of nothing", "", `[data-testid="bulk-preview"]`, func(v *visit) {
		v.open(planOf(v, url.Values{"user": {"unusual"}, "flag.sp_purchased": {"on"}}))
	}},
	{"bulk preview of many", "", `[data-testid="bulk-preview"]`, func(v *visit) { v.open(planOf(v, manyTargets(v.s))) }},
	{"bulk list", "", `[data-testid="bulk-list"]`, func(v *visit) { v.open("/bulk") }},
	{"bulk missing", "", `.notice`, func(v *visit) { v.open("/bulk/none") }},
}

// planOf makes a plan as an editor and returns where it is.
func planOf(v *visit, form url.Values) string {
	v.t.Helper()
	p := post(v.t, v.s.SignedIn(v.t, testkit.Editor), "/bulk", form)
	return p.URL.Path
}

// manyTargets is a change of so many accounts that their number must be typed.
func manyTargets(s *testkit.Site) url.Values {
	form := url.Values{"flag.open_api": {"on"}, "flag.usage_tag": {"off"}, "flag.invoice": {"on"}}
	for _, a := range s.Wave.Accounts() {
		form.Add("user", string(a.UserID))
	}
	return form
}

// bulkAccounts adds accounts whose flags a test knows.
func bulkAccounts(v testkitSite, n int) {
	for i := range n {
		meta := wave.Defaults().With("open_api", i%3 == 0).With("usage_tag", true)
		_ = v.AddAccount(wave.Reseller{
			UserID: wave.UserID(fmt.Sprintf("bulk-%02d", i)), Email: fmt.Sprintf("tenant%02d@kyoto-foods.example.co.jp", i), Meta: meta,
			BillingGroup: wave.BillingGroup{CompanyID: fmt.Sprintf("c-%02d", i), ID: fmt.Sprintf("BG-%04d", i), Name: "株式会社京都フーズ"},
		})
	}
}

type testkitSite interface{ AddAccount(wave.Reseller) error }
