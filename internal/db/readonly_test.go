package db_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"waveadmin/internal/db"
)

func TestOpenReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b%2F?#", "waveadmin.db")
	d := open(t, path)
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	pool, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	insert := func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO used_logins (state, expires_at) VALUES ('x', 1)")
		return err
	}
	count := func(pool *sql.DB) (n int) {
		t.Helper()
		if err := pool.QueryRowContext(t.Context(), "SELECT count(*) FROM used_logins").Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
	if err := d.Write(t.Context(), insert); err != nil || count(pool) != 1 {
		t.Errorf("beside a process that writes: %v, %d rows, want 1", err, count(pool))
	}
	for _, statement := range []string{"DELETE FROM used_logins", "PRAGMA query_only = 0; DELETE FROM used_logins", "CREATE TABLE x (id BIGINT)"} {
		if _, err := pool.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("%s: done", statement)
		}
	}

	if err := d.Close(); err != nil { // which removes the -wal file
		t.Fatal(err)
	}
	alone, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(alone); n != 1 {
		t.Errorf("alone: %d rows, want 1", n)
	}
	if err := alone.Close(); err != nil {
		t.Error(err)
	}
	open(t, path) // what only reads keeps no writer away
}

func TestOpenReadOnly_makesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	for _, url := range []string{"sqlite:" + path, "sqlite:", "mysql://x"} {
		if pool, err := db.OpenReadOnly(t.Context(), url); err == nil {
			pool.Close()
			t.Errorf("%s was opened", url)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file was made: %v", err)
	}
}
