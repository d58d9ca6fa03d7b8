package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

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

// Update answers POST /resellers/{userID}/meta: the form with what was saved, or
// with the edits and what stands against them. While the outcome is unknown the
// form comes with 202 and asks again by itself.
func (h *Account) Update(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	seen, want, err := edits(r.PostForm)
	if err != nil {
		return err
	}
	c := reseller.MetaChange{
		Actor: auth.ActorFrom(r.Context()), UserID: userID(r),
		Seen: seen, Want: want, Reason: trimmed(r, "reason"),
		UndoOf: r.PostFormValue("undo_of"), RestoreOf: r.PostFormValue("restore_of"),
	}
	result, err := h.Service.ChangeMeta(r.Context(), c)
	if err != nil {
		return h.notSaved(w, r, c, err)
	}
	if result.Change.UndoOf != "" {
		return h.saved(w, r, result, "save.undone")
	}
	return h.saved(w, r, result, "save.done")
}

// Undo answers POST /resellers/{userID}/undo?change=…: the flags of that save go
// back. If some were changed since, it asks first; with left=ok they are left.
func (h *Account) Undo(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	seen, want, err := edits(r.PostForm) // which stay in the form, as the undo does not take them
	if err != nil {
		return err
	}
	query := r.URL.Query()
	u := reseller.Undo{
		Actor: auth.ActorFrom(r.Context()), UserID: userID(r),
		ChangeID: query.Get("change"), LeaveMoved: query.Get("left") == "ok",
	}
	result, err := h.Service.UndoMeta(r.Context(), u)
	if err != nil {
		c := reseller.MetaChange{UserID: u.UserID, Seen: seen, Want: want, Reason: trimmed(r, "reason")}
		return h.notSaved(w, r, c, err)
	}
	return h.saved(w, r, result, "save.undone")
}

// edits reads what the form showed and what the person touched: flags whose box
// differs from what it was. A box without a "was" field was not on the form, and
// an absent box alone never means off. After a conflict a field "choose" stands
// beside the box: "mine" leaves it to the box, "now" and "seen" decide whatever the
// box says. A value that no form of ours sends, or a field that comes twice, is
// refused rather than guessed at.
func edits(form url.Values) (wave.Seen, wave.Wanted, error) {
	seen, want := make(wave.Seen), make(wave.Wanted)
	for name, values := range form {
		if flag, ok := strings.CutPrefix(name, "is."); ok && form.Has("was."+flag) && !slices.Equal(values, []string{"on"}) {
			return nil, nil, oddField(name, values)
		}
		flag, ok := strings.CutPrefix(name, "was.")
		if !ok {
			continue
		}
		was, known := stateNames[values[0]]
		if !known || len(values) > 1 || flag == "" {
			return nil, nil, oddField(name, values)
		}
		key := wave.Key(flag)
		seen[key] = was
		is := form.Has("is." + flag)
		if chosen, ok := form["choose."+flag]; ok {
			now, known := map[string]bool{"mine": is, "now": was == wave.On, "seen": was != wave.On}[chosen[0]]
			if !known || len(chosen) > 1 {
				return nil, nil, oddField("choose."+flag, chosen)
			}
			is = now
		}
		if is != (was == wave.On) {
			want[key] = is
		}
	}
	return seen, want, nil
}

var stateNames = map[string]wave.State{"on": wave.On, "off": wave.Off, "unset": wave.Unset}

// saved shows the account as it is now. Without htmx the page is a new one, so
// that a reload does not send the form again.
func (h *Account) saved(w http.ResponseWriter, r *http.Request, result reseller.MetaResult, key string) error {
	ctx := r.Context()
	form := h.formAsOf(ctx, result.Account, time.Now())
	var f flash
	switch {
	case result.Change.State == change.NoChange && len(result.Left) > 0:
		f.say = "save.undo_nothing"
	case result.Change.ID == "":
		f.say = "save.nothing"
	case result.Change.State == change.NoChange:
		f.say = "save.already"
	default:
		f.changeID, f.left = result.Change.ID, result.Left
		for _, o := range result.Others {
			f.others = append(f.others, o.Key)
		}
	}
	if hx.WantsFragment(r) {
		if form.TookBack = stagingOf(r.PostForm).mark(); form.TookBack != "" {
			hx.ReplaceURL(w, views.AccountURL(userID(r), "")) // a reload would stage it again
		}
		if f.say != "" {
			form.Message = i18n.T(ctx, f.say)
		} else {
			form.Saved = savedProps(ctx, result, key)
		}
		return views.Render(w, r, http.StatusOK, views.PermForm(form))
	}
	setFlash(w, r, f)
	back := views.AccountURL(userID(r), "")
	if to := r.PostFormValue("return_to"); to != "" { // the page of one flag
		back = views.LocalPath(to)
	}
	hx.Redirect(w, r, back)
	return nil
}

func savedProps(ctx context.Context, result reseller.MetaResult, key string) *views.SavedProps {
	p := &views.SavedProps{
		Sentence: i18n.T(ctx, key, "count", len(result.Apply), "time", i18n.Clock(ctx, result.Change.Finished)),
	}
	p.More = includedLines(ctx, result.Others)
	if len(result.Left) > 0 {
		p.More = append(p.More, i18n.T(ctx, "save.left", "labels", labels(ctx, result.Left)))
	}
	if result.Change.UndoOf == "" {
		p.UndoURL = views.UndoURL(result.Account.UserID, result.Change.ID)
	}
	return p
}

// savedEarlier is what the page says after the redirect of a save without
// scripts, or nothing if c is no such save.
func (h *Account) savedEarlier(ctx context.Context, account wave.Reseller, f flash, c change.Change) *views.SavedProps {
	if c.Kind != change.Meta || c.State != change.Done || c.Account != account.UserID || c.Before == nil {
		return nil
	}
	key := "save.done"
	if c.UndoOf != "" {
		key = "save.undone"
	}
	var moved []wave.Moved
	for _, key := range f.others {
		moved = append(moved, wave.Moved{Key: key, To: c.Before.State(key)})
	}
	return savedProps(ctx, reseller.MetaResult{
		Change: c, Account: account, Apply: c.Moved(), Left: f.left,
		Others: h.Service.Others(ctx, c.Actor, c.Account, moved),
	}, key)
}

// notSaved shows the form as the person sent it, with what stands against it.
// Only an account that never was has no form to show.
func (h *Account) notSaved(w http.ResponseWriter, r *http.Request, c reseller.MetaChange, err error) error {
	if gone, ok := errors.AsType[*reseller.GoneError](err); ok {
		return h.accountGone(w, r, c, gone)
	}
	account, snapshot, lookup := find(r, h.Directory)
	if lookup != nil {
		return err
	}
	ctx := r.Context()
	form := h.permForm(ctx, account, snapshot)
	form.Staged, form.Reason = c.Want, c.Reason
	form.TakeBack, _, _ = h.panel(ctx, account, stagingOf(r.PostForm)) // without, it is an edit as any other

	render := func(f *views.FailureProps) templ.Component {
		form.Failure = f
		if hx.WantsFragment(r) {
			return views.PermForm(form)
		}
		page := h.frame(w, r, account, snapshot)
		page.Failed = form.Checking == nil
		page.Fresh.ReturnTo = views.AccountURL(account.UserID, "") // this address takes no GET
		return views.AccountPage(page, form)
	}
	if doubt, ok := errors.AsType[*reseller.DoubtError](err); ok {
		form.Checking = checking(ctx, doubt.Change)
		return views.Render(w, r, http.StatusAccepted, render(nil))
	}
	if conflict, ok := errors.AsType[*reseller.ConflictError](err); ok {
		if conflict.Account.UserID != "" {
			form.Account = conflict.Account
		}
		if conflict.Why == reseller.UndoMoved {
			h.showUndoMoved(ctx, &form, r.URL.Query().Get("change"), conflict)
		} else {
			form.Conflict = conflictProps(ctx, c, conflict)
		}
		return views.Render(w, r, http.StatusConflict, render(nil))
	}
	if invalid, ok := errors.AsType[*fault.Error](err); ok && invalid.Kind == fault.Invalid && len(invalid.Fields) > 0 {
		form.ReasonErr = fieldErrors(ctx, invalid)["reason"]
	}
	return &FormError{Err: err, Form: render}
}

// showUndoMoved makes the form ask what to do with an undo that met changed flags.
// Behind the question it still says what was saved, with the way back.
func (h *Account) showUndoMoved(ctx context.Context, form *views.PermFormProps, changeID string, e *reseller.ConflictError) {
	form.UndoMoved = undoMovedProps(ctx, form.Account.UserID, changeID, e)
	if saved, err := h.Service.Change(ctx, changeID); err == nil {
		form.Saved = h.savedEarlier(ctx, form.Account, flash{}, saved)
	}
}

func labels(ctx context.Context, keys []wave.Key) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = views.FlagLabel(ctx, key)
	}
	return i18n.Join(ctx, names)
}
