package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// openSQLite opens the file at path with one connection that writes and several
// that read: SQLite has one writer at a time, and readers never wait for it.
func openSQLite(ctx context.Context, path string) (_ *DB, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := makeFile(path); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	d := new(DB)
	defer func() {
		if err != nil {
			d.closeOpened()
		}
	}()
	if d.lock, err = lockFile(ctx, path); err != nil {
		return nil, err
	}
	if d.write, err = sql.Open("sqlite", dsn(path, busyTimeout, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)")); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", dsn(path, busyTimeout, "query_only(1)")); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	readers := max(4, runtime.NumCPU())
	d.read.SetMaxOpenConns(readers)
	d.read.SetMaxIdleConns(readers)

	// The writer comes first: only it may turn a new file to WAL.
	if err := d.write.PingContext(ctx); err != nil {
		return nil, fileError(path, err)
	}
	if err := quickCheck(ctx, d.read, path); err != nil {
		return nil, err
	}
	return d, nil
}

// quickCheck fails when SQLite finds the file at path damaged.
func quickCheck(ctx context.Context, pool *sql.DB, path string) error {
	var found string
	if err := pool.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return fileError(path, err)
	}
	if found != "ok" {
		return fmt.Errorf("database %s is damaged: %s", path, strings.TrimPrefix(found, "*** in database main ***\n"))
	}
	return nil
}

// fileError says in our words what SQLite could not read in the file at path.
func fileError(path string, err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT:
			return fmt.Errorf("database %s is damaged: %w", path, err)
		case sqlite3.SQLITE_NOTADB:
			return fmt.Errorf("database %s is damaged, or no database: %w", path, err)
		}
	}
	return fmt.Errorf("database %s: %w", path, err)
}

// busyTimeout is how long a statement waits for another connection.
const busyTimeout = 5 * time.Second

// dsn names the file at path with what every connection to it sets.
func dsn(path string, busy time.Duration, pragmas ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/data
	}
	wait := fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds())
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{wait}, pragmas...)}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}

// makeFile makes an empty file at path, and its directory, that only the owner
// may read. SQLite gives its companion files the same mode.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// closeOpened closes what an Open that failed has opened so far.
func (d *DB) closeOpened() {
	for _, pool := range []*sql.DB{d.read, d.write, d.aside} {
		if pool != nil {
			pool.Close()
		}
	}
	if d.lock != nil {
		_ = d.lock.release()
	}
}

// A fileLock keeps other processes away by a transaction that never ends:
// SQLite's own lock works wherever SQLite does, and the system drops it when the
// process dies.
type fileLock struct {
	pool *sql.DB
	conn *sql.Conn
}

// lockFile takes path + ".lock", or fails at once when someone has it.
func lockFile(ctx context.Context, path string) (*fileLock, error) {
	if err := makeFile(path + ".lock"); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	pool, err := sql.Open("sqlite", dsn(path+".lock", 0))
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	conn, err := pool.Conn(ctx)
	if err == nil {
		if _, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE"); err == nil {
			return &fileLock{pool, conn}, nil
		}
		conn.Close()
	}
	pool.Close()
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_BUSY {
		return nil, fmt.Errorf("database %s is in use by another process", path)
	}
	return nil, fmt.Errorf("database %s: lock: %w", path, err)
}

func (l *fileLock) release() error { return errors.Join(l.conn.Close(), l.pool.Close()) }
