package preset

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// The parser goes down once for each level, so a file from elsewhere must not have
// many: what a line opens, how far it is indented, how long it is.
const (
	maxLines  = 50_000
	maxIndent = 64
	maxLine   = 8 << 10
	maxNested = 16
)

// ParseFile reads a file. What is wrong with the file as a whole is in problems, and
// then it is empty; what is wrong with one preset or view is in its Problems. Names are
// not compared, neither with each other nor with what there is.
func ParseFile(text []byte) (f File, problems []Problem) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as Windows likes to put it there
	if p := hostile(text); p != nil {
		return File{}, []Problem{*p}
	}
	tree, err := parse(text)
	switch deep, ok := errors.AsType[*deepError](err); {
	case ok:
		return File{}, []Problem{{deep.line, fault.Say("preset.file_nested")}}
	case err != nil:
		return File{}, []Problem{syntax(err)}
	}
	r := &reader{}
	switch {
	case len(tree.Docs) > 1 && tree.Docs[1].Body != nil:
		r.add(tree.Docs[1].Body, "preset.file_documents")
	case len(tree.Docs) == 0 || tree.Docs[0].Body == nil:
		return File{}, []Problem{{1, fault.Say("preset.file_empty")}}
	default:
		r.file(tree.Docs[0].Body)
	}
	if len(r.problems) > 0 {
		return File{}, r.problems
	}
	return r.out, nil
}

// hostile finds what no file of ours has and a parser may choke on.
func hostile(text []byte) *Problem {
	if len(text) > MaxFile {
		return &Problem{1, fault.Say("preset.file_large", "max", MaxFile>>10)}
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		if number++; number > maxLines {
			return &Problem{number, fault.Say("preset.file_lines", "max", maxLines)}
		}
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return &Problem{number, fault.Say("preset.file_odd")}
		}
		content := strings.TrimLeft(line, " \t")
		// "- - -" and "? ? ?" open a level each without any indentation.
		opened := len(content) - len(strings.TrimLeft(content, "-? "))
		if len(line) > maxLine || opened > maxIndent || len(line)-len(content) > maxIndent && content != "" {
			return &Problem{number, fault.Say("preset.file_nested")}
		}
	}
	return nil
}

// parse turns a panic of the parser into an error: the file is not ours. It fails with a
// *deepError before it would go down many levels of brackets.
func parse(text []byte) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("is no YAML: %v", p)
		}
	}()
	tokens := lexer.Tokenize(string(text))
	depth := 0
	for _, t := range tokens { // a bracket in a name is none of these
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth = max(0, depth-1)
		}
		if depth > maxNested {
			return nil, &deepError{max(1, t.Position.Line)}
		}
	}
	return parser.Parse(tokens, 0)
}

// A deepError says where a file opens more brackets than one of ours has.
type deepError struct{ line int }

func (e *deepError) Error() string { return fmt.Sprintf("line %d: too many brackets", e.line) }

// syntax says where the file stops to be YAML.
func syntax(err error) Problem {
	e, ok := errors.AsType[yaml.Error](err)
	if !ok || e.GetToken() == nil || e.GetToken().Position == nil {
		return Problem{1, fault.Say("preset.file_syntax")}
	}
	say := "preset.file_syntax"
	if strings.HasPrefix(e.GetMessage(), "mapping key") {
		say = "preset.file_twice"
	}
	return Problem{max(1, e.GetToken().Position.Line), fault.Say(say)}
}

// reader goes through the tree. It takes only plain maps, lists, texts and booleans:
// what refers to something else, such as an anchor, is refused where it stands.
type reader struct {
	out      File
	problems []Problem
}

func (r *reader) add(n ast.Node, key string, args ...any) {
	r.problems = append(r.problems, Problem{lineOf(n), fault.Say(key, args...)})
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return max(1, n.GetToken().Position.Line)
}

func (r *reader) file(body ast.Node) {
	for _, field := range r.fields(body, "presets", "views") {
		if _, empty := field.value.(*ast.NullNode); empty {
			continue
		}
		list, ok := field.value.(*ast.SequenceNode)
		if !ok {
			r.add(field.value, "preset.file_list", "key", field.name)
			continue
		}
		for _, item := range list.Values {
			if field.name == "views" {
				r.out.Views = append(r.out.Views, viewEntry(item))
			} else {
				r.out.Presets = append(r.out.Presets, entry(item))
			}
		}
	}
	if len(r.out.Presets)+len(r.out.Views) == 0 && len(r.problems) == 0 {
		r.add(body, "preset.file_none")
	}
}

// entry reads one preset with its problems.
func entry(item ast.Node) Entry {
	r := &reader{}
	e := Entry{Line: lineOf(item), Content: Content{Flags: make(wave.Wanted)}}
	line := map[string]int{}
	for i, field := range r.fields(item, "name", "note", "functions") {
		if at := lineOf(field.key); i == 0 || at < e.Line {
			e.Line = at
		}
		line[field.name] = lineOf(field.key)
		switch field.name {
		case "name":
			e.Name = r.text(field)
		case "note":
			e.Note = r.text(field)
		case "functions":
			line["flags"] = line["functions"]
			r.flags(field.value, e.Flags)
		}
	}
	e.Content = e.Tidy()
	e.Problems = r.problems
	if len(e.Problems) > 0 {
		return e
	}
	if f, ok := errors.AsType[*fault.Error](e.Check()); ok {
		for _, name := range []string{"name", "note", "flags"} {
			if say, wrong := f.Fields[name]; wrong {
				e.Problems = append(e.Problems, Problem{max(line[name], e.Line), say})
			}
		}
	}
	return e
}

// flags reads what a preset says of flags. One that the catalogue lacks is refused by
// name: it would be a slip of the pen that nobody sees again.
func (r *reader) flags(n ast.Node, out wave.Wanted) {
	if _, empty := n.(*ast.NullNode); empty {
		return
	}
	for _, field := range r.fields(n) {
		value, isBool := field.value.(*ast.BoolNode)
		switch _, known := wave.Lookup(wave.Key(field.name)); {
		case !known:
			r.add(field.key, "preset.file_flag", "key", shorten(field.name))
		case !isBool:
			r.add(field.key, "preset.file_bool", "key", field.name)
		default:
			out[wave.Key(field.name)] = value.Value
		}
	}
}

// field is a key with its value.
type field struct {
	name  string
	key   ast.Node
	value ast.Node
}

// fields returns what a map has, each key once. Allowed are its keys, all when none
// are named.
func (r *reader) fields(n ast.Node, allowed ...string) (out []field) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.add(n, "preset.file_map")
		return nil
	}
	met := make(map[string]bool)
	for _, v := range values {
		key, ok := v.Key.(*ast.StringNode)
		switch {
		case !ok:
			r.add(v.Key, "preset.file_key_odd")
		case met[key.Value]:
			r.add(v.Key, "preset.file_twice")
		case len(allowed) > 0 && !slices.Contains(allowed, key.Value):
			r.add(v.Key, "preset.file_key", "key", shorten(key.Value), "keys", strings.Join(allowed, ", "))
		default:
			met[key.Value] = true
			out = append(out, field{key.Value, v.Key, v.Value})
		}
	}
	return out
}

// text returns the value of a field that is to be a text, or nothing.
func (r *reader) text(f field) string {
	switch n := f.value.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.NullNode:
		return ""
	}
	r.add(f.key, "preset.file_text", "key", f.name)
	return ""
}

// shorten keeps what a message repeats of a file short.
func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
