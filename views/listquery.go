package views

import (
	"net/url"
	"strconv"
	"strings"

	"waveadmin/internal/wave"
)

// ResellersCSVURL is where the table is a file.
const ResellersCSVURL = ResellersURL + ".csv"

// ListQuery is the state of the reseller table, all of which stands in its
// address. Size and Sort are as in the address, already checked.
type ListQuery struct {
	Text            string
	Sort            string // column, empty for the email
	Desc            bool
	Page            int // from 1
	Size            int // rows a page
	On, Off         []wave.Key
	NeverRegistered bool
	ChangedDays     int // 0 for any
	Unusual         bool
	Preset          string   // ID of the preset that accounts follow, NoPreset for those without; empty for any
	Drift           bool     // only what differs from its preset
	Cols            []string // columns beside the email, of Columns in their order; nil for the usual ones
	View            string   // ID of the saved view that this began with, or empty
}

// NoPreset as ListQuery.Preset stands for the accounts that follow none.
const NoPreset = "none"

// DefaultSize is the rows of a page when the address names none.
const DefaultSize = 50

// Sizes are the rows of a page that a person can choose.
var Sizes = []int{25, 50, 100, 200}

// URL returns the address of the view, without what is as by default.
func (q ListQuery) URL() string { return withQuery(ResellersURL, q.values()) }

// ExportURL returns the address of all that q selects as a file.
func (q ListQuery) ExportURL() string { return withQuery(ResellersCSVURL, q.SavedState().values()) }

// State returns the parameters of q in their one form: "on=invoice&sort=-updated".
func (q ListQuery) State() string { return q.values().Encode() }

func (q ListQuery) values() url.Values {
	v := url.Values{}
	set := func(name, value string, is bool) {
		if is {
			v.Set(name, value)
		}
	}
	set("q", q.Text, q.Text != "")
	set("sort", q.SortValue(), q.Sort != "" && (q.Sort != "email" || q.Desc))
	set("page", strconv.Itoa(q.Page), q.Page > 1)
	set("size", strconv.Itoa(q.Size), q.Size != 0 && q.Size != DefaultSize)
	set("on", joinKeys(q.On), len(q.On) > 0)
	set("off", joinKeys(q.Off), len(q.Off) > 0)
	set("never_registered", "1", q.NeverRegistered)
	set("changed_days", strconv.Itoa(q.ChangedDays), q.ChangedDays > 0)
	set("unusual", "1", q.Unusual)
	set("preset", q.Preset, q.Preset != "")
	set("drift", "1", q.Drift)
	set("cols", strings.Join(append([]string{"email"}, q.Cols...), ","), q.Cols != nil)
	set("view", q.View, q.View != "")
	return v
}

// SortValue returns the sort parameter: the column, "-" in front for descending.
func (q ListQuery) SortValue() string {
	if q.Desc {
		return "-" + q.Sort
	}
	return q.Sort
}

// Filtered reports whether q leaves accounts out.
func (q ListQuery) Filtered() bool { return q.Filter().State() != "" }

// Filter returns what of q chooses accounts, and nothing of how they are shown.
func (q ListQuery) Filter() ListQuery {
	return ListQuery{
		Text: q.Text, On: q.On, Off: q.Off, NeverRegistered: q.NeverRegistered, ChangedDays: q.ChangedDays,
		Unusual: q.Unusual, Preset: q.Preset, Drift: q.Drift,
	}
}

// Cleared returns q without its search and filters.
func (q ListQuery) Cleared() ListQuery {
	return ListQuery{Sort: q.Sort, Desc: q.Desc, Size: q.Size, Cols: q.Cols, Page: 1}
}

// AtPage returns q at another page.
func (q ListQuery) AtPage(page int) ListQuery {
	q.Page = page
	return q
}

// UsualColumns returns q with the columns that nobody has chosen.
func (q ListQuery) UsualColumns() ListQuery {
	q.Cols = nil
	return q
}

// SavedState returns what of q a saved view keeps: all but the page and the view.
func (q ListQuery) SavedState() ListQuery {
	q.Page, q.View = 1, ""
	return q
}
