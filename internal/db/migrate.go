package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrate brings the tables up to date. Each step is one transaction; run again
// after a failure, it goes on where it stopped.
func (d *DB) Migrate(ctx context.Context) error {
	p, err := d.provider()
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// Pending returns how many steps Migrate would do.
func (d *DB) Pending(ctx context.Context) (int, error) {
	p, err := d.provider()
	if err != nil {
		return 0, err
	}
	steps, err := p.Status(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the version of the database: %w", err)
	}
	n := 0
	for _, step := range steps {
		if step.State == goose.StatePending {
			n++
		}
	}
	return n, nil
}

func (d *DB) provider() (*goose.Provider, error) {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, d.write, sub, goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(appendOnly(goose.DialectSQLite3)))
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return p, nil
}
