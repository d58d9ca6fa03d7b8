package views

import (
	"context"
	"strings"

	"waveadmin/internal/i18n"
)

// ViewsProps is the menu of saved views.
type ViewsProps struct {
	Own, Shared []SavedView
	Active      *SavedView // the one that the address names; nil for none
	Modified    bool       // whether the table is otherwise than Active has it
	Gone        bool       // the address names one that is not there for who asks
	Away        bool       // they could not be read
	Refused     *RefusedView
}

// SavedView is one of them, as who asks may use it.
type SavedView struct {
	ID, Name string
	URL      string // of the table as it is saved
	Owner    string // who made it
	Shared   bool   // everyone sees it
	MayEdit  bool
}

// RefusedView is what someone asked for and did not get.
type RefusedView struct {
	ID     string // of the view, empty for a new one
	Name   string
	Shared bool
	Errors map[string]string // field -> what is wrong with it
	Why    string            // when it is no field
}

// refused returns what was refused of the view with that id, empty for a new one, or
// what the form begins with.
func (p ViewsProps) refused(id, name string, shared bool) RefusedView {
	if p.Refused != nil && p.Refused.ID == id {
		return *p.Refused
	}
	return RefusedView{ID: id, Name: name, Shared: shared}
}

// HasForm reports whether the menu has a form for the view with that id, empty for a
// new one, in which it says what was refused.
func (p ViewsProps) HasForm(id string) bool {
	return !p.Away && (id == "" || p.Active != nil && p.Active.ID == id && p.Active.MayEdit)
}

// Words says in one line what table q is: its search and filters, then what is not as
// usual of how it is shown.
func (q ListQuery) Words(ctx context.Context, presets []Preset) string {
	var out []string
	if q.Text != "" {
		out = append(out, t(ctx, "view.words_search", "text", q.Text))
	}
	for _, c := range q.chips(ctx, presets) {
		out = append(out, c.label)
	}
	if len(out) == 0 {
		out = append(out, t(ctx, "view.everything"))
	}
	if q.Sort != "" && (q.Sort != emailColumn.sort || q.Desc) {
		key := "view.words_sort"
		if q.Desc {
			key = "view.words_sort_desc"
		}
		out = append(out, t(ctx, key, "column", sortLabel(ctx, q.Sort)))
	}
	if q.Cols != nil {
		names := []string{t(ctx, emailColumn.key)}
		for _, c := range q.columns() {
			names = append(names, t(ctx, c.key))
		}
		out = append(out, t(ctx, "view.words_columns", "columns", i18n.Join(ctx, names)))
	}
	if q.Size != 0 && q.Size != DefaultSize {
		out = append(out, t(ctx, "view.words_size", "count", q.Size))
	}
	return strings.Join(out, "\u00a0· ") // no line begins with the dot
}

// sortLabel returns what the column is called by which sort orders.
func sortLabel(ctx context.Context, sort string) string {
	for _, c := range append([]column{emailColumn}, columns...) {
		if c.sort == sort {
			return t(ctx, c.key)
		}
	}
	return sort
}
