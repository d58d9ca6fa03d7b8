package bulk

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
)

// Listed is a plan in a list of them.
type Listed struct {
	Plan          // without Items
	Run    *Run   // nil when it has not run
	Counts Counts // of the accounts of the run, or of the plan: those that are left out do not count
}

// Counts is how many accounts are in each state.
type Counts map[change.State]int

// Total returns the number of accounts.
func (c Counts) Total() int {
	n := 0
	for _, of := range c {
		n += of
	}
	return n
}

// Left returns the number of accounts that are not finished.
func (c Counts) Left() int { return c[change.Queued] + c[change.Running] }

const runColumns = `r.state, r.why, r.moved, r.actor_issuer, r.actor_subject, r.actor_name, r.actor_email, r.approver_issuer, r.approver_subject,
	r.approver_name, r.approver_email, r.approved_at, r.by_name, r.reason, r.apply_at, r.asked_at, r.started_at, r.finished_at`

// runScan reads runColumns of a run that there may be none of.
type runScan struct {
	state, why, by, reason                      sql.NullString
	moved                                       sql.NullInt64
	actor, approver                             [4]sql.NullString // issuer, subject, name, email
	approved, applyAt, asked, started, finished sql.NullInt64
}

func (s *runScan) places() []any {
	return []any{
		&s.state, &s.why, &s.moved, &s.actor[0], &s.actor[1], &s.actor[2], &s.actor[3], &s.approver[0], &s.approver[1],
		&s.approver[2], &s.approver[3], &s.approved, &s.by, &s.reason, &s.applyAt, &s.asked, &s.started, &s.finished,
	}
}

func (s *runScan) run(planID string) *Run {
	if !s.state.Valid {
		return nil
	}
	person := func(of [4]sql.NullString) auth.Actor {
		return auth.Actor{Issuer: of[0].String, Subject: of[1].String, Name: of[2].String, Email: of[3].String}
	}
	return &Run{
		PlanID: planID, State: RunState(s.state.String), Why: Pause(s.why.String), Moved: int(s.moved.Int64),
		Actor: person(s.actor), Approver: person(s.approver), Approved: db.Time(s.approved.Int64),
		By: s.by.String, Reason: s.reason.String, ApplyAt: db.Time(s.applyAt.Int64), Asked: db.Time(s.asked.Int64),
		Started: db.Time(s.started.Int64), Finished: db.Time(s.finished.Int64),
	}
}

// List returns the newest plans and runs, newest first, at most limit.
func (p *Plans) List(ctx context.Context, limit int) ([]Listed, error) {
	rows, err := p.db.Read().QueryContext(ctx, "SELECT "+planColumns+", "+runColumns+` FROM bulk_plans p
		LEFT JOIN bulk_runs r ON r.plan_id = p.id ORDER BY p.id DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("list plans: %w", err)
	}
	defer rows.Close()
	var out []Listed
	for rows.Next() {
		var run runScan
		plan, err := scanPlan(rows.Scan, run.places()...)
		if err != nil {
			return nil, fmt.Errorf("list plans: %w", err)
		}
		out = append(out, Listed{Plan: *plan, Run: run.run(plan.ID)})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list plans: %w", err)
	}
	return out, p.countListed(ctx, out)
}

// keptCounts are the counts of listed plans that change no more, which nobody writes to.
// With big runs among them the count of a hundred plans takes seconds.
type keptCounts = atomic.Pointer[map[standing]Counts]

// standing is a plan that has run, or one that nobody can run any more.
type standing struct {
	id  string
	ran bool
}

// countListed puts the counts into list.
func (p *Plans) countListed(ctx context.Context, list []Listed) error {
	var kept map[standing]Counts
	if m := p.kept.Load(); m != nil {
		kept = *m
	}
	var ids []string
	for _, l := range list {
		if kept[standing{l.ID, l.Run != nil}] == nil || !l.settled(p.now()) {
			ids = append(ids, l.ID)
		}
	}
	counts, err := p.countMany(ctx, ids)
	if err != nil {
		return err
	}
	next := make(map[standing]Counts, len(list)) // those that are listed no more go
	for n := range list {
		l := &list[n]
		at := standing{l.ID, l.Run != nil}
		if l.Counts = counts[l.ID]; l.Counts == nil {
			l.Counts = kept[at]
		}
		if l.settled(p.now()) && l.Counts[change.InDoubt] == 0 {
			next[at] = l.Counts
		}
	}
	p.kept.Store(&next)
	return nil
}

// settled reports whether the states of the accounts of l do not change any more, but
// for those in doubt.
func (l *Listed) settled(now time.Time) bool {
	if l.Run != nil {
		return !l.Run.Finished.IsZero()
	}
	return l.Expired(now.Add(-time.Minute)) // what was left out in the last moment is in by then
}

// countMany returns the counts of plans, by id.
func (p *Plans) countMany(ctx context.Context, ids []string) (map[string]Counts, error) {
	out := make(map[string]Counts, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	for _, id := range ids {
		out[id] = Counts{}
	}
	places, args := oneOf(nil, ids)
	rows, err := p.db.Read().QueryContext(ctx, "SELECT i.plan_id, "+stateNow+`, count(*) FROM bulk_items i
		LEFT JOIN changes c ON c.id = i.change_id AND i.state = 'in_doubt'
		WHERE i.left_out = 0 AND i.plan_id IN (`+places+`) GROUP BY i.plan_id, `+stateNow, args...)
	if err != nil {
		return nil, fmt.Errorf("count accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var state change.State
		var n int
		if err := rows.Scan(&id, &state, &n); err != nil {
			return nil, fmt.Errorf("count accounts: %w", err)
		}
		out[id][state] += n
	}
	return out, rows.Err()
}

// Unfinished counts the runs that are not over, by where they stand.
func (p *Plans) Unfinished(ctx context.Context) (map[RunState]int, error) {
	rows, err := p.db.Read().QueryContext(ctx, "SELECT state, count(*) FROM bulk_runs WHERE finished_at = 0 GROUP BY state")
	if err != nil {
		return nil, fmt.Errorf("count runs: %w", err)
	}
	defer rows.Close()
	out := make(map[RunState]int)
	for rows.Next() {
		var state RunState
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, fmt.Errorf("count runs: %w", err)
		}
		out[state] = n
	}
	return out, rows.Err()
}

// Run returns the run of a plan with its counts, or nil when it has not run.
func (p *Plans) Run(ctx context.Context, id string) (*Run, Counts, error) {
	var scan runScan
	err := p.db.Read().QueryRowContext(ctx, "SELECT "+runColumns+" FROM bulk_plans p LEFT JOIN bulk_runs r ON r.plan_id = p.id WHERE p.id = $1", id).
		Scan(scan.places()...)
	if err == sql.ErrNoRows {
		return nil, nil, noPlan(id)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read a run: %w", err)
	}
	run := scan.run(id)
	if run == nil {
		return nil, nil, nil
	}
	counts, err := p.countMany(ctx, []string{id})
	return run, counts[id], err
}
