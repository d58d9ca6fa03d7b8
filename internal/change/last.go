package change

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

// lastChanges knows the newest change of each account that was done here, so that a list of
// accounts needs no query.
type lastChanges struct {
	mu sync.RWMutex
	m  map[wave.UserID]Last
}

func (l *lastChanges) load(ctx context.Context, q *sql.DB) error {
	// From account to account in their index: the table is not read whole.
	rows, err := q.QueryContext(ctx, `WITH RECURSIVE accounts (account) AS (
			SELECT min(account) FROM changes WHERE account > ''
			UNION ALL
			SELECT (SELECT min(account) FROM changes WHERE account > a.account) FROM accounts a WHERE a.account IS NOT NULL),
		newest (id) AS (
			SELECT (SELECT id FROM changes WHERE account = a.account AND state || '' = 'done' AND source || '' <> 'outside' ORDER BY id DESC LIMIT 1)
			FROM accounts a)
		SELECT c.account, c.id, c.finished_at, c.actor_name, c.actor_email, c.actor_subject FROM newest JOIN changes c ON c.id = newest.id`)
	if err != nil {
		return fmt.Errorf("read last changes: %w", err)
	}
	defer rows.Close()
	m := make(map[wave.UserID]Last)
	for rows.Next() {
		var account wave.UserID
		var last Last
		var at int64
		var by auth.Actor
		if err := rows.Scan(&account, &last.ID, &at, &by.Name, &by.Email, &by.Subject); err != nil {
			return fmt.Errorf("read a last change: %w", err)
		}
		last.At, last.By = db.Time(at), by.Display()
		m[account] = last
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read last changes: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.m = m
	return nil
}

// note takes a done change into account. Changes may come in any order.
func (l *lastChanges) note(c Change) {
	if c.Account == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.m[c.Account].ID < c.ID {
		l.m[c.Account] = Last{At: c.Finished, By: c.Actor.Display(), ID: c.ID}
	}
}

func (l *lastChanges) of(id wave.UserID) (Last, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	last, ok := l.m[id]
	return last, ok
}
