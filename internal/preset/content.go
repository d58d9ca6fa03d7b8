package preset

import (
	"fmt"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// What a preset may be. Lengths are in characters.
const (
	MaxName = 80
	MaxNote = 500
	MaxAll  = 500 // presets, beside the one that is built in

	maxFlags = 200
	maxKey   = 100
)

// Content is what a person says in a preset.
type Content struct {
	Name  string
	Note  string
	Flags wave.Wanted // on or off; a flag that it lacks is not specified
}

// Content returns what p says.
func (p *Preset) Content() Content { return Content{p.Name, p.Note, p.Flags} }

// Equal reports whether both say the same.
func (c Content) Equal(d Content) bool {
	return c.Name == d.Name && c.Note == d.Note && maps.Equal(c.Flags, d.Flags)
}

// Tidy returns c as it is kept: without space around its texts, with plain line
// ends.
func (c Content) Tidy() Content {
	c.Name = strings.TrimSpace(c.Name)
	c.Note = strings.TrimSpace(strings.ReplaceAll(c.Note, "\r\n", "\n"))
	return c
}

// Check says what is wrong with c, which must be tidy, as fault.Invalid with the
// fields "name", "note" and "flags".
func (c Content) Check() error {
	fields := make(map[string]fault.Text)
	switch {
	case c.Name == "":
		fields["name"] = fault.Say("preset.name_missing")
	case utf8.RuneCountInString(c.Name) > MaxName:
		fields["name"] = fault.Say("preset.name_long", "max", MaxName)
	case !printable(c.Name, false):
		fields["name"] = fault.Say("preset.name_odd")
	}
	switch {
	case utf8.RuneCountInString(c.Note) > MaxNote:
		fields["note"] = fault.Say("preset.note_long", "max", MaxNote)
	case !printable(c.Note, true):
		fields["note"] = fault.Say("preset.note_odd")
	}
	if len(c.Flags) > maxFlags {
		fields["flags"] = fault.Say("preset.flags_many", "max", maxFlags)
	}
	for key := range c.Flags {
		if !isKey(key) {
			fields["flags"] = fault.Say("preset.flag_odd", "key", fmt.Sprintf("%.40q", key))
		}
	}
	if len(fields) > 0 {
		return &fault.Error{Kind: fault.Invalid, Fields: fields}
	}
	return nil
}

// printable reports whether s is text that every database keeps and a person can
// see; lines reports whether it may have several.
func printable(s string, lines bool) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.Is(unicode.Cc, r) && !(lines && (r == '\n' || r == '\t')) || unicode.Is(unicode.Bidi_Control, r) {
			return false
		}
	}
	return true
}

// isKey reports whether key can name a flag.
func isKey(key wave.Key) bool {
	if key == "" || len(key) > maxKey {
		return false
	}
	return !strings.ContainsFunc(string(key), func(r rune) bool { return r <= ' ' || r > '~' })
}
