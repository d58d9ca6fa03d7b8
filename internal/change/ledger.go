package change

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

// leaseTime is how long a process may be silent before its change counts as
// abandoned.
const leaseTime = 30 * time.Second

// Ledger keeps the changes in the database. Every step of a change is a
// transaction of its own, never held during a call of the API, and a step that
// does not follow from the state that the row is in fails with a *StateError.
// It is safe for concurrent use.
type Ledger struct {
	db    *db.DB
	fold  func(string) string
	now   func() time.Time
	owner string // this process
	audit Appender
	ids   ids
	last  lastChanges
	own   ownChanges
}

// Appender records in the audit log that a change came into its state, inside the
// transaction that brings it there. When it fails the change stays as it was.
type Appender interface {
	Append(ctx context.Context, tx *sql.Tx, c Change) error
}

// Options are the settings of a Ledger.
type Options struct {
	Fold func(string) string // makes emails comparable
	Now  func() time.Time    // time.Now when nil
	// Audit gets every state of every change. No audit row, no call: a step that
	// it refuses is not taken. Nil for none.
	Audit Appender
}

// NewLedger returns the ledger in d, whose tables must be up to date.
func NewLedger(ctx context.Context, d *db.DB, o Options) (*Ledger, error) {
	l := &Ledger{db: d, fold: o.Fold, now: o.Now, owner: uuid.NewString(), audit: o.Audit}
	if l.now == nil {
		l.now = time.Now
	}
	if err := l.last.load(ctx, d.Read()); err != nil {
		return nil, err
	}
	return l, nil
}

// A LockedError says that another change holds the account, or the email that is
// to be created.
type LockedError struct{ By Change }

func (e *LockedError) Error() string {
	return fmt.Sprintf("change %s of %s is %s", e.By.ID, e.By.Account, e.By.State)
}

// A SubmittedError says that this submission of a form was taken already.
type SubmittedError struct{ Earlier Change }

func (e *SubmittedError) Error() string {
	return fmt.Sprintf("submitted before as change %s, which is %s", e.Earlier.ID, e.Earlier.State)
}

// A StateError says that a change was not in a state from which a step starts.
type StateError struct {
	ID   string
	From []State
	To   State
}

func (e *StateError) Error() string {
	return fmt.Sprintf("change %s cannot become %s: it is not %v", e.ID, e.To, e.From)
}

// Open records c as running, which takes the lock of its account, and returns it
// with its ID and the time of the lock. The IDs of an account sort in the order in which
// they were opened, though the clocks of servers differ. It fails with a *SubmittedError when the
// submit id was used by a change that is not known to have done nothing, and with
// a *LockedError when another change holds the account or the email: one that is
// under way, or one in doubt that may still arrive.
func (l *Ledger) Open(ctx context.Context, c Change) (Change, error) {
	c.State, c.Holds = Running, true
	c.Actor.Role = 0
	key := l.lockKey(c)
	err := l.db.Write(ctx, func(tx *sql.Tx) (err error) {
		c.Created = l.moment() // of the lock, not of waiting for it
		newest, err := newestID(ctx, tx, c.Account)
		if err != nil {
			return err
		}
		if c.ID, err = l.ids.next(c.Created, newest); err != nil {
			return err
		}
		if c.SubmitID != "" {
			earlier, err := selectOne(ctx, tx, "submit_id = $1 AND state NOT IN ('failed', 'cancelled')", c.SubmitID)
			if err != nil {
				return err
			}
			if earlier != nil {
				return &SubmittedError{*earlier}
			}
		}
		holder, err := selectOne(ctx, tx, "lock_key = $1", key)
		if err != nil {
			return err
		}
		if holder != nil {
			return &LockedError{*holder}
		}
		if err := insert(ctx, tx, c, key, l.owner, c.Created.Add(leaseTime)); err != nil {
			return err
		}
		return l.record(ctx, tx, c)
	})
	if err != nil {
		return Change{}, fmt.Errorf("open a change: %w", err)
	}
	return c, nil
}

// lockKey names what c holds.
func (l *Ledger) lockKey(c Change) string {
	if c.Kind == Create {
		return "email:" + l.fold(c.Email)
	}
	return "account:" + string(c.Account)
}

// Intend records what c is about to do: from here on it counts as sent. It takes
// Before, After, PasswordBefore and Listed of c, which must be set as its kind
// demands, and returns it with its new state. What Before shows that was not known yet is
// recorded as done outside. When it fails nothing may be sent.
func (l *Ledger) Intend(ctx context.Context, c Change) (Change, error) {
	c.SentAt = l.moment()
	before, err := metaColumn(c.Before)
	if err != nil {
		return c, err
	}
	after, err := metaColumn(c.After)
	if err != nil {
		return c, err
	}
	err = l.step(ctx, c, Sent, []State{Running},
		"before_meta = $2, after_meta = $3, password_before = $4, listed_at = $5, sent_at = $6, lease_until = $7",
		before, after, db.Micros(c.PasswordBefore), db.Micros(c.Listed), db.Micros(c.SentAt), db.Micros(c.SentAt.Add(leaseTime)))
	if err != nil {
		return c, err
	}
	c.State = Sent
	return c, nil
}

// Close records how c ended, or that it is in doubt: State, Account (of a create),
// Status, Fault and Detail are taken from it. Before Intend a change ends as
// NoChange, Conflict, Failed or Cancelled; after it as Done, Failed or InDoubt. In
// doubt it keeps the lock, as it may still arrive. But a password change lets go:
// it overwrites nothing that another one needs.
func (l *Ledger) Close(ctx context.Context, c Change) (Change, error) {
	from := []State{Running}
	switch c.State {
	case Done, InDoubt:
		from = []State{Sent}
	case Failed:
		from = []State{Running, Sent}
	case NoChange, Conflict, Cancelled:
	default:
		return c, &StateError{c.ID, from, c.State}
	}
	return l.finish(ctx, c, from)
}

// Settle records what ended the doubt about c: it becomes Done or Failed, with
// Account, Fault and Detail as in Close. That was a reading, or else Decided of c
// says who knows it, with a reason.
func (l *Ledger) Settle(ctx context.Context, c Change) (Change, error) {
	if c.State != Done && c.State != Failed {
		return c, &StateError{c.ID, []State{InDoubt}, c.State}
	}
	return l.finish(ctx, c, []State{InDoubt})
}

// Release lets go of what c holds, which is in doubt and stays so: no reading
// will tell. Detail is taken from c.
func (l *Ledger) Release(ctx context.Context, c Change) (Change, error) {
	c.Detail, c.Holds = clip(c.Detail), false
	err := l.step(ctx, c, InDoubt, []State{InDoubt}, "lock_key = NULL, detail = $2", c.Detail)
	return c, err
}

// keptInDoubt is the lock_key of a row that becomes in doubt.
const keptInDoubt = "CASE WHEN kind = 'password' THEN NULL ELSE lock_key END"

func (l *Ledger) finish(ctx context.Context, c Change, from []State) (Change, error) {
	kept := "NULL"
	c.Finished = l.moment()
	if c.State == InDoubt {
		kept = keptInDoubt
		c.Finished, c.Holds = time.Time{}, c.Kind != Password
	}
	c.Detail = clip(c.Detail)
	err := l.step(ctx, c, c.State, from, "lock_key = "+kept+
		", account = $2, upstream_status = $3, fault = $4, detail = $5, finished_at = $6, decided_issuer = $7, decided_subject = $8,"+
		" decided_name = $9, decided_reason = $10, lease_owner = '', lease_until = 0",
		string(c.Account), c.Status, c.Fault, c.Detail, db.Micros(c.Finished),
		c.Decided.By.Issuer, c.Decided.By.Subject, c.Decided.By.Display(), c.Decided.Reason)
	if err != nil {
		return c, err
	}
	c.Holds = c.Holds && c.State == InDoubt
	if c.State == Done {
		l.last.note(c)
		if !l.db.Exclusive() { // else nobody looks for those of others, and drops it
			l.own.note(c.ID, c.Finished)
		}
	}
	return c, nil
}

// step moves the row of c to state to, if it is in one of from. Its own
// arguments in set start at $2.
func (l *Ledger) step(ctx context.Context, c Change, to State, from []State, set string, args ...any) error {
	names := make([]string, len(from))
	for i, s := range from {
		names[i] = "'" + string(s) + "'"
	}
	query := fmt.Sprintf("UPDATE changes SET state = '%s', %s WHERE id = $1 AND state IN (%s)", to, set, strings.Join(names, ", "))
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, query, slices.Concat([]any{c.ID}, args)...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n != 1 {
			err = &StateError{c.ID, from, to}
		}
		if err != nil {
			return err
		}
		c.State = to
		if err := l.know(ctx, tx, c); err != nil {
			return err
		}
		if to == Done {
			if err := l.db.Notify(ctx, tx, finishedChannel); err != nil {
				return err
			}
		}
		return l.record(ctx, tx, c)
	})
	if err != nil {
		return fmt.Errorf("record a change as %s: %w", to, err)
	}
	return nil
}

// record appends c to the audit log, as the last thing that tx does.
func (l *Ledger) record(ctx context.Context, tx *sql.Tx, c Change) error {
	if l.audit == nil {
		return nil
	}
	return l.audit.Append(ctx, tx, c)
}

// LastOf returns the newest done change of an account, from memory.
func (l *Ledger) LastOf(id wave.UserID) (Last, bool) { return l.last.of(id) }

// moment is now as a row keeps it.
func (l *Ledger) moment() time.Time { return db.Time(db.Micros(l.now())) }
