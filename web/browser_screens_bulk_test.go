package web_test

import (
	"fmt"
	"net/url"
	"regexp"
	"time"

	"waveadmin/internal/sandbox"
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
	{"bulk preview refused", testkit.Editor, `#count-error:not(:empty)`, func(v *visit) {
		v.open(planOf(v, manyTargets(v.s)))
		v.b.Click(`[data-testid="bulk-run"]`)
	}},
	{"bulk run", "", `[data-testid="bulk-progress"]`, func(v *visit) {
		was, _ := v.s.Wave.Get("unusual")
		v.open(runOf(v, url.Values{"user": {"unusual", "none"}, "flag.open_api": {flipped(was, "open_api")}, "flag.usage_tag": {flipped(was, "usage_tag")}}, true))
		v.leave = func() { // the screens after it count on the flags as they were
			v.outside("open_api")
			v.outside("usage_tag")
			v.listAgain()
		}
	}},
	{"bulk run under way", "", `[data-testid="bulk-progress"]`, func(v *visit) {
		stop := v.s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Delay: 8 * time.Second})
		form := url.Values{"user": manyTargets(v.s)["user"], "flag.report_filters": {"on"}} // the other screens count on theirs
		path := runOf(v, form, false)
		v.open(path)
		v.leave = func() {
			post(v.t, v.s.SignedIn(v.t, testkit.Editor), path+"/cancel", url.Values{})
			stop()
		}
	}},
	{"bulk new of deletion", testkit.Editor, `.what-delete`, func(v *visit) { v.open("/bulk/new?user=unusual&what=delete") }},
	{"bulk preview of deletion", "", `[data-testid="bulk-harm"]`, func(v *visit) {
		v.open(planOf(v, url.Values{"user": {"unusual", "none"}, "what": {"delete"}}))
	}},
	{"bulk preview of passwords", "", `[data-testid="bulk-harm"]`, func(v *visit) {
		v.open(planOf(v, url.Values{"user": {"unusual"}, "what": {"password"}}))
	}},
	{"bulk run scheduled", "", `[data-testid="bulk-progress"][data-state=scheduled]`, func(v *visit) {
		path := scheduled(v, url.Values{"user": {"unusual"}, "flag.report_filters": {"on"}, "flag.invoice": {"off"}})
		v.open(path)
		v.leave = func() { post(v.t, v.s.SignedIn(v.t, testkit.Editor), path+"/cancel", url.Values{}) }
	}},
	{"bulk list", "", `[data-testid="bulk-list"]`, func(v *visit) { v.open("/bulk") }},
	{"bulk missing", "", `.notice`, func(v *visit) { v.open("/bulk/none") }},
}

// planOf makes a plan as an editor and returns where it is.
func planOf(v *visit, form url.Values) string {
	v.t.Helper()
	p := post(v.t, v.s.SignedIn(v.t, testkit.Editor), "/bulk", form)
	return p.URL.Path
}

// runOf runs a plan as an editor and returns where it is; when asked to, it waits for
// the end.
func runOf(v *visit, form url.Values, over bool) string {
	v.t.Helper()
	c := v.s.SignedIn(v.t, testkit.Editor)
	p := post(v.t, c, "/bulk", form)
	run := url.Values{"mark": {p.Find(`[name="mark"]`).AttrOr("value", "")}, "reason": {"FY2026 の機能見直し"}}
	run.Set("count", regexp.MustCompile(`\d+`).FindString(p.Find(`[data-testid="bulk-sum"]`).Text()))
	path := post(v.t, c, p.URL.Path+"/run", run).URL.Path
	for over && c.Get(path).Find(`#bulk-progress[hx-get]`).Length() > 0 {
		time.Sleep(20 * time.Millisecond)
	}
	return path
}

// scheduled has a plan wait for a time that never comes, and returns where it is.
func scheduled(v *visit, form url.Values) string {
	v.t.Helper()
	c := v.s.SignedIn(v.t, testkit.Editor)
	p := post(v.t, c, "/bulk", form)
	return post(v.t, c, p.URL.Path+"/run", url.Values{
		"mark": {p.Find(`[name="mark"]`).AttrOr("value", "")}, "reason": {"夜間に切り替え"},
		"at": {time.Now().Add(60 * 24 * time.Hour).Format("2006-01-02T15:04")},
	}).URL.Path
}

// flipped is what a flag is not.
func flipped(a wave.Reseller, key wave.Key) string { return wave.StateOf(!a.Meta.On(key)).String() }

// manyTargets is a change of so many accounts that their number must be typed.
func manyTargets(s *testkit.Site) url.Values {
	form := url.Values{"flag.open_api": {"on"}, "flag.usage_tag": {"off"}, "flag.invoice": {"on"}}
	for _, a := range s.Wave.Accounts()[5:] { // the first is one of which nothing is on record
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
