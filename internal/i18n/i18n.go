// Package i18n turns catalogue keys into Japanese or English sentences, and
// times and numbers into what a reader of that language expects.
//
// A sentence names its arguments in braces, "Saved at {time}". With two bars it
// chooses by number: "{count} {count|change|changes}" has the singular for 1 and
// the plural for all else.
package i18n

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// Languages that have a catalogue, the default of the program first.
var Languages = []string{"ja", "en"}

//go:embed ja.json en.json
var files embed.FS

var catalogues = mustLoad()

// mustLoad panics on a broken catalogue: it is part of the program.
func mustLoad() map[string]map[string]message {
	all := make(map[string]map[string]message)
	for _, lang := range Languages {
		src, err := files.ReadFile(lang + ".json")
		if err != nil {
			panic(err)
		}
		var texts map[string]string
		if err := json.Unmarshal(src, &texts); err != nil {
			panic(fmt.Sprintf("i18n: %s.json: %v", lang, err))
		}
		all[lang] = make(map[string]message, len(texts))
		for key, text := range texts {
			m, err := parse(text)
			if err != nil {
				panic(fmt.Sprintf("i18n: %s.json: %s: %v", lang, key, err))
			}
			all[lang][key] = m
		}
	}
	return all
}

type langKey struct{}

// WithLang returns a context whose texts are in lang. A language without a
// catalogue leaves ctx as it is.
func WithLang(ctx context.Context, lang string) context.Context {
	if _, ok := catalogues[lang]; !ok {
		return ctx
	}
	return context.WithValue(ctx, langKey{}, lang)
}

// Lang returns the language of ctx, the default if none was set.
func Lang(ctx context.Context) string {
	if lang, ok := ctx.Value(langKey{}).(string); ok {
		return lang
	}
	return Languages[0]
}

// T returns the sentence for key in the language of ctx, with args in the places
// that it names: name, value, name, value. A key that is in no catalogue is
// returned as it is; TestKeysInUse keeps that from shipping.
func T(ctx context.Context, key string, args ...any) string {
	m, ok := catalogues[Lang(ctx)][key]
	if !ok {
		return key
	}
	return m.format(args)
}

// RawUnder returns the sentences whose keys begin with prefix, without it and
// with their places as they stand: for a script that fills them in. The map is
// shared; do not change it.
func RawUnder(ctx context.Context, prefix string) map[string]string {
	cached, ok := raw.Load(Lang(ctx) + prefix)
	if !ok {
		texts := make(map[string]string)
		for key, m := range catalogues[Lang(ctx)] {
			if name, ok := strings.CutPrefix(key, prefix); ok {
				texts[name] = m.source
			}
		}
		cached, _ = raw.LoadOrStore(Lang(ctx)+prefix, texts)
	}
	return cached.(map[string]string)
}

var raw sync.Map // language and prefix -> map[string]string

// Has reports whether key has a sentence in lang.
func Has(lang, key string) bool {
	_, ok := catalogues[lang][key]
	return ok
}

// message is a parsed sentence: text and places by turns.
type message struct {
	source   string
	segments []segment
}

type segment struct {
	text      string // literal, when name is empty
	name      string // of the argument
	one, many string // for a choice by number
	choice    bool
}

func parse(s string) (message, error) {
	m := message{source: s}
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			m.segments = append(m.segments, segment{text: s})
			return m, nil
		}
		if open > 0 {
			m.segments = append(m.segments, segment{text: s[:open]})
		}
		end := strings.IndexByte(s[open:], '}')
		if end < 0 {
			return message{}, fmt.Errorf("no } after %q", s[open:])
		}
		parts := strings.Split(s[open+1:open+end], "|")
		switch {
		case parts[0] == "":
			return message{}, fmt.Errorf("a place without a name")
		case len(parts) == 1:
			m.segments = append(m.segments, segment{name: parts[0]})
		case len(parts) == 3:
			m.segments = append(m.segments, segment{name: parts[0], one: parts[1], many: parts[2], choice: true})
		default:
			return message{}, fmt.Errorf("%q wants one singular and one plural", parts[0])
		}
		s = s[open+end+1:]
	}
	return m, nil
}

func (m message) format(args []any) string {
	if len(m.segments) == 1 && m.segments[0].name == "" {
		return m.source
	}
	var b strings.Builder
	for _, seg := range m.segments {
		if seg.name == "" {
			b.WriteString(seg.text)
			continue
		}
		value, ok := argument(args, seg.name)
		switch {
		case !ok:
			b.WriteString("{" + seg.name + "}")
		case !seg.choice:
			fmt.Fprint(&b, value)
		case fmt.Sprint(value) == "1":
			b.WriteString(seg.one)
		default:
			b.WriteString(seg.many)
		}
	}
	return b.String()
}

func argument(args []any, name string) (any, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1], true
		}
	}
	return nil, false
}
