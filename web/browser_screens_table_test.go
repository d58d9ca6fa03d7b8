package web_test

import "waveadmin/internal/testkit"

func init() { screens = append(screens, tableScreens...) }

// tableScreens are the states of the reseller table beside those of its list.
var tableScreens = []screen{
	{"table with a selection", "", `#selection.any`, func(v *visit) {
		v.open("/resellers?size=25")
		v.b.Click(`[data-select-page]`)
	}},
	{"table with presets to apply", testkit.Editor, `#selection .panel`, func(v *visit) {
		v.open("/resellers?size=25")
		v.b.Click(pick(1))
		v.b.Click(`#selection summary`)
	}},
	{"table with its columns", "", `[data-testid="columns"]`, func(v *visit) {
		v.open("/resellers?size=25&cols=email,billing_group,company_id,registered,updated,password_updated,flags_on,preset,changed")
		v.b.Click(`.list-bar form details:nth-of-type(2) summary`)
	}},
	{"table with a filter that is gone", "", `#list .notice-line`, func(v *visit) { v.open("/resellers?size=25&preset=gone&on=old_flag") }},
	{"table with views", "", `#views .view-forms`, func(v *visit) {
		if v.view == "" {
			tablePast(v.t, v.s)
			v.open("/resellers")
			v.view = testkit.Eval[string](v.b, `[...document.querySelectorAll("#views .menu a")].find(a => a.href.includes("drift")).getAttribute("href")`)
		}
		v.open(v.view + "&size=25")
		v.b.Click(`#views > summary`)
		v.b.Until(`(document.querySelectorAll("#views details").forEach(d => d.open = true), true)`)
	}},
	{"table with a view that is refused", "", `#views [aria-invalid]`, func(v *visit) {
		v.open("/resellers?size=25&on=usage_tag")
		v.b.Click(`#views > summary`)
		v.b.Until(`(document.querySelector("#views form[action='/views'] [name=name]").required = false, true)`)
		v.b.Click(`#views form[action="/views"] button`)
	}},
}
