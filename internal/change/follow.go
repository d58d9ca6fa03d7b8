package change

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"waveadmin/internal/db"
)

const (
	// finishedChannel is where servers tell each other that a change is done.
	finishedChannel = "waveadmin_changes"

	followEvery = 2 * time.Second
	// followBack is how far back each look goes: clocks differ, and a transaction
	// that began earlier may commit later.
	followBack = 30 * time.Second
	followRows = 1000
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
	if l.db.Exclusive() {
		<-ctx.Done()
		return
	}
	wake := make(chan struct{}, 1)
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() {
		l.db.Listen(ctx, finishedChannel, log, func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
	})
	told := make(map[string]time.Time)
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		if err := l.look(ctx, told, fn); err != nil && ctx.Err() == nil {
			log.Warn("what other servers did could not be read", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-ticker.C:
		}
	}
}

// look tells fn of the changes of others that it was not told of.
func (l *Ledger) look(ctx context.Context, told map[string]time.Time, fn func(Change)) error {
	now := l.moment()
	// A bulk run finishes many: they are read in pieces, from the time of the last.
	for from := now.Add(-followBack); ; {
		list, err := selectAll(ctx, l.db.Read(), `finished_at >= $1 AND state = 'done' AND source <> 'outside'
			ORDER BY finished_at, id LIMIT $2`, db.Micros(from), followRows)
		if err != nil {
			return err
		}
		for _, c := range list {
			if _, known := told[c.ID]; known || l.own.has(c.ID) {
				continue
			}
			told[c.ID] = c.Finished
			l.last.note(c)
			fn(c)
		}
		if len(list) < followRows || !list[len(list)-1].Finished.After(from) {
			break
		}
		from = list[len(list)-1].Finished
	}
	for id, at := range told {
		if at.Before(now.Add(-2 * followBack)) {
			delete(told, id)
		}
	}
	l.own.drop(now.Add(-2 * followBack))
	return nil
}
