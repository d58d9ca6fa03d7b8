package auth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

const (
	// keptLife is enough for the way to the provider and back.
	keptLife = 15 * time.Minute
	// maxKept keeps the cookie below what browsers take.
	maxKept = 3800
)

// KeepForm remembers what the person of r typed on the page at path, in a sealed cookie
// that opens for them and that page alone, while they go through the provider. What does
// not fit into a cookie is not kept. It must not be given a password.
func (a *Auth) KeepForm(w http.ResponseWriter, r *http.Request, path string, form url.Values) {
	text, err := asJSON(form)
	if err != nil {
		return // a map of strings always marshals
	}
	name := a.keptCookie()
	if sealed := a.kept.seal(text, name+" "+personMark(ActorFrom(r.Context()))+" "+path); len(sealed) <= maxKept {
		a.setCookie(w, name, sealed, keptLife)
	}
}

// TakeForm returns what KeepForm remembered for the page of r and who asks, once, or nil.
func (a *Auth) TakeForm(w http.ResponseWriter, r *http.Request) url.Values {
	name := a.keptCookie()
	c, err := r.Cookie(name)
	if err != nil {
		return nil
	}
	text, ok := a.kept.open(c.Value, name+" "+personMark(ActorFrom(r.Context()))+" "+r.URL.Path)
	var form url.Values
	if !ok || json.Unmarshal(text, &form) != nil {
		return nil // of another page, perhaps
	}
	a.dropCookie(w, name)
	return form
}

func (a *Auth) keptCookie() string { return a.cookieName("-kept") }
