package web_test

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/auth"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

var presetMaker = auth.Actor{Issuer: "idp", Subject: "tanaka", Name: "田中 美咲", Role: auth.Editor}

// newPreset makes a preset whose accounts differ from it in part.
func newPreset(t testing.TB, s *testkit.Site, name string, flags wave.Wanted, accounts ...wave.UserID) *preset.Preset {
	t.Helper()
	saved, err := s.Presets.Save(context.Background(), presetMaker, preset.Edit{Content: preset.Content{Name: name, Note: "標準契約のお客様向け。請求書は経理部が発行します。", Flags: flags}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Presets.Assign(context.Background(), presetMaker, saved[0].ID, accounts); err != nil {
		t.Fatal(err)
	}
	return saved[0]
}

var standard = wave.Wanted{"open_api": true, "usage_tag": false, "invoice": true, "dashboard_graph": true, "report_filters": true, "aqua_link": false}

// TestPresets goes the way of a preset: duplicate the defaults, change, save, assign,
// look at what differs. A draft outlives a reload, and Ctrl+S saves.
func TestPresets(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 12, Config: onlyWhenAsked})
	bulkAccounts(s.Wave, 12)
	post(t, s.SignedIn(t, testkit.Editor), "/refresh", url.Values{})
	newPreset(t, s, "標準プラン", standard, "bulk-00", "bulk-01", "bulk-02", "bulk-03", "gone")
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/presets")
	for _, lang := range i18n.Languages {
		b.Open("/presets?lang=" + lang)
		b.Open("/presets/new?copy=defaults")
		b.Wait(`[data-preset-form]`)
		b.Until(`(document.querySelector("#name").value = "", true)`)
		b.Type(`#name`, "Premium "+lang)
		b.Click(`[data-flag="open_api"] label.none input`)
		b.Click(`[data-testid="save"]`)
		b.Wait(`.notice-line.success`)
		if dirty := testkit.Eval[int](b, `document.querySelectorAll("[data-flag][data-dirty]").length`); dirty != 0 {
			t.Errorf("after a save %d flags are marked as changed", dirty)
		}

		b.Click(`[data-flag="invoice"] label.on input`)
		b.Click(`[data-flag="usage_tag"] label.none input`)
		b.Wait(`[data-flag="usage_tag"][data-dirty] .mark`)
		b.Until(`document.querySelector("[data-preset-unsaved]").textContent.includes("2")`)
		b.Reload()
		b.Wait(`#preset-draft .btn`)
		if n := testkit.Eval[int](b, `document.querySelectorAll("[data-flag][data-dirty]").length`); n != 0 {
			t.Errorf("a draft was restored without a question: %d", n)
		}
		b.Click(`#preset-draft .btn`)
		b.Wait(`[data-flag="usage_tag"][data-dirty] .mark`)
		testkit.Eval[bool](b, `window.sends = 0, window.count = (e) => { if (!e.defaultPrevented) sends++; e.preventDefault(); }, addEventListener("submit", count), true`)
		openPalette(b)
		b.Press("s", ctrl)
		b.Press(kb.Escape)
		b.Until(`!` + paletteOpen)
		if n := testkit.Eval[int](b, `sends`); n != 0 {
			t.Error("Ctrl+S saved behind a dialog")
		}
		b.Press("s", ctrl)
		b.Press("s", ctrl)
		if n := testkit.Eval[int](b, `sends`); n != 1 {
			t.Errorf("two presses sent %d forms", n)
		}
		testkit.Eval[bool](b, `removeEventListener("submit", count), dispatchEvent(new Event("pageshow"))`)
		b.Press("s", ctrl)
		b.Wait(`.notice-line.success`)
		b.Until(`localStorage.length === 0`) // after a save no draft is kept
		b.Click(`.tabs a[href$=versions]`)
		b.Wait(`[data-testid="preset-versions"]`)

		b.Click(`.tabs a[href$=accounts]`)
		b.Wait(`#paste`)
		b.Type(`#paste`, "bulk-05\nnobody@example.co.jp\n"+"tenant06@kyoto-foods.example.co.jp")
		b.Click(`[data-testid="assign"]`)
		b.Wait(`[data-testid="preset-unknown"]`)
		if rest := testkit.Eval[string](b, `document.querySelector("#paste").value`); rest != "nobody@example.co.jp" {
			t.Errorf("what is left to be mended is %q", rest)
		}
		b.Click(`[data-testid="apply-all"]`)
		b.Wait(`#bulk-new`)
		if chosen := testkit.Eval[string](b, `document.querySelector("#preset").selectedOptions[0].textContent`); chosen == "" {
			t.Error("the bulk form has no preset")
		}
	}
	post(t, s.SignedIn(t, testkit.Editor), "/views", url.Values{"name": {"標準プランとの差分"}, "list": {"drift=1"}})
	look := func(lang string) {
		b.Open("/presets/import?lang=" + lang)
		b.Until("(document.querySelector('#yaml').value = " + strconv.Quote(strings.ReplaceAll(presetFile+viewsFile, "（2026 年度・請求書発行代行つき）", "")) + ", true)")
		b.Click(`[data-testid="import-preview"]`)
		b.Wait(`[data-testid="import-do"]`)
	}
	look("en")
	b.Shot("preset-import-en-light")
	b.Size(390, 844)
	look("en")
	b.Shot("preset-import-en-phone")
	b.Size(1280, 900)
	b.Dark(true)
	look("ja")
	b.Shot("preset-import-ja-dark")
	b.Dark(false)
	look("ja")
	b.Shot("preset-import-ja-light")
	b.Click(`[data-testid="import-do"]`)
	b.Wait(`.notice-line.success`)
	if p := s.Presets.Book().All()[1]; p.Name != "New" || len(s.Presets.Book().All()) != 5 {
		t.Errorf("after an import there is %q first of %d", p.Name, len(s.Presets.Book().All()))
	}
}
