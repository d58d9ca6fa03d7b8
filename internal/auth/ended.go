package auth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"waveadmin/internal/db"
)

// endedKept is how long it is known that a person lost their role. It is longer than a
// bulk run can be scheduled ahead.
const endedKept = 180 * 24 * time.Hour

// An Ending is why sessions of a person were ended.
type Ending struct {
	Why   string // one of the following
	By    string // who gave the command; empty for none
	Count int
}

// The reasons of an Ending.
const (
	ByThemselves = "person"  // from the list of their sessions
	ByRole       = "role"    // the provider says that they have none any more, or a lower one
	ByCommand    = "command" // of an operator
)

// RoleOf returns what a person may do by what the provider said last. It is NoRole, and
// known, when they have no session and were not let in as an editor since a session of
// theirs was ended by others, the provider or an operator, or since the provider gave
// them a lower role or none. It is not known when they just have no session: they have
// signed out by themselves, or it is over.
func (a *Auth) RoleOf(ctx context.Context, who Actor) (role Role, known bool, err error) {
	return a.store.role(ctx, who)
}

func (s *store) role(ctx context.Context, who Actor) (Role, bool, error) {
	var name string
	err := s.db.Read().QueryRowContext(ctx, `SELECT role FROM sessions WHERE issuer = $1 AND subject = $2 AND expires_at > $3
		ORDER BY checked_at DESC LIMIT 1`, who.Issuer, who.Subject, db.Micros(s.cfg.Now())).Scan(&name)
	if err == nil {
		return roleNamed(name), true, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return NoRole, false, fmt.Errorf("read the role of a person: %w", err)
	}
	var ended int
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM ended_people WHERE issuer = $1 AND subject = $2`, who.Issuer, who.Subject).Scan(&ended)
	if err != nil {
		return NoRole, false, fmt.Errorf("read whether a person was signed out: %w", err)
	}
	return NoRole, ended > 0, nil
}

// markEnded records that a session of who was ended by others, or that they are no editor.
func (s *store) markEnded(ctx context.Context, tx *sql.Tx, who Actor) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO ended_people (issuer, subject, ended_at) VALUES ($1, $2, $3)
		ON CONFLICT (issuer, subject) DO UPDATE SET ended_at = excluded.ended_at`, who.Issuer, who.Subject, db.Micros(s.cfg.Now()))
	return err
}

func (s *store) forgetEnded(ctx context.Context, tx *sql.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM ended_people WHERE ended_at < $1`, db.Micros(now.Add(-endedKept)))
	return err
}

// makeWay ends what does not go together with a session of rec: the one that it
// replaces, and those of the same person with a role that they have no longer. That
// others had ended a session of theirs is past once they are an editor. It fails with
// errGone when the one that rec goes on from has ended: that is not undone by whatever
// was under way.
func (s *store) makeWay(ctx context.Context, tx *sql.Tx, rec record) error {
	res, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE id = $1`, rec.former)
	if err != nil {
		return err
	}
	switch n, err := res.RowsAffected(); {
	case err != nil:
		return err
	case n == 0 && rec.again != "":
		if err := s.checkMoved(ctx, tx, rec); err != nil {
			return err
		}
	}
	if rec.Role == Editor {
		_, err := tx.ExecContext(ctx, `DELETE FROM ended_people WHERE issuer = $1 AND subject = $2`, rec.Issuer, rec.Subject)
		return err
	}
	if err := s.markEnded(ctx, tx, rec.Actor); err != nil { // it outlives the session
		return err
	}
	_, err = s.end(ctx, tx, rec.Actor, ByRole, `role = $3`, Editor.String())
	return err
}

// checkMoved fails with errGone unless the session that rec goes on from goes on already,
// as it does when several tabs go through the provider at once. It began when its
// successor did.
func (s *store) checkMoved(ctx context.Context, tx *sql.Tx, rec record) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sessions WHERE issuer = $1 AND subject = $2 AND created_at = $3`,
		rec.Issuer, rec.Subject, db.Micros(rec.started)).Scan(&n)
	if err == nil && n == 0 {
		err = errGone
	}
	return err
}

// endPerson ends all sessions of someone who has no role any more. If they have none, a
// run of theirs may still wait for its time.
func (s *store) endPerson(ctx context.Context, who Actor) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := s.markEnded(ctx, tx, who); err != nil {
			return err
		}
		_, err := s.end(ctx, tx, who, ByRole, `1 = 1`)
		return err
	})
}

// end ends the sessions of who that where selects, whose arguments start at $3, and
// returns how many.
func (s *store) end(ctx context.Context, tx *sql.Tx, who Actor, why, where string, args ...any) (int, error) {
	res, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE issuer = $1 AND subject = $2 AND `+where,
		append([]any{who.Issuer, who.Subject}, args...)...)
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return 0, err
	}
	if why != ByThemselves {
		if err := s.markEnded(ctx, tx, who); err != nil {
			return 0, err
		}
	}
	return int(n), s.cfg.Audit.SessionsEnded(ctx, tx, who, Ending{Why: why, Count: int(n)})
}
