package handlers

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// ChangeGetter reads one change.
type ChangeGetter interface {
	Change(ctx context.Context, changeID string) (change.Change, error)
}

// AccountService is the part of reseller.Service that the pages of one account
// need.
type AccountService interface {
	ChangeGetter
	ChangeMeta(ctx context.Context, c reseller.MetaChange) (reseller.MetaResult, error)
	UndoMeta(ctx context.Context, u reseller.Undo) (reseller.MetaResult, error)
	ReplacePassword(ctx context.Context, p reseller.PasswordChange) (change.Change, error)
	Delete(ctx context.Context, d reseller.Deletion) (change.Change, error)
	History(ctx context.Context, id wave.UserID, limit int) ([]change.Change, error)
	Others(ctx context.Context, actor auth.Actor, id wave.UserID, moved []wave.Moved) []reseller.Other
}

// Account serves the pages of one account.
type Account struct {
	Directory      Directory
	Service        AccountService
	Presence       Presence
	Confirm        string // ui.confirm
	ReasonRequired bool
	Min, Max       int // length of a password
}

// Show answers GET /resellers/{userID}.
func (h *Account) Show(w http.ResponseWriter, r *http.Request) error {
	account, snapshot, err := find(r, h.Directory)
	if err != nil {
		return err
	}
	form := h.permForm(account, snapshot)
	page := views.AccountProps{
		Account: account, Fresh: fresh(h.Directory, snapshot, r.URL), Presence: h.present(r.Context(), account),
	}
	if f, c, ok := takeFlash(w, r, h.Service); ok {
		page.Notice = doneNotice(r.Context(), c)
		form.Saved = h.savedEarlier(r.Context(), account, f, c)
		if f.say != "" {
			form.Message = i18n.T(r.Context(), f.say)
		}
	}
	if err := h.showDoubt(r.Context(), &form); err != nil {
		return err
	}
	return views.Render(w, r, http.StatusOK, views.AccountPage(page, form))
}

// showDoubt makes the form say that the outcome of the account's last save is
// unknown, if it is. Only whoever made it sees what was wanted: to others it is
// not theirs to save.
func (h *Account) showDoubt(ctx context.Context, form *views.PermFormProps) error {
	newest, err := h.Service.History(ctx, form.Account.UserID, 1)
	if err != nil || len(newest) == 0 {
		return err
	}
	c := newest[0]
	if c.Kind != change.Meta || c.State != change.InDoubt {
		return nil
	}
	if undecided(c) {
		form.Failure = &views.FailureProps{Sentence: i18n.T(ctx, "save.undecided")}
		return nil
	}
	form.Checking = checking(ctx, c)
	if same(c, auth.ActorFrom(ctx)) {
		form.Staged, form.Reason = c.Wanted, c.Reason
	}
	return nil
}

// Details answers GET /resellers/{userID}/details.
func (h *Account) Details(w http.ResponseWriter, r *http.Request) error {
	account, snapshot, err := find(r, h.Directory)
	if err != nil {
		return err
	}
	return views.Render(w, r, http.StatusOK, views.DetailsPage(h.frame(w, r, account, snapshot)))
}

// historyLimit is how many changes the page of an account shows.
const historyLimit = 200

// History answers GET /resellers/{userID}/history.
func (h *Account) History(w http.ResponseWriter, r *http.Request) error {
	account, snapshot, err := find(r, h.Directory)
	if err != nil {
		return err
	}
	changes, err := h.Service.History(r.Context(), account.UserID, historyLimit+1)
	if err != nil {
		return err
	}
	p := views.HistoryProps{More: len(changes) > historyLimit}
	for _, c := range changes[:min(len(changes), historyLimit)] {
		p.Changes = append(p.Changes, historyRow(r.Context(), c))
	}
	return views.Render(w, r, http.StatusOK, views.HistoryPage(h.frame(w, r, account, snapshot), p))
}

func historyRow(ctx context.Context, c change.Change) views.HistoryRow {
	row := views.HistoryRow{
		ID: c.ID, At: c.Created, Who: c.Actor.Display(), Outcome: string(c.State), Reason: c.Reason,
		What: i18n.T(ctx, "history.kind_"+string(c.Kind), "count", len(c.Wanted)),
	}
	if c.UndoOf != "" {
		row.What = i18n.T(ctx, "history.undo", "count", len(c.Wanted))
	}
	if c.Kind == change.Meta {
		row.Lines = lines(ctx, c)
	}
	return row
}

// lines says what became of each flag, or what was wanted where nothing was sent.
func lines(ctx context.Context, c change.Change) []string {
	var out []string
	for _, m := range c.Moved() {
		out = append(out, movedLine(ctx, m))
	}
	if len(out) > 0 {
		return out
	}
	for _, key := range slices.Sorted(maps.Keys(c.Wanted)) {
		out = append(out, i18n.T(ctx, "history.wanted", "label", views.FlagLabel(ctx, key),
			"to", i18n.T(ctx, "state."+wave.StateOf(c.Wanted[key]).String())))
	}
	return out
}

func movedLine(ctx context.Context, m wave.Moved) string {
	return i18n.T(ctx, "history.line", "label", views.FlagLabel(ctx, m.Key),
		"from", i18n.T(ctx, "state."+m.From.String()), "to", i18n.T(ctx, "state."+m.To.String()))
}

// frame is the head of the account's pages.
func (h *Account) frame(w http.ResponseWriter, r *http.Request, account wave.Reseller, s *reseller.Snapshot) views.AccountProps {
	p := views.AccountProps{
		Account: account, Fresh: fresh(h.Directory, s, r.URL), Presence: h.present(r.Context(), account),
	}
	if _, c, ok := takeFlash(w, r, h.Service); ok {
		p.Notice = doneNotice(r.Context(), c)
	}
	return p
}

// permForm is the untouched form of an account's flags.
func (h *Account) permForm(account wave.Reseller, s *reseller.Snapshot) views.PermFormProps {
	return views.PermFormProps{Account: account, AsOf: s.AsOf(), Confirm: h.Confirm, NeedReason: h.ReasonRequired}
}
