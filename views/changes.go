package views

import (
	"context"
	"net/url"
	"time"

	"waveadmin/internal/wave"
)

// ChangesProps is a page of the table of all changes, newest first.
type ChangesProps struct {
	Query        ChangesQuery
	Rows         []ChangeRow
	People       []Person     // who can be chosen in the filter
	Kinds        []string     // of changes, likewise
	Outcomes     []string     // likewise
	Newer, Older ChangesQuery // the pages beside this one; the zero query for none
	Notice       *NoticeProps
}

// Person is someone who changed something, as a filter names them.
type Person struct{ Mark, Name string }

// ChangeRow is one change in words.
type ChangeRow struct {
	ID         string
	At         time.Time
	Who        string      // empty when it was done outside
	Seen       string      // outside: between which times
	Since      string      // outside: the first of them in short, empty when it is not known
	Account    wave.UserID // empty for one that is not known yet
	Email      string
	What       string   // such as "3 functions"
	Lines      []string // such as "Invoices: off → on"
	More       int      // lines that are left out
	Outcome    string   // the state of the change
	Undecided  bool     // in doubt, and nobody will find out but a person
	Reason     string
	Source     string // in words, unless it was a page
	UndoURL    string // where it is taken back; empty when it cannot be
	RestoreURL string // where its account goes back to its outcome, likewise
}

// OutsideMark is the value of the filter by person for what nobody did here.
const OutsideMark = "outside"

// ChangesQuery is the state of the table of changes, all of which stands in its
// address, already checked.
type ChangesQuery struct {
	Text         string
	By           string // mark of a person, or OutsideMark
	ByName       string // what the person is called; not in the address
	Flag         wave.Key
	Kind         string
	Outcome      string
	From, To     string // days, such as 2026-11-22; To is included
	Account      wave.UserID
	Older, Newer string // the page before or after a change, by its id
}

// URL returns the address of the view.
func (q ChangesQuery) URL() string { return withQuery(ChangesURL, q.values()) }

// ExportURL returns the address of all that q selects as a file: csv or jsonl.
func (q ChangesQuery) ExportURL(format string) string {
	q.Older, q.Newer = "", ""
	return withQuery(ChangesURL+"."+format, q.values())
}

func (q ChangesQuery) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{
		"q": q.Text, "by": q.By, "flag": string(q.Flag), "kind": q.Kind, "outcome": q.Outcome,
		"from": q.From, "to": q.To, "account": string(q.Account), "older": q.Older, "newer": q.Newer,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// Filters returns what q selects by, as in its address.
func (q ChangesQuery) Filters() map[string]string {
	q.Older, q.Newer = "", ""
	out := make(map[string]string)
	for name := range q.values() {
		out[name] = q.values().Get(name)
	}
	return out
}

// Filtered reports whether q leaves changes out.
func (q ChangesQuery) Filtered() bool { return len(q.Filters()) > 0 }

// AtPage returns q at the page before or after a change, one of which is given.
func (q ChangesQuery) AtPage(older, newer string) ChangesQuery {
	q.Older, q.Newer = older, newer
	return q
}

func (q ChangesQuery) chips(ctx context.Context) []chip {
	q.Older, q.Newer = "", ""
	var out []chip
	add := func(is bool, label string, drop func(*ChangesQuery)) {
		if is {
			without := q
			drop(&without)
			out = append(out, chip{label, without.URL()})
		}
	}
	add(q.By == OutsideMark, t(ctx, "changes.is_outside"), func(w *ChangesQuery) { w.By = "" })
	add(q.By != "" && q.By != OutsideMark, t(ctx, "changes.is_by", "name", q.ByName), func(w *ChangesQuery) { w.By = "" })
	add(q.Flag != "", t(ctx, "changes.is_flag", "label", FlagLabel(ctx, q.Flag)), func(w *ChangesQuery) { w.Flag = "" })
	add(q.Kind != "", t(ctx, "changes.is_kind", "kind", t(ctx, "kind."+q.Kind)), func(w *ChangesQuery) { w.Kind = "" })
	add(q.Outcome != "", t(ctx, "changes.is_outcome", "outcome", t(ctx, "outcome."+q.Outcome)), func(w *ChangesQuery) { w.Outcome = "" })
	add(q.From != "", t(ctx, "changes.is_from", "day", q.From), func(w *ChangesQuery) { w.From = "" })
	add(q.To != "", t(ctx, "changes.is_to", "day", q.To), func(w *ChangesQuery) { w.To = "" })
	add(q.Account != "", t(ctx, "changes.is_account", "id", string(q.Account)), func(w *ChangesQuery) { w.Account = "" })
	return out
}

// shownText says how many changes are on the page.
func (p ChangesProps) shownText(ctx context.Context) string {
	if len(p.Rows) == 0 {
		return t(ctx, "changes.no_match")
	}
	return t(ctx, "changes.shown", "count", len(p.Rows))
}

// OutcomeLabel is the outcome of a change in words.
func OutcomeLabel(ctx context.Context, outcome string, undecided bool) string {
	if undecided {
		return t(ctx, "outcome.undecided")
	}
	return t(ctx, "outcome."+outcome)
}
