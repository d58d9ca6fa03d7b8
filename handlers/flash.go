package handlers

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// A flash is what was just done, for the page that says so after a redirect. It
// travels in a cookie, and the page takes the facts from the ledger: a forged one
// can at most repeat what really happened.
type flash struct {
	changeID string
	say      string     // one of quiet, when there was nothing to do
	others   []wave.Key // flags that others moved before the change
	left     []wave.Key // flags that an undo left

	unassigned bool // the preset that was chosen for a new account is not assigned yet
}

const (
	flashCookie = "done"
	maxFlash    = 3 << 10 // bytes; browsers keep 4 KiB with name and attributes
)

// quiet are the sentences of a save that had nothing to do.
var quiet = []string{"save.nothing", "save.already", "save.undo_nothing"}

type secureKey struct{}

// SecureCookies tells the handlers below next that browsers reach them over TLS,
// so that their cookies must not travel without it. A request does not show it
// when a proxy in front ends the TLS.
func SecureCookies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), secureKey{}, true)))
	})
}

func isSecure(ctx context.Context) bool {
	secure, _ := ctx.Value(secureKey{}).(bool)
	return secure
}

// flashName returns the cookie's name. Over TLS its prefix makes browsers refuse one
// that another host or a plain connection set.
func flashName(ctx context.Context) string {
	if isSecure(ctx) {
		return "__Host-" + flashCookie
	}
	return flashCookie
}

// newFlashCookie returns the cookie with value for so many seconds; a negative
// number deletes it.
func newFlashCookie(ctx context.Context, value string, seconds int) *http.Cookie {
	return &http.Cookie{
		Name: flashName(ctx), Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: isSecure(ctx), SameSite: http.SameSiteLaxMode,
	}
}

// setFlash keeps f for the next page. Flags that have no room are not named.
func setFlash(w http.ResponseWriter, r *http.Request, f flash) {
	v := url.Values{}
	if f.changeID != "" {
		v.Set("change", f.changeID)
	}
	if f.say != "" {
		v.Set("say", f.say)
	}
	if f.unassigned {
		v.Set("unassigned", "1")
	}
	if more := (url.Values{"others": names(f.others), "left": names(f.left)}); len(more.Encode()) <= maxFlash {
		maps.Copy(v, more)
	}
	http.SetCookie(w, newFlashCookie(r.Context(), v.Encode(), 60))
}

// takeFlash returns what was just done with its change, or false. It is said once.
// The change is the zero one when there was nothing to do.
func takeFlash(w http.ResponseWriter, r *http.Request, s ChangeGetter) (flash, change.Change, bool) {
	cookie, err := r.Cookie(flashName(r.Context()))
	if err != nil || cookie.Value == "" {
		return flash{}, change.Change{}, false
	}
	http.SetCookie(w, newFlashCookie(r.Context(), "", -1))
	v, err := url.ParseQuery(cookie.Value)
	if err != nil {
		return flash{}, change.Change{}, false
	}
	f := flash{changeID: v.Get("change"), others: keysOf(v["others"]), left: keysOf(v["left"]), unassigned: v.Has("unassigned")}
	if f.changeID == "" {
		f.say = v.Get("say")
		return f, change.Change{}, slices.Contains(quiet, f.say)
	}
	c, err := s.Change(r.Context(), f.changeID)
	return f, c, err == nil
}

func names(keys []wave.Key) []string {
	out := make([]string, len(keys))
	for i, key := range keys {
		out[i] = string(key)
	}
	return out
}

func keysOf(names []string) []wave.Key {
	out := make([]wave.Key, len(names))
	for i, name := range names {
		out[i] = wave.Key(name)
	}
	return out
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
