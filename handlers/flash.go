package handlers

import (
	"context"
	"errors"
	"net/http"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// flashCookie carries the id of the change that was just done over the redirect
// to the page that says so. The page reads the sentence's facts from the ledger,
// so a forged cookie can at most repeat what really happened.
const flashCookie = "done"

func setFlash(w http.ResponseWriter, r *http.Request, changeID string) {
	http.SetCookie(w, &http.Cookie{
		Name: flashCookie, Value: changeID, Path: "/", MaxAge: 60,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
}

// takeFlash returns the change that was just done, or false. It is said once.
func takeFlash(w http.ResponseWriter, r *http.Request, s ChangeGetter) (change.Change, bool) {
	cookie, err := r.Cookie(flashCookie)
	if err != nil || cookie.Value == "" {
		return change.Change{}, false
	}
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	c, err := s.Change(r.Context(), cookie.Value)
	return c, err == nil
}

// doneNotice says what became of the change that led to this page, or nothing.
func doneNotice(ctx context.Context, c change.Change) *views.NoticeProps {
	switch {
	case c.State == change.Done && c.Kind != change.Meta:
		return &views.NoticeProps{Level: "success", Sentence: i18n.T(ctx, string(c.Kind)+".done", "email", c.Email)}
	case c.State == change.InDoubt && c.Kind == change.Password:
		return &views.NoticeProps{Level: "warning", Sentence: i18n.T(ctx, "password.doubt", "email", c.Email)}
	case c.State == change.Failed && c.Kind != change.Meta:
		return &views.NoticeProps{Level: "error", Sentence: i18n.T(ctx, string(c.Kind)+".settled_failed", "email", c.Email)}
	}
	return nil
}

func asTooLarge(err error) (*fault.Error, bool) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.TooLarge, err), true
	}
	return nil, false
}
