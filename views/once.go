package views

import (
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"

	"waveadmin/internal/i18n"
)

// onceEachLanguage draws c once for each language, and is what came out. It is
// for a part of many pages that depends on nothing but the language.
func onceEachLanguage(c templ.Component) templ.Component {
	drawn := make(map[string]string, len(i18n.Languages))
	for _, lang := range i18n.Languages {
		var b strings.Builder
		if err := c.Render(i18n.WithLang(context.Background(), lang), &b); err != nil {
			panic(err) // it is part of the program
		}
		drawn[lang] = b.String()
	}
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		_, err := io.WriteString(w, drawn[i18n.Lang(ctx)])
		return err
	})
}
