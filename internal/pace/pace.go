// Package pace shares one rate of calls between all servers on a PostgreSQL
// database: a row says when the next call may start, and each server moves it on by
// as many calls as it is about to make.
package pace

import (
	"context"
	"fmt"
	"time"

	"waveadmin/internal/db"
)

const (
	// credit is how many slots that passed unused may still be taken: without it a
	// server that wakes a little late would lose them, and with more the calls bunch.
	credit = 3

	// ahead is the most that slots are taken ahead of time. More is owed to a clock that
	// was set back, and would keep all servers waiting for it.
	ahead = 2 * time.Second

	// patience is how long a call waits for the database before its server goes on
	// by itself.
	patience = time.Second

	recovery = 0.05 // of the full rate, that comes back in a second
	slowest  = 1    // calls a second

	moment = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
)

// Row is the shared row. It is safe for concurrent use. Its clock is that of the
// database, so those of the servers may differ.
type Row struct{ db *db.DB }

// NewRow returns the row in d, which must be PostgreSQL: on SQLite there are no
// other servers.
func NewRow(d *db.DB) *Row { return &Row{d} }

// takeSlots moves the row on by $1 slots of $2 calls a second. The commit may be lost
// with the database server: then at most a few calls come too early.
var takeSlots = fmt.Sprintf(`
	WITH held AS (SELECT next_at, low, lowered_at FROM wave_pace WHERE id = 1 FOR UPDATE),
	current AS (SELECT held.next_at, held.low, held.lowered_at, %[1]s AS t, $1::bigint AS n, $2::float8 AS whole FROM held),
	paced AS (SELECT next_at, t, n, (1000000 / CASE WHEN lowered_at = 0 THEN whole
		ELSE least(whole, low + greatest(0, t - lowered_at) * %[2]g * whole / 1000000) END)::bigint AS gap FROM current)
	UPDATE wave_pace SET next_at = least(greatest(paced.next_at, paced.t - %[3]d * paced.gap), paced.t + %[4]d) + n * paced.gap
	FROM paced WHERE wave_pace.id = 1
	RETURNING wave_pace.next_at - n * paced.gap - %[1]s, paced.gap, set_config('synchronous_commit', 'off', true)`,
	moment, recovery, credit, ahead.Microseconds())

// Take takes the next n slots of perSecond. It returns how long it is from now to
// the first of them, negative when that is overdue, and from each to the next. It
// fails when the database does not answer within a second.
func (r *Row) Take(ctx context.Context, n int, perSecond float64) (first, gap time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var firstMicros, gapMicros int64
	var setting string
	err = r.db.Aside().QueryRowContext(ctx, takeSlots, int64(n), perSecond).Scan(&firstMicros, &gapMicros, &setting)
	if err != nil {
		return 0, 0, fmt.Errorf("take slots of the rate: %w", err)
	}
	return time.Duration(firstMicros) * time.Microsecond, time.Duration(gapMicros) * time.Microsecond, nil
}

// slowDown halves what the rate is at this moment, unless that was done less than a
// second ago.
var slowDown = fmt.Sprintf(`
	UPDATE wave_pace SET lowered_at = %[1]s, low = greatest(%[2]d, CASE WHEN lowered_at = 0 THEN $1::float8
		ELSE least($1::float8, low + greatest(0, %[1]s - lowered_at) * %[3]g * $1::float8 / 1000000) END / 2)
	WHERE id = 1 AND lowered_at < %[1]s - 1000000`, moment, slowest, recovery)

// Slow halves the rate of all servers, once a second at most. By itself it grows
// again, by a twentieth of perSecond a second.
func (r *Row) Slow(ctx context.Context, perSecond float64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := r.db.Aside().ExecContext(ctx, slowDown, perSecond); err != nil {
		return fmt.Errorf("slow the rate down: %w", err)
	}
	return nil
}
