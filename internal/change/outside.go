package change

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

// clockSkew is how far apart the clocks of two servers may be.
const clockSkew = leaseTime / 3

// observeRows is how many accounts one transaction judges: others wait for it.
const observeRows = 100

// Observe records what a list shows otherwise than it was known, and that no
// change of ours explains, as done outside this program: a Done change for the
// flags, one for the email, one for an account that came or went. Asked is when
// Wave was asked for the list, answered when it was there. Seen are the accounts
// that may differ; the others are not looked at.
//
// Later are the accounts that cannot be judged by this list, as a change of ours
// is under way or in doubt, or is newer than the list: call again with the next
// one. Several servers may observe the same: it is recorded once.
func (l *Ledger) Observe(ctx context.Context, asked, answered time.Time, seen []Seen) (outside []Change, later []wave.UserID, err error) {
	for part := range slices.Chunk(seen, observeRows) {
		if part, err = l.notKnown(ctx, part); err != nil {
			return outside, later, err
		}
		if len(part) == 0 {
			continue
		}
		var found []Change
		var left []wave.UserID
		err := l.db.Write(ctx, func(tx *sql.Tx) error {
			found, left = nil, nil
			for _, s := range part {
				changes, judged, err := l.observe(ctx, tx, asked, answered, s)
				if err != nil {
					return err
				}
				found = append(found, changes...)
				if !judged {
					left = append(left, s.Account)
				}
			}
			return nil
		})
		if err != nil {
			return outside, later, fmt.Errorf("record what was done outside: %w", err)
		}
		outside, later = append(outside, found...), append(later, left...)
	}
	return outside, later, nil
}

// notKnown returns what of seen is not known just so. A run changes thousands of
// accounts, each of which every server then sees otherwise than before and finds known:
// no other writer waits for that.
func (l *Ledger) notKnown(ctx context.Context, seen []Seen) ([]Seen, error) {
	var places []string
	var args []any
	for n, s := range seen {
		places, args = append(places, fmt.Sprintf("$%d", n+1)), append(args, string(s.Account))
	}
	known := make(map[wave.UserID]Seen, len(seen))
	err := l.eachKnown(ctx, func(s Seen) { known[s.Account] = s }, "account IN ("+strings.Join(places, ", ")+")", args...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(seen), func(s Seen) bool {
		k, ok := known[s.Account]
		return ok && !s.Gone && k.Email == s.Email && k.Company == s.Company && len(wave.Diff(k.Meta, s.Meta)) == 0
	}), nil
}

// observe judges one account, unless judged is false.
func (l *Ledger) observe(ctx context.Context, tx *sql.Tx, asked, answered time.Time, s Seen) (_ []Change, judged bool, err error) {
	k, err := readKnown(ctx, tx, s.Account)
	if err != nil {
		return nil, false, err
	}
	if k != nil {
		since := k.at
		if k.by != l.owner && !l.db.Exclusive() {
			since = since.Add(clockSkew)
		}
		if asked.Before(since) {
			return nil, false, nil
		}
	}
	if busy, err := l.busy(ctx, tx, s); busy || err != nil {
		return nil, false, err
	}
	if s.Gone {
		if k == nil || k.gone {
			return nil, true, nil // of our doing
		}
		c, err := l.insertOutside(ctx, tx, Change{Kind: Delete, Account: s.Account, Email: k.email, Company: k.company, Before: &k.meta, Since: k.at}, asked)
		if err != nil {
			return nil, false, err
		}
		return []Change{c}, true, l.bury(ctx, tx, s.Account, answered)
	}
	if k != nil && k.gone { // it came back
		k = nil
	}
	rows, err := differences(ctx, tx, k, s)
	if err != nil {
		return nil, false, err
	}
	for i := range rows {
		if rows[i], err = l.insertOutside(ctx, tx, rows[i], asked); err != nil {
			return nil, false, err
		}
	}
	return rows, true, l.replace(ctx, tx, s, answered)
}

// busy reports whether a change of ours has the account, or may be making it.
func (l *Ledger) busy(ctx context.Context, tx *sql.Tx, s Seen) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM changes WHERE lock_key IN ($1, $2)",
		l.lockKey(Change{Account: s.Account}), l.lockKey(Change{Kind: Create, Email: s.Email})).Scan(&n)
	return n > 0, err
}

// differences returns what was done outside to an account that is there, of which
// k is known, or nothing yet.
func differences(ctx context.Context, tx *sql.Tx, k *known, s Seen) ([]Change, error) {
	row := Change{Account: s.Account, Email: s.Email, Company: s.Company, After: &s.Meta}
	if k == nil {
		ours, err := created(ctx, tx, s)
		if err != nil {
			return nil, err
		}
		if ours == nil {
			row.Kind = Create
			return []Change{row}, nil
		}
		k = &known{email: s.Email, meta: s.Meta, at: ours.Finished}
		if ours.After != nil { // what it did not send is the API's own
			for key, raw := range ours.After.All() {
				k.meta = k.meta.WithRaw(key, []byte(raw))
			}
		}
	}
	var rows []Change
	row.Since = k.at
	if len(material(k.meta, s.Meta)) > 0 {
		row.Kind, row.Before = Meta, &k.meta
		rows = append(rows, row)
	}
	if k.email != s.Email {
		rows = append(rows, Change{
			Kind: Email, Account: s.Account, Email: s.Email, EmailBefore: k.email, Company: s.Company, Since: k.at,
		})
	}
	return rows, nil
}

// created returns the change that created the account here, or nil. One whose
// account no list has shown so far is known by its email.
func created(ctx context.Context, tx *sql.Tx, s Seen) (*Change, error) {
	// Few have no account: with the texts set as here, every engine looks by that.
	return selectOne(ctx, tx, `account IN ($1, '') AND (account <> '' OR lower(email) = lower($2))
		AND kind || '' = 'create' AND state || '' = 'done' AND source <> 'outside' ORDER BY id || '' DESC LIMIT 1`, string(s.Account), s.Email)
}

// insertOutside completes c, which was seen at a time, and records it.
func (l *Ledger) insertOutside(ctx context.Context, tx *sql.Tx, c Change, at time.Time) (_ Change, err error) {
	if c.ID == "" {
		if c.ID, err = idAt(at); err != nil {
			return c, err
		}
	}
	c.Source, c.State = Outside, Done
	c.Created = db.Time(db.Micros(at))
	c.Finished = c.Created
	if err := insert(ctx, tx, c, "", "", time.Time{}); err != nil {
		return c, err
	}
	return c, l.record(ctx, tx, c)
}
