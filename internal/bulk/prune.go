package bulk

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"waveadmin/internal/db"
)

const (
	// DraftsLast is how long a plan is kept that was never run.
	DraftsLast = 30 * 24 * time.Hour
	// listsLast is how long problems of a file are kept that led to no plan.
	listsLast = 24 * time.Hour
	// prunedAtOnce is how many plans Prune deletes in one call: others write in between.
	prunedAtOnce = 20
)

// Prune deletes the oldest plans of those that were never run and are older than
// DraftsLast, and the problems of files that no plan names any more. What has run is
// history and stays, and so does what waits. To do it twice, or on several servers at
// once, does no harm.
func (p *Plans) Prune(ctx context.Context) error {
	drafts, err := p.drafts(ctx, p.now().Add(-DraftsLast))
	if err != nil {
		return err
	}
	for _, id := range drafts {
		if err := p.deleteDraft(ctx, id); err != nil {
			return err
		}
	}
	err = p.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM file_problems WHERE made_at <= $1 AND id NOT IN (SELECT file_problems FROM bulk_plans)",
			db.Micros(p.now().Add(-listsLast)))
		return err
	})
	if err != nil {
		return fmt.Errorf("delete problems of files: %w", err)
	}
	return nil
}

// drafts returns the oldest plans that were made before a time and never run.
func (p *Plans) drafts(ctx context.Context, before time.Time) (ids []string, err error) {
	ids, err = p.ids(ctx, `SELECT p.id FROM bulk_plans p WHERE p.created_at <= $1
		AND NOT EXISTS (SELECT 1 FROM bulk_runs r WHERE r.plan_id = p.id) ORDER BY p.id LIMIT $2`, db.Micros(before), prunedAtOnce)
	if err != nil {
		return nil, fmt.Errorf("look for old plans: %w", err)
	}
	return ids, nil
}

// deleteDraft deletes a plan that is too old to be run, as a whole: one that lacks some
// of its accounts could be made anew.
func (p *Plans) deleteDraft(ctx context.Context, id string) error {
	err := p.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM bulk_items WHERE plan_id = $1", id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM bulk_plans WHERE id = $1", id)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete an old plan: %w", err)
	}
	return nil
}
