package bulk_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/bulk"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/wave"
)

// TestList_countsOnce: of plans that change no more the accounts are counted once, of
// others each time.
func TestList_countsOnce(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		on := wave.Wanted{"invoice": true}
		for _, id := range []wave.UserID{"a", "b", "c", "d"} {
			w.add(id, wave.Wanted{"invoice": false})
		}
		plan := func(ids ...wave.UserID) *bulk.Plan {
			var items []bulk.DraftItem
			for _, id := range ids {
				items = append(items, bulk.DraftItem{UserID: id, Want: on})
			}
			return w.make(items...)
		}
		write := func(q string, args ...any) {
			t.Helper()
			if err := w.db.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.ExecContext(t.Context(), q, args...); return err }); err != nil {
				t.Fatal(err)
			}
		}
		r := w.runs(nil)
		over, doubt, old := plan("a", "b"), plan("c"), plan("d")
		for _, p := range []*bulk.Plan{over, doubt} {
			w.start(r, p)
			w.ended(r, p.ID)
		}
		write("UPDATE bulk_items SET state = 'in_doubt', change_id = '' WHERE plan_id = $1", doubt.ID)
		list := func() map[string]bulk.Counts {
			t.Helper()
			all, err := r.List(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			counts := make(map[string]bulk.Counts)
			for _, l := range all {
				counts[l.ID] = l.Counts
			}
			return counts
		}
		want := map[string]bulk.Counts{over.ID: {"done": 2}, doubt.ID: {"in_doubt": 1}, old.ID: {"queued": 1}}
		if diff := cmp.Diff(want, list()); diff != "" {
			t.Fatal(diff)
		}
		// Nothing but a second count can notice these.
		write("UPDATE bulk_items SET state = 'failed' WHERE plan_id = $1", over.ID)
		write("UPDATE bulk_items SET state = 'done' WHERE plan_id = $1", doubt.ID)
		write("UPDATE bulk_items SET left_out = 1 WHERE plan_id = $1", old.ID)
		want[doubt.ID], want[old.ID] = bulk.Counts{"done": 1}, bulk.Counts{}
		if diff := cmp.Diff(want, list()); diff != "" {
			t.Error(diff)
		}
		write("UPDATE bulk_items SET left_out = 0 WHERE plan_id = $1", old.ID)
		w.late = bulk.ValidFor + 2*time.Minute
		want[old.ID] = bulk.Counts{"queued": 1}
		list()
		write("UPDATE bulk_items SET left_out = 1 WHERE plan_id = $1", old.ID)
		if diff := cmp.Diff(want, list()); diff != "" {
			t.Errorf("expired: %s", diff)
		}
	})
}
