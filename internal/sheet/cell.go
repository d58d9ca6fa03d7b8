package sheet

import (
	"strings"
	"unicode"

	"waveadmin/internal/wave"
)

// words are how people say on and off, as plain returns them. A flag that an account
// lacks counts as off, also in a file that was exported.
var words = func() map[string]wave.State {
	out := make(map[string]wave.State)
	for state, list := range map[wave.State]string{
		wave.On:  "on true yes y 1 ○ 〇 ◯ オン はい する 有 有り あり 有効 通知する 利用する",
		wave.Off: "off false no n 0 × ✕ オフ いいえ しない 無 無し なし 無効 通知しない 利用しない unset 未設定",
	} {
		for word := range strings.FieldsSeq(list) {
			out[plain(word)] = state
		}
	}
	return out
}()

// trim returns a cell without the space around it, also that which nobody sees.
func trim(cell string) string { return strings.TrimFunc(cell, space) }

func space(r rune) bool {
	switch r {
	case '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff':
		return true
	}
	return unicode.IsSpace(r)
}

// half returns s with full-width letters, digits, signs and spaces as plain ones.
func half(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - ('！' - '!')
		case r == '\u3000':
			return ' '
		}
		return r
	}, s)
}

// signs begin what a spreadsheet runs, in full width too, or are what some programs
// skip before they look for one.
const signs = "=+-@\t\r\n＝＋－＠"

// runs reports whether a spreadsheet would take a cell for a formula.
func runs(cell string) bool { return strings.IndexAny(cell, signs) == 0 }

// guard puts an apostrophe before what a spreadsheet would run.
func guard(cell string) string {
	if runs(cell) {
		return "'" + cell
	}
	return cell
}

// unguarded undoes guard.
func unguarded(cell string) string {
	if free, ok := strings.CutPrefix(cell, "'"); ok && runs(free) {
		return free
	}
	return cell
}

// shorten keeps what a message repeats of a file short.
func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// letters returns what a spreadsheet calls a column, counted from 0.
func letters(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return letters(i/26-1) + letters(i%26)
}
