package bulk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// insertRows is how many items one statement writes. SQLite looks a value up by its name
// among all before it, so a long statement takes longer than many short ones.
const insertRows = 40

func (p *Plans) insert(ctx context.Context, plan *Plan) error {
	unmatched, err := json.Marshal(append([]string{}, plan.Unknown...))
	if err != nil {
		return fmt.Errorf("store a plan: %w", err)
	}
	problems := make([]fault.Text, len(plan.Problems))
	for n, t := range plan.Problems {
		problems[n] = fault.Text{Key: t.Key, Args: printed(t.Args)}
	}
	troubles, err := json.Marshal(problems)
	if err != nil {
		return fmt.Errorf("store a plan: %w", err)
	}
	numbers, err := json.Marshal(tallyOf(plan.Items))
	if err != nil {
		return fmt.Errorf("store a plan: %w", err)
	}
	err = p.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO bulk_plans (id, source, author_issuer, author_subject, author_name, author_email,
			reason, unmatched, of_run, as_of, created_at, expires_at, kind, problems, tally, file_problems)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
			plan.ID, plan.Source, plan.Author.Issuer, plan.Author.Subject, plan.Author.Name, plan.Author.Email,
			plan.Reason, storable(string(unmatched)), plan.OfRun, db.Micros(plan.AsOf), db.Micros(plan.Created), db.Micros(plan.Expires),
			string(plan.Kind), storable(string(troubles)), storable(string(numbers)), plan.FileProblems)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(plan.Items, insertRows) {
			if err := insertItems(ctx, tx, plan.ID, part); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store a plan: %w", err)
	}
	return nil
}

func insertItems(ctx context.Context, tx *sql.Tx, planID string, items []Item) error {
	var rows []string
	args := []any{planID}
	for _, i := range items {
		values, err := i.columns()
		if err != nil {
			return err
		}
		places := make([]string, len(values))
		for n, v := range values {
			args = append(args, v)
			places[n] = fmt.Sprintf("$%d", len(args))
		}
		rows = append(rows, "($1, "+strings.Join(places, ", ")+", 'queued', '', '', '', 0)")
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO bulk_items (plan_id, place, account, email, group_name, wanted, seen, issue, before_meta, flawed, undo_of,
		left_out, acts, state, change_id, say, claimed_by, finished_at) VALUES `+strings.Join(rows, ", "), args...)
	return err
}

// columns returns what i says before a run, in the order of insertItems.
func (i Item) columns() ([]any, error) {
	wanted, err := json.Marshal(i.Want)
	if err != nil {
		return nil, err
	}
	seen, err := json.Marshal(i.Seen)
	if err != nil {
		return nil, err
	}
	issue := ""
	if i.New != nil {
		b, err := json.Marshal(i.New)
		if err != nil {
			return nil, err
		}
		issue = storable(string(b))
	}
	var before sql.NullString
	if i.Before != nil {
		b, err := i.Before.MarshalJSON()
		if err != nil {
			return nil, err
		}
		before = sql.NullString{String: string(b), Valid: true}
	}
	return []any{
		i.Place, storable(string(i.Account)), storable(i.Email), storable(i.Group), string(wanted), string(seen), issue, before,
		number(i.Flawed), i.UndoOf, number(i.LeftOut), number(i.Acts()),
	}, nil
}

const planColumns = `p.id, p.source, p.author_issuer, p.author_subject, p.author_name, p.author_email,
	p.reason, p.unmatched, p.of_run, p.as_of, p.created_at, p.expires_at, p.kind, p.problems, p.version, p.file_problems`

// scanPlan reads planColumns, and then what more names.
func scanPlan(scan func(...any) error, more ...any) (*Plan, error) {
	var p Plan
	var unmatched, problems string
	var asOf, created, expires int64
	err := scan(append([]any{
		&p.ID, &p.Source, &p.Author.Issuer, &p.Author.Subject, &p.Author.Name, &p.Author.Email,
		&p.Reason, &unmatched, &p.OfRun, &asOf, &created, &expires, &p.Kind, &problems, &p.Version, &p.FileProblems,
	}, more...)...)
	if err != nil {
		return nil, err
	}
	p.AsOf, p.Created, p.Expires = db.Time(asOf), db.Time(created), db.Time(expires)
	return &p, errors.Join(json.Unmarshal([]byte(unmatched), &p.Unknown), json.Unmarshal([]byte(problems), &p.Problems))
}

// Get returns a plan with its items, or fails with fault.NotFound.
func (p *Plans) Get(ctx context.Context, id string) (*Plan, error) {
	return readPlan(ctx, p.db.Read(), id)
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readPlan(ctx context.Context, q querier, id string) (*Plan, error) {
	plan, err := scanPlan(q.QueryRowContext(ctx, "SELECT "+planColumns+" FROM bulk_plans p WHERE p.id = $1", id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noPlan(id)
	}
	if err != nil {
		return nil, fmt.Errorf("read a plan: %w", err)
	}
	plan.Items, err = readItems(ctx, q, "i.plan_id = $1 ORDER BY i.place", id)
	return plan, err
}

// readItems returns the items that where selects. One whose outcome was not known when
// the run left it has the state of its change.
func readItems(ctx context.Context, q querier, where string, args ...any) ([]Item, error) {
	rows, err := q.QueryContext(ctx, `SELECT p.kind, i.place, i.account, i.email, i.group_name, i.wanted, i.seen, i.issue, i.before_meta, i.flawed,
		i.undo_of, i.left_out, `+stateNow+`, i.change_id, i.say, i.finished_at
		FROM bulk_items i JOIN bulk_plans p ON p.id = i.plan_id LEFT JOIN changes c ON c.id = i.change_id AND i.state = 'in_doubt' WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the accounts of a plan: %w", err)
	}
	defer rows.Close()
	var out []Item
	for rows.Next() {
		i, err := scanItem(rows)
		if err != nil {
			return nil, fmt.Errorf("read an account of a plan: %w", err)
		}
		out = append(out, i)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the accounts of a plan: %w", err)
	}
	return out, nil
}

// stateNow is the state of an item i whose change c is joined while it is in doubt.
const stateNow = "coalesce(c.state, i.state)"

func scanItem(rows *sql.Rows) (Item, error) {
	var i Item
	var wanted, seen, issue, say, state string
	var before sql.NullString
	var flawed, leftOut, finished int64
	err := rows.Scan(&i.Kind, &i.Place, &i.Account, &i.Email, &i.Group, &wanted, &seen, &issue, &before, &flawed,
		&i.UndoOf, &leftOut, &state, &i.ChangeID, &say, &finished)
	if err != nil {
		return i, err
	}
	i.Flawed, i.LeftOut, i.State, i.Finished = flawed != 0, leftOut != 0, change.State(state), db.Time(finished)
	if before.Valid {
		i.Before = new(wave.Meta)
		err = i.Before.UnmarshalJSON([]byte(before.String))
	}
	if issue != "" {
		i.New = new(NewAccount)
		err = errors.Join(err, json.Unmarshal([]byte(issue), i.New))
	}
	if say != "" {
		var text fault.Text
		err = errors.Join(err, json.Unmarshal([]byte(say), &text))
		i.Say = text
	}
	return i, errors.Join(err, json.Unmarshal([]byte(wanted), &i.Want), json.Unmarshal([]byte(seen), &i.Seen))
}

// oneOf returns the list of a condition that names each of values, and args with them.
func oneOf[T int | string | wave.UserID](args []any, values []T) (list string, with []any) {
	places := make([]string, len(values))
	for n, v := range values {
		args = append(args, any(v))
		places[n] = fmt.Sprintf("$%d", len(args))
	}
	return strings.Join(places, ", "), args
}

// ids returns the ids that a query selects.
func (p *Plans) ids(ctx context.Context, query string, args ...any) (ids []string, err error) {
	rows, err := p.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// storable returns s as every engine gives it back: valid UTF-8 without NUL.
func storable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
}
