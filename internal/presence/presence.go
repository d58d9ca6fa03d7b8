// Package presence knows who has unsaved edits on an account at this moment. It is
// a courtesy to the others who look at it, never a lock. All servers share it
// through the database.
package presence

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

const (
	// Life is how long an editor is shown after the last sign of life. Pages give
	// one every 20 seconds.
	Life = 60 * time.Second

	sweepEvery = 10 * time.Minute
)

// Store keeps who is editing. It is safe for concurrent use.
type Store struct {
	db    *db.DB
	now   func() time.Time
	swept atomic.Int64 // when the table was last swept by this process, in microseconds
}

// NewStore returns the store in d, whose tables must be up to date. Now may be nil
// for time.Now.
func NewStore(d *db.DB, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{db: d, now: now}
}

// An Editor is someone who has unsaved edits on an account.
type Editor struct {
	Name  string
	Since time.Time
}

// Editing records that who has unsaved edits on the account. It counts for Life;
// said again in that time, since when stays as it was.
func (s *Store) Editing(ctx context.Context, account wave.UserID, who auth.Actor) error {
	now := s.now()
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO presence (account, issuer, subject, name, since_at, seen_at)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (account, issuer, subject) DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at,
				since_at = CASE WHEN presence.seen_at > $7 THEN presence.since_at ELSE excluded.since_at END`,
			string(account), who.Issuer, who.Subject, who.Display(), db.Micros(now), db.Micros(now), alive(now))
		if err != nil || !s.sweepDue(now) {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM presence WHERE seen_at <= $1", alive(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("record who is editing: %w", err)
	}
	return nil
}

// Done records that who has no unsaved edits on the account any more.
func (s *Store) Done(ctx context.Context, account wave.UserID, who auth.Actor) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM presence WHERE account = $1 AND issuer = $2 AND subject = $3",
			string(account), who.Issuer, who.Subject)
		return err
	})
	if err != nil {
		return fmt.Errorf("record who is not editing any more: %w", err)
	}
	return nil
}

// Others returns who is editing the account, without who asks, the first to begin
// first.
func (s *Store) Others(ctx context.Context, account wave.UserID, who auth.Actor) ([]Editor, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT name, since_at FROM presence
		WHERE account = $1 AND seen_at > $2 AND NOT (issuer = $3 AND subject = $4) ORDER BY since_at, name`,
		string(account), alive(s.now()), who.Issuer, who.Subject)
	if err != nil {
		return nil, fmt.Errorf("read who is editing: %w", err)
	}
	defer rows.Close()
	var out []Editor
	for rows.Next() {
		var e Editor
		var since int64
		if err := rows.Scan(&e.Name, &since); err != nil {
			return nil, fmt.Errorf("read who is editing: %w", err)
		}
		e.Since = db.Time(since)
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read who is editing: %w", err)
	}
	return out, nil
}

// Everyone returns who is editing which account, without who asks, the first to
// begin first.
func (s *Store) Everyone(ctx context.Context, who auth.Actor) (map[wave.UserID][]Editor, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT account, name, since_at FROM presence
		WHERE seen_at > $1 AND NOT (issuer = $2 AND subject = $3) ORDER BY since_at, name`, alive(s.now()), who.Issuer, who.Subject)
	if err != nil {
		return nil, fmt.Errorf("read who is editing: %w", err)
	}
	defer rows.Close()
	out := make(map[wave.UserID][]Editor)
	for rows.Next() {
		var account wave.UserID
		var e Editor
		var since int64
		if err := rows.Scan(&account, &e.Name, &since); err != nil {
			return nil, fmt.Errorf("read who is editing: %w", err)
		}
		e.Since = db.Time(since)
		out[account] = append(out[account], e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read who is editing: %w", err)
	}
	return out, nil
}

// alive is the time of the last sign of life at which an editor just counts no
// more.
func alive(now time.Time) int64 { return db.Micros(now.Add(-Life)) }

// sweepDue reports whether this process should delete the rows that mean nothing:
// of people who closed the page, and so would stay for ever.
func (s *Store) sweepDue(now time.Time) bool {
	last := s.swept.Load()
	return now.Sub(db.Time(last)) >= sweepEvery && s.swept.CompareAndSwap(last, db.Micros(now))
}
