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
// a plain 401, since its form cannot be taken along, and so does who asks for a stream.
func (s *site) requireRole(role auth.Role) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			actor := auth.ActorFrom(r.Context())
			switch {
			case actor.Subject == "":
				s.askToSignIn(w, r, "")
			case mustAskProvider(r):
				s.askToSignIn(w, r, "&check=1")
			case actor.Role < role:
				s.fail(w, r, lacks(role))
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}

var errNobody = errors.New("nobody is signed in")

// mustAskProvider reports whether the role of who asks has to be asked for before r goes
// on: pages earlier than what would be disturbed by it.
func mustAskProvider(r *http.Request) bool {
	standing := auth.StandingOf(r.Context())
	page := safe(r.Method) && !hx.IsHTMX(r) && r.Header.Get("Sec-Fetch-Dest") != "empty" // a script's own request
	return standing.Over || standing.Due && page
}

// askToSignIn leads to sign-in and back. More is added to its query.
func (s *site) askToSignIn(w http.ResponseWriter, r *http.Request, more string) {
	switch {
	case hx.IsHTMX(r):
		hx.RedirectOn(w, signInURL(s.backFromHTMX(r))+more)
		w.Header().Add("Vary", hx.Vary)
		s.tellRefused(r, http.StatusUnauthorized)
		w.WriteHeader(http.StatusUnauthorized)
	case asksStream(r):
		w.WriteHeader(http.StatusUnauthorized)
	case safe(r.Method):
		w.Header().Add("Vary", hx.Vary)
		http.Redirect(w, r, signInURL(localURL(r.URL))+more, http.StatusSeeOther)
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

// pageOf returns the page of ours from which a browser sent r, as far as it says so.
func (s *site) pageOf(r *http.Request) string {
	if hx.IsHTMX(r) || safe(r.Method) {
		return s.backFromHTMX(r)
	}
	if u, err := url.Parse(r.Referer()); err == nil && originOf(u) == originOf(s.publicURL) {
		return localURL(u)
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
