package handlers_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sjis "golang.org/x/text/encoding/japanese"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sheet"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// importSite has one account, acme, and an editor.
func importSite(t *testing.T) (*testkit.Site, *testkit.Client) {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	return s, c
}

func upload(c *testkit.Client, rows ...string) testkit.Page {
	return c.Upload("/resellers/import", nil, "accounts.csv", []byte(strings.Join(rows, "\r\n")+"\r\n"))
}

// waveHas returns the account with that email as Wave has it.
func waveHas(t *testing.T, s *testkit.Site, email string) wave.Reseller {
	t.Helper()
	for _, a := range s.Wave.Accounts() {
		if a.Email == email {
			return a
		}
	}
	t.Fatalf("Wave has no account with the email %s", email)
	return wave.Reseller{}
}

// TestImport: what is wrong is told and left out, and what is previewed is issued.
func TestImport(t *testing.T) {
	t.Parallel()
	s, c := importSite(t)
	std := makePreset(t, s, "標準プラン", wave.Wanted{"invoice": true, "dashboard_graph": false})
	file, err := sjis.ShiftJIS.NewEncoder().String(strings.Join([]string{
		"会社ID,メールアドレス,プリセット,open_api,顧客への通知,備考",
		"k-acme,one@x.example.jp,標準ﾌﾟﾗﾝ,オン,しない,",
		"k-acme,two@x.example.jp,,,,メモ",
		"k-acme,acme@example.co.jp,,,,",
		"k-none,three@x.example.jp,,,,",
		"BG-acme,four@x.example.jp,ない,,,",
		"k-acme,five,,たぶん,,",
		"k-acme,two@x.example.jp,,,,",
	}, "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	s.Wave.ResetJournal()
	form := fields(t, c.Get("/resellers/import").Find(`[data-testid="import-form"]`))
	form.Del("file")
	p := c.Upload("/resellers/import", form, "accounts.csv", []byte(file))
	wantStatus(t, p, http.StatusOK)
	if !strings.HasPrefix(p.URL.Path, "/bulk/") || len(writes(s)) != 0 {
		t.Fatalf("the file leads to %s after %d writes: %s", p.URL, len(writes(s)), said(p))
	}
	if n := p.Find(`[data-testid="bulk-rows"] tbody tr`).Length(); n != 2 {
		t.Errorf("%d accounts are previewed", n)
	}
	for _, text := range []string{
		says("import.ignored", "columns", "備考"), says("import.rows_left_out", "count", 5),
		says("import.email_used", "row", 4, "value", "acme@example.co.jp"),
		says("import.company_unknown", "row", 5, "value", "k-none"),
		says("import.company_is_group", "row", 6, "value", "BG-acme", "id", "k-acme"),
		says("import.preset_unknown", "row", 6, "value", "ない"),
		says("import.not_a_switch", "row", 7, "column", "open_api", "value", "たぶん"),
		says("import.bad_email", "row", 7, "column", "メールアドレス", "value", "five"),
		says("import.twice", "row", 8, "column", "メールアドレス", "first", 3),
	} {
		wantText(t, p, `[data-testid="bulk-warnings"]`, text)
	}
	on := wave.Defaults().With("invoice", true).With("dashboard_graph", false).With("open_api", true)
	for _, text := range []string{
		"one@x.example.jp", "テスト商事", says("import.line_company", "id", "k-acme"), says("import.line_preset", "name", std.Name),
		says("import.line_on", "count", on.CountOn(), "total", len(wave.Flags)), says("import.line_silent"),
	} {
		wantText(t, p, `[data-testid="bulk-rows"] tbody tr:first-child`, text)
	}
	for _, text := range []string{says("import.line_no_preset"), says("import.line_notified")} {
		wantText(t, p, `[data-testid="bulk-rows"] tbody tr:last-child`, text)
	}

	run := fields(t, p.Find("#bulk-form"))
	run.Set("reason", "新規契約")
	p = over(t, c, c.Post(p.URL.Path+"/run", run).URL.Path)
	one, two := waveHas(t, s, "one@x.example.jp"), waveHas(t, s, "two@x.example.jp")
	if moved := wave.Diff(on, one.Meta); len(moved) > 0 || one.BillingGroup.CompanyID != "k-acme" {
		t.Errorf("issued %+v, flags differ: %v", one, moved)
	}
	if moved := wave.Diff(wave.Defaults(), two.Meta); len(moved) > 0 {
		t.Errorf("the second one's flags differ: %v", moved)
	}
	until(t, "the first one follows its preset", func() bool {
		a, ok := s.Presets.Book().Of(one.UserID)
		return ok && a.Preset == std.ID
	})
	if _, ok := s.Presets.Book().Of(two.UserID); ok {
		t.Error("the second one follows a preset")
	}
	calls := writes(s)
	if len(calls) != 2 || len(s.Wave.Accounts()) != 6 {
		t.Fatalf("%d calls, %d accounts", len(calls), len(s.Wave.Accounts()))
	}
	for _, call := range calls {
		body := string(call.Body)
		if strings.Contains(body, "one@x") == strings.Contains(body, `"notification":true`) || !strings.Contains(body, `"password":null`) {
			t.Errorf("sent %s", body)
		}
	}
	if p.Find(`[data-testid="bulk-result"] a[href="/resellers/`+string(one.UserID)+`"]`).Length() != 1 {
		t.Errorf("the result does not lead to the new account: %s", short(p.Find(`[data-testid="bulk-result"]`)))
	}
}

// TestImport_presets: how a row names one, and which it follows when it does not.
func TestImport_presets(t *testing.T) {
	t.Parallel()
	s, c := importSite(t)
	std := makePreset(t, s, "Standard", wave.Wanted{"invoice": true})
	if err := s.Presets.ChooseForNew(t.Context(), presetMaker, std.ID); err != nil {
		t.Fatal(err)
	}
	p := upload(c, "email,company_id,preset,invoice",
		"a@x.example.jp,k-acme,,", "b@x.example.jp,k-acme,ｓｔａｎｄａｒｄ,", "c@x.example.jp,k-acme,"+std.ID+",off",
		"d@x.example.jp,k-acme,"+says("create.no_preset")+",", "e@x.example.jp,k-acme,プリセットなし,on", "f@x.example.jp,k-acme,"+says("preset.defaults")+",",
	)
	n := func(invoice bool) string {
		return says("import.line_on", "count", wave.Defaults().With("invoice", invoice).CountOn(), "total", len(wave.Flags))
	}
	follows := func(name string) string { return says("import.line_preset", "name", name) }
	for i, want := range [][2]string{
		{follows("Standard"), n(true)},
		{follows("Standard"), n(true)},
		{follows("Standard"), n(false)},
		{says("import.line_no_preset"), n(false)},
		{says("import.line_no_preset"), n(true)},
		{follows(says("preset.defaults")), n(false)},
	} {
		for _, text := range want {
			wantText(t, p, fmt.Sprintf(`[data-testid="bulk-rows"] tbody tr:nth-child(%d)`, i+1), text)
		}
	}
	wantText(t, c.Get("/resellers/import"), "main", says("import.write_preset_new", "name", "Standard"))
}

// TestImport_partialGroups: what cannot be checked is said, and does not stop a row.
func TestImport_partialGroups(t *testing.T) {
	t.Parallel()
	s, c := importSite(t)
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpBillingGroups, Times: 100, Status: 403})
	p := upload(c, "email,company_id", "a@x.example.jp,k-elsewhere")
	wantText(t, p, `[data-testid="bulk-warnings"]`, says("import.groups_partial"))
	if n := p.Find(`[data-testid="bulk-rows"] tbody tr`).Length(); n != 1 {
		t.Errorf("%d accounts are previewed: %s", n, said(p))
	}
}

// TestImport_refuses: a clear message, the form again, and nothing stored or sent.
func TestImport_refuses(t *testing.T) {
	t.Parallel()
	s, c := importSite(t)
	s.Wave.ResetJournal()
	large := []byte("email,company_id\n" + strings.Repeat("x", 8<<20))
	for _, tt := range []struct {
		name   string
		file   []byte
		status int
		says   string
	}{
		{"a field of 8 MB", large, 413, says("import.too_large", "max", 2)},
		{"a little too much", large[:sheet.MaxBytes+1], 413, says("import.too_large", "max", 2)},
		{"a zip", []byte("PK\x03\x04 xl/workbook.xml"), 422, says("import.workbook")},
		{"passwords", []byte("email,company_id,パスワード\na@x.jp,k-acme,secret99"), 422, says("import.password_column", "column", "パスワード")},
		{"10,001 rows", []byte("email,company_id" + strings.Repeat("\na@x.jp,C", 10_001)), 422, says("import.many_rows", "max", 10_000)},
		{"only a head", []byte("email,company_id\n"), 422, says("import.no_rows")},
		{"nothing", nil, 422, says("import.empty")},
		{"formulas", []byte("email,company_id\n=HYPERLINK(1),k-acme\n"), 422, says("import.formula", "row", 2, "column", "email", "sign", "=")},
		{"characters that no ID has", []byte("email,company_id\na@x.jp,k\x07acme\n"), 422, says("import.bad_company", "row", 2, "column", "company_id")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := c.Upload("/resellers/import", nil, "accounts.csv", tt.file)
			wantStatus(t, p, tt.status)
			wantText(t, p, `[role="alert"]`, tt.says)
			if p.Find(`[data-testid="import-form"]`).Length() != 1 || !strings.HasPrefix(p.Find("title").Text(), "Error:") {
				t.Errorf("the form is not there: %s", short(p.Find("main")))
			}
		})
	}
	p := c.Upload("/resellers/import", url.Values{"other": {string(large[:3<<20])}}, "accounts.csv", nil)
	if wantStatus(t, p, 413); p.Find(`[data-testid="import-form"]`).Length() != 1 {
		t.Errorf("a large field before the file: %s", short(p.Find("main")))
	}
	for name, p := range map[string]testkit.Page{
		"no file":              c.Upload("/resellers/import", nil, "", nil),
		"a form without field": c.Post("/resellers/import", url.Values{}, "Content-Type: multipart/form-data; boundary=x"),
		"no multipart form":    c.Post("/resellers/import", url.Values{"file": {"email"}}),
	} {
		if wantStatus(t, p, 422); p.Find(`[data-testid="import-form"]`).Length() != 1 {
			t.Errorf("%s: %s", name, short(p.Find("main")))
		}
	}
	if p := c.Upload("/resellers/import", url.Values{"as": {"someone-else"}}, "a.csv", []byte("email,company_id\na@x.jp,k-acme")); p.Status != http.StatusConflict {
		t.Errorf("someone else's form = %d", p.Status)
	}
	if n := c.Get("/bulk").Find(`[data-testid="bulk-list"] tbody tr`).Length(); n != 0 || len(writes(s)) != 0 {
		t.Errorf("%d plans, %d writes", n, len(writes(s)))
	}
	viewer := s.SignedIn(t, testkit.Viewer)
	wantStatus(t, upload(viewer, "email,company_id", "a@x.example.jp,k-acme"), http.StatusForbidden)
}

// TestImport_waveAway: a file that could not be checked is no bad one. Under htmx it stays
// chosen, and without scripts its person is told to choose it again.
func TestImport_waveAway(t *testing.T) {
	t.Parallel()
	s, c := importSite(t)
	send := func(file string, headers ...string) testkit.Page {
		return c.Upload("/resellers/import", nil, "accounts.csv", []byte("email,company_id\n"+file), headers...)
	}
	const good, bad = "a@x.example.jp,k-acme", "nobody,k-acme"
	s.WaveLeaves()
	kept := send(good, htmx)
	wantStatus(t, kept, http.StatusServiceUnavailable)
	wantText(t, kept, ".form-error", says("import.file_kept"))
	if to := kept.Header.Get("HX-Retarget"); to != "#import-form > [data-form-error]" || kept.Find("form").Length() != 0 {
		t.Errorf("swapped into %q: %s", to, kept.Body)
	}
	page := send(good)
	wantStatus(t, page, http.StatusServiceUnavailable)
	wantText(t, page, `[data-testid="import-form"] .form-error`, says("import.choose_again"))
	s.WaveReturns(t)
	until(t, "Wave is believed to be back", func() bool { return send(good, htmx).Status == http.StatusNoContent })
	refused := send(bad, htmx)
	wantStatus(t, refused, http.StatusUnprocessableEntity)
	if refused.Find(`body > form[data-testid="import-form"] [data-testid="import-problems"]`).Length() != 1 || refused.Header.Get("HX-Retarget") != "" {
		t.Errorf("a bad file: %s", refused.Body)
	}
}

// TestImport_manyProblems: as many as someone reads are listed, all are counted.
func TestImport_manyProblems(t *testing.T) {
	t.Parallel()
	_, c := importSite(t)
	rows := []string{"email,company_id"}
	for i := range 400 {
		rows = append(rows, "nobody"+strconv.Itoa(i)+",k-acme")
	}
	p := upload(c, rows...)
	wantStatus(t, p, http.StatusUnprocessableEntity)
	lines := p.Find(`[data-testid="import-problems"] li`)
	if lines.Length() != 302 || shown(lines.First()) != says("import.rows_left_out", "count", 400) || shown(lines.Last()) != says("import.more", "count", 100) {
		t.Errorf("%d lines, from %q to %q", lines.Length(), shown(lines.First()), shown(lines.Last()))
	}
	p = upload(c, append(rows, "good@x.example.jp,k-acme")...)
	wantText(t, p, `[data-testid="bulk-warnings"]`, says("import.bad_email", "row", 301, "column", "email", "value", "nobody299"))
	wantText(t, p, `[data-testid="bulk-warnings"]`, says("import.more", "count", 100))
}

// TestImport_problemsAsAFile: all of them, in the language of who reads them, and nothing
// in it that a spreadsheet runs, whether or not some rows could be taken.
func TestImport_problemsAsAFile(t *testing.T) {
	t.Parallel()
	s, c := importSite(t)
	rows := []string{"メールアドレス,company_id,通知", "=1+1,k-acme,", "=cmd|x,k-acme,たぶん", "a@x.example.jp,-none," + strings.Repeat("y", 200), "b@x.example.jp," + strings.Repeat("z", 2000) + ","}
	for i := range 400 {
		rows = append(rows, "nobody"+strconv.Itoa(i)+",k-acme,")
	}
	link := func(p testkit.Page) string { return p.Find(`[data-testid="import-problems-csv"]`).AttrOr("href", "") }
	refused := upload(c, rows...)
	wantStatus(t, refused, http.StatusUnprocessableEntity)
	preview := upload(c, append(rows, "good@x.example.jp,k-acme,")...)
	viewer := s.SignedIn(t, testkit.Viewer)
	paths := map[string]*testkit.Client{link(refused): c, link(preview): c, link(viewer.Get(preview.URL.Path)): viewer}
	if len(paths) != 2 || paths[""] != nil {
		t.Fatalf("links %v", paths)
	}
	for path, reader := range paths {
		for lang, in := range map[string]string{"en": "Accept-Language: en", "ja": japanese} {
			p := reader.Get(path, in)
			wantStatus(t, p, http.StatusOK)
			body, marked := strings.CutPrefix(p.Body, "\uFEFF")
			lines, err := csv.NewReader(strings.NewReader(body)).ReadAll()
			if err != nil || !marked || !strings.HasPrefix(p.Header.Get("Content-Disposition"), "attachment") {
				t.Fatalf("%v, %v: %.100q", err, p.Header, p.Body)
			}
			told := func(key string, args ...any) string { return i18n.T(i18n.WithLang(t.Context(), lang), key, args...) }
			want := [][]string{
				{told("import.problem_row") + " [row]", told("import.problem_column") + " [column]", told("import.problem_value") + " [value]", told("import.problem") + " [problem]"},
				{"2", "メールアドレス", "'=1+1", told("import.formula", "row", 2, "column", "メールアドレス", "sign", "=")},
				{"3", "メールアドレス", "'=cmd|x", told("import.formula", "row", 3, "column", "メールアドレス", "sign", "=")},
				{"3", "通知", "たぶん", told("import.not_a_switch", "row", 3, "column", "通知", "value", "たぶん")},
			}
			if diff := cmp.Diff(want, lines[:4]); diff != "" {
				t.Errorf("%s in %s (-want +got)\n%s", path, lang, diff)
			}
			for _, line := range lines[1:] {
				if len([]rune(line[2])) > 70 || strings.ContainsRune("=+-@", rune((line[2] + " ")[0])) {
					t.Errorf("a value is %q", line[2])
				}
			}
			if last := lines[len(lines)-1]; last[0] != "405" || last[2] != "nobody399" || len(lines) < 405 {
				t.Errorf("%d lines, the last %q", len(lines), last)
			}
		}
	}
	wantStatus(t, c.Get("/imports/none/problems.csv"), http.StatusNotFound)
	if p := upload(c, "email,company_id", "fine@x.example.jp,k-acme"); link(p) != "" {
		t.Error("a file without problems has a list of them")
	}
	again := c.Post(preview.URL.Path+"/again", url.Values{})
	if link(again) != link(preview) {
		t.Errorf("made again the plan has the list %q, want %q", link(again), link(preview))
	}
}

// TestImport_template: each language's file is read again, by people of either.
func TestImport_template(t *testing.T) {
	t.Parallel()
	_, c := importSite(t)
	for path, columns := range map[string]int{"/resellers/import.csv": 4, "/resellers/import.csv?functions=1": 4 + len(wave.Flags)} {
		for _, lang := range []string{"Accept-Language: en", japanese} {
			p := c.Get(path, lang)
			wantStatus(t, p, http.StatusOK)
			if !strings.HasPrefix(p.Header.Get("Content-Disposition"), "attachment") || strings.Count(p.Body, "[") != columns {
				t.Errorf("%s: %v %.80q", path, p.Header, p.Body)
			}
			filled := strings.NewReplacer("taro.yamada@example.com", "a@x.example.jp", "123456", "k-acme").Replace(p.Body)
			if p = c.Upload("/resellers/import", nil, "a.csv", []byte(filled)); p.Find(`[data-testid="bulk-rows"] tbody tr`).Length() != 1 {
				t.Errorf("%s, filled in: %s", path, said(p))
			}
			if p.Find(`[data-testid="bulk-warnings"]`).Length() != 0 {
				t.Errorf("%s, filled in: %s", path, shown(p.Find(`[data-testid="bulk-warnings"]`)))
			}
		}
	}
}
