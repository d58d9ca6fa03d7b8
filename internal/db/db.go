// Package db opens the database that keeps sessions and changes, brings its
// tables up to date, and hides what differs between engines. The text of the
// queries elsewhere is the same for all of them: $1 for parameters, text and
// 64-bit integers as types, times as microseconds since 1970.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	read  *sql.DB
	write *sql.DB
	lock  *fileLock // held until Close, so that no second process opens the file
}

// Open opens the database at url, "sqlite:" and a path, and makes the file and
// its directory if they are missing. It fails when another process has the file
// open and when the file is damaged. It does not touch the tables; see Migrate.
func Open(ctx context.Context, url string) (*DB, error) {
	scheme, path, _ := strings.Cut(url, ":")
	switch {
	case scheme == "sqlite" && path != "":
		return openSQLite(ctx, path)
	case scheme == "postgres", scheme == "postgresql":
		return nil, errors.New("database: PostgreSQL is not supported yet; use sqlite:PATH")
	}
	// The address may hold a password: it is not repeated here.
	return nil, errors.New("database: the address must be sqlite:PATH, such as sqlite:data/waveadmin.db")
}

// Read returns the pool for queries outside a transaction. What it is asked to
// write fails.
func (d *DB) Read() *sql.DB { return d.read }

// Write runs fn in a transaction that may write, and commits when fn returns
// nil. Writers wait for each other, so fn must be short and must not call
// anything far away. An error or a panic in fn rolls everything back.
func (d *DB) Write(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after a commit it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.read.PingContext(ctx) }

// Close ends all connections and lets another process in. Do not use d after it.
func (d *DB) Close() error {
	return errors.Join(d.read.Close(), d.write.Close(), d.lock.release())
}

// Micros returns t as a column keeps it: microseconds since 1970, and 0 for the
// zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time is the reverse of Micros, in UTC.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
