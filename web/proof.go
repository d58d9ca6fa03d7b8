package web

import (
	"net/http"
	"net/url"

	"waveadmin/internal/auth"
	"waveadmin/internal/hx"
	"waveadmin/views"
)

// requireProof lets through who has proved a short time ago who they are. Others go
// through the provider first and come back to the page of the address with what they
// typed in the fields of keep. Nothing is done before that.
func (s *site) requireProof(keep []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if auth.StandingOf(r.Context()).Recent {
				next.ServeHTTP(w, r)
				return
			}
			form := url.Values{}
			for _, name := range keep {
				if typed, ok := r.PostForm[name]; ok {
					form[name] = typed
				}
			}
			s.askForProof(w, r, localURL(r.URL), form)
		})
	}
}

// askForProof leads through the provider and back to the page at back: a page by 303,
// a request of htmx by 401 with HX-Redirect. Any other write gets a page that says so,
// for form-action stops a form's redirect to another origin.
func (s *site) askForProof(w http.ResponseWriter, r *http.Request, back string, form url.Values) {
	page, err := url.Parse(back)
	if err == nil && s.keepForm != nil && !safe(r.Method) {
		s.keepForm(w, r, page.Path, form)
	}
	w.Header().Add("Vary", hx.Vary)
	switch {
	case hx.IsHTMX(r):
		hx.RedirectOn(w, proofURL(back))
		s.tellRefused(r, http.StatusUnauthorized)
		w.WriteHeader(http.StatusUnauthorized)
	case safe(r.Method):
		http.Redirect(w, r, proofURL(back), http.StatusSeeOther)
	default:
		s.tellRefused(r, http.StatusUnauthorized)
		s.show(w, r, http.StatusUnauthorized, views.ProofPage(views.ProofProps{SignInURL: proofURL(back)}))
	}
}

// proofURL returns where someone proves again who they are, to come back to back.
func proofURL(back string) string { return signInURL(back) + "&step_up=1" }
