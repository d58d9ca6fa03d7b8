package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile bounds what is read of a settings file or a secret file.
const maxFile = 1 << 20

// readFile applies the YAML file name to l.
func (l *loader) readFile(name string) {
	f, err := os.Open(name)
	if err != nil {
		l.unreadable(Problem{Message: err.Error()})
		return
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		l.unreadable(Problem{Origin: Origin{File: name}, Message: err.Error()})
	case len(text) > maxFile:
		l.unreadable(Problem{Origin: Origin{File: name}, Message: "is larger than 1 MiB"})
	default:
		l.readYAML(name, text)
		l.guardFile(f)
	}
}

func (l *loader) readYAML(name string, text []byte) {
	l.source = &source{name: name, lines: lines(string(text)), hidden: map[int]int{}}
	file, err := parseYAML(text)
	if err != nil {
		l.syntaxProblem(err)
		return
	}
	for i, doc := range file.Docs {
		if i > 0 && doc.Body != nil {
			l.problemAt(doc.Body, "", "a second YAML document: settings are one document")
			return
		}
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return
	}
	if node := overLines(file.Docs[0].Body); node != nil {
		at := start(node)
		l.unreadable(Problem{
			Message: "a text over several lines, perhaps for want of a quotation mark",
			Origin:  Origin{File: name, Line: at.Line, Column: at.Column},
		})
		return
	}
	l.hideSecrets(file.Docs[0].Body)
	l.section("", file.Docs[0].Body)
}

// lines splits text as YAML does.
func lines(text string) []string {
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
}

// parseYAML turns a panic of the parser into an error: the file is not ours.
func parseYAML(text []byte) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("is no YAML: %v", p)
		}
	}()
	return parser.ParseBytes(text, 0)
}

// syntaxProblem quotes only lines of the form "key: value", and the value only if
// the line names no secret: with no tree it is not known what is one.
func (l *loader) syntaxProblem(err error) {
	e, ok := errors.AsType[yaml.Error](err)
	if !ok || e.GetToken() == nil {
		l.unreadable(Problem{Origin: Origin{File: l.source.name}, Message: "is no YAML that can be read"})
		return
	}
	for i, line := range l.source.lines {
		key, _, found := strings.Cut(line, ":")
		switch {
		case !found:
			l.source.hide(i+1, 1)
		case namesSecret(line):
			l.source.hide(i+1, utf8.RuneCountInString(key)+2)
		}
	}
	at := e.GetToken().Position
	message, _, _ := strings.Cut(e.GetMessage(), "\n")
	if before, _, quotes := strings.Cut(message, `"`); quotes { // some text of the file, maybe a secret
		message = strings.TrimSpace(before) + " …"
		if strings.HasPrefix(e.GetMessage(), "mapping key") {
			message = "the same key twice"
		}
	}
	l.unreadable(Problem{
		Message: "syntax: " + message,
		Origin:  Origin{File: l.source.name, Line: at.Line, Column: at.Column},
		excerpt: l.source.excerpt(at.Line, at.Column),
	})
}

func (l *loader) unreadable(p Problem) {
	l.unread = true
	l.add(p)
}

// section reads the mapping node, which holds the settings below prefix ("" or
// "wave.").
func (l *loader) section(prefix string, node ast.Node) {
	name := strings.TrimSuffix(prefix, ".")
	if _, empty := node.(*ast.NullNode); empty { // a heading whose settings are commented out
		return
	}
	entries, ok := mapping(node)
	if !ok {
		l.problemAt(node, name, "wants settings below it, not "+describe(node))
		return
	}
	for _, entry := range entries {
		key := entry.Key.GetToken().Value
		path := prefix + key
		s, isSetting := find(l.cfg, path)
		switch {
		case isSetting:
			l.leaf(s, entry.Value)
		case slices.Contains(sections, path):
			l.section(path+".", entry.Value)
		default:
			l.problemAt(entry.Key, "", unknownKey(path, prefix))
		}
	}
}

// mapping returns the entries of a mapping. The parser has refused a key that is
// there twice.
func mapping(node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// leaf sets one setting from its node. Nothing after the colon leaves the default.
func (l *loader) leaf(s setting, node ast.Node) {
	if _, empty := node.(*ast.NullNode); empty {
		return
	}
	list, isSequence := node.(*ast.SequenceNode)
	if keyed, ok := keyedList(node); ok && s.path == "ui.approval" {
		l.set(s, keyed, l.origin(node))
		return
	}
	if !isSequence {
		text, ok := scalar(node)
		switch {
		case !ok:
			l.problemAt(node, s.path, "wants a value, not "+describe(node))
		case s.isList():
			l.problemAt(node, s.path, "wants a list, such as [a, b]")
		default:
			l.set(s, text, l.origin(node))
			l.hold(s)
		}
		return
	}
	items := make([]string, len(list.Values))
	for i, item := range list.Values {
		text, ok := scalar(item)
		if !ok {
			l.problemAt(item, fmt.Sprintf("%s[%d]", s.path, i), "wants a value, not "+describe(item))
			return
		}
		items[i] = text
		l.origins[fmt.Sprintf("%s[%d]", s.path, i)] = l.origin(item)
	}
	l.origins[s.path] = l.origin(node)
	if err := s.setList(items); err != nil {
		l.problemAt(node, s.path, err.Error())
	}
	l.hold(s)
}

// keyedList returns a mapping of one key to a list, such as {flags: [a, b]}, in one
// text: "flags: a, b".
func keyedList(node ast.Node) (string, bool) {
	entries, ok := mapping(node)
	if !ok || len(entries) != 1 {
		return "", false
	}
	list, ok := entries[0].Value.(*ast.SequenceNode)
	if !ok {
		return "", false
	}
	items := make([]string, len(list.Values))
	for i, item := range list.Values {
		if items[i], ok = scalar(item); !ok {
			return "", false
		}
	}
	return entries[0].Key.GetToken().Value + ": " + strings.Join(items, ", "), true
}

// scalar returns a value as it is written, without quotes: a client id of 007
// stays 007. An empty element of a list is the empty text.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode: // | and >
		return n.Value.Value, true
	case *ast.NullNode:
		return "", true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func describe(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias"
	case *ast.TagNode:
		return "a tag"
	}
	return "a single value"
}

func (l *loader) origin(node ast.Node) Origin {
	at := start(node)
	return Origin{File: l.source.name, Line: at.Line, Column: at.Column}
}

// start is where a node begins; a mapping's own token is its colon.
func start(node ast.Node) *token.Position {
	if entries, ok := mapping(node); ok && len(entries) > 0 {
		return entries[0].Key.GetToken().Position
	}
	return node.GetToken().Position
}

func (l *loader) problemAt(node ast.Node, path, message string) {
	l.problem(path, l.origin(node), message)
}
