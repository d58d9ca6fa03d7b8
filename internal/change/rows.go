package change

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// columns of a Change, in the order in which scan reads them.
const columns = `id, kind, state, account, email, email_before, company, actor_issuer, actor_subject, actor_name, actor_email,
	reason, source, submit_id, undo_of, restore_of, run_id, wanted, before_meta, after_meta, password_before, input_type, notify,
	upstream_status, fault, detail, lock_key IS NOT NULL, decided_issuer, decided_subject, decided_name, decided_reason,
	since_at, created_at, listed_at, sent_at, finished_at`

// Submitted returns the change with that submit id which is not known to have done
// nothing, or false.
func (l *Ledger) Submitted(ctx context.Context, submitID string) (Change, bool, error) {
	c, err := selectOne(ctx, l.db.Read(), "submit_id = $1 AND state NOT IN ('failed', 'cancelled')", submitID)
	if err != nil || c == nil {
		return Change{}, false, err
	}
	return *c, true, nil
}

// Get returns one change, or fails with fault.NotFound.
func (l *Ledger) Get(ctx context.Context, id string) (Change, error) {
	c, err := selectOne(ctx, l.db.Read(), "id = $1", id)
	if err != nil {
		return Change{}, err
	}
	if c == nil {
		return Change{}, fault.New(fault.NotFound, fmt.Errorf("change %q", id))
	}
	return *c, nil
}

// ListByAccount returns the newest changes of an account, newest first, at most
// limit.
func (l *Ledger) ListByAccount(ctx context.Context, id wave.UserID, limit int) ([]Change, error) {
	return selectAll(ctx, l.db.Read(), "account = $1 ORDER BY id DESC LIMIT $2", string(id), limit)
}

// InDoubt returns the changes that are not settled, those that are left to a
// person included, oldest first.
func (l *Ledger) InDoubt(ctx context.Context) ([]Change, error) {
	return selectAll(ctx, l.db.Read(), "state = 'in_doubt' ORDER BY id")
}

// Creating returns the creation of that email which is under way or in doubt, or nil.
func (l *Ledger) Creating(ctx context.Context, email string) (*Change, error) {
	return selectOne(ctx, l.db.Read(), "lock_key = $1", l.lockKey(Change{Kind: Create, Email: email}))
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// selectOne returns the change that where selects, or nil.
func selectOne(ctx context.Context, q querier, where string, args ...any) (*Change, error) {
	all, err := selectAll(ctx, q, where, args...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

func selectAll(ctx context.Context, q querier, where string, args ...any) ([]Change, error) {
	return queryAll(ctx, q, "SELECT "+columns+" FROM changes WHERE "+where, args...)
}

// queryAll returns the changes of a query for columns.
func queryAll(ctx context.Context, q querier, query string, args ...any) ([]Change, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close()
	var out []Change
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read a change: %w", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	return out, nil
}

func scan(rows *sql.Rows) (Change, error) {
	var c Change
	var submitID, undoOf, restoreOf, runID, wanted, before, after sql.NullString
	var password, notify, since, created, listed, sent, finished int64
	err := rows.Scan(&c.ID, &c.Kind, &c.State, &c.Account, &c.Email, &c.EmailBefore, &c.Company,
		&c.Actor.Issuer, &c.Actor.Subject, &c.Actor.Name, &c.Actor.Email,
		&c.Reason, &c.Source, &submitID, &undoOf, &restoreOf, &runID, &wanted, &before, &after, &password, &c.Input, &notify,
		&c.Status, &c.Fault, &c.Detail, &c.Holds, &c.Decided.By.Issuer, &c.Decided.By.Subject, &c.Decided.By.Name, &c.Decided.Reason,
		&since, &created, &listed, &sent, &finished)
	if err != nil {
		return Change{}, err
	}
	c.SubmitID, c.UndoOf, c.RestoreOf, c.RunID, c.Notify = submitID.String, undoOf.String, restoreOf.String, runID.String, notify != 0
	c.PasswordBefore, c.Since = db.Time(password), db.Time(since)
	c.Created, c.Listed, c.SentAt, c.Finished = db.Time(created), db.Time(listed), db.Time(sent), db.Time(finished)
	if wanted.Valid {
		if err := json.Unmarshal([]byte(wanted.String), &c.Wanted); err != nil {
			return Change{}, fmt.Errorf("%s: wanted: %w", c.ID, err)
		}
	}
	if c.Before, err = readMeta(before); err != nil {
		return Change{}, fmt.Errorf("%s: before: %w", c.ID, err)
	}
	if c.After, err = readMeta(after); err != nil {
		return Change{}, fmt.Errorf("%s: after: %w", c.ID, err)
	}
	return c, nil
}

// insert writes c as a new row, with lockKey or, where that is empty, without a
// lock.
func insert(ctx context.Context, tx *sql.Tx, c Change, lockKey, owner string, lease time.Time) error {
	var wanted sql.NullString
	if c.Wanted != nil {
		b, err := json.Marshal(c.Wanted)
		if err != nil {
			return fmt.Errorf("wanted: %w", err)
		}
		wanted = sql.NullString{String: string(b), Valid: true}
	}
	before, err := metaColumn(c.Before)
	if err != nil {
		return err
	}
	after, err := metaColumn(c.After)
	if err != nil {
		return err
	}
	notify := 0
	if c.Notify {
		notify = 1
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO changes (id, kind, state, lock_key, account, email, email_before, company,
		actor_issuer, actor_subject, actor_name, actor_email, reason, source, submit_id, undo_of, restore_of, run_id, wanted, before_meta, after_meta,
		password_before, input_type, notify, upstream_status, fault, detail, decided_issuer, decided_subject, decided_name, decided_reason,
		lease_owner, lease_until, since_at, created_at, sent_at, finished_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
		0, $22, $23, 0, '', '', '', '', '', '', $24, $25, $26, $27, 0, $28)`,
		c.ID, string(c.Kind), string(c.State), orNull(lockKey), string(c.Account), c.Email, c.EmailBefore, c.Company,
		c.Actor.Issuer, c.Actor.Subject, c.Actor.Name, c.Actor.Email, c.Reason, string(c.Source),
		orNull(c.SubmitID), orNull(c.UndoOf), orNull(c.RestoreOf), orNull(c.RunID), wanted, before, after,
		string(c.Input), notify, owner, db.Micros(lease), db.Micros(c.Since), db.Micros(c.Created), db.Micros(c.Finished))
	if err != nil {
		return err
	}
	return insertFlags(ctx, tx, c)
}

// insertFlags makes c findable by the flags that it is about.
func insertFlags(ctx context.Context, tx *sql.Tx, c Change) error {
	flags := slices.Sorted(maps.Keys(c.Wanted))
	if c.Source == Outside && c.Kind == Meta {
		for _, m := range c.Moved() {
			flags = append(flags, m.Key)
		}
	}
	if len(flags) == 0 {
		return nil
	}
	values, args := make([]string, len(flags)), []any{c.ID}
	for i, flag := range flags {
		values[i] = fmt.Sprintf("($%d, $1)", i+2)
		args = append(args, string(flag))
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO change_flags (flag, change_id) VALUES "+strings.Join(values, ", "), args...)
	return err
}

func orNull(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// metaColumn returns m as a column keeps it: NULL for nil.
func metaColumn(m *wave.Meta) (sql.NullString, error) {
	if m == nil {
		return sql.NullString{}, nil
	}
	b, err := m.MarshalJSON()
	if err != nil {
		return sql.NullString{}, err
	}
	return sql.NullString{String: string(b), Valid: true}, nil
}

func readMeta(s sql.NullString) (*wave.Meta, error) {
	if !s.Valid {
		return nil, nil
	}
	m := new(wave.Meta)
	if err := m.UnmarshalJSON([]byte(s.String)); err != nil {
		return nil, err
	}
	return m, nil
}

// maxDetail is how much of an error a row keeps, in bytes.
const maxDetail = 1000

// clip returns the start of s as every engine takes it: valid UTF-8 without NUL.
func clip(s string) string {
	s = strings.ReplaceAll(s[:min(len(s), maxDetail)], "\x00", "")
	return strings.ToValidUTF8(s, "\uFFFD")
}
