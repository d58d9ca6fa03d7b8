package handlers

import (
	"net/http"
	"net/url"
	"slices"

	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Matrix serves the matrix of accounts and flags. What is staged in it stays in the
// browser until it is sent to the page of an account or of a bulk change.
type Matrix struct {
	Directory      Directory
	Ledger         Ledger
	Presets        Book
	Confirm        string // ui.confirm
	ReasonRequired bool
}

// maxOthers bounds the columns for flags that the catalogue lacks.
const maxOthers = 20

// Show answers GET /matrix: the page, or under htmx the part that a search replaces.
// Without any data it says why, with status 503; a matrix that is only old is shown,
// marked.
func (h *Matrix) Show(w http.ResponseWriter, r *http.Request) error {
	q, begun := matrixQuery(r.URL.Query())
	if begun && !hx.WantsFragment(r) { // a form's choice, without scripts
		hx.Redirect(w, r, q.URL())
		return nil
	}
	book := h.Presets.Book()
	p := views.MatrixProps{Query: q, Presets: presetChoices(r.Context(), book), Confirm: h.Confirm, NeedReason: h.ReasonRequired}
	status := http.StatusOK

	snapshot, err := h.Directory.Current(r.Context())
	if err != nil {
		p.Failed = sentence(r.Context(), fault.SentenceOf(err))
		status = http.StatusServiceUnavailable
	} else {
		result := snapshot.Find(storeQuery(q.ListQuery, book), h.Ledger.LastOf)
		p.Rows, p.Total, p.Pages, p.All = result.Rows, result.Total, result.Pages, snapshot.Len()
		p.Query.Page = result.Page
		p.Others = snapshot.Unknown(maxOthers)
	}
	here, _ := url.Parse(p.Query.URL())
	p.Fresh = fresh(h.Directory, snapshot, here)

	if hx.WantsFragment(r) && p.Failed == "" {
		hx.PushURL(w, p.Query.URL())
		return views.Render(w, r, status, views.MatrixFragment(p))
	}
	return views.Render(w, r, status, views.MatrixPage(p))
}

// matrixQuery reads the parameters of the matrix as listQuery does those of the
// table. Begun says that one is a choice that is yet to become a state: hide_one,
// only_on and only_off of the column menu, col of the form of columns, flag of the
// filter.
func matrixQuery(v url.Values) (q views.MatrixQuery, begun bool) {
	q.ListQuery = listQuery(v)
	q.Size = min(q.Size, views.MatrixSizes[len(views.MatrixSizes)-1])
	q.Hidden = keys(v.Get("hide"))
	if sort, desc := cutSort(v); len(sort) <= maxText {
		if _, ok := sort.SortFlag(); ok {
			q.Sort, q.Desc = string(sort), desc
		}
	}
	if v.Get("columns") == "chosen" {
		begun = true
		q.Hidden = nil
		for _, f := range wave.Flags {
			if !slices.Contains(v["col"], string(f.Key)) {
				q.Hidden = append(q.Hidden, f.Key)
			}
		}
		for _, key := range keys(v.Get("others")) {
			if !slices.Contains(v["col"], string(key)) {
				q.Hidden = append(q.Hidden, key)
			}
		}
	}
	one := func(name string) (key wave.Key, ok bool) {
		if list := keys(v.Get(name)); len(list) > 0 {
			begun = true
			return list[0], true
		}
		return "", false
	}
	if key, ok := one("hide_one"); ok {
		q.Hidden = append(without(q.Hidden, key), key)
	}
	if key, ok := one("only_on"); ok {
		q.On, q.Off = append(without(q.On, key), key), without(q.Off, key)
	}
	if key, ok := one("only_off"); ok {
		q.On, q.Off = without(q.On, key), append(without(q.Off, key), key)
	}
	return q, begun || v.Has("flag")
}
