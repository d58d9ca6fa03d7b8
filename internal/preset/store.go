package preset

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// channel is where servers tell each other that a preset or an assignment changed.
const channel = "waveadmin_presets"

// Store keeps presets and assignments in the database, and all of them in memory.
// Each write is one transaction with its line of the audit log: when either fails
// nothing has changed. Writes fail with fault.Forbidden for who is no editor. It is
// safe for concurrent use.
type Store struct {
	db    *db.DB
	fold  func(string) string
	now   func() time.Time
	audit Appender
	state atomic.Pointer[state]

	hurry chan struct{} // is full when KeepPromises is to look
	every time.Duration // it looks by itself
}

// state is a Book and how often anything had changed by then.
type state struct {
	book       *Book
	generation int64
}

// Step is what a person did with a preset.
type Step string

const (
	Created      Step = "created"
	Changed      Step = "changed"
	Deleted      Step = "deleted"
	ChosenForNew Step = "for_new" // new accounts begin with it
	Assigned     Step = "assigned"
	Unassigned   Step = "unassigned"
)

// An Event is a step that was taken, for the audit log.
type Event struct {
	Step     Step
	Preset   *Preset       // as it is after the step, or was before it was deleted
	By       auth.Actor    // who did it
	Accounts []wave.UserID // of Assigned and Unassigned
}

// Appender records an event in the audit log, inside the transaction that takes the
// step. When it fails the step is not taken.
type Appender interface {
	Append(ctx context.Context, tx *sql.Tx, e Event) error
}

// Options are the settings of a Store.
type Options struct {
	Fold  func(string) string // two names that it makes equal are the same
	Now   func() time.Time    // time.Now when nil
	Audit Appender            // nil for none
}

// NewStore returns the store in d, whose tables must be up to date.
func NewStore(ctx context.Context, d *db.DB, o Options) (*Store, error) {
	s := &Store{db: d, fold: o.Fold, now: o.Now, audit: o.Audit, hurry: make(chan struct{}, 1), every: promiseEvery}
	if s.now == nil {
		s.now = time.Now
	}
	s.state.Store(&state{book: NewBook(nil, nil, Defaults), generation: -1})
	return s, s.look(ctx)
}

// Book returns everything as it is now, from memory. After a write of this Store
// it has what was written.
func (s *Store) Book() *Book { return s.state.Load().book }

// Follow keeps Book as other servers on the same database change it, until ctx ends.
func (s *Store) Follow(ctx context.Context, log *slog.Logger) {
	s.db.Follow(ctx, channel, log, s.look)
}

// look reads everything again if someone has changed it.
func (s *Store) look(ctx context.Context) error {
	for {
		before, err := readGeneration(ctx, s.db.Read())
		if err != nil || before == s.state.Load().generation {
			return err
		}
		next, err := load(ctx, s.db.Read())
		if err != nil {
			return err
		}
		// It is several queries: what was committed between them may be in one and
		// not in the next.
		if after, err := readGeneration(ctx, s.db.Read()); err != nil {
			return err
		} else if before == after && before == next.generation {
			s.take(next)
			return nil
		}
	}
}

// take makes next what there is, unless something newer is there already.
func (s *Store) take(next *state) {
	for {
		old := s.state.Load()
		if old.generation >= next.generation || s.state.CompareAndSwap(old, next) {
			return
		}
	}
}

// errUnchanged ends a write in which there was nothing to do.
var errUnchanged = errors.New("nothing to change")

// write runs fn, which returns what it did, and then records that. The writer's lock
// is held, so what fn reads stays so. When fn returns errUnchanged nothing is
// written and write returns nil.
func (s *Store) write(ctx context.Context, by auth.Actor, fn func(tx *sql.Tx) ([]Event, error)) error {
	if !by.MayModify() {
		return &fault.Error{Kind: fault.Forbidden, Say: fault.Say("error.forbidden_editor")}
	}
	var next *state
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		events, err := fn(tx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE preset_book SET generation = generation + 1"); err != nil {
			return err
		}
		if next, err = load(ctx, tx); err != nil {
			return err
		}
		if err := s.db.Notify(ctx, tx, channel); err != nil {
			return err
		}
		return s.record(ctx, tx, events)
	})
	switch {
	case errors.Is(err, errUnchanged):
		return nil
	case err != nil:
		return fmt.Errorf("write presets: %w", err)
	}
	s.take(next)
	return nil
}

// record appends events to the audit log, as the last thing that tx does.
func (s *Store) record(ctx context.Context, tx *sql.Tx, events []Event) error {
	if s.audit == nil {
		return nil
	}
	for _, e := range events {
		e.By.Role = auth.NoRole
		if err := s.audit.Append(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// moment is now as a row keeps it.
func (s *Store) moment() time.Time { return db.Time(db.Micros(s.now())) }
