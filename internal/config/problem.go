package config

import (
	"cmp"
	"fmt"
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

// source is the text of the file, to quote lines from without their secrets.
type source struct {
	name   string
	lines  []string
	hidden map[int]int // line -> column from which it is not quoted
}

// hide keeps the rest of a line, from column on, from being quoted.
func (s *source) hide(line, column int) {
	if from, ok := s.hidden[line]; !ok || column < from {
		s.hidden[line] = column
	}
}

// excerpt quotes a line with a caret below the column, if that may be seen.
func (s *source) excerpt(line, column int) string {
	if line < 1 || line > len(s.lines) {
		return ""
	}
	text := []rune(s.lines[line-1])
	from, secret := s.hidden[line]
	if secret = secret && from <= len(text); secret {
		text = append(text[:from-1:from-1], []rune(redacted)...)
	}
	quote := fmt.Sprintf("\n%5d | %s", line, string(text))
	at := max(column-1, 0)
	if at > len(text) || secret && column > from {
		return quote
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(text[:at]))
	return quote + "\n      | " + pad + "^"
}
