package change

import (
	"context"
	"fmt"
	"log/slog"

	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

// A Mark is where the changes of an account stood at a moment.
type Mark struct {
	Changes int     // that there were, whatever became of them
	By      *Change // the one that held the account, nil for none
}

// Mark returns where the changes of an account stand. When nobody holds it now, and
// later there are no more of them, then no server on this database has begun a write to
// it in between. The order of IDs would not tell: a clock may be wrong.
func (l *Ledger) Mark(ctx context.Context, id wave.UserID) (Mark, error) {
	var m Mark
	// The number first: a change that opens between the two is held, or makes one more.
	err := l.db.Read().QueryRowContext(ctx, "SELECT count(*) FROM changes WHERE account = $1", string(id)).Scan(&m.Changes)
	if err != nil {
		return Mark{}, fmt.Errorf("count the changes of an account: %w", err)
	}
	m.By, err = selectOne(ctx, l.db.Read(), "lock_key = $1", l.lockKey(Change{Account: id}))
	return m, err
}

// Behind returns a context with which the steps of a change let those of others go
// first.
func Behind(ctx context.Context) context.Context { return db.Behind(ctx) }

// Ahead undoes Behind.
func Ahead(ctx context.Context) context.Context { return db.Ahead(ctx) }

// hurryChannel is where servers tell each other that someone waits for an account that
// an item of a run holds.
const hurryChannel = "waveadmin_hurry"

// Hurry tells the other servers on the database that someone waits for an account which
// one of them holds for a run. It is a hint, which may get lost. Where no other
// process can have the database it does nothing.
func (l *Ledger) Hurry(ctx context.Context) error {
	if err := l.db.Tell(ctx, hurryChannel); err != nil {
		return fmt.Errorf("tell others that someone waits: %w", err)
	}
	return nil
}

// Hurried calls fn, which must not block, when another server says Hurry, or this one
// does, until ctx ends. Behind a pooler that lets no notification through it never does.
func (l *Ledger) Hurried(ctx context.Context, log *slog.Logger, fn func()) {
	l.db.Listen(ctx, hurryChannel, log, fn)
}
