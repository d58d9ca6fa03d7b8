package i18n

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns s as search compares it: full and half width, upper and lower
// case, hiragana and katakana are the same, and runs of space are one space.
// Two texts match when their folded forms do.
func Fold(s string) string {
	if ascii(s) {
		return strings.Join(strings.Fields(strings.ToLower(s)), " ")
	}
	s = strings.ToValidUTF8(s, "\ufffd") // or a mark behind a broken byte is left as it is
	s = cases.Fold().String(norm.NFKC.String(s))
	s = strings.Map(hiragana, norm.NFKC.String(s))
	return strings.Join(strings.Fields(s), " ")
}

// hiragana maps katakana to hiragana. The long-vowel mark stays.
func hiragana(r rune) rune {
	switch {
	case r >= 'ァ' && r <= 'ヶ', r == 'ヽ', r == 'ヾ':
		return r - ('ァ' - 'ぁ')
	}
	return r
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
