package change

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

// Seen is one account as a list shows it, or that a list shows it no more.
type Seen struct {
	Account        wave.UserID
	Email, Company string
	Meta           wave.Meta
	Gone           bool // only Account is set
}

// known is a row of known_accounts.
type known struct {
	email, company string
	meta           wave.Meta
	at             time.Time
	by             string
	gone           bool
}

func readKnown(ctx context.Context, tx *sql.Tx, id wave.UserID) (*known, error) {
	var k known
	var meta string
	var at, gone int64
	err := tx.QueryRowContext(ctx, "SELECT email, company, meta, known_at, known_by, gone FROM known_accounts WHERE account = $1", string(id)).
		Scan(&k.email, &k.company, &meta, &at, &k.by, &gone)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = k.meta.UnmarshalJSON([]byte(meta))
	}
	if err != nil {
		return nil, fmt.Errorf("read what is known of %s: %w", id, err)
	}
	k.at, k.gone = db.Time(at), gone != 0
	return &k, nil
}

// Known calls fn with every account that is known to be there, in no order, and reports
// whether all accounts have been seen before; see Adopt.
func (l *Ledger) Known(ctx context.Context, fn func(Seen)) (any bool, err error) {
	err = l.eachKnown(ctx, func(s Seen) {
		if s.Account == "" {
			any = true
			return
		}
		fn(s)
	}, "1 = 1")
	return any, err
}

// eachKnown calls fn with the accounts that are known to be there and that where selects.
func (l *Ledger) eachKnown(ctx context.Context, fn func(Seen), where string, args ...any) error {
	rows, err := l.db.Read().QueryContext(ctx, "SELECT account, email, company, meta FROM known_accounts WHERE gone = 0 AND "+where, args...)
	if err != nil {
		return fmt.Errorf("read the known accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s Seen
		var meta string
		err := rows.Scan(&s.Account, &s.Email, &s.Company, &meta)
		if err == nil {
			err = s.Meta.UnmarshalJSON([]byte(meta))
		}
		if err != nil {
			return fmt.Errorf("read a known account: %w", err)
		}
		fn(s)
	}
	return rows.Err()
}

// adoptRows is how many rows one transaction takes: others wait for it.
const adoptRows = 500

// Adopt takes all accounts of the first list ever as known: nothing is said to
// have been done outside. Answered is when that list was there. It may be done
// again, also by several processes at once.
func (l *Ledger) Adopt(ctx context.Context, answered time.Time, all []Seen) error {
	for part := range slices.Chunk(all, adoptRows) {
		err := l.db.Write(ctx, func(tx *sql.Tx) error {
			for _, s := range part {
				if err := l.adopt(ctx, tx, s, answered); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("note the accounts that there are: %w", err)
		}
	}
	return l.db.Write(ctx, func(tx *sql.Tx) error { return l.adopt(ctx, tx, Seen{}, answered) })
}

// adopt takes s as known unless something of the account is known already, from a
// change that was quicker.
func (l *Ledger) adopt(ctx context.Context, tx *sql.Tx, s Seen, at time.Time) error {
	return l.keep(ctx, tx, s, at, "DO NOTHING")
}

// replace takes s as known in place of what was.
func (l *Ledger) replace(ctx context.Context, tx *sql.Tx, s Seen, at time.Time) error {
	return l.keep(ctx, tx, s, at, `DO UPDATE SET email = excluded.email, company = excluded.company, meta = excluded.meta,
		known_at = excluded.known_at, known_by = excluded.known_by, gone = 0`)
}

// replaceMeta takes the flags of s as known. A change knows no newer address.
func (l *Ledger) replaceMeta(ctx context.Context, tx *sql.Tx, s Seen, at time.Time) error {
	return l.keep(ctx, tx, s, at, "DO UPDATE SET meta = excluded.meta, known_at = excluded.known_at, known_by = excluded.known_by, gone = 0")
}

// bury notes that an account is gone.
func (l *Ledger) bury(ctx context.Context, tx *sql.Tx, id wave.UserID, at time.Time) error {
	return l.keep(ctx, tx, Seen{Account: id, Gone: true}, at, "DO UPDATE SET known_at = excluded.known_at, known_by = excluded.known_by, gone = 1")
}

func (l *Ledger) keep(ctx context.Context, tx *sql.Tx, s Seen, at time.Time, conflict string) error {
	meta, err := s.Meta.MarshalJSON()
	if err != nil {
		return err
	}
	gone := 0
	if s.Gone {
		gone = 1
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO known_accounts (account, email, company, meta, known_at, known_by, gone)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account) `+conflict,
		string(s.Account), s.Email, s.Company, string(meta), db.Micros(at), l.owner, gone)
	return err
}

// know takes into account what the step of c into its state tells: under the lock
// it saw the account, and what it did is not done outside. A new account is known
// when a list shows it; see Observe. One that had let go of the account tells
// nothing: what is there now may have come after it.
func (l *Ledger) know(ctx context.Context, tx *sql.Tx, c Change) error {
	switch {
	case !c.Holds:
	case c.State == Sent && c.Before != nil:
		return l.knowBefore(ctx, tx, c)
	case c.State == Done && c.Kind == Delete:
		return l.bury(ctx, tx, c.Account, c.Finished)
	case c.State == Done && c.Kind == Meta && c.After != nil:
		return l.replaceMeta(ctx, tx, seenBy(c, *c.After), c.Finished)
	}
	return nil
}

func seenBy(c Change, m wave.Meta) Seen {
	return Seen{Account: c.Account, Email: c.Email, Company: c.Company, Meta: m}
}

// knowBefore records as done outside what c found otherwise than it was known.
func (l *Ledger) knowBefore(ctx context.Context, tx *sql.Tx, c Change) error {
	k, err := readKnown(ctx, tx, c.Account)
	if err != nil {
		return err
	}
	found := seenBy(c, *c.Before)
	switch {
	case k == nil || k.gone:
		all, err := readKnown(ctx, tx, "")
		if all == nil || err != nil { // the first list is still to be adopted
			return errors.Join(err, l.replaceMeta(ctx, tx, found, c.SentAt))
		}
		k = nil
	case len(material(k.meta, *c.Before)) == 0:
		return nil
	default:
		found.Email = k.email // which the list that c has seen may be too old for
	}
	rows, err := differences(ctx, tx, k, found)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.ID, err = idBefore(c.ID); err != nil { // c is what found it
			return err
		}
		if _, err := l.insertOutside(ctx, tx, row, c.Created); err != nil {
			return err
		}
	}
	return l.replaceMeta(ctx, tx, found, c.SentAt)
}

// material returns the flags that differ in what a customer may see: one that is
// not set counts as off, and the vendor adds flags to all accounts at times.
func material(before, after wave.Meta) []wave.Moved {
	return slices.DeleteFunc(wave.Diff(before, after), func(m wave.Moved) bool {
		return m.From == wave.Unset && m.To == wave.Off || m.From == wave.Off && m.To == wave.Unset
	})
}
