package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/views"
)

// callbackPath is where the provider sends the browser back to.
const callbackPath = "/auth/callback"

// logoutPath is where the provider ends sessions.
const logoutPath = "/auth/backchannel-logout"

// requireRole lets through who has the role. Who is nobody is sent to sign in:
// a page by 303, a request of htmx by 401 with HX-Redirect; any other write gets
// a plain 401, since its form cannot be taken along.
func (s *site) requireRole(role auth.Role) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			actor := auth.ActorFrom(r.Context())
			switch {
			case actor.Subject == "":
				s.askToSignIn(w, r)
			case actor.Role < role:
				s.fail(w, r, lacks(role))
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}

var errNobody = errors.New("nobody is signed in")

func (s *site) askToSignIn(w http.ResponseWriter, r *http.Request) {
	switch {
	case hx.IsHTMX(r):
		hx.RedirectOn(w, signInURL(s.backFromHTMX(r)))
		w.Header().Add("Vary", hx.Vary)
		s.tellRefused(r, http.StatusUnauthorized)
		w.WriteHeader(http.StatusUnauthorized)
	case safe(r.Method):
		w.Header().Add("Vary", hx.Vary)
		http.Redirect(w, r, signInURL(localURL(r.URL)), http.StatusSeeOther)
	default:
		s.fail(w, r, fault.New(fault.Unauthenticated, errNobody))
	}
}

// backFromHTMX returns the page from which htmx sent r, if it is one of ours;
// else the address of r itself, unless that only takes writes.
func (s *site) backFromHTMX(r *http.Request) string {
	if u := hx.CurrentURL(r); u != nil && originOf(u) == originOf(s.publicURL) {
		return localURL(u)
	}
	if safe(r.Method) {
		return localURL(r.URL)
	}
	return views.HomeURL
}

func signInURL(back string) string {
	return views.SignInURL + "?return_to=" + url.QueryEscape(back)
}

// localURL returns path and query of u as an address on this site. Of several
// leading slashes one is left: "//evil.example" would be another site.
func localURL(u *url.URL) string {
	local := "/" + strings.TrimLeft(u.EscapedPath(), "/")
	if u.RawQuery != "" {
		local += "?" + u.RawQuery
	}
	return local
}

// lacks says which role is missing.
func lacks(role auth.Role) error {
	return &fault.Error{Kind: fault.Forbidden, Say: fault.Say("error.forbidden_" + role.String())}
}
