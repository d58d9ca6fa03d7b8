package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// visit is one person's way through the screens.
type visit struct {
	t      *testing.T
	s      *testkit.Site
	b      *testkit.Browser
	person string
	lang   string
	leave  func() // what is to be done before the next screen; nil for nothing
	clock  *clock
	past   *past  // what was done before the screens of the history; nil until one is reached
	view   string // address of a saved view; empty until one is reached
}

// unusual is the address of an account that has all that is long, odd, unknown or
// without effect.
const unusual = "/resellers/unusual"

// screen is a state of a page. reach leads there from anywhere, and then what
// matches shows is visible.
type screen struct {
	name  string
	only  string // the person who can see it; empty for both
	shows string
	reach func(*visit)
}

var screens = []screen{
	{"list", "", `table`, func(v *visit) { v.open("/resellers?size=25") }},
	{"list filtered", "", `[data-popover] .panel`, func(v *visit) {
		v.open("/resellers?on=usage_group,usage_tag&off=sp_purchased&sort=-flags_on&size=25")
		v.b.Click(`[data-popover] summary`)
	}},
	{"list without a match", "", `.empty`, func(v *visit) { v.open("/resellers?q=zzzzzzzz&never_registered=1") }},
	{"account", "", `#perm-form`, func(v *visit) { v.open(unusual) }},
	{"account staged", testkit.Editor, `.savebar[data-dirty]`, func(v *visit) {
		v.open(unusual)
		for _, key := range []string{"dashboard_graph", "report_filters", "open_api", "aqua_link", "usage_report_download"} {
			v.b.Click("#f-" + key)
		}
	}},
	{"account scrolled", "", `#perm-form`, func(v *visit) {
		v.open(unusual)
		v.b.Until(`(scrollTo(0, 400), true)`)
	}},
	{"account saved", testkit.Editor, `[data-testid="undo"]`, func(v *visit) {
		v.open(unusual)
		v.b.Click("#f-open_api")
		v.b.Click(`[data-testid="save"]`)
	}},
	{"account refused", testkit.Editor, `#reason-error`, func(v *visit) {
		v.open(unusual)
		v.b.Click("#f-open_api")
		v.b.Until(`(document.querySelector("[name=reason]").value = "a".repeat(501), true)`)
		v.b.Click(`[data-testid="save"]`)
	}},
	{"account review", testkit.Editor, `#review[open]`, func(v *visit) {
		v.open(unusual)
		for _, key := range []string{"usage_group", "usage_group_graph", "usage_tag", "usage_tag_graph", "usage_crosstag"} {
			v.b.Click("#f-" + key)
		}
		v.b.Click(`[data-testid="save"]`)
	}},
	{"account conflict", testkit.Editor, `#conflict[open]`, func(v *visit) {
		v.open(unusual)
		v.b.Click("#f-usage_report_download")
		v.outside("usage_account")
		v.b.Click(`[data-testid="save"]`)
	}},
	{"account conflict with many", testkit.Editor, `#conflict[open]`, func(v *visit) {
		v.open(unusual)
		v.b.Click("#f-open_api")
		flip := func() {
			for _, f := range wave.Flags {
				if f.Key != "open_api" && f.Key != "invoice" {
					v.outside(f.Key)
				}
			}
		}
		flip()
		v.leave = func() { // the screens after it count on the flags as they were
			flip()
			v.listAgain()
		}
		v.b.Click(`[data-testid="save"]`)
	}},
	{"account undo meets a change", testkit.Editor, `#undo-moved[open]`, func(v *visit) {
		v.open(unusual)
		v.b.Click("#f-open_api")
		v.b.Click("#f-dashboard_graph")
		v.b.Click(`[data-testid="save"]`)
		v.b.Wait(`[data-testid="undo"]`)
		v.outside("open_api")
		v.b.Click(`[data-testid="undo"]`)
	}},
	{"account gone", testkit.Editor, `#gone[open]`, func(v *visit) {
		v.open(unusual)
		v.b.Click("#f-open_api")
		a, _ := v.s.Wave.Get("unusual")
		v.s.Wave.RemoveAccount("unusual")
		v.b.Click(`[data-testid="save"]`)
		v.leave = func() {
			if err := v.s.Wave.AddAccount(a); err != nil {
				v.t.Fatal(err)
			}
			v.listAgain()
		}
	}},
	{"account edited by others", "", `#presence span`, func(v *visit) {
		for _, name := range []string{otherEditor, "佐々木 花子（クラウド運用部）"} {
			v.s.IDP.Script(idp.Script{Claims: func(claims map[string]any) { claims["sub"], claims["name"] = name, name }})
			v.s.SignedIn(v.t, testkit.Editor).Post(unusual+"/presence", url.Values{"editing": {"on"}})
			v.s.IDP.Script(idp.Script{})
		}
		v.open(unusual)
	}},
	{"account checking", testkit.Editor, `.outcome.checking`, func(v *visit) {
		v.open(unusual)
		v.b.Click("#f-open_api")
		undo := v.s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, When: sandbox.After, Reset: true})
		undoList := v.s.Wave.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Times: 1000, Status: 503})
		v.b.Click(`[data-testid="save"]`)
		v.leave = func() { undo(); undoList() }
	}},
	{"details", "", `.facts`, func(v *visit) { v.open(unusual + "/details") }},
	{"history", "", `main`, func(v *visit) { v.open(unusual + "/history") }},
	{"history empty", "", `.empty`, func(v *visit) { v.open("/resellers/" + string(v.s.Wave.Accounts()[0].UserID) + "/history") }},
	{"password", testkit.Editor, `#password-form`, func(v *visit) { v.prove(); v.open(unusual + "/password") }},
	{"password refused", testkit.Editor, `.form-error li`, func(v *visit) {
		v.prove()
		v.open(unusual + "/password")
		v.b.Click(`[value=Custom]`)
		v.b.Type(`[name=password]`, "x")
		v.b.Click(`[data-testid="password-save"]`)
	}},
	{"delete", testkit.Editor, `#delete-form`, func(v *visit) { v.prove(); v.open(unusual + "/delete") }},
	{"delete refused", testkit.Editor, `.form-error li`, func(v *visit) {
		v.prove()
		v.open(unusual + "/delete")
		v.b.Click(`[data-testid="delete-save"]`)
	}},
	{"new", testkit.Editor, `#create-form`, func(v *visit) { v.open("/resellers/new") }},
	{"new refused", testkit.Editor, `.form-error li`, func(v *visit) {
		v.open("/resellers/new")
		v.b.Click(`[data-testid="create-save"]`)
	}},
	{"not found", "", `.notice`, func(v *visit) { v.open("/resellers/nobody") }},
	{"forbidden", testkit.Viewer, `.notice`, func(v *visit) { v.open("/resellers/new") }},
	{"menu open", "", `table`, func(v *visit) {
		v.b.Size(390, 844)
		v.open("/resellers?size=25")
		v.b.Click(`[data-menu]`)
	}},
	{"signed out", "", `.notice`, func(v *visit) { v.open("/auth/signed-out") }},
}

// newVisit signs a person in on a site with the unusual account.
func newVisit(t *testing.T, person, lang string) *visit {
	clock := new(clock)
	s := testkit.Start(t, testkit.Options{Now: clock.now, Config: onlyWhenAsked})
	meta := wave.Defaults().
		With("sp_purchased", true).With("invoice_download_csv_merged", true).
		With("new_in_2027", true).WithRaw("invoice", []byte(`"true"`))
	long := wave.Reseller{
		UserID: "unusual", Meta: meta, Updated: time.Now(),
		Email: "accounting-department.tokyo-headquarters+billing@subsidiary.long-company-name-holdings.example.co.jp",
		BillingGroup: wave.BillingGroup{
			CompanyID: "company-0123456789abcdef0123456789abcdef", ID: "BG-0000-0000-0001",
			Name: "株式会社クラウドインテグレーション・ホールディングス 西日本支社 情報システム統括本部",
		},
	}
	if err := s.Wave.AddAccount(long); err != nil {
		t.Fatal(err)
	}
	v := &visit{t: t, s: s, b: s.NewBrowser(t, lang), person: person, lang: lang, clock: clock}
	v.b.Open("/resellers")
	v.inspect("provider")
	v.b.SignIn(person, "/resellers")
	v.refresh() // the list may be older than the account
	v.b.Until(`document.body.textContent.includes("BG-0000-0000-0001")`)
	return v
}

// without shows the list when there are no accounts, then also no Wave.
func (v *visit) without() {
	for _, a := range v.s.Wave.Accounts() {
		v.s.Wave.RemoveAccount(a.UserID)
	}
	v.open("/resellers")
	v.refresh()
	v.b.Wait(`.empty`)
	v.inspect("list without accounts")
	v.s.WaveLeaves()
	v.refresh()
	v.b.Wait(`.fresh .away`)
	v.inspect("list without Wave")
}

func (v *visit) refresh() { v.b.Click(`[data-refresh] button`) }

// listAgain makes the site list the accounts, and waits until it has.
func (v *visit) listAgain() {
	v.open("/resellers")
	v.b.Until(`(window.old = true)`)
	v.refresh()
	v.b.Until(`!window.old && document.readyState === "complete"`)
}

// open goes to a page in the visit's language.
func (v *visit) open(path string) {
	sep := "?"
	if strings.Contains(path, sep) {
		sep = "&"
	}
	v.b.Open(path + sep + "lang=" + v.lang)
	v.b.Wait("main")
}

// outside flips a flag of the account as someone else would.
func (v *visit) outside(key wave.Key) {
	a, _ := v.s.Wave.Get("unusual")
	raw := "true"
	if a.Meta.On(key) {
		raw = "false"
	}
	if err := v.s.Wave.SetFlag("unusual", key, raw); err != nil {
		v.t.Fatal(err)
	}
}
