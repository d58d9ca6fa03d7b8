package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// OpenReadOnly returns a pool that reads the database at url and can change
// nothing; see DB.Read. Unlike Open it makes no file, and is allowed beside the
// process that has the database open.
func OpenReadOnly(ctx context.Context, url string) (*sql.DB, error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		d, err := Open(ctx, url)
		if err != nil {
			return nil, err
		}
		return d.read, errors.Join(d.write.Close(), d.aside.Close())
	}
	if path == "" {
		return nil, errors.New("database: the address must be sqlite:PATH or postgres://…")
	}
	return openFileReadOnly(ctx, path, "query_only(1)")
}

// openFileReadOnly opens the database file at path, which must be there.
func openFileReadOnly(ctx context.Context, path string, pragmas ...string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	pool, err := sql.Open("sqlite", dsn(path, busyTimeout, pragmas...)+"&mode=ro")
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		return nil, fileError(path, err)
	}
	return pool, nil
}
