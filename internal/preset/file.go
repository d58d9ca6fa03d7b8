package preset

import (
	"bytes"
	"encoding/json"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// MaxFile is how many bytes of a file are read.
const MaxFile = 1 << 20

// A File is what a file of presets says.
//
//	presets:
//	  - name: "Standard"
//	    note: "what it is for"
//	    functions:
//	      invoice: true
//	      open_api: false
//	views:
//	  - name: "Differs from the standard"
//	    query: "drift=1&sort=-updated"
//	    preset: "Standard"
//	    shared: true
//
// It is YAML. A function that is not named is not specified. The views are those of the
// reseller table, of which this package knows only what they are called; one that is
// not shared is its owner's alone.
type File struct {
	Presets []Entry
	Views   []ViewEntry
}

// An Entry is one preset of a file.
type Entry struct {
	Line int // where it begins, from 1
	Content
	Problems []Problem // why it cannot be taken; empty when it can
}

// A Problem is what is wrong on a line of a file, from 1.
type Problem struct {
	Line int
	Say  fault.Text
}

// EncodeFile returns the file with what presets say, without the built-in one, and
// with views. ParseFile of it returns the same.
func EncodeFile(presets []*Preset, views []View) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("presets:")
	if len(presets) == 0 || len(presets) == 1 && presets[0].ID == Defaults {
		b.WriteString(" []")
	}
	b.WriteString("\n")
	for _, p := range presets {
		if p.ID == Defaults {
			continue
		}
		name, err := quoted(p.Name)
		if err != nil {
			return nil, err
		}
		note, err := quoted(p.Note)
		if err != nil {
			return nil, err
		}
		b.WriteString("  - name: " + name + "\n    note: " + note + "\n    functions:")
		if len(p.Flags) == 0 {
			b.WriteString(" {}")
		}
		b.WriteString("\n")
		for _, key := range wave.Ordered(p.Flags) {
			word, err := quoted(string(key))
			if err != nil {
				return nil, err
			}
			value := ": false\n"
			if p.Flags[key] {
				value = ": true\n"
			}
			b.WriteString("      " + word + value)
		}
	}
	if err := encodeViews(&b, views); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// quoted returns s as a double-quoted scalar: what JSON writes is one, too.
func quoted(s string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return "", err
	}
	return string(bytes.TrimSpace(b.Bytes())), nil
}
