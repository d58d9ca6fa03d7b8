package auth

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"waveadmin/internal/db"
)

// logoutEvent is the member of the events claim that makes a token one of
// OpenID Connect Back-Channel Logout.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logout is whose sessions a logout token ends.
type logout struct {
	subject string // or "", for whoever has the session sid
	sid     string // or "", for all sessions of the subject
	id      string // of the token
	issued  time.Time
}

// name is that of the token among what was used.
func (l logout) name() string { return "logout token " + l.id }

// EndByProvider ends the sessions that a logout token names: of a person, or the
// one of a session at the provider. That there is none is no error. A sign-in to
// one of them that is under way, on whatever server, ends in a refusal. A token
// works once.
//
// It fails with fault.Invalid when the token cannot be trusted, with
// fault.Unavailable when the provider cannot be asked for its keys, and
// with fault.Internal when the sessions could not be ended. Then all of them go
// on.
func (a *Auth) EndByProvider(ctx context.Context, raw string) error {
	l, no := a.verifyLogout(ctx, raw)
	if no != nil {
		return a.refuseLogout(ctx, no)
	}
	ended, err := a.endAll(ctx, l)
	switch {
	case errors.Is(err, errUsed):
		return a.refuseLogout(ctx, untrusted("jti_used", nil))
	case err != nil:
		return a.refuseLogout(ctx, &refusal{code: "database", err: err})
	}
	for _, who := range ended {
		a.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "signed out by the provider",
			slog.String("issuer", who.Issuer), slog.String("subject", who.Subject))
	}
	return nil
}

func (a *Auth) refuseLogout(ctx context.Context, no *refusal) error {
	a.cfg.Audit.LogoutRefused(ctx, no.code)
	return a.tell(ctx, "logout refused", no)
}

// verifyLogout returns what a logout token asks for, after every check on it.
func (a *Auth) verifyLogout(ctx context.Context, raw string) (logout, *refusal) {
	if no := a.checkShape("logout_token", raw); no != nil {
		return logout{}, no
	}
	d, err := a.provider.discovered(ctx)
	if err != nil {
		return logout{}, down("discovery", err)
	}
	token, all, no := a.checkSigned(ctx, d.logout, raw)
	if no != nil {
		return logout{}, no
	}
	l := logout{subject: token.Subject, issued: token.IssuedAt}
	var events map[string]map[string]any
	switch {
	case all["nonce"] != nil: // an ID token is no logout token
		return logout{}, untrusted("nonce", nil)
	case json.Unmarshal(all["events"], &events) != nil || events[logoutEvent] == nil:
		return logout{}, untrusted("events", nil)
	case !optional(all["sub"], &l.subject) || !optional(all["sid"], &l.sid) || l.subject == "" && l.sid == "":
		return logout{}, untrusted("sub", nil)
	case !optional(all["jti"], &l.id) || l.id == "":
		return logout{}, untrusted("jti", nil)
	}
	return l, nil
}

// optional reads a claim that is a name into s, and reports false for one that
// is there and is no name.
func optional(raw json.RawMessage, s *string) bool {
	return raw == nil || json.Unmarshal(raw, s) == nil && validSubject(*s)
}

// endAll ends the sessions of l and returns whose they were.
func (a *Auth) endAll(ctx context.Context, l logout) (ended []Actor, err error) {
	err = a.db.Write(ctx, func(tx *sql.Tx) error {
		// As long as the token would be believed, with a minute to spare.
		until := a.cfg.Now().Add(iatPast + iatFuture + skew)
		if err := a.store.use(ctx, tx, l.name(), until); err != nil {
			return err
		}
		if err := a.store.remember(ctx, tx, l); err != nil {
			return fmt.Errorf("remember a logout: %w", err)
		}
		if ended, err = a.store.endAll(ctx, tx, l); err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		for _, who := range ended {
			if err := a.cfg.Audit.EndedByProvider(ctx, tx, who); err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}

// endAll deletes the sessions of l and returns whose it was, of each that was not over.
// Of a session that the provider did not name at sign-in, the subject has to do. One
// that is over for want of use ends too: a bulk run may go on by the role that it had.
func (s *store) endAll(ctx context.Context, tx *sql.Tx, l logout) (ended []Actor, err error) {
	left := make(map[string]bool) // subjects
	now := s.cfg.Now()
	rows, err := tx.QueryContext(ctx, `DELETE FROM sessions WHERE issuer = $1 AND expires_at > $4
		AND ($2 = '' OR subject = $2) AND ($3 = '' OR sid = $3 OR sid = '' AND $2 <> '')
		RETURNING subject, name, email, role, seen_at`, s.cfg.Issuer, l.subject, l.sid, db.Micros(now))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		who := Actor{Issuer: s.cfg.Issuer}
		var role string
		var seen int64
		if err := rows.Scan(&who.Subject, &who.Name, &who.Email, &role, &seen); err != nil {
			return nil, err
		}
		left[who.Subject] = true
		if who.Role = roleNamed(role); now.Sub(db.Time(seen)) < s.cfg.Idle {
			ended = append(ended, who)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for subject := range left {
		if err := s.markEnded(ctx, tx, Actor{Issuer: s.cfg.Issuer, Subject: subject}); err != nil {
			return nil, err
		}
	}
	return ended, nil
}
