package web_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/config"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// hand is someone who has a keyboard and nothing else.
type hand struct{ *testkit.Browser }

// to presses Tab until what matches has the focus, which can be seen there.
func (h hand) to(t *testing.T, sel string) {
	t.Helper()
	h.Wait(sel)
	for range 250 {
		h.Press(kb.Tab)
		if testkit.Eval[bool](h.Browser, `Boolean(document.activeElement?.matches(`+strconv.Quote(sel)+`))`) {
			if out := testkit.Eval[string](h.Browser, outOfSight); out != "" {
				t.Errorf("%s has the focus, but %s", sel, out)
			}
			return
		}
	}
	t.Fatalf("Tab never reaches %s", sel)
}

// outOfSight says why one does not see what has the focus, or nothing.
const outOfSight = `(() => {
	const e = document.activeElement, box = e.getBoundingClientRect();
	if (box.bottom < 0 || box.top > innerHeight) return "stands outside of the window";
	const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
	if (top && !e.contains(top) && !top.contains(e) && !e.closest("label")?.contains(top)) return "lies under " + top.outerHTML.slice(0, 80);
	return "";
})()`

// TestKeys_bulk deletes, issues, schedules and approves without a mouse.
func TestKeys_bulk(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 3, Config: func(c *config.Config) { onlyWhenAsked(c); c.UI.Approval = "flags: open_api" }})
	bulkAccounts(s.Wave, 12)
	post(t, s.SignedIn(t, testkit.Editor), "/refresh", url.Values{})
	for _, lang := range i18n.Languages {
		t.Run(lang, func(t *testing.T) {
			h := hand{s.NewBrowser(t, lang)}
			h.SignIn(testkit.Editor, "/resellers?q=tenant")
			deleteByKeys(t, s, h)
			importByKeys(t, s, h, lang)
			scheduleByKeys(t, s, h)
			approveByKeys(t, s, h, lang)
		})
	}
}

func deleteByKeys(t *testing.T, s *testkit.Site, h hand) {
	before := len(s.Wave.Accounts())
	for range 2 {
		h.to(t, `#list tbody input[type=checkbox]`)
		h.Press(" ")
	}
	h.to(t, `#selection details:last-of-type summary`)
	h.Press(kb.Enter)
	h.to(t, `[name=what][value=delete]`)
	h.Press(kb.Enter)
	h.to(t, `#reason`)
	h.Press("解約")
	h.to(t, `[data-testid="bulk-preview-button"]`)
	h.Press(kb.Enter)
	h.Wait(`[data-testid="bulk-harm"]`)
	h.to(t, `[name=out][value="1"]`)
	h.Press(" ")
	h.Until(`document.querySelector("#bulk-sum .bulk-sum").innerText.includes("1")`)
	h.to(t, `#reason`)
	h.to(t, `#count`)
	h.Press("1")
	h.Press(kb.Enter) // which starts nothing
	h.Until(`document.activeElement.id === "count"`)
	if got := testkit.Eval[string](h.Browser, `reason.value + " " + count.value`); got != "解約 1" {
		t.Errorf("after Enter the fields hold %q", got)
	}
	if n := s.Wave.Count(sandbox.OpDelete); len(s.Wave.Accounts()) != before {
		t.Fatalf("Enter in a field deletes: %d calls", n)
	}
	h.to(t, `[data-testid="bulk-run"]`)
	h.Press(kb.Enter)
	h.Wait(`[data-testid="bulk-progress"][data-state="done"]`)
	if after := len(s.Wave.Accounts()); after != before-1 {
		t.Errorf("%d accounts, before %d", after, before)
	}
}

func importByKeys(t *testing.T, s *testkit.Site, h hand, lang string) {
	before := len(s.Wave.Accounts())
	h.Open("/resellers")
	h.to(t, `[data-testid="import-link"]`)
	h.Press(kb.Enter)
	h.to(t, `#file`)
	company := s.Wave.Accounts()[0].BillingGroup.CompanyID
	chooseFile(h.Browser, "email,company_id\nnobody,"+company+"\nkeys-"+lang+"@x.example.jp,"+company+"\n") // as from the dialog of the system
	h.to(t, `[data-testid="import-check"]`)
	h.Press(kb.Enter)
	h.Wait(`[data-testid="bulk-warnings"]`)
	h.to(t, `[data-testid="bulk-warnings"] .bulk-targets`) // can be scrolled
	h.to(t, `#reason`)
	h.Press("新規契約")
	h.to(t, `[data-testid="bulk-run"]`)
	h.Press(kb.Enter)
	h.Wait(`[data-testid="bulk-progress"][data-state="done"]`)
	if after := len(s.Wave.Accounts()); after != before+1 {
		t.Errorf("%d accounts, before %d", after, before)
	}
}

func scheduleByKeys(t *testing.T, s *testkit.Site, h hand) {
	h.Open(planOf(&visit{t: t, s: s}, url.Values{"user": {"bulk-09"}, "flag.report_filters": {"off"}, "flag.invoice": {"on"}}))
	h.to(t, `#reason`)
	h.Press("夜間に切り替え")
	h.to(t, `#at`)
	h.Press("01012027") // the same in either order of month and day
	h.Press(kb.ArrowRight)
	h.Press("1000A")
	if at := testkit.Eval[string](h.Browser, `at.value`); !strings.HasPrefix(at, "2027-01-01T10:00") {
		t.Fatalf("the field holds %q", at)
	}
	h.to(t, `[data-testid="bulk-run"]`)
	h.Press(kb.Enter)
	h.Wait(`[data-testid="bulk-progress"][data-state="scheduled"]`)
	h.to(t, `#bulk-cancel`)
	h.Press(kb.Enter)
	h.Wait(`[data-testid="bulk-progress"][data-state="cancelled"]`)
}

func approveByKeys(t *testing.T, s *testkit.Site, h hand, lang string) {
	a, _ := s.Wave.Get("bulk-10")
	h.Open(planOf(&visit{t: t, s: s}, url.Values{"user": {"bulk-10"}, "flag.open_api": {flipped(a, "open_api")}}))
	h.to(t, `#reason`)
	h.Press("依頼")
	h.to(t, `[data-testid="bulk-run"]`)
	h.Press(kb.Enter)
	h.Wait(`[data-testid="bulk-asked"]`)

	other := hand{s.NewBrowser(t, lang)}
	other.SignIn(testkit.Second, "/bulk")
	other.to(t, `[data-testid="bulk-list"] tr[data-state=waiting] a`)
	other.Press(kb.Enter)
	other.to(t, `[data-testid="bulk-approve"]`)
	other.Press(kb.Enter)
	other.Wait(`[data-testid="bulk-progress"][data-state="done"]`)
	if is, _ := s.Wave.Get("bulk-10"); is.Meta.On("open_api") == a.Meta.On("open_api") {
		t.Error("what was approved was not done")
	}
}
