package auth

import (
	"context"
	"database/sql"
	"errors"

	"waveadmin/internal/db"
	"waveadmin/internal/fault"
)

// Why a session is not stored although the provider's answer was good: what it goes
// back to has ended while it was on its way.
var (
	// errLoggedOut: the provider has ended the sessions that this would be one of.
	errLoggedOut = errors.New("signed out by the provider meanwhile")
	// errGone: the session that was to go on under a new id is over.
	errGone = errors.New("the session ended meanwhile")
)

// overtaken returns the refusal of a sign-in for which begin failed with err, or nil
// when it failed for another reason.
func overtaken(err error, who Actor) *refusal {
	no := &refusal{kind: fault.Invalid, say: fault.Say("signin.ended_meanwhile"), who: who}
	switch {
	case errors.Is(err, errLoggedOut):
		no.code = "logged_out_meanwhile"
	case errors.Is(err, errGone):
		no.code = "session_gone"
	default:
		return nil
	}
	return no
}

// remember keeps with the used token of l whose sessions it ends, as long as an ID
// token from before it would be believed.
func (s *store) remember(ctx context.Context, tx *sql.Tx, l logout) error {
	_, err := tx.ExecContext(ctx, `UPDATE used_logins SET issuer = $1, subject = $2, sid = $3, issued_at = $4, used_at = $5 WHERE state = $6`,
		s.cfg.Issuer, l.subject, l.sid, db.Micros(l.issued), db.Micros(s.cfg.Now()), hashOf(l.name()))
	return err
}

// checkMeanwhile fails with errLoggedOut when the provider has ended what rec would be a
// session of: after its ID token was made, or after the attempt began, for a provider
// may give out a token that it should not any more. Like store.endAll it ends by the
// subject what the provider did not name.
//
// Tokens tell time in seconds. Within the same one a session that is named counts as
// ended; for all sessions of a person the start of the attempt decides, so that who
// signs in again at once is let in.
func (s *store) checkMeanwhile(ctx context.Context, tx *sql.Tx, rec record) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM used_logins WHERE issuer = $1 AND (issued_at > $4 OR issued_at = $4 AND sid <> '' OR used_at >= $5)
		AND (subject = '' OR subject = $2) AND (sid = '' OR sid = $3 OR $3 = '' AND subject <> '')`,
		rec.Issuer, rec.Subject, rec.sid, db.Micros(rec.issued), db.Micros(rec.begun)).Scan(&n)
	if err == nil && n > 0 {
		err = errLoggedOut
	}
	return err
}
