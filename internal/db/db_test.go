package db_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/db"
)

func open(t *testing.T, path string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestOpen_makesAFileThatOnlyTheOwnerReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b%2F?#", "data") // no character of a path means anything else
	open(t, filepath.Join(dir, "waveadmin.db"))
	for _, want := range []struct {
		path string
		mode os.FileMode
	}{{dir, 0o700}, {filepath.Join(dir, "waveadmin.db"), 0o600}, {filepath.Join(dir, "waveadmin.db-wal"), 0o600}} {
		info, err := os.Stat(want.path)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.Mode().Perm(); got != want.mode {
			t.Errorf("%s has mode %v, want %v", want.path, got, want.mode)
		}
	}
}

func TestOpen_refuses(t *testing.T) {
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("no database at all ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(t.TempDir(), "used.db")
	open(t, used)
	tests := []struct{ name, url, want string }{
		{"PostgreSQL, for now", "postgres://me:hunter2@db/waveadmin", "not supported yet"},
		{"another engine", "mysql://me:hunter2@db/waveadmin", "must be sqlite:PATH"},
		{"no path", "sqlite:", "must be sqlite:PATH"},
		{"a bare path", "data/waveadmin.db", "must be sqlite:PATH"},
		{"a file that is no database", "sqlite:" + damaged, damaged},
		{"a file in use", "sqlite:" + used, "in use by another process"},
		{"a directory", "sqlite:" + t.TempDir(), "is a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := db.Open(t.Context(), tt.url)
			if err == nil {
				d.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %q, want it to say %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q shows the password", err)
			}
		})
	}
}

func TestOpen_againAfterClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "waveadmin.db")
	d := open(t, path)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestDB_settings(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "waveadmin.db"))
	err := d.Write(t.Context(), func(tx *sql.Tx) error {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000",
		} {
			var got string
			if err := tx.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s = %q (%v), want %q", pragma, got, err, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read().Exec("CREATE TABLE x (id BIGINT)"); err == nil {
		t.Error("the pool for reading writes")
	}
}

func TestDB_Migrate(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "waveadmin.db"))
	n, err := d.Pending(t.Context())
	if err != nil || n == 0 {
		t.Errorf("Pending of a new file = %d, %v", n, err)
	}
	for range 2 { // the second time does nothing
		if err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := d.Pending(t.Context()); n != 0 || err != nil {
		t.Errorf("Pending after Migrate = %d, %v", n, err)
	}
}

func TestDB_Write_rollsBack(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "waveadmin.db"))
	count := func() (n int) {
		t.Helper()
		if err := d.Read().QueryRow("SELECT count(*) FROM notes").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	insert := func(tx *sql.Tx) error { _, err := tx.Exec("INSERT INTO notes VALUES ($1)", "x"); return err }
	if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec("CREATE TABLE notes (text TEXT)"); return err }); err != nil {
		t.Fatal(err)
	}

	stop := errors.New("stop")
	if err := d.Write(t.Context(), func(tx *sql.Tx) error { return errors.Join(insert(tx), stop) }); !errors.Is(err, stop) {
		t.Errorf("error = %v, want that of the function", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = d.Write(t.Context(), func(tx *sql.Tx) error { _ = insert(tx); panic("stop") })
	}()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Write(gone, insert); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
	if n := count(); n != 0 {
		t.Errorf("%d rows stayed", n)
	}
	if err := d.Write(t.Context(), insert); err != nil || count() != 1 {
		t.Errorf("after all that: %v, %d rows, want 1", err, count())
	}
}

func TestMicros(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 3, 22, 123456000, time.FixedZone("JST", 9*3600))
	if got := db.Time(db.Micros(at)); !got.Equal(at) || got.Location() != time.UTC {
		t.Errorf("got %v, want %v in UTC", got, at)
	}
	if db.Micros(time.Time{}) != 0 || !db.Time(0).IsZero() {
		t.Error("the zero time is not 0")
	}
}
