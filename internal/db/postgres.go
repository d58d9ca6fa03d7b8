package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	pgReaders  = 8
	pgWriters  = 4 // all but one wait for the lock, so more are no use
	pgAside    = 2
	pgConnLife = 30 * time.Minute // so that a new primary or pooler is found
	pgConnIdle = 5 * time.Minute
	pgConnect  = 10 * time.Second // to connect, unless the address says otherwise

	// The keys of advisory locks belong to everyone who uses the database: these
	// two are "wave" and a number.
	lockWriter  int64 = 0x77617665_00000001
	lockMigrate int64 = 0x77617665_00000002
)

// openPostgres connects to the server at url. Everything that a connection needs
// is sent with the statement or the transaction, nothing is left on the
// connection, so that it works behind PgBouncer in transaction mode too: there
// the next statement may find itself on another connection.
func openPostgres(ctx context.Context, url string) (_ *DB, err error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// The error may repeat the password.
		return nil, errors.New("database: the address must be one that PostgreSQL takes, such as postgres://user:password@host:5432/name")
	}
	if cfg.ConnectTimeout == 0 || cfg.ConnectTimeout > time.Minute { // pgx waits two minutes by itself
		cfg.ConnectTimeout = pgConnect
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "waveadmin"
	}
	// One round trip and nothing prepared that would stay on a connection.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.StatementCacheCapacity, cfg.DescriptionCacheCapacity = 0, 0

	d := &DB{pg: cfg, write: pgPool(cfg, pgWriters), aside: pgPool(cfg, pgAside)}
	defer func() {
		if err != nil {
			d.closeOpened()
		}
	}()
	if err := d.write.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	careful := cfg.Copy()
	careful.RuntimeParams["default_transaction_read_only"] = "on"
	careful.RuntimeParams["statement_timeout"] = pgTimeout
	d.read = pgPool(careful, pgReaders)
	err = d.read.PingContext(ctx)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "08P01" {
		// A pooler that knows neither setting: it is asked for none.
		d.read.Close()
		d.read = pgPool(cfg, pgReaders)
		err = d.read.PingContext(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return d, nil
}

func pgPool(cfg *pgx.ConnConfig, size int) *sql.DB {
	pool := stdlib.OpenDB(*cfg)
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxLifetime(pgConnLife)
	pool.SetConnMaxIdleTime(pgConnIdle)
	return pool
}

// pgTimeout ends a statement, the wait for other writers, and a transaction whose
// server has fallen silent in the middle of it.
const pgTimeout = "10s"

// beginWrite makes a transaction the only one that writes until it ends, on all
// servers: what SQLite does by itself. It also holds the transaction to its time,
// and makes its commit last whatever the server is set to.
var beginWrite = fmt.Sprintf(`SELECT set_config('statement_timeout', '%[1]s', true), set_config('idle_in_transaction_session_timeout', '%[1]s', true),
	CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END;
	SELECT pg_advisory_xact_lock(%[2]d)`, pgTimeout, lockWriter)

// begin starts a transaction that may read what it then writes: no other writer
// comes in between.
func (d *DB) begin(ctx context.Context) (*sql.Tx, error) {
	if d.pg == nil {
		return d.write.BeginTx(ctx, nil) // as _txlock says, immediate
	}
	// Read committed, whatever the server is set to: a statement must see what was
	// committed while the transaction waited for the lock.
	tx, err := d.write.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, beginWrite); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}
