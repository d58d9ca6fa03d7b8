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
	}
}

func (l *loader) readYAML(name string, text []byte) {
	l.source = &source{name: name, lines: strings.Split(string(text), "\n"), hidden: map[int]int{}}
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
	l.hideSecrets(file.Docs[0].Body)
	l.section("", file.Docs[0].Body)
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

// namesSecret reports whether the value of such a key, or anything on such a
// line, may be a secret.
func namesSecret(key string) bool {
	key = strings.ToLower(key)
	return strings.Contains(key, "secret") || strings.Contains(key, "password") || strings.TrimSpace(key) == "url" || strings.Contains(key, "postgres")
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
	if !isSequence {
		text, ok := scalar(node)
		switch {
		case !ok:
			l.problemAt(node, s.path, "wants a value, not "+describe(node))
		case s.isList():
			l.problemAt(node, s.path, "wants a list, such as [a, b]")
		default:
			l.set(s, text, l.origin(node))
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

// hideSecrets keeps values from being quoted that stand below a key which names a
// secret, whether the key is in its place or not.
func (l *loader) hideSecrets(node ast.Node) {
	entries, ok := mapping(node)
	if !ok {
		return
	}
	for _, entry := range entries {
		key := entry.Key.GetToken().Value
		_, isSection := mapping(entry.Value)
		if namesSecret(key) && !(isSection && key == "password") { // wave.password is a rule
			ast.Walk(hider{l.source}, entry.Value)
		}
		l.hideSecrets(entry.Value)
	}
}

type hider struct{ *source }

// Visit hides a value from where it begins to the next token. ast.Walk calls it
// for every node below a secret key.
func (h hider) Visit(node ast.Node) ast.Visitor {
	if _, ok := scalar(node); !ok {
		return h
	}
	first := node.GetToken()
	last := first
	if block, ok := node.(*ast.LiteralNode); ok {
		last = block.Value.GetToken()
	}
	h.hide(first.Position.Line, first.Position.Column)
	end := len(h.lines)
	if next := last.Next; next != nil {
		end = next.Position.Line
		before := []rune(h.lines[end-1])
		before = before[:min(next.Position.Column-1, len(before))]
		if end > first.Position.Line && strings.TrimSpace(string(before)) == "" {
			end-- // nothing of the value is on the line of the next token
		}
	}
	for line := first.Position.Line + 1; line <= end; line++ {
		h.hide(line, 1)
	}
	return h
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
