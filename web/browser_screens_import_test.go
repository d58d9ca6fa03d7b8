package web_test

import (
	"strconv"
	"strings"

	"waveadmin/internal/testkit"
)

func init() { screens = append(screens, importScreens...) }

// ofUnusual is the company of the unusual account.
const ofUnusual = "company-0123456789abcdef0123456789abcdef"

// importScreens are the pages on which accounts come from a file.
var importScreens = []screen{
	{"import", testkit.Editor, `[data-testid="import-form"]`, func(v *visit) { v.open("/resellers/import") }},
	{"import refused", testkit.Editor, `.form-error a`, func(v *visit) {
		v.open("/resellers/import")
		v.b.Click(`[data-testid="import-check"]`)
	}},
	{"import of nothing good", testkit.Editor, `[data-testid="import-problems"]`, func(v *visit) {
		v.open("/resellers/import")
		chooseFile(v.b, importFileOf("nobody", 40))
		v.b.Click(`[data-testid="import-check"]`)
	}},
	{"import preview", testkit.Editor, `[data-testid="bulk-preview"]`, func(v *visit) {
		v.open("/resellers/import")
		chooseFile(v.b, importFileOf("nobody", 12)+"tenant@kyoto-foods.example.co.jp,"+ofUnusual+",on,,\n"+
			"accounting-department.osaka-headquarters+billing@subsidiary.long-company-name-holdings.example.co.jp,"+ofUnusual+",off,,on\n")
		v.b.Click(`[data-testid="import-check"]`)
	}},
}

// importFileOf is a file of n rows that cannot be issued.
func importFileOf(email string, n int) string {
	var b strings.Builder
	b.WriteString("email,company_id,notification,備考,open_api\n")
	for i := range n {
		b.WriteString(email + strconv.Itoa(i) + "," + ofUnusual + ",たぶん,,\n")
	}
	return b.String()
}

// chooseFile puts a file into the field of the page, as a person who chooses one.
func chooseFile(b *testkit.Browser, text string) {
	b.Wait("#file")
	b.Until(`(() => {
		const chosen = new DataTransfer();
		chosen.items.add(new File([` + strconv.Quote(text) + `], "accounts.csv", {type: "text/csv"}));
		document.querySelector("#file").files = chosen.files;
		return document.querySelector("#file").files.length === 1;
	})()`)
}
