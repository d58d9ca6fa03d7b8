package audit

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strconv"
)

// pageRows bounds how long one query takes: a server may end long ones, and
// SQLite cannot shorten its -wal file during one.
const pageRows = 1000

// eachRow calls fn with the columns of each event that where selects, in the
// order of the log. Its own arguments start at $3. The slice is reused. All
// columns are text, whatever someone may have put there.
func eachRow(ctx context.Context, q *sql.DB, where string, args []any, fn func(fields []string) error) error {
	query := `SELECT ` + columns + ` FROM audit_events WHERE seq > $1 AND ` + where + ` ORDER BY seq LIMIT $2`
	for after := int64(math.MinInt64); ; {
		n, last, err := readPage(ctx, q, query, append([]any{after, pageRows}, args...), fn)
		if err != nil || n < pageRows || last <= after { // not even the numbers grow: not our rows
			return err
		}
		after = last
	}
}

// readPage returns how many rows there were, and the highest number among them.
func readPage(ctx context.Context, q *sql.DB, query string, args []any, fn func([]string) error) (n int, last int64, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, 0, fmt.Errorf("read the audit log: %w", err)
	}
	defer rows.Close()
	var cells [columnCount]sql.NullString
	var targets [columnCount]any
	for i := range cells {
		targets[i] = &cells[i]
	}
	fields := make([]string, columnCount)
	last = math.MinInt64
	for rows.Next() {
		if err := rows.Scan(targets[:]...); err != nil {
			return 0, 0, fmt.Errorf("read an audit event: %w", err)
		}
		for i, c := range cells {
			fields[i] = c.String
		}
		if seq, err := strconv.ParseInt(fields[0], 10, 64); err == nil {
			last = max(last, seq)
		}
		n++
		if err := fn(fields); err != nil {
			return 0, 0, err
		}
	}
	if err := rows.Err(); err != nil {
		return 0, 0, fmt.Errorf("read the audit log: %w", err)
	}
	return n, last, nil
}
