package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// What of a file is never quoted in a problem.

// namesSecret reports whether the value of such a key, or anything on such a
// line, may be a secret.
func namesSecret(key string) bool {
	key = strings.ToLower(key)
	return strings.Contains(key, "secret") || strings.Contains(key, "password") || strings.TrimSpace(key) == "url" || strings.Contains(key, "postgres")
}

// overLines returns a key or value that goes over several lines, if there is one that
// is no secret. No setting has a reason to, and what stands on those lines,
// perhaps a secret with its key, would be quoted as the value of another setting.
func overLines(node ast.Node) ast.Node {
	if list, ok := node.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			if found := overLines(item); found != nil {
				return found
			}
		}
	}
	if _, ok := scalar(node); ok && strings.Contains(strings.TrimSpace(node.GetToken().Origin), "\n") {
		return node
	}
	if block, ok := node.(*ast.LiteralNode); ok {
		return block
	}
	entries, _ := mapping(node)
	for _, entry := range entries {
		if found := overLines(entry.Key); found != nil {
			return found
		}
		if _, isScalar := scalar(entry.Value); isScalar && namesSecret(entry.Key.GetToken().Value) {
			continue
		}
		if found := overLines(entry.Value); found != nil {
			return found
		}
	}
	return nil
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
		end = min(next.Position.Line, len(h.lines))
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
