package db_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
)

// A connection that broke is replaced by one with the same settings.
func TestSQLite_everyConnectionThatWritesIsCareful(t *testing.T) {
	d := dbtest.SQLite.New(t)
	mustExec(t, d, "CREATE TABLE parents (id BIGINT PRIMARY KEY)")
	mustExec(t, d, "CREATE TABLE children (parent BIGINT REFERENCES parents (id))")
	for _, when := range []string{"at first", "afterwards"} {
		var settings string
		err := d.Write(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRow(`SELECT journal_mode || ' ' || synchronous || ' ' || foreign_keys || ' ' || timeout
				FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys, pragma_busy_timeout`).Scan(&settings)
		})
		if settings != "wal 2 1 5000" || err != nil {
			t.Errorf("%s: %s, %v", when, settings, err)
		}
		if err := exec(t, d, "INSERT INTO children VALUES (1)"); err == nil || !strings.Contains(err.Error(), "FOREIGN KEY") {
			t.Errorf("%s: a child without its parent: %v", when, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err = d.Write(ctx, func(tx *sql.Tx) error { // breaks off in the middle of a statement
			cancel()
			_, err := tx.Exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO parents SELECT i FROM n LIMIT 10")
			return err
		})
		if err == nil {
			t.Error("what was broken off is done")
		}
	}
}

// A transaction has the file from its start: what it reads first is still true
// when it writes.
func TestSQLite_Write_isImmediate(t *testing.T) {
	url := dbtest.SQLite.Ready(t)
	d := dbtest.Open(t, url)
	other, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	const insert = "INSERT INTO used_logins (state, expires_at) VALUES ('x', 1)"
	err = d.Write(t.Context(), func(*sql.Tx) error {
		if _, err := other.ExecContext(t.Context(), insert); err == nil || !strings.Contains(err.Error(), "locked") {
			t.Errorf("written beside a transaction that did nothing yet: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), insert); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// What a disk has lost is noticed at the start, and not by the first who needs it.
func TestSQLite_Open_refusesADamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "waveadmin.db")
	d := open(t, path)
	mustExec(t, d, "CREATE TABLE notes (text TEXT)")
	mustExec(t, d, "INSERT INTO notes WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT hex(randomblob(200)) FROM n")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	tests := map[string]func(b []byte) []byte{
		"a page of zeros":         func(b []byte) []byte { clear(b[len(b)-page:]); return b },
		"a page of something":     func(b []byte) []byte { copy(b[len(b)-page:], strings.Repeat("lost", page/4)); return b },
		"the end is missing":      func(b []byte) []byte { return b[:len(b)-3*page] },
		"nothing but the first":   func(b []byte) []byte { clear(b[page:]); return b },
		"the first is of no file": func(b []byte) []byte { clear(b[:page]); return b },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			broken := filepath.Join(t.TempDir(), "broken.db")
			if err := os.WriteFile(broken, damage(append([]byte(nil), whole...)), 0o600); err != nil {
				t.Fatal(err)
			}
			d, err := db.Open(t.Context(), "sqlite:"+broken)
			if err == nil {
				d.Close()
				t.Fatal("opened")
			}
			if !strings.HasPrefix(err.Error(), "database "+broken+" is damaged") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %q, want that the file is damaged", err)
			}
		})
	}
}
