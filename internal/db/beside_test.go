package db_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
)

// TestOpenBeside: a command writes while the server does, and neither loses anything.
func TestOpenBeside(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		at := e.Ready(t)
		server := dbtest.Open(t, at)
		command, err := db.OpenBeside(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		const each = 50
		var writing sync.WaitGroup
		for name, d := range map[string]*db.DB{"server": server, "command": command} {
			writing.Go(func() {
				for n := range each {
					err := d.Write(t.Context(), func(tx *sql.Tx) error {
						_, err := tx.ExecContext(t.Context(), "INSERT INTO ended_people (issuer, subject, ended_at) VALUES ($1, $2, $3)", name, name+string(rune('0'+n)), n)
						return err
					})
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
		writing.Wait()
		var rows int
		if err := server.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM ended_people").Scan(&rows); err != nil || rows != 2*each {
			t.Errorf("%d rows (%v), want %d", rows, err, 2*each)
		}
		if err := command.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOpenBeside_makesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	if d, err := db.OpenBeside(t.Context(), "sqlite:"+path); err == nil {
		t.Error(d.Close(), "opened a file that was not there")
	}
	if left, _ := filepath.Glob(path + "*"); len(left) > 0 {
		t.Errorf("it made %s", strings.Join(left, " "))
	}
}
