package handlers

import (
	"errors"
	"net/http"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// NewPassword answers GET /resellers/{userID}/password.
func (h *Account) NewPassword(w http.ResponseWriter, r *http.Request) error {
	if err := mayModify(r); err != nil {
		return err
	}
	account, snapshot, err := find(r, h.Directory)
	if err != nil {
		return err
	}
	form := views.PasswordProps{
		Account: account, Input: wave.Auto, Notify: true, Min: h.Min, Max: h.Max, SubmitID: newSubmitID(),
	}
	page := h.frame(w, r, account, snapshot)
	if kept := h.Kept.TakeForm(w, r); kept != nil {
		form.Input, form.Notify = wave.InputType(kept.Get("input_type")), kept.Get("notification") == "on"
		page.Notice = provedNotice(r)
	}
	return views.Render(w, r, http.StatusOK, views.PasswordPage(page, form))
}

// ReplacePassword answers POST /resellers/{userID}/password. A call whose answer
// was lost is never repeated; the details page then says that it is not known.
func (h *Account) ReplacePassword(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	input, notify := readInput(r)
	p := reseller.PasswordChange{
		Actor: auth.ActorFrom(r.Context()), UserID: userID(r), SubmitID: r.PostFormValue("submit_id"),
		NewPassword: wave.NewPassword{Notify: notify, Input: input, Password: passwordOf(r, input)},
	}
	c, err := h.Service.ReplacePassword(r.Context(), p)
	if doubt, ok := errors.AsType[*reseller.DoubtError](err); ok {
		c, err = doubt.Change, nil
	}
	if err != nil {
		return h.again(w, r, err, func(account wave.Reseller, page views.AccountProps, errs map[string]string, f *views.FailureProps) (fragment, whole templ.Component) {
			form := views.PasswordProps{
				Account: account, Input: input, Notify: notify, Min: h.Min, Max: h.Max,
				SubmitID: newSubmitID(), Errors: errs, Failure: f,
			}
			return views.PasswordForm(form), views.PasswordPage(page, form)
		})
	}
	setFlash(w, r, flash{changeID: c.ID})
	hx.Redirect(w, r, views.AccountURL(p.UserID, "details"))
	return nil
}

// ConfirmDelete answers GET /resellers/{userID}/delete.
func (h *Account) ConfirmDelete(w http.ResponseWriter, r *http.Request) error {
	if err := mayModify(r); err != nil {
		return err
	}
	account, snapshot, err := find(r, h.Directory)
	if err != nil {
		return err
	}
	page, form := h.frame(w, r, account, snapshot), views.DeleteProps{Account: account}
	if kept := h.Kept.TakeForm(w, r); kept != nil {
		form.Confirm, page.Notice = kept.Get("confirm"), provedNotice(r)
	}
	return views.Render(w, r, http.StatusOK, views.DeletePage(page, form))
}

// Delete answers POST /resellers/{userID}/delete, which wants the account's
// email typed.
func (h *Account) Delete(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	confirm := trimmed(r, "confirm")
	c, err := h.Service.Delete(r.Context(), reseller.Deletion{
		Actor: auth.ActorFrom(r.Context()), UserID: userID(r), Confirm: confirm,
	})
	if doubt, ok := errors.AsType[*reseller.DoubtError](err); ok {
		return h.deleting(w, r, confirm, doubt.Change)
	}
	if err != nil {
		return h.again(w, r, err, func(account wave.Reseller, page views.AccountProps, errs map[string]string, f *views.FailureProps) (fragment, whole templ.Component) {
			form := views.DeleteProps{Account: account, Confirm: confirm, Errors: errs, Failure: f}
			return views.DeleteForm(form), views.DeletePage(page, form)
		})
	}
	setFlash(w, r, flash{changeID: c.ID})
	hx.Redirect(w, r, views.ResellersURL)
	return nil
}

// deleting shows that it is not known yet whether the account was deleted.
func (h *Account) deleting(w http.ResponseWriter, r *http.Request, confirm string, doubt change.Change) error {
	account, snapshot, err := find(r, h.Directory)
	if err != nil {
		return err
	}
	form := views.DeleteProps{Account: account, Confirm: confirm, Checking: checking(r.Context(), doubt)}
	if hx.WantsFragment(r) {
		return views.Render(w, r, http.StatusAccepted, views.DeleteForm(form))
	}
	return views.Render(w, r, http.StatusAccepted, views.DeletePage(h.frame(w, r, account, snapshot), form))
}

// formOf draws a form as the person sent it, alone and as a page.
type formOf func(account wave.Reseller, page views.AccountProps, errs map[string]string, f *views.FailureProps) (fragment, whole templ.Component)

// again answers err with the form. An account that is gone has none.
func (h *Account) again(w http.ResponseWriter, r *http.Request, err error, draw formOf) error {
	account, snapshot, lookup := find(r, h.Directory)
	if lookup != nil {
		return err
	}
	errs := map[string]string{}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		errs = fieldErrors(r.Context(), f)
	}
	return &FormError{Err: err, Form: func(f *views.FailureProps) templ.Component {
		if len(errs) > 0 {
			f = nil // the fields say it
		}
		page := h.frame(w, r, account, snapshot)
		page.Failed = true
		fragment, whole := draw(account, page, errs, f)
		if hx.WantsFragment(r) {
			return fragment
		}
		return whole
	}}
}

// mayModify keeps the pages of forms from those who could not send them.
func mayModify(r *http.Request) error {
	if !auth.ActorFrom(r.Context()).MayModify() {
		return &fault.Error{Kind: fault.Forbidden, Say: fault.Say("error.forbidden_editor")}
	}
	return nil
}

func readInput(r *http.Request) (wave.InputType, bool) {
	return wave.InputType(r.PostFormValue("input_type")), r.PostFormValue("notification") == "on"
}

// passwordOf returns the typed password, which counts only when it was asked for.
func passwordOf(r *http.Request, input wave.InputType) string {
	if input != wave.Custom {
		return ""
	}
	return r.PostFormValue("password")
}
