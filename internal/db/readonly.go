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
// nothing. Unlike Open it makes no file, and is allowed beside the process that
// has the database open.
func OpenReadOnly(ctx context.Context, url string) (*sql.DB, error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok || path == "" {
		return nil, errors.New("database: only sqlite:PATH can be opened for reading alone")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	pool, err := sql.Open("sqlite", dsn(path, busyTimeout, "query_only(1)")+"&mode=ro")
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	return pool, nil
}
