package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// Writer returns the one connection that writes to a SQLite file, for the queue of
// jobs, which has statements of its own. It is nil on PostgreSQL; see Pool.
func (d *DB) Writer() *sql.DB {
	if d.pg != nil {
		return nil
	}
	return d.write
}

// poolSize is enough for a queue that works on a few jobs.
const poolSize = 4

// Pool opens a pool of PostgreSQL for the queue of jobs, in the words of its driver.
// Whoever opens it closes it. As elsewhere nothing is prepared on a connection.
func (d *DB) Pool(ctx context.Context) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, err
	}
	cfg.ConnConfig = d.pg.Copy()
	cfg.MaxConns, cfg.MinConns = poolSize, 0
	cfg.MaxConnLifetime, cfg.MaxConnIdleTime = pgConnLife, pgConnIdle
	cfg.HealthCheckPeriod = time.Minute
	return pgxpool.NewWithConfig(ctx, cfg)
}

// migrateQueue brings the tables of the queue up to date, which River keeps itself.
func (d *DB) migrateQueue(ctx context.Context) error {
	if w := d.Writer(); w != nil {
		m, err := rivermigrate.New(riversqlite.New(w), nil)
		if err == nil {
			_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		}
		return queueError(err)
	}
	pool, err := d.Pool(ctx)
	if err != nil {
		return queueError(err)
	}
	defer pool.Close()
	m, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err == nil {
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	return queueError(err)
}

func queueError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("migrate the queue of jobs: %w", err)
}
