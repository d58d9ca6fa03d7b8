package handlers

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"waveadmin/internal/auth"
	"waveadmin/internal/hx"
	"waveadmin/views"
)

// SignInService is the part of auth.Auth that SignIn needs.
type SignInService interface {
	Begin(w http.ResponseWriter, r *http.Request) error
	Callback(w http.ResponseWriter, r *http.Request) (returnTo string, err error)
	SignOut(w http.ResponseWriter, r *http.Request) (next string, err error)
	KeepNext(w http.ResponseWriter, next string)
	TakeNext(w http.ResponseWriter, r *http.Request) string
	EndByProvider(ctx context.Context, logoutToken string) error
}

// SignIn serves the way in and out.
type SignIn struct {
	Auth SignInService
	// AskFirst lets nobody who has no session be sent to the provider without a press of
	// theirs: if it knows them already, a session would begin by itself.
	AskFirst bool
}

const (
	// pressed is the parameter of the address behind the button of views.AskPage.
	pressed = "start"
	// asked is the one with which a page comes here by itself, because its session is over:
	// no other may begin by that, whatever the settings say.
	asked = "ask"
)

// Begin answers GET /auth/login with the way to the provider, or with the question
// whether to go there.
func (h *SignIn) Begin(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if (h.AskFirst || query.Has(asked)) && auth.ActorFrom(r.Context()).Subject == "" && !byPress(r) {
		query.Del(asked)
		query.Set(pressed, "1")
		return views.Render(w, r, http.StatusOK, views.AskPage(views.SignInURL+"?"+query.Encode()))
	}
	return h.Auth.Begin(w, r)
}

// byPress reports whether a person pressed a link of ours to get here. Browsers that do
// not say so at least name the page that they come from.
func byPress(r *http.Request) bool {
	if r.URL.Query().Get(pressed) != "1" {
		return false
	}
	if site, ok := r.Header["Sec-Fetch-Site"]; ok {
		return len(site) == 1 && site[0] == "same-origin" && r.Header.Get("Sec-Fetch-User") == "?1"
	}
	from, err := url.Parse(r.Referer())
	return err == nil && from.Host != "" && from.Host == r.Host // which is the public one
}

// Callback answers GET /auth/callback, where the provider sends the browser.
func (h *SignIn) Callback(w http.ResponseWriter, r *http.Request) error {
	returnTo, err := h.Auth.Callback(w, r)
	if err != nil {
		return err
	}
	http.Redirect(w, r, returnTo, http.StatusSeeOther)
	return nil
}

// SignOut answers POST /auth/logout. htmx is sent on to the provider. A plain
// form is not: form-action 'self' stops a redirect to another origin, so the
// page that comes next links there. What the browser keeps of the person goes, too.
func (h *SignIn) SignOut(w http.ResponseWriter, r *http.Request) error {
	next, err := h.Auth.SignOut(w, r)
	if err != nil {
		return err
	}
	w.Header().Set("Clear-Site-Data", `"storage"`) // drafts, and what was opened lately
	switch {
	case next == "":
		next = views.SignedOutURL
	case !hx.IsHTMX(r):
		h.Auth.KeepNext(w, next)
		next = views.SignedOutURL
	}
	hx.Redirect(w, r, next)
	return nil
}

// SignedOut answers GET /auth/signed-out, here after signing out and on the way
// back from the provider.
func (h *SignIn) SignedOut(w http.ResponseWriter, r *http.Request) error {
	next := h.Auth.TakeNext(w, r)
	return views.Render(w, r, http.StatusOK, views.SignedOutPage(views.SignedOutProps{ProviderURL: next}))
}

// EndByProvider answers POST /auth/backchannel-logout, which no browser sends, as
// OpenID Connect Back-Channel Logout wants it: 200, or 400 whatever went wrong.
// The reason is in the log and not in the answer, for anyone may ask.
func (h *SignIn) EndByProvider(w http.ResponseWriter, r *http.Request) error {
	token := "" // that is refused
	if all := r.PostForm["logout_token"]; len(all) == 1 {
		token = all[0]
	}
	if h.Auth.EndByProvider(r.Context(), token) == nil {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_, err := io.WriteString(w, `{"error":"invalid_request"}`)
	return err
}
