package sheet_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sheet"
)

// FuzzRead: whatever the file is, it is either refused with a sentence that both
// catalogues have, or its rows are in order and one without problems is whole.
func FuzzRead(f *testing.F) {
	for _, tt := range refusedFiles(&testing.T{}) {
		if len(tt.file) < 1<<10 {
			f.Add([]byte(tt.file))
		}
	}
	for _, s := range []string{
		"email,company_id\r\na@x.jp,C1\r\n", "\uFEFFemail;company_id;invoice\na@x.jp;C1;on\n;;\n", "\x83\x81\x81[\x83\x8b,company_id\n\x61,\x95\x57",
		"email\tcompany_id\r'=a\t=b\r", "email,company_id\n\"a\"\"b\" , \"c\nd\"\n\"x\"y,z\n", "email,company_id,notification\n ａ＠ｂ ,１,○",
	} {
		f.Add([]byte(s))
	}
	said := func(t *testing.T, say fault.Text) {
		for _, lang := range i18n.Languages {
			if !i18n.Has(lang, say.Key) {
				t.Errorf("%s lacks %q", lang, say.Key)
			}
			if text := i18n.T(i18n.WithLang(t.Context(), lang), say.Key, say.Args...); strings.Contains(text, "{") && !strings.Contains(text, "“") && !strings.Contains(text, "「") {
				t.Errorf("a place is not filled in: %s", text)
			}
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := sheet.Read(bytes.NewReader(file), names)
		if err != nil {
			refused, ok := errors.AsType[*fault.Error](err)
			switch {
			case !ok:
				t.Fatal(err)
			case refused.Kind == fault.Invalid:
				said(t, refused.Fields["file"])
			case refused.Kind != fault.TooLarge || len(file) <= sheet.MaxBytes:
				t.Errorf("%d bytes: %v", len(file), err)
			}
			return
		}
		if len(s.Rows) == 0 || len(s.Rows) > sheet.MaxRows {
			t.Errorf("%d rows", len(s.Rows))
		}
		last := 1
		met := make(map[string]bool)
		for _, r := range s.Rows {
			if r.Number <= last {
				t.Errorf("row %d after row %d", r.Number, last)
			}
			last = r.Number
			for _, p := range r.Problems {
				said(t, p.Say)
			}
			if len(r.Problems) > 0 {
				continue
			}
			if email := strings.ToLower(r.Email); email == "" || r.CompanyID == "" || met[email] {
				t.Errorf("a row without problems: %+v", r)
			} else {
				met[email] = true
			}
			for _, text := range []string{r.Email, r.CompanyID, r.Preset} {
				if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
					t.Errorf("%q", text)
				}
				if strings.IndexAny(text, "=+-@") == 0 && !bytes.Contains(file, []byte("'")) {
					t.Errorf("a formula came through: %q", text)
				}
			}
		}
	})
}
