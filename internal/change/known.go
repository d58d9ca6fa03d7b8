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
}

func readKnown(ctx context.Context, tx *sql.Tx, id wave.UserID) (*known, error) {
	var k known
	var meta string
	var at int64
	err := tx.QueryRowContext(ctx, "SELECT email, company, meta, known_at, known_by FROM known_accounts WHERE account = $1", string(id)).
		Scan(&k.email, &k.company, &meta, &at, &k.by)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = k.meta.UnmarshalJSON([]byte(meta))
	}
	if err != nil {
		return nil, fmt.Errorf("read what is known of %s: %w", id, err)
	}
	k.at = db.Time(at)
	return &k, nil
}

// Known calls fn with every account as it is known, in no order, and reports
// whether all accounts have been seen before; see Adopt.
func (l *Ledger) Known(ctx context.Context, fn func(Seen)) (any bool, err error) {
	rows, err := l.db.Read().QueryContext(ctx, "SELECT account, email, company, meta FROM known_accounts")
	if err != nil {
		return false, fmt.Errorf("read the known accounts: %w", err)
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
			return false, fmt.Errorf("read a known account: %w", err)
		}
		if s.Account == "" {
			any = true
			continue
		}
		fn(s)
	}
	return any, rows.Err()
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

func (l *Ledger) adopt(ctx context.Context, tx *sql.Tx, s Seen, at time.Time) error {
	meta, err := s.Meta.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO known_accounts (account, email, company, meta, known_at, known_by) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account) DO NOTHING`, string(s.Account), s.Email, s.Company, string(meta), db.Micros(at), l.owner)
	return err
}

// replace takes s as known in place of what was.
func (l *Ledger) replace(ctx context.Context, tx *sql.Tx, s Seen, at time.Time) error {
	if err := forget(ctx, tx, s.Account); err != nil {
		return err
	}
	return l.adopt(ctx, tx, s, at)
}

func forget(ctx context.Context, tx *sql.Tx, id wave.UserID) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM known_accounts WHERE account = $1", string(id))
	return err
}

func (l *Ledger) setMeta(ctx context.Context, tx *sql.Tx, id wave.UserID, m wave.Meta, at time.Time) error {
	meta, err := m.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE known_accounts SET meta = $1, known_at = $2, known_by = $3 WHERE account = $4",
		string(meta), db.Micros(at), l.owner, string(id))
	return err
}

// know takes into account what the step of c into its state tells: under the lock
// it saw the account, and what it did is not done outside. A new account is known
// when a list shows it; see Observe.
func (l *Ledger) know(ctx context.Context, tx *sql.Tx, c Change) error {
	switch {
	case c.State == Sent && c.Before != nil:
		return l.knowBefore(ctx, tx, c)
	case c.State == Done && c.Kind == Delete:
		return forget(ctx, tx, c.Account)
	case c.State == Done && c.Kind == Meta && c.After != nil:
		return l.setMeta(ctx, tx, c.Account, *c.After, c.Finished)
	}
	return nil
}

// knowBefore records as done outside what c found otherwise than it was known.
func (l *Ledger) knowBefore(ctx context.Context, tx *sql.Tx, c Change) error {
	k, err := readKnown(ctx, tx, c.Account)
	if err != nil || k == nil || len(material(k.meta, *c.Before)) == 0 {
		return err
	}
	found := Change{
		Kind: Meta, Account: c.Account, Email: c.Email, Company: c.Company,
		Before: &k.meta, After: c.Before, Since: k.at,
	}
	if found.ID, err = idBefore(c.ID); err != nil { // c is what found it
		return err
	}
	if _, err := l.insertOutside(ctx, tx, found, c.Created); err != nil {
		return err
	}
	return l.setMeta(ctx, tx, c.Account, *c.Before, c.SentAt)
}

// material returns the flags that differ in what a customer may see: one that is
// not set counts as off, and the vendor adds flags to all accounts at times.
func material(before, after wave.Meta) []wave.Moved {
	return slices.DeleteFunc(wave.Diff(before, after), func(m wave.Moved) bool {
		return m.From == wave.Unset && m.To == wave.Off || m.From == wave.Off && m.To == wave.Unset
	})
}
