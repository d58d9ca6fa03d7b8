package views

import (
	"context"
	"html"
	"strings"

	"github.com/a-h/templ"
)

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

// drawn is what a component drew when the program started, the same for everyone.
type drawn struct{ s string }

func draw(c templ.Component) drawn {
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		panic(err) // it is part of the program
	}
	return drawn{b.String()}
}

func (m *markup) drawn(d drawn) { *m = append(*m, d.s...) }
