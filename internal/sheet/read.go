package sheet

import (
	"io"
	"regexp"
	"strings"

	"waveadmin/internal/wave"
)

// Read reads a CSV of accounts to be created: UTF-8 or Shift_JIS, parted by commas, tabs
// or semicolons, under a head whose columns stand in any order. It fails with
// fault.TooLarge, with fault.Invalid about the field file for a file that cannot be
// taken as a whole, and as src does. What is wrong with a row is in its Problems. It
// knows nothing of the accounts, groups and presets that there are.
func Read(src io.Reader, names Names) (Sheet, error) {
	text, err := decode(src)
	if err != nil {
		return Sheet{}, err
	}
	h, s, err := readHead(text, names)
	if err != nil {
		return Sheet{}, err
	}
	out := Sheet{Ignored: h.ignored}
	met := make(map[string]int) // email -> row
	for s.next() {
		switch {
		case s.blank():
			continue
		case s.flaw == openQuote: // nobody knows which rows are in it
			return Sheet{}, refused(string(s.flaw), "row", s.row)
		case len(out.Rows) == MaxRows:
			return Sheet{}, refused("import.many_rows", "max", MaxRows)
		}
		row := h.row(s)
		if email := strings.ToLower(row.Email); email != "" {
			if first, again := met[email]; again {
				row.problem(Email, "import.twice", "first", first, "value", shorten(row.Email))
			} else {
				met[email] = row.Number
			}
		}
		out.Rows = append(out.Rows, row)
	}
	if len(out.Rows) == 0 {
		return Sheet{}, refused("import.no_rows")
	}
	return out, nil
}

// row reads the row at which s stands. One with fewer cells than the head has blank
// ones at its end: Excel leaves these out.
func (h head) row(s *scanner) Row {
	row := Row{Number: s.row, called: h.called}
	if s.flaw != sound {
		row.problem("", string(s.flaw), "max", maxColumns)
		return row
	}
	for i, cell := range s.cells {
		cell = trim(cell)
		switch {
		case cell == "":
		case i >= len(h.columns) || h.unnamed[i]:
			row.problem("", "import.no_head_above", "letters", letters(i))
		case h.columns[i] == "":
		case len(cell) > maxCell:
			row.problem(h.columns[i], "import.long_cell", "value", shorten(cell))
		default:
			row.set(h.columns[i], cell)
		}
	}
	for _, c := range []struct{ key, value string }{{Email, row.Email}, {CompanyID, row.CompanyID}} {
		if c.value == "" && !row.has(c.key) {
			row.problem(c.key, "import.missing")
		}
	}
	if row.Email == exampleEmail {
		row.problem("", "import.example_left")
	}
	return row
}

// has reports whether something is wrong with a column of the row already.
func (r *Row) has(column string) bool {
	for _, p := range r.Problems {
		if p.Column == column {
			return true
		}
	}
	return false
}

// set takes the cell of a column, which is not blank.
func (r *Row) set(key, cell string) {
	switch key {
	case Email:
		r.Email = r.text(key, cell)
	case CompanyID:
		if r.CompanyID = r.text(key, cell); scientific.MatchString(r.CompanyID) {
			r.problem(key, "import.shortened", "value", r.CompanyID)
		}
	case Preset: // its name may well be in full width
		if r.text(key, cell) != "" {
			r.Preset = unguarded(cell)
		}
	case Notification:
		r.Notify = r.state(key, cell)
	default:
		if state := r.state(key, cell); state != wave.Unset {
			r.Flags = r.Flags.With(wave.Key(key), state == wave.On)
		}
	}
}

// scientific is what a spreadsheet makes of a long number.
var scientific = regexp.MustCompile(`^[0-9](\.[0-9]+)?E\+[0-9]+$`)

// text returns what a cell says, with full-width letters, digits and signs as plain
// ones. What a spreadsheet would run is a problem, unless an apostrophe marks it as
// text, as our own files do.
func (r *Row) text(key, cell string) string {
	if free := unguarded(cell); free != cell {
		return half(free)
	}
	if cell = half(cell); runs(cell) {
		r.problem(key, "import.formula", "sign", cell[:1], "value", shorten(cell))
		return ""
	}
	return cell
}

// state returns On or Off, or Unset for a word that says neither, which is a problem.
func (r *Row) state(key, cell string) wave.State {
	state, ok := words[plain(cell)]
	if !ok {
		r.problem(key, "import.not_a_switch", "value", shorten(cell))
	}
	return state
}
