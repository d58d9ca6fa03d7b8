package handlers

import (
	"context"
	"net/http"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// State answers GET /changes/{changeID}/state, which a form asks while the
// outcome of its save is unknown: with itself while it still is, else with the
// whole form and the truth, or for a new account with the way to it. Without htmx
// each is a page.
func (h *Account) State(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := h.Service.Change(ctx, r.PathValue("changeID"))
	if err != nil {
		return err
	}
	if c.State.Open() || c.State == change.InDoubt && !undecided(c) {
		return stillChecking(w, r, c)
	}
	if c.Kind != change.Meta {
		return h.settledElsewhere(w, r, c)
	}

	snapshot, err := h.Directory.Current(ctx)
	if err != nil {
		return err
	}
	account, ok := snapshot.Get(c.Account)
	if !ok {
		hx.Redirect(w, r, views.AccountURL(c.Account, "")) // which says that it is gone
		return nil
	}
	form := h.permForm(ctx, account, snapshot)
	if c.State == change.Done && !hx.WantsFragment(r) {
		setFlash(w, r, flash{changeID: c.ID})
		hx.Redirect(w, r, views.AccountURL(c.Account, ""))
		return nil
	}
	if c.State == change.Done {
		form.Saved = &views.SavedProps{
			Sentence: i18n.T(ctx, "save.settled_done", "time", i18n.Clock(ctx, c.Finished)),
			UndoURL:  views.UndoURL(c.Account, c.ID),
		}
	} else if undecided(c) {
		form.Failure = undecidedProps(ctx, c)
	} else if same(c, auth.ActorFrom(ctx)) {
		form.Staged, form.Reason = c.Wanted, c.Reason
		form.Failure = &views.FailureProps{Sentence: i18n.T(ctx, "save.settled_failed")}
	}
	if !hx.WantsFragment(r) {
		page := h.frame(w, r, account, snapshot)
		page.Failed = true
		return views.Render(w, r, http.StatusOK, views.AccountPage(page, form))
	}
	hx.Retarget(w, "#perm-form")
	return views.Render(w, r, http.StatusOK, views.PermForm(form))
}

func stillChecking(w http.ResponseWriter, r *http.Request, c change.Change) error {
	p := checking(r.Context(), c)
	if hx.WantsFragment(r) {
		return views.Render(w, r, http.StatusOK, views.Checking(*p))
	}
	return views.Render(w, r, http.StatusOK, views.ErrorPage(views.ErrorProps{
		Title: i18n.T(r.Context(), "error.uncertain.title"), Sentence: p.Sentence, SignedIn: true, Retry: true,
	}))
}

// undecided reports whether reading could not tell what became of c, and no more
// is read: a person must look.
func undecided(c change.Change) bool { return c.State == change.InDoubt && !c.Holds }

// undecidedProps says so, and leads to where a person decides.
func undecidedProps(ctx context.Context, c change.Change) *views.FailureProps {
	return &views.FailureProps{Sentence: i18n.T(ctx, "save.undecided"), DecideURL: views.ChangeURL(c.ID, "")}
}

// checking says that it is not known yet what became of c.
func checking(ctx context.Context, c change.Change) *views.CheckingProps {
	p := &views.CheckingProps{StateURL: views.ChangeStateURL(c.ID)}
	switch {
	case !same(c, auth.ActorFrom(ctx)):
		p.Sentence = i18n.T(ctx, "save.checking_other", "name", c.Actor.Display())
	case c.Kind == change.Create:
		p.Sentence = i18n.T(ctx, "create.checking")
	case c.Kind == change.Delete:
		p.Sentence = i18n.T(ctx, "delete.checking")
	default:
		p.Sentence = i18n.T(ctx, "save.checking")
	}
	return p
}

// settledElsewhere leads to the page that shows what became of c.
func (h *Account) settledElsewhere(w http.ResponseWriter, r *http.Request, c change.Change) error {
	said := flash{changeID: c.ID}
	if c.Kind == change.Create && c.State == change.Done && c.Account != "" {
		said.unassigned = h.Presets.Redeem(r.Context(), c.SubmitID, c.Account) != nil // it is tried again
	}
	setFlash(w, r, said)
	switch {
	case c.Kind == change.Create && c.State == change.Done && c.Account != "":
		hx.Redirect(w, r, views.AccountURL(c.Account, ""))
	case c.Kind == change.Create || c.Kind == change.Delete && c.State == change.Done:
		hx.Redirect(w, r, views.ResellersURL)
	default:
		hx.Redirect(w, r, views.AccountURL(c.Account, "details"))
	}
	return nil
}
