package views

import (
	"context"
	"slices"
	"strconv"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// ResellersProps is what the reseller table shows.
type ResellersProps struct {
	Query  ListQuery
	Rows   []ResellerRow
	Total  int // accounts that match
	All    int // accounts there are
	Pages  int
	Fresh  FreshProps
	Notice *NoticeProps // what was done just before; nil for nothing
	Failed string       // why there is nothing to show at all; empty when there is
}

// ResellerRow is one row.
type ResellerRow struct {
	wave.Reseller
	LastAt time.Time // last change through this program, zero for none
	LastBy string
}

// FreshProps says how old the data is and where to ask for newer.
type FreshProps struct {
	AsOf     time.Time // zero when there is no data
	Old      bool      // older than five minutes
	Away     bool      // Wave did not answer last time
	ReturnTo string    // address of this page, for the refresh without scripts
}

// NoticeProps is a line on top of a page.
type NoticeProps struct {
	Level    string // "success", "warning" or "error"
	Sentence string
	More     []string // further lines
}

// column is one column of the table.
type column struct {
	key   string // of the catalogues
	sort  string // value of the sort parameter, empty when it cannot be sorted
	class string // "wide" for one that only a wide window shows
}

var columns = []column{
	{"col.email", "email", ""},
	{"col.billing_group", "billing_group", ""},
	{"col.company", "", ""},
	{"col.registered", "registered", ""},
	{"col.updated", "updated", "wide"},
	{"col.flags_on", "flags_on", ""},
	{"col.changed", "changed", ""},
}

// ariaSort returns the aria-sort of a column, empty when another sorts.
func (q ListQuery) ariaSort(c column) string {
	switch {
	case c.sort == "" || q.sortKey() != c.sort:
		return ""
	case q.Desc:
		return "descending"
	}
	return "ascending"
}

// nextSort returns the sort parameter that the header of c asks for: the other
// direction of the column that sorts now. Numbers and times begin with the
// largest, which is what people look for.
func (q ListQuery) nextSort(c column) string {
	down := "-" + c.sort
	if q.sortKey() == c.sort {
		if q.Desc {
			return c.sort
		}
		return down
	}
	if c.sort == "email" || c.sort == "billing_group" {
		return c.sort
	}
	return down
}

func (q ListQuery) sortKey() string {
	if q.Sort == "" {
		return "email"
	}
	return q.Sort
}

// chip is an active filter and the address without it.
type chip struct{ label, url string }

func (q ListQuery) chips(ctx context.Context) []chip {
	var out []chip
	add := func(label string, without ListQuery) {
		without.Page = 1
		out = append(out, chip{label, without.URL()})
	}
	for i, key := range q.On {
		w := q
		w.On = slices.Delete(slices.Clone(q.On), i, i+1)
		add(t(ctx, "filter.is_on", "label", FlagLabel(ctx, key)), w)
	}
	for i, key := range q.Off {
		w := q
		w.Off = slices.Delete(slices.Clone(q.Off), i, i+1)
		add(t(ctx, "filter.is_off", "label", FlagLabel(ctx, key)), w)
	}
	if q.NeverRegistered {
		w := q
		w.NeverRegistered = false
		add(t(ctx, "filter.never_registered"), w)
	}
	if q.ChangedDays > 0 {
		w := q
		w.ChangedDays = 0
		add(t(ctx, "filter.changed_days", "count", q.ChangedDays), w)
	}
	if q.Unusual {
		w := q
		w.Unusual = false
		add(t(ctx, "filter.unusual"), w)
	}
	return out
}

// FlagLabel returns what a flag is called, its key when the catalogue lacks it.
func FlagLabel(ctx context.Context, key wave.Key) string {
	if f, ok := wave.Lookup(key); ok {
		return f.Label.In(i18n.Lang(ctx))
	}
	return string(key)
}

// rangeText says which rows of how many are on the page.
func (p ResellersProps) rangeText(ctx context.Context) string {
	if p.Total == 0 {
		return t(ctx, "list.none")
	}
	from := (p.Query.Page-1)*p.Query.Size + 1
	return t(ctx, "list.range", "from", i18n.Number(from), "to", i18n.Number(from+len(p.Rows)-1), "total", i18n.Number(p.Total))
}

// flagCount is the number of flags that a row counts against.
var flagCount = strconv.Itoa(len(wave.Flags))

// flawKey returns the catalogue key of what is wrong with an account, or "".
func flawKey(r wave.Reseller) string {
	switch r.Flaw {
	case wave.MissingID:
		return "flaw.missing_id"
	case wave.DuplicateID:
		return "flaw.duplicate_id"
	case wave.Malformed:
		return "flaw.malformed"
	}
	if r.Meta.HasOdd() {
		return "flaw.odd"
	}
	return ""
}

var changedDays = []int{1, 7, 30, 90}

func noticeIcon(level string) string {
	switch level {
	case "success":
		return "circle-check"
	case "warning", "error":
		return "triangle-alert"
	}
	return "info"
}
