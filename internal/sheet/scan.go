package sheet

import "strings"

// A scanner cuts a text into rows of cells. Unlike encoding/csv it counts rows as a
// spreadsheet does, blank ones included and one with line ends in quotes as one, goes
// on after a row that is broken, and takes at most maxColumns cells of a row into
// memory.
type scanner struct {
	rest  string
	comma byte

	row   int      // number of the last row, from 1
	cells []string // of it, until the next one
	flaw  flaw     // of it
}

// flaw is why the cells of a row cannot be trusted.
type flaw string

const (
	sound     flaw = ""
	openQuote flaw = "import.quote_open"   // no quote closes it, so the rest of the text is in it
	misquoted flaw = "import.quote_inside" // something stands behind a closing quote
	manyCells flaw = "import.many_cells"
)

// next goes to the next row and reports whether there is one.
func (s *scanner) next() bool {
	if s.rest == "" {
		return false
	}
	s.row++
	s.cells, s.flaw = s.cells[:0], sound
	for more := true; more; {
		var cell string
		if cell, more = s.cell(); len(s.cells) < maxColumns {
			s.cells = append(s.cells, cell)
		} else {
			s.flaw = manyCells
		}
	}
	return true
}

// cell takes one cell off the rest, and reports whether another one of the row follows.
func (s *scanner) cell() (cell string, more bool) {
	if begin := strings.TrimLeft(s.rest, " "); strings.HasPrefix(begin, `"`) {
		return s.quoted(begin[1:])
	}
	end := s.end(s.rest)
	return s.rest[:end], s.cut(s.rest[end:])
}

// quoted takes a cell whose opening quote is off already.
func (s *scanner) quoted(text string) (cell string, more bool) {
	end, doubled := 0, false
	for {
		n := strings.IndexByte(text[end:], '"')
		if n < 0 {
			s.flaw, s.rest = openQuote, ""
			return "", false
		}
		if end += n; !strings.HasPrefix(text[end+1:], `"`) {
			break
		}
		end, doubled = end+2, true
	}
	cell, text = text[:end], strings.TrimLeft(text[end+1:], " ")
	if doubled {
		cell = strings.ReplaceAll(cell, `""`, `"`)
	}
	if next := s.end(text); next > 0 {
		s.flaw = misquoted
		text = text[next:]
	}
	return cell, s.cut(text)
}

// end returns where the cell that begins with text ends.
func (s *scanner) end(text string) int {
	if i := strings.IndexAny(text, string(s.comma)+"\r\n"); i >= 0 {
		return i
	}
	return len(text)
}

// cut takes what ended a cell off text, which is the rest then, and reports whether it
// was a comma.
func (s *scanner) cut(text string) bool {
	switch {
	case text == "":
		s.rest = ""
		return false
	case text[0] == s.comma:
		s.rest = text[1:]
		return true
	case strings.HasPrefix(text, "\r\n"):
		s.rest = text[2:]
	default:
		s.rest = text[1:]
	}
	return false
}

// blank reports whether the row has nothing in it.
func (s *scanner) blank() bool {
	if s.flaw != sound {
		return false
	}
	for _, cell := range s.cells {
		if trim(cell) != "" {
			return false
		}
	}
	return true
}
