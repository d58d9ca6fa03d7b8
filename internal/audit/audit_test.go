package audit_test

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"waveadmin/internal/audit"
	"waveadmin/internal/auth"
	"waveadmin/internal/db/dbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ auth.Auditor = (*audit.Log)(nil)

// Several servers append too, where they may run on one database.
func TestAppend_manyAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, j *journal) {
		servers := []*audit.Log{j.Log, j.Log}
		if j.engine.Name == "postgres" {
			other, err := audit.New(dbtest.Open(t, j.url), audit.Options{Secrets: [][]byte{secret}})
			if err != nil {
				t.Fatal(err)
			}
			servers[1] = other
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for k := range 20 {
					if err := servers[i%2].Record(t.Context(), audit.Event{Kind: audit.Export, Change: fmt.Sprint(i, "/", k)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Go(func() { // verified meanwhile, the log is whole at every moment
			for range 10 {
				if r := j.verify(t, [][]byte{secret}); !r.OK() {
					t.Error(r.Problems)
				}
			}
		})
		wg.Wait()
		if r := j.verify(t, [][]byte{secret}); !r.OK() || r.Events != 160 {
			t.Errorf("%d events: %v", r.Events, r.Problems)
		}
	})
}

func TestAppend_detailsThatAreNone(t *testing.T) {
	onEach(t, func(t *testing.T, j *journal) {
		if err := j.Record(t.Context(), audit.Event{Kind: audit.Export, Details: func() {}}); err == nil {
			t.Error("recorded")
		}
		if n := j.count(t, "1 = 1"); n != 0 {
			t.Errorf("%d events", n)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	j := newJournal(b, dbtest.SQLite)
	err := j.db.Write(b.Context(), func(tx *sql.Tx) error { // what an event adds to a transaction
		for b.Loop() {
			if err := j.Append(b.Context(), tx, audit.Event{Kind: audit.Export, Actor: tanaka, Account: "u-1"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkVerify reads a log of 100,000 events.
func BenchmarkVerify(b *testing.B) {
	j := newJournal(b, dbtest.SQLite)
	j.fill(b, 100_000)
	for b.Loop() {
		if r := j.verify(b, [][]byte{secret}); !r.OK() || r.Events != 100_000 {
			b.Fatal(r.Problems)
		}
	}
}
