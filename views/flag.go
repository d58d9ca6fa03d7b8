package views

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"waveadmin/internal/wave"
)

// FlagPageProps is one flag and what all accounts say of it.
type FlagPageProps struct {
	Query  FlagQuery
	Flag   FlagFacts
	Fresh  FreshProps
	Totals []Share // accounts with the flag on, off and so on; each leads to them
	Groups []GroupShare
	More   int // billing groups that are not in Groups

	Rows         []FlagRow
	Total, Pages int
	All          int // accounts there are

	Reason     string
	NeedReason bool
	Confirm    string // ui.confirm: always, risky or never
	Saved      *SavedProps
	SavedEmail string // of the account that was saved
	Message    string
	Failure    *FailureProps
	BulkURL    string // where all that match are changed; empty for nowhere
}

// FlagFacts is what is known of a flag.
type FlagFacts struct {
	Key      wave.Key
	Label    string
	Help     string
	Group    string // its category
	Default  wave.State
	Known    bool // in the catalogue
	Parent   wave.Key
	Children []wave.Key
}

// GroupShare is how many accounts of a billing group have the flag on.
type GroupShare struct {
	wave.BillingGroup
	On, Accounts int
	URL          string // of these accounts on this page
}

// FlagRow is an account with its one box.
type FlagRow struct {
	Account wave.Reseller
	State   wave.State
	On      bool      // as the person has it now
	LastAt  time.Time // last change through this program, zero for none
	LastBy  string
}

// FlagQuery is the state of the page, all of which stands in its address, already
// checked.
type FlagQuery struct {
	Key       wave.Key
	Text      string
	State     string // "on", "off" or empty for both
	Sort      string // column, empty for the email
	Desc      bool
	Page      int // from 1
	Size      int
	AllGroups bool // the billing groups not only in part
}

// URL returns the address of the view, without what is as by default.
func (q FlagQuery) URL() string {
	v := url.Values{}
	for name, value := range map[string]string{"q": q.Text, "state": q.State} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Sort != "" && (q.Sort != "email" || q.Desc) {
		v.Set("sort", q.SortValue())
	}
	if q.Page > 1 {
		v.Set("page", strconv.Itoa(q.Page))
	}
	if q.Size != 0 && q.Size != DefaultSize {
		v.Set("size", strconv.Itoa(q.Size))
	}
	if q.AllGroups {
		v.Set("groups", "all")
	}
	return withQuery(FlagURL(q.Key), v)
}

// SortValue is the sort parameter, as that of ListQuery.
func (q FlagQuery) SortValue() string { return ListQuery{Sort: q.Sort, Desc: q.Desc}.SortValue() }

// AtPage, WithState and Search return q elsewhere; the latter two at its first page.
func (q FlagQuery) AtPage(page int) FlagQuery {
	q.Page = page
	return q
}

func (q FlagQuery) WithState(state string) FlagQuery {
	q.State, q.Page = state, 1
	return q
}

func (q FlagQuery) Search(text string) FlagQuery {
	q.Text, q.Page = text, 1
	return q
}

// Filtered reports whether q leaves accounts out.
func (q FlagQuery) Filtered() bool { return q.Text != "" || q.State != "" }

// BulkURL returns where a change of all that q shows begins, whatever the page.
func (q FlagQuery) BulkURL() string {
	list := ListQuery{Text: q.Text}
	switch q.State {
	case "on":
		list.On = []wave.Key{q.Key}
	case "off":
		list.Off = []wave.Key{q.Key}
	}
	u, _ := url.Parse(list.URL())
	return withQuery(BulkNewURL, url.Values{"all": {"1"}, "list": {u.RawQuery}})
}

// FlagSorts are the columns of the page that sort.
var FlagSorts = []string{"email", "billing_group", "registered", "changed"}

// flagColumns are those of the table; the one of the boxes has the flag's label.
var flagColumns = []struct{ key, sort string }{
	{"col.email", "email"}, {"", ""}, {"col.billing_group", "billing_group"}, {"col.registered", "registered"}, {"col.changed", "changed"},
}

func (q FlagQuery) sorts(column string) bool {
	return column != "" && (q.Sort == column || q.Sort == "" && column == "email")
}

func (q FlagQuery) ariaSort(column string) string {
	switch {
	case !q.sorts(column):
		return ""
	case q.Desc:
		return "descending"
	}
	return "ascending"
}

// nextSort is what the header of a column asks for: the other direction of the one
// that sorts now; times begin with the latest.
func (q FlagQuery) nextSort(column string) string {
	down := q.sorts(column) && !q.Desc || !q.sorts(column) && (column == "registered" || column == "changed")
	return ListQuery{Sort: column, Desc: down}.SortValue()
}

// wasValue is what the form says of the flag's saved state; see FlagProps.
func (r FlagRow) wasValue() string { return FlagProps{Saved: r.State}.wasValue() }

// locked reports whether nobody can change the account.
func (r FlagRow) locked() bool { return r.Account.Flaw != wave.NoFlaw }

func (p FlagPageProps) pager(ctx context.Context) pagerProps {
	return pagerProps{
		Range: rangeText(ctx, p.Query.Page, p.Query.Size, len(p.Rows), p.Total), Page: p.Query.Page, Pages: p.Pages,
		Size: p.Query.Size, Sizes: Sizes, Top: "#accounts",
		URL: func(page int) string { return p.Query.AtPage(page).URL() },
	}
}

// name is what the billing group is called, whatever of it is known.
func (g GroupShare) name() string {
	for _, name := range []string{g.Name, g.ID, g.CompanyID} {
		if name != "" {
			return name
		}
	}
	return "–"
}

func (q FlagQuery) withAllGroups() FlagQuery {
	q.AllGroups = true
	return q
}
