package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Resellers serves the reseller table.
type Resellers struct {
	Directory Directory
	Ledger    Ledger
	Changes   ChangeGetter
}

// List answers GET /resellers: the page, or under htmx the part that a search
// replaces. Without any data it says why, with status 503; a table that is only
// old is shown, marked.
func (h *Resellers) List(w http.ResponseWriter, r *http.Request) error {
	q := listQuery(r.URL.Query())
	if r.URL.Query().Has("flag") && !hx.WantsFragment(r) { // the filter's form, without scripts
		hx.Redirect(w, r, q.URL())
		return nil
	}
	p := views.ResellersProps{Query: q}
	status := http.StatusOK

	snapshot, err := h.Directory.Current(r.Context())
	if err != nil {
		p.Failed = sentence(r.Context(), fault.SentenceOf(err))
		status = http.StatusServiceUnavailable
	} else {
		result := snapshot.Find(storeQuery(q), h.Ledger.LastOf)
		p.Total, p.Pages, p.All = result.Total, result.Pages, snapshot.Len()
		p.Query.Page = result.Page
		p.Rows = h.rows(result.Rows)
	}
	here, _ := url.Parse(p.Query.URL())
	p.Fresh = fresh(h.Directory, snapshot, here)

	if hx.WantsFragment(r) && p.Failed == "" {
		hx.PushURL(w, p.Query.URL())
		return views.Render(w, r, status, views.ResellersFragment(p))
	}
	if _, c, ok := takeFlash(w, r, h.Changes); ok {
		p.Notice = doneNotice(r.Context(), c)
	} else {
		p.Notice = saidNotice(w, r)
	}
	return views.Render(w, r, status, views.ResellersPage(p))
}

func (h *Resellers) rows(accounts []wave.Reseller) []views.ResellerRow {
	rows := make([]views.ResellerRow, len(accounts))
	for i, a := range accounts {
		rows[i].Reseller = a
		if last, ok := h.Ledger.LastOf(a.UserID); ok {
			rows[i].LastAt, rows[i].LastBy = last.At, last.By
		}
	}
	return rows
}

// maxText bounds the search; a longer one is cut.
const maxText = 200

// listQuery reads the parameters of the table. What is no valid value counts as
// absent: an address that someone typed or kept for years still shows a table.
func listQuery(v url.Values) views.ListQuery {
	q := views.ListQuery{
		Text:            cut(strings.TrimSpace(v.Get("q")), maxText),
		Page:            max(1, number(v.Get("page"))),
		Size:            views.DefaultSize,
		On:              keys(v.Get("on")),
		Off:             keys(v.Get("off")),
		NeverRegistered: v.Get("never_registered") == "1",
		ChangedDays:     max(0, min(3650, number(v.Get("changed_days")))),
		Unusual:         v.Get("unusual") == "1",
	}
	if size := number(v.Get("size")); slices.Contains(views.Sizes, size) {
		q.Size = size
	}
	if sorts := v["sort"]; len(sorts) > 0 { // a header's button comes after what the form carries
		sort, desc := strings.CutPrefix(sorts[len(sorts)-1], "-")
		if slices.Contains(sortKeys, reseller.SortKey(sort)) {
			q.Sort, q.Desc = sort, desc
		}
	}
	if flag := keys(v.Get("flag")); len(flag) > 0 { // one more, from the filter's form
		q.On = without(q.On, flag[0])
		q.Off = without(q.Off, flag[0])
		if v.Get("flag_state") == "off" {
			q.Off = append(q.Off, flag[0])
		} else {
			q.On = append(q.On, flag[0])
		}
	}
	return q
}

var sortKeys = []reseller.SortKey{
	reseller.ByEmail, reseller.ByBillingGroup, reseller.ByRegistered, reseller.ByUpdated, reseller.ByChanged, reseller.ByFlagsOn,
}

// storeQuery is q as the directory takes it.
func storeQuery(q views.ListQuery) reseller.Query {
	out := reseller.Query{
		Text: q.Text, On: q.On, Off: q.Off,
		NeverRegistered: q.NeverRegistered, Unusual: q.Unusual,
		Sort: reseller.SortKey(q.Sort), Desc: q.Desc, Page: q.Page, Size: q.Size,
	}
	if q.ChangedDays > 0 {
		out.ChangedSince = time.Now().AddDate(0, 0, -q.ChangedDays)
	}
	return out
}

// maxKeys bounds the flags of a filter; there are 35.
const maxKeys = 64

// keys reads a list of flags: those of the catalogue and any other that could be
// one, each once.
func keys(list string) []wave.Key {
	var out []wave.Key
	for name := range strings.SplitSeq(list, ",") {
		key := wave.Key(strings.TrimSpace(name))
		if key == "" || len(key) > 100 || slices.Contains(out, key) {
			continue
		}
		if out = append(out, key); len(out) == maxKeys {
			break
		}
	}
	return out
}

func without(list []wave.Key, key wave.Key) []wave.Key {
	return slices.DeleteFunc(list, func(k wave.Key) bool { return k == key })
}

// number reads a decimal, 0 when it is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// cut returns at most n runes of s.
func cut(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}
