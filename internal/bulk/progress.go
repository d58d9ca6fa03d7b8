package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
)

// PaceOver is the time over which the pace of a run is measured.
const PaceOver = 15 * time.Second

// part is how many accounts Parts reads at a time.
const part = 500

// Progress is where a run stands, without its accounts.
type Progress struct {
	Plan   *Plan // without Items
	Run    *Run
	Counts Counts
	// Pace is how many accounts were finished a second in the last PaceOver; 0 while that
	// cannot be told.
	Pace float64
}

// Left is how long the run still takes at its pace; 0 while that cannot be told.
func (p *Progress) Left() time.Duration {
	if p.Pace == 0 {
		return 0
	}
	return time.Duration(float64(p.Counts.Left()) / p.Pace * float64(time.Second))
}

// Progress returns where the run of a plan stands. It fails with fault.NotFound, also
// for a plan that has not run.
func (p *Plans) Progress(ctx context.Context, id string) (*Progress, error) {
	var scan runScan
	plan, err := scanPlan(p.db.Read().QueryRowContext(ctx, "SELECT "+planColumns+", "+runColumns+` FROM bulk_plans p
		JOIN bulk_runs r ON r.plan_id = p.id WHERE p.id = $1`, id).Scan, scan.places()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noPlan(id)
	}
	if err != nil {
		return nil, fmt.Errorf("read where a run stands: %w", err)
	}
	out := &Progress{Plan: plan, Run: scan.run(id), Counts: Counts{}}
	now := p.now()
	over := min(PaceOver, now.Sub(out.Run.Started))
	recent, err := p.count(ctx, id, now.Add(-over), out.Counts)
	if err != nil {
		return nil, err
	}
	if out.Run.State == Running && over >= 2*time.Second {
		out.Pace = float64(recent) / over.Seconds()
	}
	return out, nil
}

// count counts the accounts of a run by state into counts, and returns how many were
// finished after since.
func (p *Plans) count(ctx context.Context, id string, since time.Time, counts Counts) (recent int, err error) {
	rows, err := p.db.Read().QueryContext(ctx, "SELECT "+stateNow+`, count(*), sum(CASE WHEN i.finished_at > $2 THEN 1 ELSE 0 END)
		FROM bulk_items i LEFT JOIN changes c ON c.id = i.change_id AND i.state = 'in_doubt'
		WHERE i.plan_id = $1 AND i.left_out = 0 GROUP BY `+stateNow, id, db.Micros(since))
	if err != nil {
		return 0, fmt.Errorf("count accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var state change.State
		var all, of int
		if err := rows.Scan(&state, &all, &of); err != nil {
			return 0, fmt.Errorf("count accounts: %w", err)
		}
		counts[state] += all
		recent += of
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("count accounts: %w", err)
	}
	return recent, nil
}

// Items returns a part of the accounts of a plan that are not left out, in order: all
// of them or, unless state is empty, those in it.
func (p *Plans) Items(ctx context.Context, id string, state change.State, limit, offset int) ([]Item, error) {
	const order = " ORDER BY i.place LIMIT $2 OFFSET $3"
	if state == "" {
		return readItems(ctx, p.db.Read(), "i.plan_id = $1 AND i.left_out = 0"+order, id, limit, offset)
	}
	// The first condition on the state is for the index.
	return readItems(ctx, p.db.Read(), "i.plan_id = $1 AND i.left_out = 0 AND i.state IN ($4, 'in_doubt') AND "+stateNow+" = $4"+order,
		id, limit, offset, string(state))
}

// Parts yields the accounts of a plan that are not left out, in order and some at a
// time, each as it stands when it is read: a slow reader holds nothing up. After an error
// nothing comes.
func (p *Plans) Parts(ctx context.Context, id string) iter.Seq2[[]Item, error] {
	return func(yield func([]Item, error) bool) {
		for after := 0; ; {
			items, err := readItems(ctx, p.db.Read(), "i.plan_id = $1 AND i.left_out = 0 AND i.place > $2 ORDER BY i.place LIMIT $3", id, after, part)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(items) == 0 || !yield(items, nil) || len(items) < part {
				return
			}
			after = items[len(items)-1].Place
		}
	}
}
