package bulk

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"waveadmin/internal/db"
)

const (
	jobTimeout = sliceTime + time.Minute // with the calls in flight at its end
	// After this the queue gives the job of a server that died to another. Runs do not
	// wait for it: watch sees that nobody holds them.
	jobRescue  = jobTimeout + time.Minute
	jobsMost   = 4 // runs that a server works on at once
	jobPoll    = time.Second
	lookEvery  = 10 * time.Second // for runs that nobody works on
	dueEvery   = time.Second      // for runs whose time has come
	pruneEvery = time.Hour        // what nobody needs any more
	stopWithin = 12 * time.Second
	kickWithin = 2 * time.Second // that a person waits for the queue
)

// sliceArgs is a job of the queue: to work on a run for a while.
type sliceArgs struct {
	PlanID string `json:"plan_id"`
}

// Kind implements river.JobArgs.
func (sliceArgs) Kind() string { return "bulk_slice" }

type sliceWorker struct {
	river.WorkerDefaults[sliceArgs]
	runs *Runs
}

// Work implements river.Worker. The rows of the run say what is left to do, so a job
// that fails loses nothing, and one that is done twice finds nothing to do.
func (w *sliceWorker) Work(ctx context.Context, job *river.Job[sliceArgs]) error {
	then, err := w.runs.work(ctx, job.Args.PlanID)
	switch {
	case err != nil:
		return err
	case then.more && ctx.Err() == nil:
		return river.JobSnooze(then.rest)
	}
	return nil
}

// queue is the part of a river.Client that runs need, whatever its transactions are.
type queue interface {
	insert(ctx context.Context, args sliceArgs) error
	start(ctx context.Context) error
	stop(ctx context.Context) error
}

type client[TTx any] struct{ *river.Client[TTx] }

func (c client[TTx]) insert(ctx context.Context, args sliceArgs) error {
	_, err := c.Insert(ctx, args, nil)
	return err
}

func (c client[TTx]) start(ctx context.Context) error { return c.Start(ctx) }

func (c client[TTx]) stop(ctx context.Context) error { return c.StopAndCancel(ctx) }

// newQueue returns the queue on the database of r, and what frees it.
func (r *Runs) newQueue(ctx context.Context) (_ queue, free func(), err error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &sliceWorker{runs: r})
	cfg := &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobsMost}}, Workers: workers,
		// Polling works behind a pooler too, and jobs are few.
		PollOnly: true, FetchPollInterval: jobPoll,
		JobTimeout: jobTimeout, RescueStuckJobsAfter: jobRescue, Logger: r.o.Log, ID: r.me,
	}
	if w := r.db.Writer(); w != nil {
		c, err := river.NewClient(riversqlite.New(w), cfg)
		return client[*sql.Tx]{c}, func() {}, err
	}
	pool, err := r.db.Pool(ctx)
	if err != nil {
		return nil, nil, err
	}
	c, err := river.NewClient(riverpgxv5.New(pool), cfg)
	if err != nil {
		pool.Close()
		return nil, nil, err
	}
	return client[pgx.Tx]{c}, pool.Close, nil
}

// Work does runs until ctx ends; it then lets the calls in flight end. Call it once.
func (r *Runs) Work(ctx context.Context) {
	if r.db.Exclusive() { // what is claimed was by a process that is no more
		if err := r.release(ctx); err != nil {
			r.o.Log.Error("runs that a former process left could not be taken over", "err", err)
		}
	}
	for ctx.Err() == nil {
		if err := r.serve(ctx); err != nil && ctx.Err() == nil {
			r.o.Log.Error("runs cannot be worked on", "err", err)
			sleep(ctx, lookEvery)
		}
	}
}

func (r *Runs) serve(ctx context.Context) error {
	q, free, err := r.newQueue(ctx)
	if err != nil {
		return err
	}
	defer free()
	apart := context.WithoutCancel(ctx)
	if err := q.start(apart); err != nil {
		return fmt.Errorf("start the queue of jobs: %w", err)
	}
	kick := func(planID string) {
		// Whoever asks must not fail for it, nor wait: the next look finds the run.
		ctx, cancel := context.WithTimeout(apart, kickWithin)
		defer cancel()
		if err := q.insert(ctx, sliceArgs{planID}); err != nil {
			r.o.Log.Warn("a run is begun later", "run", planID, "err", err)
		}
	}
	r.kick.Store(&kick)
	r.watch(ctx, kick)
	r.kick.Store(nil)
	stopping, cancel := context.WithTimeout(apart, stopWithin)
	defer cancel()
	return q.stop(stopping)
}

// watch looks now and then for runs whose time has come, and for those that nobody
// works on, and deletes old plans, until ctx ends.
func (r *Runs) watch(ctx context.Context, kick func(string)) {
	for n := 0; ctx.Err() == nil; n++ {
		if err := r.beginDue(ctx); err != nil && ctx.Err() == nil {
			r.o.Log.Warn("scheduled runs could not begin", "err", err)
			sleep(ctx, lookEvery)
		}
		if n%int(lookEvery/dueEvery) == 0 {
			idle, err := r.idle(ctx)
			if err != nil && ctx.Err() == nil {
				r.o.Log.Warn("runs that nobody works on could not be looked for", "err", err)
			}
			for _, id := range idle {
				kick(id)
			}
		}
		if n%int(pruneEvery/dueEvery) == int(time.Minute/dueEvery) { // a server that starts has other things to do
			if err := r.Prune(ctx); err != nil && ctx.Err() == nil {
				r.o.Log.Warn("old plans could not be deleted", "err", err)
			}
		}
		sleep(ctx, dueEvery)
	}
}

// idle returns the runs that are under way and that no slice is at work on, nor comes back
// to after a rest.
func (r *Runs) idle(ctx context.Context) ([]string, error) {
	return r.ids(ctx, `SELECT r.plan_id FROM bulk_runs r WHERE r.finished_at = 0
		AND (r.not_before <= $1 OR r.not_before > $2) AND (r.slice_until < $1 OR r.slice = '' AND r.slice_until > $2)
		AND (r.state = 'running' OR r.state = 'cancelled' OR EXISTS (SELECT 1 FROM bulk_items i WHERE i.plan_id = r.plan_id AND i.state = 'running'))
		ORDER BY r.plan_id`, db.Micros(r.now()), db.Micros(r.now().Add(restMost)))
}

// release ends the holds of all processes.
func (r *Runs) release(ctx context.Context) error {
	return r.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE bulk_runs SET slice_until = 0 WHERE finished_at = 0")
		return err
	})
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
