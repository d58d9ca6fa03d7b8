package auth

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"waveadmin/internal/fault"
)

// Callback ends an attempt to sign in and returns the path to go on to. On
// success a new session has replaced the one that the browser had, if any.
//
// It fails with fault.Invalid when the attempt is unknown, used or overtaken by the
// end of what it leads to, or the provider's answer cannot be trusted, fault.Forbidden when the person declined
// or has no role here, and fault.Unavailable when the provider cannot be asked.
// Then there is no new session, and an old one is left alone.
func (a *Auth) Callback(w http.ResponseWriter, r *http.Request) (returnTo string, err error) {
	ctx := r.Context()
	query := r.URL.Query()
	l, code, no := a.checkCallback(w, r, query)
	if no != nil {
		return "", a.refuseAttempt(r, l, no)
	}
	who, no := a.identify(ctx, l, code)
	if no != nil && no.code == "no_role" {
		if err := a.store.endPerson(ctx, no.who); err != nil {
			a.cfg.Log.ErrorContext(ctx, "sessions of someone without a role not ended", "err", err)
		}
	}
	if no == nil {
		no = a.goOn(r, l, &who)
	}
	if no != nil {
		return "", a.refuseAttempt(r, l, no)
	}
	if err := a.store.begin(w, r, who); err != nil {
		if no := overtaken(err, who.Actor); no != nil {
			return "", a.refuse(r, no)
		}
		return "", fmt.Errorf("sign-in: %w", err)
	}
	a.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "signed in",
		slog.String("issuer", who.Issuer), slog.String("subject", who.Subject), slog.String("role", who.Role.String()))
	return l.ReturnTo, nil
}

// checkCallback checks what the browser brought, before anyone is asked, and
// returns the attempt and its code. Whatever it finds, the attempt is used up.
func (a *Auth) checkCallback(w http.ResponseWriter, r *http.Request, query url.Values) (login, string, *refusal) {
	state := query.Get("state")
	l, ok := a.takeLogin(w, r, state)
	if !ok {
		return login{}, "", lapsed("login_cookie")
	}
	if subtle.ConstantTimeCompare([]byte(l.State), []byte(state)) != 1 {
		return login{}, "", lapsed("state")
	}
	switch err := a.useOnce(r.Context(), l); {
	case errors.Is(err, errUsed):
		return l, "", lapsed("state_used")
	case err != nil:
		return l, "", &refusal{code: "database", err: err}
	}
	for _, name := range []string{"state", "iss", "error", "code"} {
		if len(query[name]) > 1 {
			return login{}, "", untrusted(name+"_repeated", nil)
		}
	}
	d, err := a.provider.discovered(r.Context()) // after a restart it may be the first
	if err != nil {
		return l, "", down("discovery", err)
	}
	if iss := query.Get("iss"); iss != "" && iss != a.cfg.Issuer || iss == "" && d.sendsIss {
		return l, "", untrusted("callback_iss", nil)
	}
	switch problem := query.Get("error"); {
	case problem == "access_denied":
		return l, "", &refusal{code: "access_denied", kind: fault.Forbidden, say: fault.Say("signin.cancelled")}
	case query.Has("error"):
		return l, "", untrusted("provider_error", fmt.Errorf("%.100q", problem))
	}
	if query.Get("code") == "" {
		return l, "", untrusted("code_missing", nil)
	}
	return l, query.Get("code"), nil
}

var errUsed = errors.New("used before")

// useOnce marks the attempt as used. Deleting the cookie is not enough: a copy
// of it would still open.
func (a *Auth) useOnce(ctx context.Context, l login) error {
	return a.db.Write(ctx, func(tx *sql.Tx) error {
		return a.store.use(ctx, tx, l.State, l.At.Add(loginLife))
	})
}

// identify asks the provider who the person behind code is.
func (a *Auth) identify(ctx context.Context, l login, code string) (record, *refusal) {
	d := a.provider.known()
	ctx, status := withStatus(a.provider.context(ctx))
	token, err := d.oauth.Exchange(ctx, code, oauth2.VerifierOption(l.Verifier))
	switch {
	case err != nil && outage(*status):
		return record{}, down("exchange", scrub(err))
	case err != nil:
		return record{}, untrusted("exchange", scrub(err))
	}
	raw, _ := token.Extra("id_token").(string)
	claims, no := a.verify(ctx, d, raw, l.Nonce, token.AccessToken)
	if no != nil {
		return record{}, no
	}
	if no := a.checkProof(l, claims); no != nil {
		return record{}, no
	}
	if claims, no = a.withGroups(ctx, d, claims, token); no != nil {
		return record{}, no
	}

	who := record{
		Actor: Actor{Issuer: a.cfg.Issuer, Subject: claims.Subject, Name: claims.Name, Email: claims.Email},
		sid:   claims.SID, proved: a.proved(claims), issued: claims.Issued, begun: l.At,
	}
	if who.Role = a.roleOf(claims.Groups); who.Role == NoRole {
		return record{}, &refusal{
			code: "no_role", kind: fault.Forbidden, say: fault.Say("signin.no_role", "name", who.Display()), who: who.Actor,
		}
	}
	if d.endSession != "" && len(raw) <= maxHint {
		who.idToken = raw
	}
	return who, nil
}

// scrub keeps the body of an answer out of the log, which may hold anything. The
// error code alone is safe.
func scrub(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("status %d, %.100q", refused.Response.StatusCode, refused.ErrorCode)
	}
	return err
}
