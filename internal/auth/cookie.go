package auth

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// cookieName returns the name of a cookie of ours. The prefix makes browsers
// refuse one that another host or a plain connection set.
func (c Config) cookieName(suffix string) string {
	if c.secure() {
		return "__Host-waveadmin" + suffix
	}
	return "waveadmin" + suffix
}

func (a *Auth) cookieName(suffix string) string { return a.cfg.cookieName(suffix) }

func (a *Auth) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: a.cfg.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (a *Auth) dropCookie(w http.ResponseWriter, name string) { a.setCookie(w, name, "", -time.Second) }

// asJSON returns v as JSON for a cookie. json.Marshal would write each & of an address as
// six characters, and a long one would not fit.
func asJSON(v any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return text.Bytes(), err
}
