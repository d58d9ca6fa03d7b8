package preset

import (
	"bytes"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// A View is what a file says of a saved view of the reseller table. What a query means
// is not known here.
type View struct {
	Name   string
	Query  string
	Preset string // name of the preset that the view is about: IDs mean nothing elsewhere
	Shared bool
}

// A ViewEntry is one view of a file.
type ViewEntry struct {
	Line int // where it begins, from 1
	View
	Problems []Problem // why it cannot be read; empty when it can

	lines map[string]int
}

// LineOf returns the line of a key of e, or where e begins when it lacks the key.
func (e ViewEntry) LineOf(key string) int { return max(e.Line, e.lines[key]) }

// viewEntry reads one view with its problems.
func viewEntry(item ast.Node) ViewEntry {
	r := &reader{}
	e := ViewEntry{Line: lineOf(item), lines: make(map[string]int)}
	for i, field := range r.fields(item, "name", "query", "preset", "shared") {
		at := lineOf(field.key)
		if i == 0 || at < e.Line {
			e.Line = at
		}
		e.lines[field.name] = at
		switch field.name {
		case "name":
			e.Name = r.text(field)
		case "query":
			e.Query = r.text(field)
		case "preset":
			e.Preset = r.text(field)
		case "shared":
			if value, ok := field.value.(*ast.BoolNode); ok {
				e.Shared = value.Value
			} else {
				r.add(field.key, "preset.file_bool", "key", field.name)
			}
		}
	}
	e.Problems = r.problems
	return e
}

// encodeViews writes the section of views, which is left out when there are none.
func encodeViews(b *bytes.Buffer, views []View) error {
	if len(views) > 0 {
		b.WriteString("views:\n")
	}
	for _, v := range views {
		lines := []struct{ key, value string }{{"  - name: ", v.Name}, {"    query: ", v.Query}}
		if v.Preset != "" {
			lines = append(lines, struct{ key, value string }{"    preset: ", v.Preset})
		}
		for _, line := range lines {
			text, err := quoted(line.value)
			if err != nil {
				return err
			}
			b.WriteString(line.key + text + "\n")
		}
		b.WriteString("    shared: " + strconv.FormatBool(v.Shared) + "\n")
	}
	return nil
}
