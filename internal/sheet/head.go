package sheet

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// others are names that people give to columns, as plain returns them.
var others = map[string]string{
	"mail": Email, "mailaddress": Email, "emailaddress": Email, "メール": Email, "eメール": Email,
	"company": CompanyID, "会社": CompanyID, "会社コード": CompanyID,
	"notify": Notification, "通知": Notification, "メール通知": Notification,
}

// A head says which cell of a row is what.
type head struct {
	columns []string // keys of columns; empty for one that is not read
	unnamed []bool   // the cells without a name
	ignored []string
	called  map[string]string // what the file calls its columns, by key
}

// readHead returns the head of text and a scanner that stands behind it. Cells are
// parted by whatever makes most of them columns. Its fault is about the field file.
func readHead(text string, names Names) (head, *scanner, error) {
	keys := keysOf(names)
	var best head
	var after *scanner
	most := 0
	for _, comma := range []byte{',', '\t', ';'} {
		s := &scanner{rest: text, comma: comma}
		for s.next() && s.blank() {
		}
		h, known := newHead(s.cells, keys)
		if known > most || after == nil {
			best, after, most = h, s, known
		}
	}
	if text == "" || after.blank() {
		return head{}, nil, refused("import.empty")
	}
	if after.flaw != sound {
		return head{}, nil, refused(string(after.flaw), "max", maxColumns, "row", after.row)
	}
	return best, after, best.check(after.cells, keys)
}

// newHead returns the head with these cells, and how many of them are columns.
func newHead(cells []string, keys map[string]string) (h head, known int) {
	h.called = make(map[string]string)
	for _, cell := range cells {
		key, cell := keyOf(cell, keys), trim(cell)
		h.columns = append(h.columns, key)
		h.unnamed = append(h.unnamed, cell == "")
		switch {
		case key != "":
			known++
			if open := strings.IndexAny(cell, "[［"); open > 0 { // without the key behind it
				cell = trim(cell[:open])
			}
			h.called[key] = shorten(cell)
		case cell != "":
			h.ignored = append(h.ignored, shorten(cell))
		}
	}
	return h, known
}

// check refuses a head that lacks what every account needs, has a column twice, or
// has one with passwords: these are never in a file.
func (h head) check(cells []string, keys map[string]string) error {
	if !slices.ContainsFunc(h.columns, func(key string) bool { return key != "" }) {
		return refused("import.no_head")
	}
	for i, cell := range cells {
		switch key := h.columns[i]; {
		case key == "" && secret(cell):
			return refused("import.password_column", "column", shorten(trim(cell)))
		case key != "" && slices.Index(h.columns, key) < i:
			return refused("import.column_twice", "column", shorten(trim(cell)))
		}
	}
	for _, key := range []string{Email, CompanyID} {
		if !slices.Contains(h.columns, key) {
			return refused("import.column_missing", "column", key)
		}
	}
	return nil
}

// secret reports whether a column is one of passwords. When they were changed last, as
// the table of accounts says, is none.
func secret(cell string) bool {
	name := plain(cell)
	if strings.HasSuffix(name, "[passwordupdated]") || slices.Contains([]string{"passwordupdated", "passwordchanged", "パスワード変更日"}, name) {
		return false
	}
	return strings.Contains(name, "password") || strings.Contains(name, "passwd") || strings.Contains(name, "パスワード") ||
		slices.Contains([]string{"pass", "pwd", "pw"}, name)
}

// keysOf returns the keys of columns by all that they may be called.
func keysOf(names Names) map[string]string {
	keys := make(map[string]string, len(others))
	for name, key := range others {
		keys[name] = key
	}
	for _, c := range slices.Concat(functions(), names.all()) {
		for _, name := range []string{c.name.EN, c.name.JA, c.key} {
			keys[plain(name)] = c.key
		}
	}
	return keys
}

// keyOf returns the key of a column by its head: the key itself, a name, or a name
// with the key in brackets, as files of ours have it. What is in brackets decides.
func keyOf(cell string, keys map[string]string) string {
	name := plain(cell)
	if open := strings.LastIndexByte(name, '['); open >= 0 && strings.HasSuffix(name, "]") {
		name = name[open+1 : len(name)-1]
	}
	return keys[name]
}

// plain returns a name without what people write in different ways: case, width, and
// space or a line within it.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || space(r) {
			return -1
		}
		return r
	}, strings.ToLower(norm.NFKC.String(name)))
}
