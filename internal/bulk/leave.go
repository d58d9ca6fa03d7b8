package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"waveadmin/internal/db"
	"waveadmin/internal/fault"
)

// LeaveOut records which of the shown accounts are left out; those that are not
// shown stay as they are. It fails with fault.NotFound, and with fault.Conflict once
// the plan runs or has expired.
func (p *Plans) LeaveOut(ctx context.Context, id string, shown, out []int) error {
	return p.db.Write(ctx, func(tx *sql.Tx) error {
		var expires int64
		var run sql.NullString
		err := tx.QueryRowContext(ctx, `SELECT p.expires_at, r.plan_id FROM bulk_plans p LEFT JOIN bulk_runs r ON r.plan_id = p.id
			WHERE p.id = $1`, id).Scan(&expires, &run)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return noPlan(id)
		case err != nil:
			return fmt.Errorf("read a plan: %w", err)
		case run.Valid:
			return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.runs_already")}
		case expires <= db.Micros(p.now()):
			return &fault.Error{Kind: fault.Conflict, Say: fault.Say("bulk.expired")}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE bulk_plans SET version = version + 1 WHERE id = $1", id); err != nil {
			return fmt.Errorf("leave an account out: %w", err)
		}
		var version int64
		var numbers string
		// Read behind the step, which keeps others away from them.
		if err := tx.QueryRowContext(ctx, "SELECT version, tally FROM bulk_plans WHERE id = $1", id).Scan(&version, &numbers); err != nil {
			return fmt.Errorf("read a plan: %w", err)
		}
		t := readTally(numbers, version-1)
		for part := range slices.Chunk(shown, insertRows) {
			if err := leaveOut(ctx, tx, id, part, out, t); err != nil {
				return err
			}
		}
		if t == nil { // whoever looks next counts
			return nil
		}
		t.Version = version
		return t.store(ctx, tx, id)
	})
}

// leaveOut records it of these places, and counts in t unless that is nil.
func leaveOut(ctx context.Context, tx *sql.Tx, id string, shown, out []int, t *tally) error {
	list, args := oneOf([]any{id}, shown)
	items, err := readItems(ctx, tx, "i.plan_id = $1 AND i.place IN ("+list+")", args...)
	if err != nil {
		return err
	}
	for _, i := range items {
		now := slices.Contains(out, i.Place)
		if now == i.LeftOut {
			continue
		}
		_, err := tx.ExecContext(ctx, "UPDATE bulk_items SET left_out = $1 WHERE plan_id = $2 AND place = $3", number(now), id, i.Place)
		if err != nil {
			return fmt.Errorf("leave an account out: %w", err)
		}
		if t != nil {
			t.add(i, -1)
			i.LeftOut = now
			t.add(i, 1)
		}
	}
	return nil
}
