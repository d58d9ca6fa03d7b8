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

func TestPostgres_Migrate_ofSeveralServersAtOnce(t *testing.T) {
	url := dbtest.Postgres.Empty(t)
	var wg sync.WaitGroup
	for range 4 {
		d := dbtest.Open(t, url)
		wg.Go(func() {
			if err := d.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
			if n, err := d.Pending(t.Context()); n != 0 || err != nil {
				t.Errorf("Pending = %d, %v", n, err)
			}
		})
	}
	wg.Wait()
}

func TestPostgres_Write_repeatsWhatFailedBecauseOfOthers(t *testing.T) {
	d := dbtest.Open(t, dbtest.Postgres.Empty(t))
	mustExec(t, d, "CREATE TABLE notes (text TEXT)")
	tests := []struct {
		condition string
		failures  int // of the first runs
		runs      int
		ok        bool
	}{
		{"serialization_failure", 2, 3, true},
		{"deadlock_detected", 1, 2, true},
		{"serialization_failure", 100, 6, false},
		{"division_by_zero", 1, 1, false},
	}
	for _, tt := range tests {
		mustExec(t, d, "DELETE FROM notes")
		runs := 0
		err := d.Write(t.Context(), func(tx *sql.Tx) error {
			runs++
			if _, err := tx.Exec("INSERT INTO notes VALUES ('x')"); err != nil {
				return err
			}
			if runs > tt.failures {
				return nil
			}
			_, err := tx.Exec("DO $$ BEGIN RAISE " + tt.condition + "; END $$")
			return err
		})
		rows := 0
		if tt.ok {
			rows = 1
		}
		if got := number(t, d, "SELECT count(*) FROM notes"); (err == nil) != tt.ok || runs != tt.runs || got != rows {
			t.Errorf("%d times %s: %v after %d runs, %d rows; want ok: %v after %d, %d rows", tt.failures, tt.condition, err, runs, got, tt.ok, tt.runs, rows)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	err := d.Write(ctx, func(tx *sql.Tx) error {
		runs++
		_, err := tx.Exec("DO $$ BEGIN RAISE serialization_failure; END $$")
		cancel()
		return err
	})
	if err == nil || runs != 1 {
		t.Errorf("after its caller left it ran %d times: %v", runs, err)
	}
}

// A server that died in the middle of a transaction does not hold the others.
func TestPostgres_Write_afterAConnectionBroke(t *testing.T) {
	url := dbtest.Postgres.Empty(t)
	d, other := dbtest.Open(t, url), dbtest.Open(t, url)
	err := d.Write(t.Context(), func(tx *sql.Tx) error {
		var pid int
		if err := tx.QueryRow("SELECT pg_backend_pid()").Scan(&pid); err != nil {
			return err
		}
		if _, err := other.Read().Exec("SELECT pg_terminate_backend($1)", pid); err != nil {
			t.Error(err)
		}
		_, err := tx.Exec("SELECT 1")
		return err
	})
	if err == nil {
		t.Fatal("the connection lives")
	}
	for name, d := range map[string]*db.DB{"the same": d, "the other": other} {
		mustExec(t, d, "SELECT 1")
		if err := d.Ping(t.Context()); err != nil {
			t.Errorf("%s server: %v", name, err)
		}
	}
}

// The pooler gives each transaction another connection, refuses settings and
// knows no prepared statements.
func TestPostgres_behindAPooler(t *testing.T) {
	direct := dbtest.Postgres.Empty(t)
	url := dbtest.Pooled(t, direct)
	servers := []*db.DB{dbtest.Open(t, url), dbtest.Open(t, url), dbtest.Open(t, direct)}
	var wg sync.WaitGroup
	for _, d := range servers {
		wg.Go(func() {
			if err := d.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	count(t, servers)
	for range 20 { // the same text, on whichever connection
		var n int
		if err := servers[0].Read().QueryRow("SELECT n FROM counter WHERE n > $1", 1).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	var left string
	err := servers[0].Read().QueryRow("SHOW statement_timeout").Scan(&left)
	if err != nil || left != "0" {
		t.Errorf("a setting of a transaction stayed on its connection: %s (%v)", left, err)
	}
	if _, err := servers[0].Read().Exec("SELECT broken"); err == nil || errors.Is(err, sql.ErrConnDone) {
		t.Errorf("error = %v, want that of the server", err)
	}
}
