package handlers

import (
	"context"
	"net/http"
	"slices"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
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
	PlanUndo(ctx context.Context, actor auth.Actor, id wave.UserID, changeID string) (reseller.TakeBack, error)
	PlanRestore(ctx context.Context, actor auth.Actor, id wave.UserID, changeID string) (reseller.TakeBack, error)
	Others(ctx context.Context, actor auth.Actor, id wave.UserID, moved []wave.Moved) []reseller.Other
}

// Origins is the part of change.Ledger that rows of changes need.
type Origins interface {
	GetMany(ctx context.Context, ids []string) (map[string]change.Change, error)
}

// Account serves the pages of one account.
type Account struct {
	Directory      Directory
	Service        AccountService
	Changes        Origins
	Presence       Presence
	Presets        Promises
	Kept           KeptForms
	Confirm        string // ui.confirm
	ReasonRequired bool
	Min, Max       int // length of a password
}

// Show answers GET /resellers/{userID}. One that is gone has status 404, with what
// is recorded of it.
func (h *Account) Show(w http.ResponseWriter, r *http.Request) error {
	account, snapshot, err := find(r, h.Directory)
	if fault.Is(err, fault.NotFound) {
		return h.gone(w, r, http.StatusNotFound, err)
	}
	if err != nil {
		return err
	}
	form := h.permForm(r.Context(), account, snapshot)
	page := h.head(r, account, snapshot)
	if f, c, ok := takeFlash(w, r, h.Service); ok {
		page.Notice = doneNotice(r.Context(), c)
		if page.Notice != nil && f.unassigned {
			page.Notice.Level = "warning"
			page.Notice.More = append(page.Notice.More, i18n.T(r.Context(), "create.unassigned"))
		}
		form.Saved = h.savedEarlier(r.Context(), account, f, c)
		if f.say != "" {
			form.Message = i18n.T(r.Context(), f.say)
		}
	}
	if err := h.showDoubt(r.Context(), &form); err != nil {
		return err
	}
	status := http.StatusOK
	if form.Checking == nil {
		if status, err = h.stage(r, &page, &form); err != nil {
			return err
		}
	}
	return views.Render(w, r, status, views.AccountPage(page, form))
}

// doubtWithin is how many changes are looked at for the last one that was asked for
// here: what is done outside does not end its doubt.
const doubtWithin = 20

// showDoubt makes the form say that the outcome of the account's last save is
// unknown, if it is. Only whoever made it sees what was wanted: to others it is
// not theirs to save.
func (h *Account) showDoubt(ctx context.Context, form *views.PermFormProps) error {
	newest, err := h.Service.History(ctx, form.Account.UserID, doubtWithin)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(newest, func(c change.Change) bool { return c.Source != change.Outside })
	if i < 0 {
		return nil
	}
	c := newest[i]
	if c.Kind != change.Meta || c.State != change.InDoubt {
		return nil
	}
	if undecided(c) {
		form.Failure = undecidedProps(ctx, c)
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

// History answers GET /resellers/{userID}/history, also of an account that is gone.
func (h *Account) History(w http.ResponseWriter, r *http.Request) error {
	account, snapshot, err := find(r, h.Directory)
	if fault.Is(err, fault.NotFound) {
		return h.gone(w, r, http.StatusOK, err)
	}
	if err != nil {
		return err
	}
	changes, err := h.Service.History(r.Context(), account.UserID, historyLimit+1)
	if err != nil {
		return err
	}
	p := views.HistoryProps{More: len(changes) > historyLimit}
	standing := account.Flaw == wave.NoFlaw && auth.ActorFrom(r.Context()).MayModify()
	if p.Changes, err = h.rows(r.Context(), changes[:min(len(changes), historyLimit)], standing); err != nil {
		return err
	}
	return views.Render(w, r, http.StatusOK, views.HistoryPage(h.frame(w, r, account, snapshot), p))
}

// frame is the head of the account's pages, with what was just done.
func (h *Account) frame(w http.ResponseWriter, r *http.Request, account wave.Reseller, s *reseller.Snapshot) views.AccountProps {
	p := h.head(r, account, s)
	if _, c, ok := takeFlash(w, r, h.Service); ok {
		p.Notice = doneNotice(r.Context(), c)
	} else {
		p.Notice = saidNotice(w, r)
	}
	return p
}

func (h *Account) head(r *http.Request, account wave.Reseller, s *reseller.Snapshot) views.AccountProps {
	ctx := r.Context()
	p := views.AccountProps{
		Account: account, Fresh: fresh(h.Directory, s, r.URL), Presence: h.present(ctx, account),
		Followed: followed(ctx, h.Presets, account),
	}
	for _, preset := range h.Presets.Book().All() {
		p.Presets = append(p.Presets, views.PresetChoice{
			ID: preset.ID, Name: presetName(ctx, preset), Version: preset.Version, Drift: preset.DriftCount(account.Meta),
		})
	}
	return p
}

// permForm is the untouched form of an account's flags.
func (h *Account) permForm(ctx context.Context, account wave.Reseller, s *reseller.Snapshot) views.PermFormProps {
	return h.formAsOf(ctx, account, s.AsOf())
}

func (h *Account) formAsOf(ctx context.Context, account wave.Reseller, asOf time.Time) views.PermFormProps {
	return views.PermFormProps{
		Account: account, AsOf: asOf, Confirm: h.Confirm, NeedReason: h.ReasonRequired,
		Followed: followed(ctx, h.Presets, account),
	}
}
