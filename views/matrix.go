package views

import (
	"context"
	"slices"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// MatrixProps is what the matrix of accounts and flags shows.
type MatrixProps struct {
	Query      MatrixQuery
	Rows       []wave.Reseller
	Presets    []Preset
	Others     []wave.Key // flags that some account has and the catalogue lacks
	Total      int        // accounts that match
	All        int        // accounts there are
	Pages      int
	Fresh      FreshProps
	Failed     string // why there is nothing to show at all; empty when there is
	Confirm    string // ui.confirm: always, risky or never
	NeedReason bool   // for a save of one account; a bulk change asks for its own
}

// matrixColumn is one flag.
type matrixColumn struct {
	Key    wave.Key
	Label  string
	Parent wave.Key
	Group  string // its heading
	First  bool   // of what is shown of its group
	Bit    int    // place in the catalogue, -1 when that lacks it
	Hidden bool
}

// columns returns all flags, then those of accounts that the catalogue lacks. First
// counts only those that are not hidden.
func (p MatrixProps) columns(ctx context.Context) []matrixColumn {
	lang := i18n.Lang(ctx)
	out := make([]matrixColumn, 0, len(wave.Flags)+len(p.Others))
	add := func(c matrixColumn, before *bool) {
		c.Hidden = slices.Contains(p.Query.Hidden, c.Key)
		if !c.Hidden {
			c.First, *before = !*before, true
		}
		out = append(out, c)
	}
	for _, g := range wave.Groups {
		begun := false
		for _, f := range g.Flags {
			add(matrixColumn{Key: f.Key, Label: f.Label.In(lang), Parent: f.Parent, Group: g.Label.In(lang), Bit: len(out)}, &begun)
		}
	}
	begun := false
	for _, key := range p.Others {
		add(matrixColumn{Key: key, Label: string(key), Group: t(ctx, "grid.other"), Bit: -1}, &begun)
	}
	return out
}

// shown returns the columns that are not hidden.
func shown(columns []matrixColumn) []matrixColumn {
	return slices.DeleteFunc(slices.Clone(columns), func(c matrixColumn) bool { return c.Hidden })
}

// otherKeys lists the columns that the catalogue lacks, for the form of columns: no one
// else knows which there were.
func otherKeys(columns []matrixColumn) string {
	var keys []wave.Key
	for _, c := range columns {
		if c.Bit < 0 {
			keys = append(keys, c.Key)
		}
	}
	return joinKeys(keys)
}

// span is a heading over the columns of a group.
type span struct {
	Label   string
	Columns []matrixColumn
}

func spans(columns []matrixColumn) []span {
	var out []span
	for i, c := range columns {
		if i == 0 || c.Group != columns[i-1].Group {
			out = append(out, span{Label: c.Group})
		}
		last := &out[len(out)-1]
		last.Columns = append(last.Columns, c)
	}
	return out
}

// readOnly reports whether the person may only look.
func (p MatrixProps) readOnly(ctx context.Context) bool { return !mayModify(ctx) }

// sortOf is the value of the sort parameter for a column.
func (c matrixColumn) sortOf() string { return "flag." + string(c.Key) }

// ariaSort returns the aria-sort of a column, empty when another sorts.
func (q MatrixQuery) ariaSort(sort string) string {
	return q.ListQuery.ariaSort(column{sort: sort})
}

// nextSort returns the sort parameter that a press on a column's header asks for:
// on first, then off first.
func (q MatrixQuery) nextSort(sort string) string { return q.ListQuery.nextSort(column{sort: sort}) }

// chips are the active filters, each with the address of the matrix without it.
func (q MatrixQuery) chips(ctx context.Context, presets []Preset) []chip {
	chips := q.ListQuery.chips(ctx, presets)
	for i := range chips {
		chips[i].url = q.here(chips[i].url)
	}
	return chips
}

// field is a hidden field of a form.
type field struct{ Name, Value string }

// carried returns the parameters of the view but those that the form's own fields
// have: those named and the page, which begins anew.
func (q MatrixQuery) carried(own ...string) []field {
	var out []field
	for name, values := range q.values() {
		if name != "page" && !slices.Contains(own, name) {
			out = append(out, field{name, values[0]})
		}
	}
	slices.SortFunc(out, func(a, b field) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}

// matrixOwn are the parameters that the form above the matrix has fields for.
var matrixOwn = []string{"q", "size", "changed_days", "never_registered", "unusual", "preset", "drift"}

// list is what the parts of the reseller table that the matrix has, too, need.
func (p MatrixProps) list() ResellersProps {
	return ResellersProps{Query: p.Query.ListQuery, Presets: p.Presets}
}

// pager stands above the table: below it the save bar would cover it.
func (p MatrixProps) pager(ctx context.Context) pagerProps {
	return pagerProps{
		Range: rangeText(ctx, p.Query.Page, p.Query.Size, len(p.Rows), p.Total), Page: p.Query.Page, Pages: p.Pages,
		Size: p.Query.Size, Sizes: MatrixSizes, Top: "window", Above: true,
		URL: func(page int) string { return p.Query.here(p.Query.AtPage(page).URL()) },
	}
}

// allColumns returns the address of the view with no column hidden.
func (q MatrixQuery) allColumns() string {
	q.Hidden = nil
	return q.URL()
}

// matrixKeys is the help of the keyboard.
var matrixKeys = []struct {
	keys  []string
	does  string // a key of the catalogues
	write bool   // only for who may change accounts
}{
	{[]string{"↑", "↓", "←", "→"}, "matrix.key_move", false},
	{[]string{"Home", "End"}, "matrix.key_row_ends", false},
	{[]string{"Ctrl+Home", "Ctrl+End"}, "matrix.key_ends", false},
	{[]string{"PageUp", "PageDown"}, "matrix.key_page", false},
	{[]string{"Enter"}, "matrix.key_open", false},
	{[]string{"Shift+↑↓←→"}, "matrix.key_extend", false},
	{[]string{"Shift+Space"}, "matrix.key_row", false},
	{[]string{"Esc"}, "matrix.key_clear", false},
	{[]string{"Space"}, "matrix.key_flip", true},
	{[]string{"1", "0"}, "matrix.key_set", true},
	{[]string{"Delete"}, "matrix.key_revert", true},
	{[]string{"Ctrl+D"}, "matrix.key_fill", true},
	{[]string{"Ctrl+Z", "Ctrl+Shift+Z"}, "matrix.key_undo", true},
	{[]string{"Ctrl+S"}, "matrix.key_save", true},
}

// matrixMarks is the help of what a cell can look like.
var matrixMarks = []struct{ class, means string }{
	{"dirty", "matrix.mark_dirty"},
	{"moved", "matrix.mark_moved"},
	{"i", "matrix.mark_idle"},
	{"u", "js.matrix_unset"},
	{"o", "js.matrix_odd"},
	{"n", "js.matrix_none"},
}
