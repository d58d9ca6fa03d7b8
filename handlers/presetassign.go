package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

const (
	presetPageSize = 100 // accounts a page
	presetLines    = 4   // flags that differ, of an account
)

// Accounts answers GET /presets/{presetID}/accounts: who follows it, those that
// differ first.
func (h *Presets) Accounts(w http.ResponseWriter, r *http.Request) error {
	book, p, err := h.preset(r)
	if err != nil {
		return err
	}
	page := h.frame(w, r, book, p)
	return views.Render(w, r, http.StatusOK, views.PresetAccountsPage(page, h.accounts(r, book, p)))
}

func (h *Presets) accounts(r *http.Request, book *preset.Book, p *preset.Preset) views.PresetAccountsProps {
	ctx, q := r.Context(), r.URL.Query()
	props := views.PresetAccountsProps{OnlyDiffer: q.Get("differ") == "1"}
	snapshot := h.snapshot(ctx)
	rows := make([]views.PresetAccount, 0, len(book.AccountsOf(p.ID)))
	for _, id := range book.AccountsOf(p.ID) {
		row := presetAccount(book, p, snapshot, id)
		if row.Differ > 0 && len(props.Pending) < preset.MaxAssign {
			props.Pending = append(props.Pending, id)
		}
		if row.Differ > 0 || !props.OnlyDiffer {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b views.PresetAccount) int {
		if a.Differ != b.Differ {
			return b.Differ - a.Differ
		}
		return strings.Compare(a.Email, b.Email) // those that are gone come first
	})
	props.Total = len(rows)
	props.Pages = max(1, (len(rows)+presetPageSize-1)/presetPageSize)
	props.Page = min(max(1, number(q.Get("page"))), props.Pages)
	from := (props.Page - 1) * presetPageSize
	props.Rows = rows[from:min(len(rows), from+presetPageSize)]
	for i := range props.Rows {
		props.Rows[i].Lines, props.Rows[i].Rest = driftLines(ctx, p, snapshot, props.Rows[i].ID)
	}
	return props
}

func presetAccount(book *preset.Book, p *preset.Preset, snapshot *reseller.Snapshot, id wave.UserID) views.PresetAccount {
	a, _ := book.Of(id)
	row := views.PresetAccount{ID: id, At: a.At, By: a.By.Display(), Version: a.Version}
	if snapshot == nil {
		return row
	}
	if account, ok := snapshot.Get(id); ok {
		row.Email, row.Group, row.Differ = account.Email, account.BillingGroup.Name, p.DriftCount(account.Meta)
	}
	return row
}

// driftLines names the first flags of an account that differ, and counts the rest.
func driftLines(ctx context.Context, p *preset.Preset, snapshot *reseller.Snapshot, id wave.UserID) (lines []string, rest int) {
	if snapshot == nil {
		return nil, 0
	}
	account, ok := snapshot.Get(id)
	if !ok {
		return nil, 0
	}
	drift := p.Drift(account.Meta)
	for _, m := range drift[:min(len(drift), presetLines)] {
		lines = append(lines, i18n.T(ctx, "preset.drift_line", "label", views.FlagLabel(ctx, m.Key),
			"state", i18n.T(ctx, "state."+m.From.String()), "want", i18n.T(ctx, "state."+m.To.String())))
	}
	return lines, len(drift) - len(lines)
}

// Assign answers POST /presets/{presetID}/assign: the accounts of the fields user, and
// those whose ids or emails stand in paste. What names no account comes back to be
// mended; the others are assigned.
func (h *Presets) Assign(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ctx := r.Context()
	book, p, err := h.preset(r)
	if err != nil {
		return err
	}
	snapshot, err := h.Directory.Current(ctx)
	if err != nil {
		return err
	}
	known, unknown := namedAccounts(snapshot, append(slices.Clone(r.PostForm["user"]), words(r.PostForm.Get("paste"))...))
	assigned := 0
	switch {
	case len(known) == 0 && len(unknown) == 0:
		err = fault.Field("paste", "preset.assign_none")
	case len(known) == 0:
		err = fault.Field("paste", "preset.assign_unknown")
	default:
		assigned, err = h.Store.Assign(ctx, auth.ActorFrom(ctx), p.ID, known)
	}
	if err == nil && len(unknown) == 0 {
		sayNext(w, r, "preset.done_assigned", assigned)
		back := views.PresetPartURL(p.ID, "accounts")
		if to := r.PostForm.Get("return_to"); to != "" {
			back = views.LocalPath(to)
		}
		hx.Redirect(w, r, back)
		return nil
	}
	if err == nil {
		book = h.Store.Book()
	}
	page := h.frame(w, r, book, p)
	props := h.accounts(r, book, p)
	props.Assign = views.PresetAssignProps{Paste: strings.Join(unknown, "\n"), Unknown: unknown}
	if err == nil {
		page.Notice = &views.NoticeProps{Level: "success", Sentence: i18n.T(ctx, "preset.done_assigned", "count", assigned)}
		return views.Render(w, r, http.StatusOK, views.PresetAccountsPage(page, props))
	}
	page.Failed, props.Assign.Paste = true, r.PostForm.Get("paste")
	if f, ok := errors.AsType[*fault.Error](err); ok {
		props.Assign.Errors = fieldErrors(ctx, f)
	}
	return &FormError{Err: err, Form: func(failure *views.FailureProps) templ.Component {
		if len(props.Assign.Errors) == 0 {
			props.Assign.Failure = failure
		}
		return views.PresetAccountsPage(page, props)
	}}
}

// words splits what was pasted.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;、，；\"", r) })
}

// namedAccounts sorts words into accounts and what names none, each once.
func namedAccounts(snapshot *reseller.Snapshot, words []string) (known []wave.UserID, unknown []string) {
	met := make(map[string]bool)
	for _, word := range words {
		account, ok := accountNamed(snapshot, word)
		switch {
		case word == "" || met[word] || ok && met[string(account.UserID)]:
		case ok:
			known = append(known, account.UserID)
			met[string(account.UserID)] = true
		default:
			unknown = append(unknown, cut(word, maxText))
		}
		met[word] = true
	}
	return known, unknown
}

// Unassign answers POST /presets/{presetID}/unassign with the fields user
// and return_to.
func (h *Presets) Unassign(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := r.PathValue("presetID")
	var accounts []wave.UserID
	for _, user := range r.PostForm["user"] {
		accounts = append(accounts, wave.UserID(user))
	}
	n, err := h.Store.Unassign(r.Context(), auth.ActorFrom(r.Context()), id, accounts)
	if err != nil {
		return err
	}
	sayNext(w, r, "preset.done_unassigned", n)
	back := views.PresetPartURL(id, "accounts")
	if to := r.PostForm.Get("return_to"); to != "" {
		back = views.LocalPath(to)
	}
	hx.Redirect(w, r, back)
	return nil
}
