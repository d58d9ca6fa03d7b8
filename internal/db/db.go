// Package db opens the database that keeps sessions and changes, brings its
// tables up to date, and hides what differs between engines. The text of the
// queries elsewhere is the same for all of them: $1 for parameters, text and
// 64-bit integers as types, times as microseconds since 1970.
package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	read  *sql.DB
	write *sql.DB
	aside *sql.DB         // of PostgreSQL; see Aside
	lock  *fileLock       // of SQLite: held until Close, so that no second process opens the file
	pg    *pgx.ConnConfig // of PostgreSQL: how to connect

	behind chan struct{} // held by writers behind others while they wait and write
}

// Open opens the database at url. It does not touch the tables; see Migrate.
//
// For "sqlite:" and a path it makes the file and its directory if they are
// missing, and fails when another process has the file open and when the file is
// damaged. For "postgres://…" it fails when the server does not answer; any
// number of processes may have that open. No error shows the password.
func Open(ctx context.Context, url string) (*DB, error) {
	scheme, path, _ := strings.Cut(url, ":")
	open := func(d *DB, err error) (*DB, error) {
		if err == nil {
			d.behind = make(chan struct{}, behindMost)
		}
		return d, err
	}
	switch {
	case scheme == "sqlite" && path != "":
		return open(openSQLite(ctx, path))
	case scheme == "postgres", scheme == "postgresql":
		return open(openPostgres(ctx, url))
	}
	// The address may hold a password: it is not repeated here.
	return nil, errors.New("database: the address must be sqlite:PATH, such as sqlite:data/waveadmin.db, or postgres://…")
}

// Exclusive reports whether no other process can have the database open.
func (d *DB) Exclusive() bool { return d.lock != nil }

// Read returns the pool for queries outside a transaction. What it is asked to
// write fails, except behind a pooler that does not know the setting. Statements
// must not be prepared on it: a pooler would look for them elsewhere.
func (d *DB) Read() *sql.DB { return d.read }

const (
	repeats      = 5                // how often Write begins again
	commitWithin = 30 * time.Second // after which a commit without an answer is given up
)

// Write runs fn in a transaction that may write, and commits when fn returns
// nil. Writers wait for each other, those of other processes included: what fn
// reads stays as it is until the commit. So fn must be short and must not call
// anything far away. An error or a panic in fn rolls everything back. If the
// transaction failed because of others it is done again, so fn may run more than
// once.
//
// When ctx ends before the commit, nothing is written. A commit that has begun goes on
// without ctx, as nobody could tell what became of one that was broken off; only a
// connection that breaks meanwhile makes Write fail with what may have been written.
func (d *DB) Write(ctx context.Context, fn func(*sql.Tx) error) error {
	for again := range repeats {
		err := d.writeOnce(ctx, fn)
		if !repeatable(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(10 * time.Millisecond << again)):
		}
	}
	return d.writeOnce(ctx, fn)
}

func (d *DB) writeOnce(ctx context.Context, fn func(*sql.Tx) error) error {
	leave, err := d.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	until, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	following := context.AfterFunc(ctx, end)
	tx, err := d.begin(until)
	if err != nil {
		return fmt.Errorf("begin: %w", cmp.Or(ctx.Err(), err))
	}
	defer tx.Rollback() // after a commit it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	if !following() {
		return fmt.Errorf("commit: %w", ctx.Err())
	}
	defer time.AfterFunc(commitWithin, end).Stop()
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Aside returns a pool for single statements that may write without waiting for
// other writers: for rows that nothing else hangs on. On SQLite, where there is no
// such thing, it is nil.
func (d *DB) Aside() *sql.DB { return d.aside }

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.read.PingContext(ctx) }

// Close ends all connections and lets another process in. Do not use d after it.
func (d *DB) Close() error {
	err := errors.Join(d.read.Close(), d.write.Close())
	if d.aside != nil {
		err = errors.Join(err, d.aside.Close())
	}
	if d.lock != nil {
		err = errors.Join(err, d.lock.release())
	}
	return err
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
