package auth

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// PollHeader marks a request that no person caused. It does not keep a session
// alive.
const PollHeader = "X-Waveadmin-Poll"

// polls reports whether no person caused r. A browser asks for a stream by itself, again
// and again, and cannot be made to send a header with it.
func polls(r *http.Request) bool {
	return r.Header.Get(PollHeader) != "" || r.Header.Get("Accept") == "text/event-stream"
}

const (
	// maxHint bounds the ID token that is kept for sign-out: with the address it
	// has to fit into one cookie.
	maxHint   = 2400
	leaveLife = 5 * time.Minute
)

// Load puts the Actor and the Standing of the request's session into its context. A request
// without a session goes on without one. If the session cannot be looked up,
// Config.Fail answers.
func (a *Auth) Load(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := a.store.Get(r, a.store.name)
		if err != nil {
			a.cfg.Log.ErrorContext(r.Context(), "session lookup failed", "err", err)
			a.cfg.Fail(w, r, err)
			return
		}
		rec, ok := recordOf(session)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		now := a.cfg.Now()
		if !polls(r) && now.Sub(rec.seen) >= seenEvery {
			// Not worth failing the request: the next one tries again.
			if err := a.store.touch(r.Context(), session.ID, now, a.cfg.Address(r)); err != nil {
				a.cfg.Log.WarnContext(r.Context(), "session not extended", "err", err)
			} else {
				rec.seen = now
			}
		}
		if rec.kept.text == nil {
			// A page without it works, too.
			if rec.kept, err = a.store.keptKey(r.Context(), rec.Actor); err != nil {
				a.cfg.Log.WarnContext(r.Context(), "no key for what browsers keep", "err", err)
			}
		}
		ctx := WithStanding(WithActor(r.Context(), rec.Actor), a.standing(session.ID, rec))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// ActorNow looks the session of r up again, for an answer that goes on for long: the
// zero Actor when it is over.
func (a *Auth) ActorNow(r *http.Request) (Actor, error) {
	session, err := a.store.New(r, a.store.name) // Get knows what it was at first
	if err != nil {
		return Actor{}, err
	}
	rec, _ := recordOf(session)
	return rec.Actor, nil
}

// SignOut ends the session of r, also while the provider is down, and returns
// the address that ends it at the provider too, or "" if there is none. Attempts that
// this browser began in other tabs end, too. Without a session it only deletes cookies.
func (a *Auth) SignOut(w http.ResponseWriter, r *http.Request) (next string, err error) {
	a.dropAttempts(w, r)
	session, err := a.store.Get(r, a.store.name)
	if err != nil {
		a.dropCookie(w, a.store.name) // the row is left, but this browser is done with it
		return "", fmt.Errorf("sign-out: %w", err)
	}
	rec, signedIn := recordOf(session)
	session.Options.MaxAge = -1
	if err := a.store.Save(r, w, session); err != nil {
		return "", fmt.Errorf("sign-out: %w", err)
	}
	if !signedIn {
		return "", nil
	}
	a.cfg.Log.LogAttrs(r.Context(), slog.LevelInfo, "signed out",
		slog.String("issuer", rec.Issuer), slog.String("subject", rec.Subject))
	a.cfg.Audit.SignedOut(r.Context(), rec.Actor)
	return a.endSession(session.ID, rec), nil
}

// endSession returns the provider's address for RP-initiated logout.
func (a *Auth) endSession(row string, rec record) string {
	d := a.provider.known() // not discovered now: signing out must not wait for it
	if d == nil || d.endSession == "" {
		return ""
	}
	u, err := url.Parse(d.endSession)
	if err != nil {
		return ""
	}
	query := u.Query()
	query.Set("client_id", a.cfg.ClientID)
	query.Set("post_logout_redirect_uri", a.cfg.PublicURL+"/auth/signed-out")
	if token, ok := a.store.tokens.open(rec.idToken, row); ok {
		query.Set("id_token_hint", string(token))
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// KeepNext remembers the address that SignOut returned in a sealed cookie, for a
// page that may link to the provider but not redirect there.
func (a *Auth) KeepNext(w http.ResponseWriter, next string) {
	name := a.cookieName("-out")
	a.setCookie(w, name, a.leaving.seal([]byte(next), name), leaveLife)
}

// TakeNext returns the address that KeepNext remembered, once, or "".
func (a *Auth) TakeNext(w http.ResponseWriter, r *http.Request) string {
	name := a.cookieName("-out")
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	a.dropCookie(w, name)
	next, _ := a.leaving.open(c.Value, name)
	return string(next)
}
