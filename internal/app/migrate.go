package app

import (
	"context"
	"errors"

	"waveadmin/internal/config"
	"waveadmin/internal/db"
)

// Migrate brings the tables of the database up to date and returns how many
// steps that took. It fails while a server has the SQLite file open.
func Migrate(ctx context.Context, cfg config.Database) (steps int, err error) {
	d, err := db.Open(ctx, cfg.URL.Reveal())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if steps, err = d.Pending(ctx); err != nil {
		return 0, err
	}
	return steps, d.Migrate(ctx)
}
