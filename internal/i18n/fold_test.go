package i18n

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for _, tt := range []struct{ name, a, b string }{
		{"case", "Acme@Example.COM", "acme@example.com"},
		{"case beyond ASCII", "CAFÉ ΣΊΣΥΦΟΣ", "café σίσυφοσ"},
		{"sharp s", "Straße", "STRASSE"},
		{"full-width letters and digits", "ＡＣＭＥ－１２３", "acme-123"},
		{"katakana and hiragana", "カタカナ ひらがな", "かたかな ヒラガナ"},
		{"half-width katakana", "ｶﾌﾞｼｷｶﾞｲｼｬ", "かぶしきがいしゃ"},
		{"half-width with both sound marks", "ﾊﾟﾋﾞﾘｵﾝ", "パビリオン"},
		{"sound marks as characters of their own", "か\u3099 は\u309a", "ガ パ"},
		{"small kana and vu", "ヴァイオリン", "ゔぁいおりん"},
		{"small ka and ke", "ヵヶ", "ゕゖ"},
		{"iteration marks", "ミスヾ サヽ", "みすゞ さゝ"},
		{"the long-vowel mark, half width", "ｻｰﾊﾞｰ", "さーばー"},
		{"company signs", "㈱クラウド", "(株)くらうど"},
		{"units and circled figures", "㍿①", "株式会社1"},
		{"spaces of any kind", "  東京　本社\t A\n", "東京 本社 a"},
		{"an accent in two ways", "e\u0301", "\u00e9"},
	} {
		if a, b := Fold(tt.a), Fold(tt.b); a != b {
			t.Errorf("%s: %q folds to %q, %q to %q, want the same", tt.name, tt.a, a, tt.b, b)
		}
	}
	for _, tt := range []struct{ name, a, b string }{
		{"a sound mark makes another kana", "か", "が"},
		{"a small kana is another", "や", "ゃ"},
		{"a long vowel is not left out", "サーバー", "サーバ"},
		{"a space between words counts", "東京 本社", "東京本社"},
		{"kanji keep their forms", "斎藤", "斉藤"},
	} {
		if a, b := Fold(tt.a), Fold(tt.b); a == b {
			t.Errorf("%s: both %q and %q fold to %q", tt.name, tt.a, tt.b, a)
		}
	}
}

func TestFold_property(t *testing.T) {
	text := rapid.StringOf(rapid.SampledFrom([]rune("aA1 　\tｱアあｶﾞカ゛ﾟが\u3099\u309aヴヾーＡ㈱ßİÉΣς漢\u0301")))
	rapid.Check(t, func(t *rapid.T) { holdsFold(t, text.Draw(t, "s")) })
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Acme", "ｶﾞ", "か\u3099", "\u3099", "㈱ クラウド", "İ", "ﬀ", "\xff\xfe", "ͅ", "ヾ\u3099", "\xf7\u0341"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { holdsFold(t, s) })
}

// holdsFold fails unless folding s again changes nothing, what is folded is
// bare of spaces around it, and valid text stays so.
func holdsFold(t interface{ Errorf(string, ...any) }, s string) {
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cherokee, r) }) {
		return // x/text folds its two cases into each other, for ever
	}
	once := Fold(s)
	if twice := Fold(once); twice != once {
		t.Errorf("%+q folds to %+q, that to %+q", s, once, twice)
	}
	if strings.TrimSpace(once) != once || strings.Contains(once, "  ") {
		t.Errorf("%+q folds to %+q, which has spaces too many", s, once)
	}
	if utf8.ValidString(s) && !utf8.ValidString(once) {
		t.Errorf("%+q folds to %+q, which is no text", s, once)
	}
}
