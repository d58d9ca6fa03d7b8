package db_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"

	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
)

// exec runs one statement in a transaction of its own.
func exec(t *testing.T, d *db.DB, query string, args ...any) error {
	t.Helper()
	return d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
}

func mustExec(t *testing.T, d *db.DB, query string, args ...any) {
	t.Helper()
	if err := exec(t, d, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func number(t *testing.T, d *db.DB, query string) (n int) {
	t.Helper()
	if err := d.Read().QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDB_settings(t *testing.T) {
	settings := map[string]struct {
		read string
		want map[string]string
	}{
		"sqlite":   {"PRAGMA ", map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"}},
		"postgres": {"SHOW ", map[string]string{"synchronous_commit": "on", "statement_timeout": "10s", "idle_in_transaction_session_timeout": "10s", "transaction_isolation": "read committed"}},
	}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		url := e.Empty(t)
		if e.Name == "postgres" { // whatever its administrator thinks
			d := dbtest.Open(t, url)
			var name string
			if err := d.Read().QueryRow("SELECT current_database()").Scan(&name); err != nil {
				t.Fatal(err)
			}
			mustExec(t, d, "ALTER DATABASE "+name+" SET synchronous_commit = off")
			mustExec(t, d, "ALTER DATABASE "+name+" SET default_transaction_isolation = 'repeatable read'")
		}
		d := dbtest.Open(t, url)
		err := d.Write(t.Context(), func(tx *sql.Tx) error {
			for name, want := range settings[e.Name].want {
				var got string
				if err := tx.QueryRow(settings[e.Name].read + name).Scan(&got); err != nil || got != want {
					t.Errorf("%s = %q (%v), want %q", name, got, err, want)
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
		if got, want := d.Exclusive(), e.Name == "sqlite"; got != want {
			t.Errorf("Exclusive = %v, want %v", got, want)
		}
	})
}

func TestDB_Migrate(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := dbtest.Open(t, e.Empty(t))
		n, err := d.Pending(t.Context())
		if err != nil || n == 0 {
			t.Errorf("Pending of a new database = %d, %v", n, err)
		}
		for range 2 { // the second time does nothing
			if err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := d.Pending(t.Context()); n != 0 || err != nil {
			t.Errorf("Pending after Migrate = %d, %v", n, err)
		}
	})
}

func TestDB_Write_rollsBack(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := dbtest.Open(t, e.Empty(t))
		insert := func(tx *sql.Tx) error { _, err := tx.Exec("INSERT INTO notes VALUES ($1)", "x"); return err }
		mustExec(t, d, "CREATE TABLE notes (text TEXT)")

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
		if n := number(t, d, "SELECT count(*) FROM notes"); n != 0 {
			t.Errorf("%d rows stayed", n)
		}
		if err := d.Write(t.Context(), insert); err != nil || number(t, d, "SELECT count(*) FROM notes") != 1 {
			t.Errorf("after all that: %v, want 1 row", err)
		}
	})
}

// What a transaction reads is still true when it writes, whoever else writes.
func TestDB_Write_onlyOneAtATime(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		url := e.Empty(t)
		servers := []*db.DB{dbtest.Open(t, url)}
		if e.Name == "postgres" {
			servers = append(servers, dbtest.Open(t, url))
		}
		count(t, servers)
	})
}

// count lets many writers of all servers count to 100 by reading and writing.
func count(t *testing.T, servers []*db.DB) {
	t.Helper()
	mustExec(t, servers[0], "CREATE TABLE counter (n BIGINT NOT NULL)")
	mustExec(t, servers[0], "INSERT INTO counter VALUES (0)")
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			for range 10 {
				err := servers[i%len(servers)].Write(t.Context(), func(tx *sql.Tx) error {
					var n int
					if err := tx.QueryRow("SELECT n FROM counter").Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec("UPDATE counter SET n = $1", n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := number(t, servers[0], "SELECT n FROM counter"); n != 100 {
		t.Errorf("counted to %d, want 100", n)
	}
}

func TestIsUnique(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := dbtest.Open(t, e.Empty(t))
		mustExec(t, d, "CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY, text TEXT NOT NULL, n BIGINT CHECK (n > 0))")
		mustExec(t, d, "CREATE UNIQUE INDEX notes_text ON notes (text) WHERE n = 1")
		mustExec(t, d, "INSERT INTO notes VALUES (1, 'a', 1)")
		tests := []struct {
			name, values string
			want         bool
		}{
			{"the same key", "(1, 'b', 1)", true},
			{"the same value of a unique index", "(2, 'a', 1)", true},
			{"nothing where something must be", "(2, NULL, 1)", false},
			{"what a check refuses", "(2, 'b', 0)", false},
		}
		for _, tt := range tests {
			err := exec(t, d, "INSERT INTO notes VALUES "+tt.values)
			if err == nil || db.IsUnique(err) != tt.want {
				t.Errorf("%s: IsUnique(%v) is not %v", tt.name, err, tt.want)
			}
		}
		if err := exec(t, d, "INSERT INTO notes VALUES (2, 'a', 2)"); err != nil {
			t.Errorf("outside the condition of the index: %v", err)
		}
	})
}
