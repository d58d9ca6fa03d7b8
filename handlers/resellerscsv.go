package handlers

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/reseller"
	"waveadmin/internal/sheet"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// accountPiece is how many accounts are written at once.
const accountPiece = 500

// CSV answers GET and POST /resellers.csv: what the filter selects, all pages, in its
// order, or the accounts that fields named user choose, in theirs. With all=1 it is
// what the field list selects, as a form of the table sends it.
func (h *Resellers) CSV(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ctx := r.Context()
	snapshot, err := h.Directory.Current(ctx)
	if err != nil {
		return err
	}
	q := listQuery(r.Form)
	if r.Form.Has("list") {
		list, _ := url.ParseQuery(r.Form.Get("list"))
		q = listQuery(list)
	}
	book := h.Presets.Book()
	match := snapshot.Match(storeQuery(q, book), h.Ledger.LastOf)
	accounts, rows, filter := match.All(), match.Len(), filterOf(q)
	if chosen := r.Form["user"]; len(chosen) > 0 && r.Form.Get("all") != "1" {
		accounts, rows, filter = chosenOf(snapshot, chosen), len(chosen), map[string]string{"user": strconv.Itoa(len(chosen))}
	}
	if err := h.Exports.RecordExport(ctx, "resellers.csv", filter, rows); err != nil {
		return fmt.Errorf("nothing was exported: %w", err)
	}
	name := "resellers-" + time.Now().In(i18n.Zone(ctx)).Format("20060102-1504") + ".csv"
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "no-store")
	if err := h.writeCSV(ctx, w, accountColumns(ctx, q, h.Ledger, book), accounts); err != nil {
		if ctx.Err() != nil {
			panic(http.ErrAbortHandler) // nobody waits for the rest
		}
		// The answer has begun: web cuts it, so that nobody takes it for whole.
		panic(fmt.Errorf("export of accounts: %w", err))
	}
	return nil
}

// filterOf is what a file was filtered by, for the audit log.
func filterOf(q views.ListQuery) map[string]string {
	out := make(map[string]string)
	v, _ := url.ParseQuery(q.Filter().State())
	for name := range maps.Keys(v) {
		out[name] = v.Get(name)
	}
	return out
}

// chosenOf returns the accounts with these ids, each time that one is named. One that
// is gone by now has its id alone.
func chosenOf(s *reseller.Snapshot, ids []string) iter.Seq[wave.Reseller] {
	return func(yield func(wave.Reseller) bool) {
		for _, id := range ids {
			account, ok := s.Get(wave.UserID(id))
			if !ok {
				account = wave.Reseller{UserID: wave.UserID(id)}
			}
			if !yield(account) {
				return
			}
		}
	}
}

// writeCSV sends the file piece by piece, each within a time of its own: the whole
// may take longer than an answer may.
func (h *Resellers) writeCSV(ctx context.Context, w http.ResponseWriter, columns []accountColumn, accounts iter.Seq[wave.Reseller]) error {
	out, err := sheet.NewWriter(w)
	if err != nil {
		return err
	}
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name + " [" + c.key + "]"
	}
	if err := out.Row(cells...); err != nil {
		return err
	}
	control := http.NewResponseController(w)
	send := func() error {
		if err := control.SetWriteDeadline(time.Now().Add(pieceTime)); err != nil {
			return fmt.Errorf("extend the time of an export: %w", err)
		}
		if err := out.Flush(); err != nil {
			return err
		}
		return control.Flush()
	}
	n := 0
	for account := range accounts {
		for i, c := range columns {
			cells[i] = c.cell(account)
		}
		if err := out.Row(cells...); err != nil {
			return err
		}
		if n++; n%accountPiece == 0 {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

// accountColumn is a column of the file: a key that stays, with its name in the
// language of the reader.
type accountColumn struct {
	key, name string
	cell      func(wave.Reseller) string
}

// accountColumns returns the columns of the file: those that q chose, after what says
// which account it is; without a choice all, and then every function.
func accountColumns(ctx context.Context, q views.ListQuery, ledger Ledger, book *preset.Book) []accountColumn {
	moment := func(of func(wave.Reseller) time.Time) func(wave.Reseller) string {
		return func(a wave.Reseller) string { return i18n.Full(ctx, of(a)) }
	}
	var all []accountColumn
	add := func(of, key, label string, cell func(wave.Reseller) string) {
		if of == "" || q.Cols == nil || slices.Contains(q.Cols, of) {
			all = append(all, accountColumn{key, i18n.T(ctx, label), cell})
		}
	}
	add("", "user_id", "details.user_id", func(a wave.Reseller) string { return string(a.UserID) })
	add("", "email", "col.email", func(a wave.Reseller) string { return a.Email })
	add("billing_group", "billing_group_name", "col.billing_group", func(a wave.Reseller) string { return a.BillingGroup.Name })
	add("billing_group", "billing_group_id", "details.group_id", func(a wave.Reseller) string { return a.BillingGroup.ID })
	add("company_id", "company_id", "col.company", func(a wave.Reseller) string { return a.BillingGroup.CompanyID })
	add("registered", "registered", "col.registered", moment(func(a wave.Reseller) time.Time { return a.Registered }))
	add("updated", "updated", "col.updated", moment(func(a wave.Reseller) time.Time { return a.Updated }))
	add("password_updated", "password_updated", "col.password_updated", moment(func(a wave.Reseller) time.Time { return a.PasswordUpdated }))
	add("flags_on", "flags_on", "col.flags_on", func(a wave.Reseller) string { return strconv.Itoa(a.Meta.CountOn()) })
	add("preset", "preset", "col.preset", func(a wave.Reseller) string {
		if p := book.PresetOf(a.UserID); p != nil {
			return presetName(ctx, p)
		}
		return ""
	})
	add("preset", "drift", "list.drift_head", func(a wave.Reseller) string {
		if book.PresetOf(a.UserID) == nil {
			return ""
		}
		return strconv.Itoa(book.DriftOf(a.UserID, a.Meta))
	})
	add("changed", "changed", "col.changed", func(a wave.Reseller) string {
		last, _ := ledger.LastOf(a.UserID)
		return i18n.Full(ctx, last.At)
	})
	add("changed", "changed_by", "list.changed_by_head", func(a wave.Reseller) string {
		last, _ := ledger.LastOf(a.UserID)
		return last.By
	})
	if q.Cols == nil {
		for _, f := range wave.Flags {
			add("", string(f.Key), "", func(a wave.Reseller) string { return a.Meta.State(f.Key).String() })
			all[len(all)-1].name = f.Label.In(i18n.Lang(ctx))
		}
	}
	return all
}
