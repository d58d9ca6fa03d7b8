package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"waveadmin/internal/audit"
	"waveadmin/internal/config"
	"waveadmin/internal/db"
)

// Backup copies the SQLite database of cfg to a new file, also beside the server
// that runs on it, and returns the last audit event in the copy, the zero Anchor if
// there is none. It fails when the file is there already, and with ErrUsage for
// PostgreSQL. See db.Backup.
func Backup(ctx context.Context, cfg config.Database, file string) (audit.Anchor, error) {
	url := cfg.URL.Reveal()
	if !db.IsFile(url) {
		return audit.Anchor{}, fmt.Errorf("%w: backup copies a SQLite file; for PostgreSQL use its own means, such as pg_dump", ErrUsage)
	}
	before, err := auditHead(ctx, url)
	if err != nil {
		return audit.Anchor{}, err
	}
	var head audit.Anchor
	err = db.Backup(ctx, url, file, func(ctx context.Context, copied *sql.DB) error {
		held, err := audit.Holds(ctx, copied, before)
		if err != nil {
			return err
		}
		if !held {
			return fmt.Errorf("audit event %d is not in it", before.Seq)
		}
		head, err = audit.Head(ctx, copied)
		return err
	})
	return head, err
}

// auditHead returns the last audit event of the database at url.
func auditHead(ctx context.Context, url string) (_ audit.Anchor, err error) {
	pool, err := db.OpenReadOnly(ctx, url)
	if err != nil {
		return audit.Anchor{}, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return audit.Head(ctx, pool)
}
