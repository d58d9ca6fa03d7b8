package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// OpenBeside opens the database at url, which must be there with its tables, for a short
// command that may write. It is allowed beside the server that has a SQLite file open:
// writers of other processes wait for each other, too. It brings no tables up to date.
func OpenBeside(ctx context.Context, url string) (*DB, error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok || path == "" {
		return Open(ctx, url)
	}
	read, err := openFileReadOnly(ctx, path, "query_only(1)")
	if err != nil {
		return nil, err
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), read.Close())
	}
	write, err := sql.Open("sqlite", dsn(path, busyTimeout, "synchronous(FULL)", "foreign_keys(1)")+"&mode=rw")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), read.Close())
	}
	write.SetMaxOpenConns(1)
	return &DB{read: read, write: write}, nil
}
