package handlers

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Resellers serves the reseller table, as a page and as a file, and the views that
// people save of it.
type Resellers struct {
	Directory Directory
	Ledger    Ledger
	Changes   ChangeGetter
	Presets   Book
	Views     SavedViews
	Exports   ExportRecorder
}

// List answers GET /resellers: the page, or under htmx the part that a search
// replaces. Without any data it says why, with status 503; a table that is only
// old is shown, marked; the first one may be long to come.
func (h *Resellers) List(w http.ResponseWriter, r *http.Request) error {
	q := listQuery(r.URL.Query())
	if r.URL.Query().Has("flag") && !hx.WantsFragment(r) { // the filter's form, without scripts
		hx.Redirect(w, r, q.URL())
		return nil
	}
	p, status := h.page(r, q)
	if hx.WantsFragment(r) && p.Failed == "" {
		hx.PushURL(w, p.Query.URL())
		return views.Render(w, r, status, views.ResellersFragment(p))
	}
	if hx.WantsFragment(r) && hx.Target(r) == "list" && h.Directory.Last() == nil { // of a page that waited for it
		return views.Render(w, r, http.StatusOK, views.ListFailed(p))
	}
	if _, c, ok := takeFlash(w, r, h.Changes); ok {
		p.Notice = doneNotice(r.Context(), c)
	} else {
		p.Notice = saidNotice(w, r)
	}
	return views.Render(w, r, status, views.ResellersPage(p))
}

// page is what the table shows for q, with the status of the answer.
func (h *Resellers) page(r *http.Request, q views.ListQuery) (views.ResellersProps, int) {
	ctx := r.Context()
	book := h.Presets.Book()
	p := views.ResellersProps{Query: q, Presets: presetChoices(ctx, book)}
	status := http.StatusOK
	snapshot, err := h.snapshot(r)
	switch {
	case err != nil:
		p.Failed = sentence(ctx, fault.SentenceOf(err))
		status = http.StatusServiceUnavailable
	case snapshot == nil:
		p.Loading = true
	default:
		result := snapshot.Find(storeQuery(q, book), h.Ledger.LastOf)
		p.Total, p.Pages, p.All = result.Total, result.Pages, snapshot.Len()
		p.Query.Page = result.Page
		p.Rows = h.rows(ctx, result.Rows, book)
		p.Gone = goneFrom(ctx, q, snapshot, book)
	}
	p.Views = h.viewsProps(ctx, p.Query)
	here, _ := url.Parse(p.Query.URL())
	p.Fresh = fresh(h.Directory, snapshot, here)
	return p, status
}

// firstPatience is how long a page waits for the first list of accounts; then it
// says that it is loading, and asks for the table by itself.
const firstPatience = time.Second

// snapshot returns the accounts, or nil when a page should not wait for the first
// list any longer.
func (h *Resellers) snapshot(r *http.Request) (*reseller.Snapshot, error) {
	if hx.WantsFragment(r) || h.Directory.Last() != nil {
		return h.Directory.Current(r.Context())
	}
	ctx, cancel := context.WithTimeout(r.Context(), firstPatience)
	defer cancel()
	snapshot, err := h.Directory.Current(ctx)
	if err != nil && ctx.Err() != nil && r.Context().Err() == nil {
		return nil, nil
	}
	return snapshot, err
}

func (h *Resellers) rows(ctx context.Context, accounts []wave.Reseller, book *preset.Book) []views.ResellerRow {
	rows := make([]views.ResellerRow, len(accounts))
	for i, a := range accounts {
		rows[i].Reseller = a
		if last, ok := h.Ledger.LastOf(a.UserID); ok {
			rows[i].LastAt, rows[i].LastBy = last.At, last.By
		}
		if p := book.PresetOf(a.UserID); p != nil {
			rows[i].Preset, rows[i].Drift = presetName(ctx, p), p.DriftCount(a.Meta)
		}
	}
	return rows
}

func presetChoices(ctx context.Context, book *preset.Book) []views.Preset {
	var out []views.Preset
	for _, p := range book.All() {
		out = append(out, views.Preset{ID: p.ID, Name: presetName(ctx, p)})
	}
	return out
}

// goneFrom says what q names and there is no more: a saved view or an old link may
// be older than what it was about.
func goneFrom(ctx context.Context, q views.ListQuery, s *reseller.Snapshot, book *preset.Book) []string {
	var out []string
	if q.Preset != "" && q.Preset != views.NoPreset && book.Get(q.Preset) == nil {
		out = append(out, i18n.T(ctx, "list.gone_preset", "name", q.Preset))
	}
	for _, keys := range [][]wave.Key{q.On, q.Off} {
		for _, key := range keys {
			if _, known := wave.Lookup(key); !known && s.CountOn(key) == 0 {
				out = append(out, i18n.T(ctx, "list.gone_flag", "key", string(key)))
			}
		}
	}
	return out
}
