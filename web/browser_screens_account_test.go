package web_test

import (
	"testing"

	"waveadmin/internal/auth"
	"waveadmin/internal/preset"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

func init() { screens = append(screens, accountScreens...) }

// accountScreens are the comparison of two accounts, what can be staged on one, and the
// preset that it follows.
var accountScreens = []screen{
	{"compare", "", `[data-testid="compare"]`, func(v *visit) { v.pair(); v.open("/compare?a=pair-a&b=pair-b") }},
	{"compare all", "", `[data-testid="compare"]`, func(v *visit) { v.pair(); v.open("/compare?a=pair-a&b=unusual&show=all") }},
	{"compare alike", "", `#compare-rows .empty`, func(v *visit) { v.pair(); v.open("/compare?a=pair-b&b=pair-c") }},
	{"compare empty", "", `[data-testid="compare-empty"]`, func(v *visit) { v.open("/compare") }},
	{"compare unknown", "", `#pick-error-b`, func(v *visit) { v.pair(); v.open("/compare?a=pair-a&b=nobody") }},
	{"compare several", "", `.pick-choices`, func(v *visit) { v.pair(); v.open("/compare?a=pair&b=pair-a") }},
	{"account menu", "", `.account-menu .panel`, func(v *visit) {
		v.pair()
		v.open("/resellers/pair-a")
		v.b.Click(`.account-menu summary`)
	}},
	{"account with a preset", "", `[data-testid="follow-line"]`, func(v *visit) { v.pair(); v.open("/resellers/pair-b") }},
	{"account preset staged", testkit.Editor, `.takeback`, func(v *visit) { v.open("/resellers/pair-b?preset=" + v.pair()) }},
	{"account preset gone", testkit.Editor, `.notice-line.error`, func(v *visit) { v.pair(); v.open("/resellers/pair-b?preset=none") }},
	{"account copy staged", testkit.Editor, `.takeback`, func(v *visit) { v.pair(); v.open("/resellers/pair-a?copy=pair-b") }},
	{"account copy of nothing", testkit.Editor, `.takeback`, func(v *visit) { v.pair(); v.open("/resellers/pair-c?copy=pair-b") }},
	{"account copy refused", testkit.Editor, `#pick-error-copy`, func(v *visit) { v.pair(); v.open("/resellers/pair-a?copy=pair") }},
	{"new with a preset", testkit.Editor, `#create-form`, func(v *visit) { v.open("/resellers/new?preset=" + v.pair()) }},
	{"new with a refused copy", testkit.Editor, `#pick-error-copy`, func(v *visit) { v.pair(); v.open("/resellers/new?preset=none&copy=nobody") }},
	{"details with a preset", "", `[data-testid="preset-card"]`, func(v *visit) { v.pair(); v.open("/resellers/pair-b/details") }},
	{"details assign", testkit.Editor, `[data-testid="assign-form"]`, func(v *visit) {
		v.pair()
		v.open("/resellers/pair-b/details")
		v.b.Click(`.assign summary`)
	}},
}

// pair makes three accounts once, of which two are alike and follow a preset that they
// differ from, and returns that preset.
func (v *visit) pair() string {
	v.t.Helper()
	if _, ok := v.s.Wave.Get("pair-a"); ok {
		return v.s.Presets.Book().PresetOf("pair-b").ID
	}
	id := pairOf(v.t, v.s)
	v.listAgain()
	return id
}

// pairOf is pair for a site, without a new list.
func pairOf(t *testing.T, s *testkit.Site) string {
	t.Helper()
	meta := map[wave.UserID]wave.Meta{
		"pair-a": wave.Defaults().With("invoice", true).With("usage_tag", true).With("report_filters", false).With("new_in_2027", true),
		"pair-b": wave.Defaults().With("open_api", true).With("invoice", false).With("aqua_link", true).With("usage_tag", false),
	}
	meta["pair-c"] = meta["pair-b"]
	for id, m := range meta {
		a := wave.Reseller{
			UserID: id, Email: string(id) + "@kyoto-foods.example.co.jp", Meta: m,
			BillingGroup: wave.BillingGroup{CompanyID: "k-" + string(id), ID: "BG-" + string(id), Name: "株式会社京都フーズ"},
		}
		if err := s.Wave.AddAccount(a); err != nil {
			t.Fatal(err)
		}
	}
	by := auth.Actor{Issuer: "idp", Subject: "maker", Name: "佐々木 花", Role: auth.Editor}
	content := preset.Content{Name: "標準プラン", Flags: wave.Wanted{"invoice": true, "open_api": true, "usage_tag": true, "aqua_link": false}}
	saved, err := s.Presets.Save(t.Context(), by, preset.Edit{Content: content},
		preset.Edit{Content: preset.Content{Name: "閲覧のみプラン", Flags: wave.Wanted{"open_api": false}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Presets.Assign(t.Context(), by, saved[0].ID, []wave.UserID{"pair-b", "pair-c"}); err != nil {
		t.Fatal(err)
	}
	return saved[0].ID
}
