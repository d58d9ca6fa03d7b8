package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrate brings the tables up to date. Each step is one transaction; run again
// after a failure, it goes on where it stopped. Several servers may call it at
// once: one does the work and the others wait for it.
func (d *DB) Migrate(ctx context.Context) error {
	return d.alone(ctx, func(p *goose.Provider) error {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate the database: %w", err)
		}
		return d.migrateQueue(ctx)
	})
}

// Pending returns how many steps Migrate would do.
func (d *DB) Pending(ctx context.Context) (n int, err error) {
	err = d.alone(ctx, func(p *goose.Provider) error {
		steps, err := p.Status(ctx)
		if err != nil {
			return fmt.Errorf("read the version of the database: %w", err)
		}
		for _, step := range steps {
			if step.State == goose.StatePending {
				n++
			}
		}
		return nil
	})
	return n, err
}

// alone runs fn while no other server migrates.
func (d *DB) alone(ctx context.Context, fn func(*goose.Provider) error) error {
	dialect := goose.DialectSQLite3
	if d.pg != nil {
		dialect = goose.DialectPostgres
		unlock, err := d.lockMigrations(ctx)
		if err != nil {
			return fmt.Errorf("wait for another server to migrate the database: %w", err)
		}
		defer unlock()
	}
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, d.write, sub, goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(appendOnly(dialect), states(dialect)))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return fn(p)
}

// lockMigrations takes the lock for a transaction that does nothing else, and
// unlock ends it. goose has a lock of its own, but that stays on a connection,
// which a pooler takes away. Who waits holds no connection meanwhile: the pooler
// may have too few for that.
func (d *DB) lockMigrations(ctx context.Context) (unlock func() error, err error) {
	for {
		tx, err := d.write.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		var got bool
		err = tx.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock($1)", lockMigrate).Scan(&got)
		if err == nil && got {
			if _, err = tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err == nil {
				return tx.Rollback, nil
			}
		}
		if err = errors.Join(err, tx.Rollback()); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
