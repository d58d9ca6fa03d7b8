package web_test

import (
	"slices"
	"strconv"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

func init() { screens = slices.Concat(screens, presetScreens, presetImportScreens) }

// presetScreens are the pages of presets with what can be seen on them.
var presetScreens = []screen{
	{"presets", "", `[data-testid="presets"]`, func(v *visit) { presetOf(v); v.open("/presets") }},
	{"preset", "", `#preset-form`, func(v *visit) { v.open(presetOf(v)) }},
	{"preset built in", "", `#preset-form`, func(v *visit) { v.open("/presets/defaults") }},
	{"preset staged", testkit.Editor, `.preset-flag[data-dirty] .mark`, func(v *visit) {
		v.open(presetOf(v))
		v.b.Click(`[data-flag="open_api"] label.none input`)
		v.b.Click(`[data-flag="usage_group"] label.off input`)
	}},
	{"preset refused", testkit.Editor, `.form-error li`, func(v *visit) {
		v.open(presetOf(v))
		v.b.Until(`(document.querySelector("#name").value = "", true)`)
		v.b.Click(`[data-testid="save"]`)
	}},
	{"preset accounts", "", `.preset-accounts`, func(v *visit) { v.open(presetOf(v) + "/accounts") }},
	{"preset accounts refused", testkit.Editor, `.form-error li`, func(v *visit) {
		v.open(presetOf(v) + "/accounts")
		v.b.Type(`#paste`, "nobody")
		v.b.Click(`[data-testid="assign"]`)
	}},
	{"preset without accounts", "", `.empty`, func(v *visit) { v.open("/presets/defaults/accounts") }},
	{"preset versions", "", `[data-testid="preset-versions"]`, func(v *visit) { v.open(presetOf(v) + "/versions") }},
	{"preset new", testkit.Editor, `#preset-form`, func(v *visit) { v.open("/presets/new?from=unusual") }},
	{"preset new empty", testkit.Editor, `[data-testid="preset-from"]`, func(v *visit) { v.open("/presets/new") }},
	{"preset delete", testkit.Editor, `[data-testid="preset-delete"]`, func(v *visit) { v.open(presetOf(v) + "/delete") }},
}

// presetOf returns where a preset is that the unusual account follows.
func presetOf(v *visit) string {
	const name = "標準プラン（2026 年度・請求書発行代行つき）"
	for _, p := range v.s.Presets.Book().All() {
		if p.Name == name {
			return "/presets/" + p.ID
		}
	}
	flags := wave.Wanted{"open_api": true, "usage_tag": false, "invoice": true, "dashboard_graph": true, "sp_purchased": false}
	return "/presets/" + newPreset(v.t, v.s, name, flags, "unusual", "gone").ID
}

// presetFile has one of each outcome.
const presetFile = "presets:\n- name: \"標準プラン（2026 年度・請求書発行代行つき）\"\n  functions: {invoice: false}\n- name: New\n  functions: {open_api: true}\n- name: Wrong\n  functions: {invioce: true}\n"

// viewsFile is what such a file says of views.
const viewsFile = `views:
- name: 標準プランとの差分
  query: "drift=1&sort=-updated&cols=email,preset,changed"
  preset: "標準プラン（2026 年度・請求書発行代行つき）"
- name: "New accounts of the month that have never registered"
  query: "never_registered=1&q=.co.jp&on=invoice&size=100"
  shared: true
- name: Wrong
  query: "size=7"
- name: About nothing
  preset: Platinum
`

var presetImportScreens = []screen{
	{"preset import", testkit.Editor, `[data-testid="preset-file"]`, func(v *visit) { v.open("/presets/import") }},
	{"preset import preview", testkit.Editor, `[data-testid="preset-import"]`, func(v *visit) {
		presetOf(v)
		importFile(v, presetFile)
	}},
	{"preset import of views", testkit.Editor, `[data-testid="preset-import"] section + section`, func(v *visit) {
		presetOf(v)
		importFile(v, presetFile+viewsFile)
	}},
	{"preset import refused", testkit.Editor, `[data-testid="import-problems"]`, func(v *visit) { importFile(v, "presets:\n- name: \"a\n") }},
}

func importFile(v *visit, text string) {
	v.open("/presets/import")
	v.b.Until("(document.querySelector('#yaml').value = " + strconv.Quote(text) + ", true)")
	v.b.Click(`[data-testid="import-preview"]`)
}
