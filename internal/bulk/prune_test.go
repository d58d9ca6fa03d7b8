package bulk_test

import (
	"testing"
	"time"

	"waveadmin/internal/bulk"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// rows counts those of a plan, or of a list of problems.
func (w *world) rows(query, id string) (n int) {
	w.t.Helper()
	if err := w.db.Read().QueryRowContext(w.t.Context(), query, id).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// TestPrune: what was never run goes after thirty days, with its accounts and problems;
// what has run, or is to run, stays for ever.
func TestPrune(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		w.add("a", wave.Wanted{"open_api": false})
		r := bulk.NewRuns(w.plans, bulk.RunOptions{Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate})
		list := func() string {
			var l bulk.FileProblems
			if err := l.Add(fault.Say("import.missing", "row", 2)); err != nil {
				t.Fatal(err)
			}
			id, err := w.plans.KeepProblems(t.Context(), &l)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		plan := func() *bulk.Plan {
			return w.plan(bulk.Draft{Source: "table", FileProblems: list(), Items: []bulk.DraftItem{
				{UserID: "a", Want: wave.Wanted{"open_api": true}}, {UserID: "gone", Want: wave.Wanted{"open_api": true}},
			}})
		}
		old, ran, waits, alone := plan(), plan(), plan(), list()
		if err := r.Start(t.Context(), startOf(ran)); err != nil {
			t.Fatal(err)
		}
		later := startOf(waits)
		later.At = time.Now().Add(60 * 24 * time.Hour)
		if err := r.Start(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		w.late = 2 * 24 * time.Hour
		young := plan()
		there := func(what string, p *bulk.Plan, want bool) {
			t.Helper()
			_, err := w.plans.Get(t.Context(), p.ID)
			if fault.Is(err, fault.NotFound) == want || err != nil && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v, want it there: %v", what, err, want)
			}
			items, lists := 0, 0
			if want {
				items, lists = 2, 1
			}
			if n := w.rows("SELECT count(*) FROM bulk_items WHERE plan_id = $1", p.ID); n != items {
				t.Errorf("%s has %d accounts", what, n)
			}
			if n := w.rows("SELECT count(*) FROM file_problems WHERE id = $1", p.FileProblems); n != lists {
				t.Errorf("%s has %d lists of problems", what, n)
			}
		}
		prune := func() {
			t.Helper()
			for range 2 {
				if err := w.plans.Prune(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		prune()
		there("a plan of two days", old, true)
		if n := w.rows("SELECT count(*) FROM file_problems WHERE id = $1", alone); n != 0 {
			t.Error("problems of a file that led to no plan are kept for longer than a day")
		}
		w.late = bulk.DraftsLast + time.Minute
		prune()
		there("a plan of a month", old, false)
		there("a younger one", young, true)
		there("what has run", ran, true)
		there("what is to run", waits, true)
	})
}
