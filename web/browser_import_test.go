package web_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"waveadmin/internal/i18n"
	"waveadmin/internal/testkit"
)

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
