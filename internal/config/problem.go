package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is everything that is wrong with the settings. Its text is for the
// operator and shows no secret.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d problem%s:", len(e.Problems), plural(len(e.Problems)))
	for _, p := range e.Problems {
		b.WriteString("\n" + p.String())
	}
	return b.String()
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// A Problem is one thing that is wrong.
type Problem struct {
	Path    string // of the setting; empty when it is about the file as a whole
	Message string
	Origin  Origin
	excerpt string // the line and a caret, when it came from the file
}

func (p Problem) String() string {
	var parts []string
	for _, part := range []string{p.Origin.place(), p.Path} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(append(parts, p.Message), ": ") + p.excerpt
}

// Origin is where a value was written. The zero Origin is the default.
type Origin struct {
	File         string
	Line, Column int    // from 1, in File
	Env          string // name of the variable
	Flag         string // the flag as it is typed
}

func (o Origin) place() string {
	switch {
	case o.File != "" && o.Line > 0:
		return fmt.Sprintf("%s:%d:%d", o.File, o.Line, o.Column)
	default:
		return cmp.Or(o.File, o.Env, o.Flag)
	}
}

func (o Origin) String() string { return cmp.Or(o.place(), "default") }

// Origins says for the path of each setting that is not a default where it was
// written; "path[i]" is the element i of a list in the file.
type Origins map[string]Origin

// of returns the origin of path, else that of the list that holds it.
func (o Origins) of(path string) Origin {
	if origin, ok := o[path]; ok {
		return origin
	}
	list, _, _ := strings.Cut(path, "[")
	return o[list]
}

// source is the text of the file, to quote lines from. Its secrets are the texts
// that must not be quoted.
type source struct {
	name     string
	lines    []string
	secrets  []string
	replacer *strings.Replacer // of secrets; nil until it is needed
}

// excerpt quotes a line with a caret below the column.
func (s *source) excerpt(line, column int) string {
	if s == nil || line < 1 || line > len(s.lines) {
		return ""
	}
	whole := strings.TrimRight(s.lines[line-1], "\r")
	text := []rune(whole)
	at := min(max(column-1, 0), len(text))
	before, after := s.hide(string(text[:at])), s.hide(string(text[at:]))
	if hidden := s.hide(whole); before+after != hidden { // the caret would cut a secret in two
		return fmt.Sprintf("\n%5d | %s", line, hidden)
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	return fmt.Sprintf("\n%5d | %s%s\n      | %s^", line, before, after, pad)
}

// hide replaces the secrets in one pass: a short one may occur in "[redacted]".
func (s *source) hide(text string) string {
	if s.replacer == nil {
		// The longest first, so that one which begins another leaves no rest behind.
		slices.SortFunc(s.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
		var pairs []string
		for _, secret := range slices.Compact(s.secrets) {
			pairs = append(pairs, secret, redacted)
		}
		s.replacer = strings.NewReplacer(pairs...)
	}
	return s.replacer.Replace(text)
}

// hold notes a secret of the file, also as the single lines of a block.
func (s *source) hold(secret string) {
	for part := range strings.Lines(secret) {
		if part = strings.TrimSpace(part); part != "" {
			s.secrets = append(s.secrets, part)
		}
	}
	s.replacer = nil
}
