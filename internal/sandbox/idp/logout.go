package idp

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

const (
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	logoutLife  = 2 * time.Minute
	// logoutPatience bounds how long signing out here waits for the client.
	logoutPatience = 5 * time.Second
)

// endSession answers GET /end_session: it forgets the browser's login, tells the
// client if that wants to know, and goes back to the client, if the address that
// it names is registered.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		p.mu.Lock()
		at, ok := p.sessions[c.Value]
		delete(p.sessions, c.Value)
		p.mu.Unlock()
		if ok && p.o.BackChannel != "" {
			p.tellClient(r.Context(), at)
		}
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: p.path + "/", MaxAge: -1, HttpOnly: true})
	next := r.URL.Query().Get("post_logout_redirect_uri")
	if !slices.Contains(p.o.PostLogout, next) {
		http.Error(w, "signed out", http.StatusOK)
		return
	}
	if state := r.URL.Query().Get("state"); state != "" {
		next += "?" + url.Values{"state": {state}}.Encode()
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// tellClient posts a logout token of a login and keeps what the client answers.
func (p *Provider) tellClient(ctx context.Context, at login) {
	status := 0
	if token, err := p.NewLogoutToken(at.person.Key, at.sid); err == nil {
		status = post(ctx, p.o.BackChannel, url.Values{"logout_token": {token}})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, status)
}

func post(ctx context.Context, to string, form url.Values) int {
	ctx, cancel := context.WithTimeout(ctx, logoutPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// Told returns how the client answered the logout tokens that it was sent; 0 is
// not at all.
func (p *Provider) Told() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told)
}

// NewLogoutToken returns a logout token for a subject and a session, either of
// which may be empty.
func (p *Provider) NewLogoutToken(subject, sid string) (string, error) {
	script, k, now := p.scripted(), p.current(), p.o.Now()
	claims := map[string]any{
		"iss": p.o.Issuer, "aud": p.o.ClientID, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(logoutLife).Unix(),
		"events": map[string]any{logoutEvent: map[string]any{}},
	}
	for name, value := range map[string]string{"sub": subject, "sid": sid} {
		if value != "" {
			claims[name] = value
		}
	}
	if script.LogoutClaims != nil {
		script.LogoutClaims(claims)
	}
	s := Signing{Alg: jose.ES256, Key: k.key, Header: map[string]any{"kid": k.id, "typ": "logout+jwt"}}
	if script.LogoutSign != nil {
		script.LogoutSign(&s)
	}
	compact, err := sign(s, claims)
	if err == nil && script.LogoutToken != nil {
		compact = script.LogoutToken(compact)
	}
	return compact, err
}
