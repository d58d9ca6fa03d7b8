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
	Query   ListQuery
	Rows    []ResellerRow
	Total   int // accounts that match
	All     int // accounts there are
	Pages   int
	Presets []Preset // there are
	Gone    []string // sentences: what the filter names and there is no more
	Views   ViewsProps
	Fresh   FreshProps
	Notice  *NoticeProps // what was done just before; nil for nothing
	Failed  string       // why there is nothing to show at all; empty when there is
	Loading bool         // the first list of accounts is still to come
}

// Preset is a preset to choose.
type Preset struct{ ID, Name string }

// ResellerRow is one row.
type ResellerRow struct {
	wave.Reseller
	LastAt time.Time // last change through this program, zero for none
	LastBy string
	Preset string // name of the preset that the account follows, empty for none
	Drift  int    // flags that differ from it
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

// chip is an active filter and the address without it.
type chip struct{ label, url string }

// chips returns the filters of q. A preset that there is no more shows its ID.
func (q ListQuery) chips(ctx context.Context, presets []Preset) []chip {
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
	if q.Preset != "" {
		w := q
		w.Preset = ""
		add(presetChip(ctx, q.Preset, presets), w)
	}
	if q.Drift {
		w := q
		w.Drift = false
		add(t(ctx, "filter.drift"), w)
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

// selectionURL returns where the form of the selection leads unless a button says
// otherwise.
func selectionURL(ctx context.Context) string {
	if mayModify(ctx) {
		return BulkNewURL
	}
	return ResellersCSVURL
}

func hasPreset(presets []Preset, id string) bool {
	return slices.ContainsFunc(presets, func(p Preset) bool { return p.ID == id })
}

func presetChip(ctx context.Context, id string, presets []Preset) string {
	if id == NoPreset {
		return t(ctx, "filter.no_preset")
	}
	for _, p := range presets {
		if p.ID == id {
			return t(ctx, "filter.preset_is", "name", p.Name)
		}
	}
	return t(ctx, "filter.preset_is", "name", id)
}

// FlagLabel returns what a flag is called, its key when the catalogue lacks it.
func FlagLabel(ctx context.Context, key wave.Key) string {
	if f, ok := wave.Lookup(key); ok {
		return f.Label.In(i18n.Lang(ctx))
	}
	return string(key)
}

func (p ResellersProps) pager(ctx context.Context) pagerProps {
	return pagerProps{
		Range: rangeText(ctx, p.Query.Page, p.Query.Size, len(p.Rows), p.Total), Page: p.Query.Page, Pages: p.Pages,
		Size: p.Query.Size, Sizes: Sizes, Top: "window",
		URL: func(page int) string { return p.Query.AtPage(page).URL() },
	}
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
