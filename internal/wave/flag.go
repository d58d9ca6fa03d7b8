package wave

import (
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"
)

// Key names one flag in the API, such as "invoice".
type Key string

// A Flag is one switch of the catalogue: a function that a customer sees or not.
type Flag struct {
	Key     Key
	Default bool   // of a new account
	Parent  Key    // while it is off, this one very likely has no effect; empty for none
	Group   string // ID of its FlagGroup
	Label   Text
	Help    Text // what the customer gets, one sentence
}

// A FlagGroup is a heading of the grid with its flags, in the order on screen.
type FlagGroup struct {
	ID    string
	Label Text
	Flags []Flag
}

// Text is a short text in both languages.
type Text struct{ EN, JA string }

// In returns the text in lang, Japanese for "ja" and English otherwise.
func (t Text) In(lang string) string {
	if lang == "ja" {
		return t.JA
	}
	return t.EN
}

// Groups is the catalogue in the order on screen; Flags is the same without its
// headings. Both are read once from flags.yaml and never change.
var (
	Groups = mustReadCatalogue(catalogueYAML)
	Flags  = flatten(Groups)

	index = indexOf(Flags)
)

//go:embed flags.yaml
var catalogueYAML []byte

// Lookup returns the flag of the catalogue with that key.
func Lookup(key Key) (Flag, bool) {
	i, ok := index[key]
	if !ok {
		return Flag{}, false
	}
	return Flags[i], true
}

// Index returns the place of key in Flags, or false when the catalogue lacks it.
func Index(key Key) (int, bool) {
	i, ok := index[key]
	return i, ok
}

// Children returns the flags whose parent is key, in the order of the catalogue.
func Children(key Key) []Key {
	var out []Key
	for _, f := range Flags {
		if f.Parent == key {
			out = append(out, f.Key)
		}
	}
	return out
}

// Defaults returns the meta that the API documents for a new account.
func Defaults() Meta {
	var m Meta
	for _, f := range Flags {
		m = m.With(f.Key, f.Default)
	}
	return m
}

// mustReadCatalogue panics on a mistake in flags.yaml: it is part of the program.
func mustReadCatalogue(src []byte) []FlagGroup {
	var file struct {
		Groups []struct {
			ID, EN, JA string
			Flags      []struct {
				Key     Key
				Default bool
				Source  string
				Parent  Key
				EN, JA  string
				HelpEN  string `yaml:"help_en"`
				HelpJA  string `yaml:"help_ja"`
			}
		}
	}
	if err := yaml.UnmarshalWithOptions(src, &file, yaml.Strict()); err != nil {
		panic(fmt.Sprintf("wave: flags.yaml: %v", err))
	}
	groups := make([]FlagGroup, 0, len(file.Groups))
	for _, g := range file.Groups {
		group := FlagGroup{ID: g.ID, Label: Text{g.EN, g.JA}}
		for _, f := range g.Flags {
			group.Flags = append(group.Flags, Flag{
				Key: f.Key, Default: f.Default, Parent: f.Parent, Group: g.ID,
				Label: Text{f.EN, f.JA}, Help: Text{f.HelpEN, f.HelpJA},
			})
		}
		groups = append(groups, group)
	}
	return groups
}

func flatten(groups []FlagGroup) []Flag {
	var flags []Flag
	for _, g := range groups {
		flags = append(flags, g.Flags...)
	}
	if len(flags) > 64 {
		panic("wave: Meta keeps the flags of the catalogue in 64 bits")
	}
	return flags
}

func indexOf(flags []Flag) map[Key]int {
	m := make(map[Key]int, len(flags))
	for i, f := range flags {
		if _, twice := m[f.Key]; twice {
			panic(fmt.Sprintf("wave: flags.yaml has %q twice", f.Key))
		}
		m[f.Key] = i
	}
	return m
}
