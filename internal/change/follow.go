package change

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"waveadmin/internal/db"
)

const (
	// finishedChannel is where servers tell each other that a change is done.
	finishedChannel = "waveadmin_changes"
	// followBack is how far back each look goes: clocks differ, and a transaction
	// that began earlier may commit later.
	followBack = 30 * time.Second
)

// ownChanges are the changes that this process has just finished.
type ownChanges struct {
	mu sync.Mutex
	m  map[string]time.Time
}

func (o *ownChanges) note(id string, at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.m == nil {
		o.m = make(map[string]time.Time)
	}
	o.m[id] = at
}

// drop forgets what no look goes back to.
func (o *ownChanges) drop(before time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, at := range o.m {
		if at.Before(before) {
			delete(o.m, id)
		}
	}
}

func (o *ownChanges) has(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.m[id]
	return ok
}

// Follow calls fn with each change that another server on the same database has
// done, soon after it is: PostgreSQL says so, and behind a pooler that lets this
// through to nobody it is looked for every two seconds. It returns when ctx ends.
// Where no other process can have the database it only waits.
func (l *Ledger) Follow(ctx context.Context, log *slog.Logger, fn func(Change)) {
	told := make(map[string]time.Time)
	l.db.Follow(ctx, finishedChannel, log, func(ctx context.Context) error { return l.look(ctx, told, fn) })
}

// look tells fn of the changes of others that it was not told of, oldest first.
func (l *Ledger) look(ctx context.Context, told map[string]time.Time, fn func(Change)) error {
	now := l.moment()
	// A bulk run finishes many, and each look sees the same ones again: only what is
	// new is read whole.
	ended, err := l.ended(ctx, now.Add(-followBack))
	if err != nil {
		return err
	}
	var fresh []string
	for _, id := range ended {
		if _, known := told[id]; !known && !l.own.has(id) {
			fresh = append(fresh, id)
		}
	}
	changes, err := l.GetMany(ctx, fresh)
	if err != nil {
		return err
	}
	for _, id := range fresh {
		c := changes[id]
		told[id] = c.Finished
		l.last.note(c)
		fn(c)
	}
	for id, at := range told {
		if at.Before(now.Add(-2 * followBack)) {
			delete(told, id)
		}
	}
	l.own.drop(now.Add(-2 * followBack))
	return nil
}

// ended returns the ids of what was done here at a time or later, oldest first.
func (l *Ledger) ended(ctx context.Context, from time.Time) (ids []string, err error) {
	rows, err := l.db.Read().QueryContext(ctx, `SELECT id FROM changes
		WHERE finished_at >= $1 AND state = 'done' AND source <> 'outside' ORDER BY finished_at, id`, db.Micros(from))
	if err != nil {
		return nil, fmt.Errorf("read what was done: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read what was done: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
