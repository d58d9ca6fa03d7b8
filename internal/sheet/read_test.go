package sheet_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"waveadmin/internal/fault"
	"waveadmin/internal/sheet"
	"waveadmin/internal/wave"
)

var names = sheet.Names{
	Email:        wave.Text{EN: "Email", JA: "メールアドレス"},
	CompanyID:    wave.Text{EN: "Company ID", JA: "会社ID"},
	Notification: wave.Text{EN: "Notify the customer", JA: "顧客への通知"},
	Preset:       wave.Text{EN: "Preset", JA: "プリセット"},
}

// lines returns a file that ends its lines as Windows does.
func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n" }

// say returns a problem as row, key and column.
func say(p sheet.Problem) string {
	args := make(map[any]any)
	for i := 0; i+1 < len(p.Say.Args); i += 2 {
		args[p.Say.Args[i]] = p.Say.Args[i+1]
	}
	return strings.TrimSpace(fmt.Sprintf("%v %s %s", args["row"], strings.TrimPrefix(p.Say.Key, "import."), p.Column))
}

func problems(s sheet.Sheet) (out []string) {
	for _, r := range s.Rows {
		for _, p := range r.Problems {
			out = append(out, say(p))
		}
	}
	return out
}

// short is a row as a test writes it down.
func short(r sheet.Row) string {
	var flags []string
	for key, raw := range r.Flags.All() {
		flags = append(flags, string(key)+"="+raw)
	}
	return fmt.Sprintf("%d %s %s %q %v %s", r.Number, r.Email, r.CompanyID, r.Preset, r.Notify, strings.Join(flags, " "))
}

func TestRead(t *testing.T) {
	shiftJIS := func(s string) string {
		out, err := japanese.ShiftJIS.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	tests := []struct {
		name, file string
		want       []string
	}{
		{"keys", lines("email,company_id", "a@x.jp,C1"), []string{`2 a@x.jp C1 "" unset `}},
		{
			"another order, all columns", lines("invoice,preset,company_id,notification,email,open_api", "on,Basic,C1,off,a@x.jp,0"),
			[]string{`2 a@x.jp C1 "Basic" off invoice=true open_api=false`},
		},
		{"English names", lines("EMAIL, Company  ID ,Notify the Customer,Invoice", "a@x.jp,C1,yes,"), []string{`2 a@x.jp C1 "" on `}},
		{
			"Japanese names", lines("メールアドレス,会社ＩＤ,顧客への通知,ダッシュボードのグラフ", "a@x.jp,C1,しない,はい"),
			[]string{`2 a@x.jp C1 "" off dashboard_graph=true`},
		},
		{
			"names with keys, as exported", lines("メールアドレス [email],Company ID [company_id],何か［invoice］", "a@x.jp,C1,off"),
			[]string{`2 a@x.jp C1 "" unset invoice=false`},
		},
		{"names in half-width katakana", lines("ﾒｰﾙｱﾄﾞﾚｽ,会社ID,ﾌﾟﾘｾｯﾄ", "a@x.jp,C1,標準（全機能）"), []string{`2 a@x.jp C1 "標準（全機能）" unset `}},
		{"what people call them", lines("E-Mail,会社コード,通知", "a@x.jp,C1,○"), []string{`2 a@x.jp C1 "" on `}},
		{"a mark in front", "\uFEFF" + lines("email,company_id", "a@x.jp,C1"), []string{`2 a@x.jp C1 "" unset `}},
		{"Shift_JIS", shiftJIS(lines("メールアドレス,会社ID,プリセット,顧客への通知", "a@x.jp,C1,標準,オン")), []string{`2 a@x.jp C1 "標準" on `}},
		{"what Windows adds to Shift_JIS", lines("email,company_id,preset", "a@x.jp,C1,\xfb\xfc\x87\x40"), []string{`2 a@x.jp C1 "髙①" unset `}},
		{"tabs", lines("email\tcompany_id", "a@x.jp\tC1"), []string{`2 a@x.jp C1 "" unset `}},
		{"semicolons, and commas in cells", lines("email;company_id;preset", "a@x.jp;C1;one, two"), []string{`2 a@x.jp C1 "one, two" unset `}},
		{"full width", lines("email,company_id,notification,invoice", "ａ＠ｘ．ｊｐ,Ｃ０１２,１,ＯＦＦ"), []string{`2 a@x.jp C012 "" on invoice=false`}},
		{"space of all kinds", lines("email,company_id", "\u3000a@x.jp\u00a0\u200b, \tC1 "), []string{`2 a@x.jp C1 "" unset `}},
		{"quotes", lines(`"email","company_id","preset"`, `"a@x.jp", "C1" ,"say ""hi"", all"`), []string{`2 a@x.jp C1 "say \"hi\", all" unset `}},
		{
			"blank rows count", lines("", "email,company_id", "", "a@x.jp,C1", " ,\u3000", "b@x.jp,C2"),
			[]string{`4 a@x.jp C1 "" unset `, `6 b@x.jp C2 "" unset `},
		},
		{
			"a cell of two lines is one row", lines("email,company_id,preset", "a@x.jp,C1,\"one\r\ntwo\"", "b@x.jp,C2,"),
			[]string{`2 a@x.jp C1 "one\r\ntwo" unset `, `3 b@x.jp C2 "" unset `},
		},
		{"plain line ends, none at the end", "email,company_id\na@x.jp,C1\nb@x.jp,C2", []string{`2 a@x.jp C1 "" unset `, `3 b@x.jp C2 "" unset `}},
		{"old line ends", "email,company_id\ra@x.jp,C1\rb@x.jp,C2\r", []string{`2 a@x.jp C1 "" unset `, `3 b@x.jp C2 "" unset `}},
		{"Excel leaves out blank cells at the end", lines("email,company_id,preset,invoice", "a@x.jp,C1"), []string{`2 a@x.jp C1 "" unset `}},
		{"blank cells behind the head", lines("email,company_id,,", "a@x.jp,C1,,,,"), []string{`2 a@x.jp C1 "" unset `}},
		{"what an account lacks is off", lines("email,company_id,invoice", "a@x.jp,C1,unset"), []string{`2 a@x.jp C1 "" unset invoice=false`}},
		{"an apostrophe before a sign, as exported", lines("email,company_id,preset", "'+a@x.jp,'-C1,'=one"), []string{`2 +a@x.jp -C1 "=one" unset `}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sheet.Read(strings.NewReader(tt.file), names)
			if err != nil {
				t.Fatal(err)
			}
			if p := problems(got); len(p) > 0 {
				t.Errorf("problems %q", p)
			}
			var rows []string
			for _, r := range got.Rows {
				rows = append(rows, short(r))
			}
			if diff := cmp.Diff(tt.want, rows); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRead_problems(t *testing.T) {
	const head = "email,company_id,notification,preset,invoice,open_api"
	tests := []struct {
		name string
		rows []string
		want []string
	}{
		{
			"nothing in what is needed",
			[]string{",C1", "a@x.jp,", ",,on"},
			[]string{"2 missing email", "3 missing company_id", "4 missing email", "4 missing company_id"},
		},
		{"words that are no switch", []string{"a@x.jp,C1,maybe,,odd,-"}, []string{"2 not_a_switch notification", "2 not_a_switch invoice", "2 not_a_switch open_api"}},
		{"an email twice", []string{"a@x.jp,C1", "b@x.jp,C1", "A@X.JP,C2", "ａ@x.jp,C3"}, []string{"4 twice email", "5 twice email"}},
		{
			"formulas",
			[]string{"=1+1,C1", "a@x.jp,＠SUM(A1)", "+b@x.jp,-1", "\"\t=x\",C1", "c@x.jp,C1,,=cmd|' /C calc'!A0"},
			[]string{"2 formula email", "3 formula company_id", "4 formula email", "4 formula company_id", "5 formula email", "6 formula preset"},
		},
		{"more cells than names", []string{"a@x.jp,C1,on,,on,on,more"}, []string{"2 no_head_above"}},
		{"a quote in the middle", []string{`a@x.jp,"C"1,on`, "b@x.jp,C1"}, []string{"2 quote_inside"}},
		{"a long cell", []string{"a@x.jp," + strings.Repeat("x", 1001)}, []string{"2 long_cell company_id"}},
		{"a number that was shortened", []string{"a@x.jp,1.23E+15", "b@x.jp,1E+15"}, []string{"2 shortened company_id", "3 shortened company_id"}},
		{"the example of the template", []string{"taro.yamada@example.com,C1"}, []string{"2 example_left"}},
		{"a very wide row", []string{strings.Repeat(",", 300)}, []string{"2 many_cells"}},
		{
			"only the first few of a row",
			[]string{"=,=,x,=,x,x,x,x"},
			[]string{"2 formula email", "2 formula company_id", "2 not_a_switch notification", "2 formula preset", "2 not_a_switch invoice"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sheet.Read(strings.NewReader(lines(append([]string{head}, tt.rows...)...)), names)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, problems(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRead_namesColumnsItDoesNotRead(t *testing.T) {
	file := lines("user_id,email,Billing group [billing_group_name],company_id,usage_acount,パスワード変更日 [password_updated],", "1,a@x.jp,X,C1,on,today,")
	got, err := sheet.Read(strings.NewReader(file), names)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"user_id", "Billing group [billing_group_name]", "usage_acount", "パスワード変更日 [password_updated]"}
	if diff := cmp.Diff(want, got.Ignored); diff != "" || len(problems(got)) > 0 {
		t.Errorf("%v (-want +got)\n%s", problems(got), diff)
	}
}

// refusedFiles are files that are not taken at all, with the key of the sentence.
func refusedFiles(t *testing.T) map[string]struct{ file, want string } {
	utf16 := func(e unicode.Endianness, bom unicode.BOMPolicy) string {
		out, err := unicode.UTF16(e, bom).NewEncoder().String(lines("email,company_id", "a@x.jp,C1"))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	const head = "email,company_id"
	many := head + strings.Repeat("\na@x.jp,C1", sheet.MaxRows+1)
	return map[string]struct{ file, want string }{
		"empty":                     {"", "empty"},
		"a mark alone":              {"\uFEFF", "empty"},
		"blank rows":                {" \r\n,,\r\n\u3000", "empty"},
		"only a head":               {lines(head, "", ",,"), "no_rows"},
		"no head":                   {lines("a@x.jp,C1", "b@x.jp,C2"), "no_head"},
		"no email":                  {lines("mail address of the customer,company_id", "a@x.jp,C1"), "column_missing"},
		"no company":                {lines("email,billing_group_id", "a@x.jp,C1"), "column_missing"},
		"a column twice":            {lines("email,company_id,メールアドレス", "a@x.jp,C1,b@x.jp"), "column_twice"},
		"passwords":                 {lines("email,company_id,Password", "a@x.jp,C1,secret99"), "password_column"},
		"passwords in Japanese":     {lines("email,company_id,初期パスワード", "a@x.jp,C1,secret99"), "password_column"},
		"passwords under a key":     {lines("email,company_id,Log-in [PassWord]", "a@x.jp,C1,secret99"), "password_column"},
		"passwords in short":        {lines("email,company_id,PW", "a@x.jp,C1,secret99"), "password_column"},
		"10,001 rows":               {many, "many_rows"},
		"a quote that stays open":   {lines(head, "a@x.jp,C1", `"b@x.jp,C2`, "c@x.jp,C3"), "quote_open"},
		"a head with an open quote": {lines(`"email,company_id`, "a@x.jp,C1"), "quote_open"},
		"a head with a stray quote": {lines(`"email"s,company_id`, "a@x.jp,C1"), "quote_inside"},
		"a head of 300 columns":     {lines(head+strings.Repeat(",x", 300), "a@x.jp,C1"), "many_cells"},
		"UTF-16":                    {utf16(unicode.LittleEndian, unicode.UseBOM), "utf16"},
		"UTF-16, big end first":     {utf16(unicode.BigEndian, unicode.UseBOM), "utf16"},
		"UTF-16 without its mark":   {utf16(unicode.LittleEndian, unicode.IgnoreBOM), "utf16"},
		"UTF-32":                    {"\xff\xfe\x00\x00e\x00\x00\x00", "utf16"},
		"NUL":                       {lines(head, "a\x00@x.jp,C1"), "binary"},
		"EUC-JP":                    {lines(head+",preset", "a@x.jp,C1,\xc9\xb8\xbd\xe0\xa4\xce\xc0\xdf\xc4\xea\xfe\xfe"), "encoding"},
		"Latin-1":                   {lines(head+",preset", "a@x.jp,C1,caf\xe9"), "encoding"},
		"a zip named .csv":          {"PK\x03\x04\x14\x00\x06\x00email,company_id", "workbook"},
		"an old workbook":           {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook"},
		"a PDF":                     {"%PDF-1.7\n", "binary"},
		"a large zip":               {"PK\x03\x04" + strings.Repeat("x", sheet.MaxBytes), "workbook"},
	}
}

func TestRead_refusesFiles(t *testing.T) {
	for name, tt := range refusedFiles(t) {
		t.Run(name, func(t *testing.T) {
			got, err := sheet.Read(strings.NewReader(tt.file), names)
			f, _ := errors.AsType[*fault.Error](err)
			if !fault.Is(err, fault.Invalid) || f.Fields["file"].Key != "import."+tt.want {
				t.Errorf("%v, %v, want import.%s", got, err, tt.want)
			}
		})
	}
}

func TestRead_tooLarge(t *testing.T) {
	fits := []byte("email,company_id\na@x.jp,C1\n")
	fits = append(fits, bytes.Repeat([]byte("\n"), sheet.MaxBytes-len(fits))...)
	if _, err := sheet.Read(bytes.NewReader(fits), names); err != nil {
		t.Errorf("2 MiB: %v", err)
	}
	if _, err := sheet.Read(bytes.NewReader(append(fits, '\n')), names); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a byte more: %v", err)
	}
}

func TestRead_failsAsItsSource(t *testing.T) {
	broken := errors.New("the line went dead")
	if _, err := sheet.Read(&brokenReader{"email,company_id\na@x.jp,C1\n", broken}, names); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
}

type brokenReader struct {
	text string
	err  error
}

func (r *brokenReader) Read(p []byte) (int, error) {
	if r.text == "" {
		return 0, r.err
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

// TestRead_callsColumnsAsTheFile: in its sentences, and for who adds to them.
func TestRead_callsColumnsAsTheFile(t *testing.T) {
	got, err := sheet.Read(strings.NewReader(lines("メールアドレス [email],会社ＩＤ,何か［invoice］,通知", ",,maybe,maybe")), names)
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, p := range got.Rows[0].Problems {
		named = append(named, fmt.Sprint(p.Say.Args[len(p.Say.Args)-1]))
	}
	if diff := cmp.Diff([]string{"何か", "通知", "メールアドレス", "会社ＩＤ"}, named); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if a, b := got.Rows[0].Called(sheet.Email), got.Rows[0].Called(sheet.Preset); a != "メールアドレス" || b != sheet.Preset {
		t.Errorf("email is called %q, and what is not there %q", a, b)
	}
}
