package db_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"waveadmin/internal/db/dbtest"
)

// TestWrite_leftAtAnyMoment: whoever leaves while a transaction is under way hears what
// became of it. What Write says has failed is not there, as callers send nothing then.
func TestWrite_leftAtAnyMoment(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := dbtest.Open(t, e.Empty(t))
		insert := func(ctx context.Context, name string, then func()) error {
			return d.Write(ctx, func(tx *sql.Tx) error {
				defer then()
				_, err := tx.ExecContext(ctx, "INSERT INTO left_at (name) VALUES ($1)", name)
				return err
			})
		}
		if err := d.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), "CREATE TABLE left_at (name TEXT PRIMARY KEY)")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		const moments = 400
		done := 0
		for n := range moments {
			ctx, leave := context.WithCancel(t.Context())
			name := fmt.Sprint(n)
			err := insert(ctx, name, func() { // the commit is next
				time.AfterFunc(time.Duration(n)*time.Microsecond*5, leave)
			})
			leave()
			var there int
			if e := d.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM left_at WHERE name = $1", name).Scan(&there); e != nil {
				t.Fatal(e)
			}
			if (err == nil) != (there == 1) {
				t.Errorf("%d µs into the commit: %v, and there are %d", n*5, err, there)
			}
			done += there
		}
		t.Logf("%d of %d were committed", done, moments)
	})
}
