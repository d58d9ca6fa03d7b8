// Package dbtest gives tests throw-away databases of every engine.
package dbtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"waveadmin/internal/db"
)

// Engine makes databases of one kind.
type Engine struct {
	Name  string
	empty func(t testing.TB) string
	ready func(t testing.TB) string
}

// The engines on which the program runs.
var (
	SQLite   = Engine{"sqlite", func(t testing.TB) string { return "sqlite:" + newFile(t, nil) }, readySQLite}
	Postgres = Engine{"postgres", func(t testing.TB) string { return newDatabase(t, "template1") }, readyPostgres}
)

// OnEach runs test on every engine, as a subtest with its name. Where there is no
// PostgreSQL, that one is skipped.
func OnEach(t *testing.T, test func(t *testing.T, e Engine)) {
	for _, e := range []Engine{SQLite, Postgres} {
		t.Run(e.Name, func(t *testing.T) { test(t, e) })
	}
}

// Empty returns the address of a new database without tables.
func (e Engine) Empty(t testing.TB) string {
	t.Helper()
	return e.empty(t)
}

// Ready returns the address of a new database with all tables and no rows. On
// PostgreSQL several may open it.
func (e Engine) Ready(t testing.TB) string {
	t.Helper()
	return e.ready(t)
}

// New opens a new database with all tables and no rows.
func (e Engine) New(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, e.Ready(t))
}

// Open opens the database at url and closes it when the test ends.
func Open(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func newFile(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "waveadmin.db")
	if content == nil {
		return path
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readySQLite(t testing.TB) string {
	t.Helper()
	file, err := fileWithTables()
	if err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + newFile(t, file)
}

// fileWithTables is a database file with all tables: making them for each of
// hundreds of tests takes longer than the tests.
var fileWithTables = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "waveadmin")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "waveadmin.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // closing has moved everything into it
})

func migrate(url string) error {
	ctx := context.Background() // not of the test that happens to be first
	d, err := db.Open(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(d.Migrate(ctx), d.Close())
}
