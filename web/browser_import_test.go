package web_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

// TestImport_waveAway: a file that is sent while Wave is away stays chosen, and is sent
// again with a key.
func TestImport_waveAway(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 12})
	company := s.Wave.Accounts()[0].BillingGroup.CompanyID
	c := s.SignedIn(t, testkit.Editor)
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/resellers")
	for _, lang := range i18n.Languages {
		b.Open("/resellers/import?lang=" + lang)
		chooseFile(b, "email,company_id\n"+lang+"@kyoto-foods.example.co.jp,"+company+"\n")
		s.WaveLeaves()
		b.Click(`[data-testid="import-check"]`)
		b.Until(`document.activeElement.matches("#import-form > .form-error")`)
		b.Shot("import-away-" + lang + "-light")
		told := b.Text("#import-form > .form-error")
		for _, words := range []string{say(t, lang, "error.unavailable"), say(t, lang, "import.file_kept")} {
			if !strings.Contains(told, words) {
				t.Errorf("it says %q, want %q in it", told, words)
			}
		}
		if n := testkit.Eval[int](b, `document.querySelector("#file").files.length`); n != 1 {
			t.Errorf("%d files are chosen", n)
		}
		s.WaveReturns(t)
		for c.Upload("/resellers/import", nil, "a.csv", []byte("email,company_id\nx@kyoto-foods.example.co.jp,"+company)).Status == http.StatusServiceUnavailable {
			time.Sleep(100 * time.Millisecond) // it is not believed to be back yet
		}
		b.Until(`(document.querySelector("[data-testid=import-check]").focus(), true)`)
		b.Press(kb.Enter)
		b.Wait(`[data-testid="bulk-preview"]`)
	}
}

// TestImport goes from the list of accounts to new ones, in both languages: a file, its
// preview, the run.
func TestImport(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Accounts: 12, Config: onlyWhenAsked})
	company := s.Wave.Accounts()[0].BillingGroup.CompanyID
	b := s.NewBrowser(t, "ja")
	b.SignIn(testkit.Editor, "/resellers")
	for _, lang := range i18n.Languages {
		b.Open("/resellers?lang=" + lang)
		b.Wait(`table`)
		b.Click(`[data-testid="import-link"]`)
		b.Wait(`[data-testid="import-form"]`)
		b.Shot("import-" + lang + "-light")
		var file strings.Builder
		file.WriteString("メールアドレス,会社ID,顧客への通知,open_api,備考\n")
		for i := range 6 {
			fmt.Fprintf(&file, "%s-%d@kyoto-foods.example.co.jp,%s,オフ,on,\n", lang, i, company)
		}
		file.WriteString("nobody," + company + ",,,\n=1+1," + company + ",,,\nx@kyoto-foods.example.co.jp,none,たぶん,,\n")
		chooseFile(b, file.String())
		b.Click(`[data-testid="import-check"]`)
		b.Wait(`[data-testid="bulk-preview"]`)
		b.Shot("import-preview-" + lang + "-light")
		before := b.Text(`[data-testid="bulk-sum"]`)
		b.Click(`[name="out"][value="1"]`)
		b.Until(`document.querySelector('[data-testid="bulk-sum"]').innerText.trim() !== ` + strconv.Quote(before))
		b.Type(`#reason`, "FY2026")
		b.Click(`[data-testid="bulk-run"]`)
		b.Wait(`[data-testid="bulk-progress"][data-state="done"]`)
		b.Shot("import-done-" + lang + "-light")
		for i := range 6 {
			email := fmt.Sprintf("%s-%d@kyoto-foods.example.co.jp", lang, i)
			there := false
			for _, a := range s.Wave.Accounts() {
				there = there || a.Email == email && a.Meta.On("open_api") && a.BillingGroup.CompanyID == company
			}
			if there != (i > 0) {
				t.Errorf("%s is there: %v", email, there)
			}
		}
		b.Click(`[data-testid="bulk-result"] tbody a`)
		b.Wait(`#perm-form`)
	}
	// The answer to a file that is far too large comes before all of it was sent.
	b.Open("/resellers/import?lang=en")
	b.Wait("#file")
	b.Until(`(() => {
		const chosen = new DataTransfer();
		chosen.items.add(new File(["x".repeat(32 << 20)], "accounts.csv"));
		document.querySelector("#file").files = chosen.files;
		return true;
	})()`)
	b.Click(`[data-testid="import-check"]`)
	b.Wait(`.form-error p`)
	if text := b.Text(`.form-error`); !strings.Contains(text, "2 MB") {
		t.Errorf("of a file of 32 MB it says %q", text)
	}
}
