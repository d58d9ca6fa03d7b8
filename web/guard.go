package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"waveadmin/internal/fault"
)

// safe reports whether a method only reads. Everything else must come from a
// page of ours, whether or not there is a route for it.
func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// isProbe reports whether r asks for the state of the process. Probes come by
// address and not by name, so their Host is not the public one.
func isProbe(r *http.Request) bool {
	return r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
}

// fromElsewhere lists the addresses that others may post to, exactly: browsers
// send reports without saying from where, and the provider is no browser.
var fromElsewhere = []string{reportPath, logoutPath}

// checkHost refuses requests for another name than the public one with 421: a
// page under a stranger's name (DNS rebinding) must not reach us.
func (s *site) checkHost(next http.Handler) http.Handler {
	want := canonicalHost(s.publicURL.Host, s.publicURL.Scheme)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isProbe(r) && canonicalHost(r.Host, s.publicURL.Scheme) != want {
			s.fail(w, r, fmt.Errorf("host %q: %w", r.Host, refusal{http.StatusMisdirectedRequest, "error.host"}))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// canonicalHost drops the port that the scheme implies.
func canonicalHost(host, scheme string) string {
	host = strings.ToLower(host)
	if scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// checkOrigin refuses with 403 what another site makes a browser send: writes,
// and reads that do not show as a page of their own. http.CrossOriginProtection
// is not enough: it lets writes through that carry neither header, or "none".
func (s *site) checkOrigin(next http.Handler) http.Handler {
	origin := originOf(s.publicURL)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ok := allowedRead(r.Header)
		if !safe(r.Method) {
			ok = allowedWrite(r.Header, origin) || slices.Contains(fromElsewhere, r.URL.Path)
		}
		if !ok {
			s.fail(w, r, &fault.Error{Kind: fault.Forbidden, Say: fault.Say("error.cross_site"), Err: crossSite(r.Header)})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// originOf returns the origin as a browser writes it.
func originOf(u *url.URL) string { return u.Scheme + "://" + canonicalHost(u.Host, u.Scheme) }

func allowedWrite(h http.Header, origin string) bool {
	if site, ok := h["Sec-Fetch-Site"]; ok {
		return len(site) == 1 && site[0] == "same-origin"
	}
	from := h["Origin"]
	return len(from) == 1 && from[0] == origin
}

func allowedRead(h http.Header) bool {
	switch h.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none": // none: typed or bookmarked
		return true
	}
	return h.Get("Sec-Fetch-Mode") == "navigate" && h.Get("Sec-Fetch-Dest") == "document"
}

func crossSite(h http.Header) error {
	return fmt.Errorf("cross-site: Sec-Fetch-Site %q, -Mode %q, -Dest %q, Origin %q",
		h["Sec-Fetch-Site"], h["Sec-Fetch-Mode"], h["Sec-Fetch-Dest"], h["Origin"])
}
