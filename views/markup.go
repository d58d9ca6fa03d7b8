package views

import "html"

// markup is HTML that is put together by hand, for what a page has hundreds of: a
// templ takes several times as long for the same.
type markup []byte

// constant is HTML that stands in the program. A string variable is none, so what
// comes from elsewhere cannot end up in a page as it is.
type constant string

func (m *markup) html(c constant) { *m = append(*m, c...) }

// text adds s escaped, as content or as a value in double quotes.
func (m *markup) text(s string) {
	for i := range len(s) {
		switch s[i] {
		case '&', '<', '>', '"', '\'':
			*m = append(*m, html.EscapeString(s)...)
			return
		}
	}
	*m = append(*m, s...) // nearly always
}
