package sheet_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/sheet"
	"waveadmin/internal/wave"
)

func TestWriter(t *testing.T) {
	var b bytes.Buffer
	w, err := sheet.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range [][]string{
		{"=1+1", "+1", "-1", "@x", "\tx", "\nx"},
		{"＝1", "＋1", "－1", "＠x", "a=1", "", "say \"hi\", all"},
	} {
		if err := w.Row(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "\uFEFF'=1+1,'+1,'-1,'@x,'\tx,\"'\r\nx\"\r\n'＝1,'＋1,'－1,'＠x,a=1,,\"say \"\"hi\"\", all\"\r\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestWriteTemplate also reads it: each column is known, and the example that someone
// forgot is no account.
func TestWriteTemplate(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		for _, all := range []bool{false, true} {
			var b bytes.Buffer
			if err := sheet.WriteTemplate(&b, names, lang, all); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			if !strings.HasPrefix(text, "\uFEFF"+names.Email.In(lang)+" [email],"+names.CompanyID.In(lang)+" [company_id],") || !strings.HasSuffix(text, "\r\n") {
				t.Errorf("%s: %q", lang, text)
			}
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			want := 4
			if all {
				want += len(wave.Flags)
			}
			if err != nil || len(rows) != 2 || len(rows[0]) != want {
				t.Errorf("%s: %d rows, %v", lang, len(rows), err)
			}
			s, err := sheet.Read(&b, names)
			if err != nil || len(s.Ignored) > 0 || !slices.Equal(problems(s), []string{"2 example_left"}) {
				t.Errorf("%s: %+v, %v", lang, s, err)
			}
			filled := strings.Replace(text, "taro.yamada@example.com", "a@x.jp", 1)
			s, err = sheet.Read(strings.NewReader(filled), names)
			if err != nil || len(problems(s)) > 0 || s.Rows[0].Notify != wave.On {
				t.Errorf("%s: %+v, %v", lang, s, err)
			}
		}
	}
}
