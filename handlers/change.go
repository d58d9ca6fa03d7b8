package handlers

import (
	"context"
	"errors"
	"net/http"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// ChangeService is the part of reseller.Service that the page of one change needs.
type ChangeService interface {
	ChangeGetter
	MayDecide(c change.Change) bool
	Decide(ctx context.Context, d reseller.Decision) (change.Change, error)
}

// Show answers GET /changes/{changeID}.
func (h *Changes) Show(w http.ResponseWriter, r *http.Request) error {
	c, err := h.Service.Change(r.Context(), r.PathValue("changeID"))
	if err != nil {
		return err
	}
	p, err := h.page(r.Context(), c)
	if err != nil {
		return err
	}
	if f, done, ok := takeFlash(w, r, h.Service); ok && f.changeID == c.ID && done.Decided.By.Subject != "" {
		p.Notice = &views.NoticeProps{Level: "success", Sentence: i18n.T(r.Context(), "decide.done")}
	}
	return views.Render(w, r, http.StatusOK, views.ChangePage(p))
}

// Settle answers POST /changes/{changeID}/settle: an editor says what became of a
// change in doubt, and why.
func (h *Changes) Settle(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ctx := r.Context()
	d := reseller.Decision{
		Actor: auth.ActorFrom(ctx), ChangeID: r.PathValue("changeID"),
		Applied: r.PostFormValue("outcome") == "applied", Reason: trimmed(r, "reason"),
	}
	var err error
	if d.Applied || r.PostFormValue("outcome") == "not_applied" {
		_, err = h.Service.Decide(ctx, d)
	} else {
		err = fault.Field("outcome", "decide.no_outcome")
	}
	if err != nil {
		return h.notSettled(r, d, err)
	}
	setFlash(w, r, flash{changeID: d.ChangeID})
	hx.Redirect(w, r, views.ChangeURL(d.ChangeID, ""))
	return nil
}

// notSettled shows the form as it was sent, unless there is nothing to decide any
// more: then the error says who did.
func (h *Changes) notSettled(r *http.Request, d reseller.Decision, err error) error {
	ctx := r.Context()
	c, lookup := h.Service.Change(ctx, d.ChangeID)
	if lookup != nil || !h.Service.MayDecide(c) {
		return err
	}
	p, lookup := h.page(ctx, c)
	if lookup != nil {
		return err
	}
	p.Failed = true
	p.Settle.Reason, p.Settle.Applied = d.Reason, r.PostFormValue("outcome")
	if f, ok := errors.AsType[*fault.Error](err); ok {
		p.Settle.Errors = fieldErrors(ctx, f)
	}
	return &FormError{Err: err, Form: func(f *views.FailureProps) templ.Component {
		if len(p.Settle.Errors) == 0 {
			p.Settle.Failure = f
		}
		if hx.WantsFragment(r) {
			return views.SettleForm(*p.Settle)
		}
		return views.ChangePage(p)
	}}
}

// page is everything about c.
func (h *Changes) page(ctx context.Context, c change.Change) (views.ChangePageProps, error) {
	following, err := h.History.Following(ctx, c)
	if err != nil {
		return views.ChangePageProps{}, err
	}
	origins, err := originsOf(ctx, h.History, append(following, c))
	if err != nil {
		return views.ChangePageProps{}, err
	}
	p := views.ChangePageProps{
		ID: c.ID, What: what(ctx, c, origins), Email: c.Email, Account: c.Account,
		Outcome: string(c.State), Undecided: undecided(c), Means: means(ctx, c),
		Facts: facts(ctx, c), Links: links(ctx, c, origins, following),
	}
	if c.State == change.Failed || c.State == change.Conflict {
		p.Why = whyNot(ctx, c)
	}
	snapshot, _ := h.Directory.Current(ctx) // without it the page only lacks what is there now
	account, there := wave.Reseller{}, false
	if snapshot != nil && c.Account != "" {
		account, there = snapshot.Get(c.Account)
		p.Gone = !there
	}
	p.Flags, p.Columns = changeFlags(ctx, c)
	if c.Kind == change.Create || c.Kind == change.Delete {
		p.Note = i18n.T(ctx, "change.only_on", "count", len(p.Flags))
	}
	h.showDecision(ctx, &p, c, snapshot)
	if !auth.ActorFrom(ctx).MayModify() {
		return p, nil
	}
	if there && account.Flaw == wave.NoFlaw {
		p.UndoURL, p.RestoreURL = backURLs(c)
	}
	if seed := seedOf(c); p.Gone && seed != nil {
		p.AgainURL = views.IssueAgainURL(c.ID)
	}
	return p, nil
}

// showDecision makes p ask what became of a change that a person must decide about,
// with what is there now beside what was wanted.
func (h *Changes) showDecision(ctx context.Context, p *views.ChangePageProps, c change.Change, s *reseller.Snapshot) {
	if !h.Service.MayDecide(c) {
		return
	}
	p.Settle = &views.SettleProps{URL: views.ChangeURL(c.ID, "settle"), MayWrite: auth.ActorFrom(ctx).MayModify()}
	if s == nil {
		return
	}
	p.Settle.NowAsOf = s.AsOf()
	account, there := s.Get(c.Account)
	if c.Kind == change.Create {
		account, there = s.ByEmail(c.Email)
	}
	switch {
	case !there:
		p.Settle.Now = i18n.T(ctx, "decide.now_none", "email", c.Email)
	case c.Kind == change.Meta:
		p.Columns.Now = true
		for i, m := range c.Moved() {
			p.Flags[i].Now = account.Meta.State(m.Key)
		}
		p.Settle.Now = i18n.T(ctx, "decide.now_flags")
	case c.Kind == change.Password && account.PasswordUpdated.IsZero():
		p.Settle.Now = i18n.T(ctx, "decide.now_no_password", "email", c.Email)
	case c.Kind == change.Password:
		p.Settle.Now = i18n.T(ctx, "decide.now_password", "time", i18n.Full(ctx, account.PasswordUpdated), "sent", i18n.Full(ctx, c.SentAt))
	default:
		p.Settle.Now = i18n.T(ctx, "decide.now_there", "email", c.Email)
	}
}
