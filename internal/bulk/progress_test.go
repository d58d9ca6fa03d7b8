package bulk_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// TestProgress compares what pages read of a run with all of it.
func TestProgress(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		on := wave.Wanted{"invoice": true}
		w.add("right", on)
		items := []bulk.DraftItem{{UserID: "right", Want: on}, {UserID: "nobody", Want: on}}
		for n := range 7 {
			id := wave.UserID(fmt.Sprintf("moves-%d", n))
			w.add(id, wave.Wanted{"invoice": false})
			items = append(items, bulk.DraftItem{UserID: id, Want: on, LeftOut: n == 3})
		}
		p := w.make(items...)
		r := w.runs(nil)
		if _, err := r.Progress(t.Context(), p.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("of a plan that has not run: %v", err)
		}
		w.start(r, p)
		w.ended(r, p.ID)
		// Two whose outcome was not known when the run left them: one is settled since.
		err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE bulk_items SET state = 'in_doubt', change_id = CASE place WHEN 4 THEN '' ELSE change_id END
				WHERE plan_id = $1 AND place IN (3, 4)`, p.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}

		whole := w.get(p.ID)
		var all []bulk.Item
		counts := bulk.Counts{}
		for _, i := range whole.Items {
			if !i.LeftOut {
				all = append(all, i)
				counts[i.State]++
			}
		}
		if counts[change.Done] != 5 || counts[change.InDoubt] != 1 {
			t.Fatalf("the test is of %v", counts)
		}
		got, err := r.Progress(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		run, _, _ := r.Run(t.Context(), p.ID)
		want := &bulk.Progress{Plan: whole, Run: run, Counts: counts}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(bulk.Plan{}, "Items")); diff != "" || got.Plan.Items != nil {
			t.Error(diff)
		}
		for _, state := range []change.State{"", change.Done, change.NoChange, change.Failed, change.InDoubt, change.Cancelled} {
			var of []bulk.Item
			for _, i := range all {
				if state == "" || i.State == state {
					of = append(of, i)
				}
			}
			for offset := 0; offset < 9; offset += 2 {
				got, err := r.Items(t.Context(), p.ID, state, 2, offset)
				if err != nil {
					t.Fatal(err)
				}
				want := of[min(offset, len(of)):min(offset+2, len(of))]
				if diff := cmp.Diff(places(want), places(got)); diff != "" {
					t.Errorf("%q from %d: %s", state, offset, diff)
				}
			}
		}
		var parts []bulk.Item
		for part, err := range r.Parts(t.Context(), p.ID) {
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part...)
		}
		if diff := cmp.Diff(places(all), places(parts)); diff != "" {
			t.Error(diff)
		}
		for part, err := range r.Parts(t.Context(), "none") {
			t.Errorf("a plan that is not there has %v, %v", part, err)
		}
	})
}

func places(items []bulk.Item) (out []string) {
	for _, i := range items {
		out = append(out, fmt.Sprintf("%d %s %s", i.Place, i.Account, i.State))
	}
	return out
}

// TestProgress_pace: accounts that were finished lately, over a time in which that says
// something.
func TestProgress_pace(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		var items []bulk.DraftItem
		for n := range 40 {
			id := wave.UserID(fmt.Sprintf("a-%02d", n))
			w.add(id, wave.Wanted{"invoice": false})
			items = append(items, bulk.DraftItem{UserID: id, Want: wave.Wanted{"invoice": true}})
		}
		p := w.make(items...)
		r := bulk.NewRuns(w.plans, bulk.RunOptions{}) // nobody works on it
		w.start(r, p)
		for _, tt := range []struct {
			finished, ago []int // how many, and seconds before the last moment
			after         int   // seconds since the start
			pace          float64
		}{
			{finished: []int{5}, ago: []int{0}, after: 1, pace: 0},
			{finished: nil, after: 10, pace: 0},
			{finished: []int{5}, ago: []int{1}, after: 10, pace: 0.5},
			{finished: []int{10, 30}, ago: []int{16, 10}, after: 100, pace: 2},
		} {
			now := time.Now().Add(time.Duration(tt.after) * time.Second)
			err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
				if _, err := tx.ExecContext(t.Context(), "UPDATE bulk_items SET state = 'queued', finished_at = 0 WHERE plan_id = $1", p.ID); err != nil {
					return err
				}
				from := 0
				for n, of := range tt.finished {
					at := now.Add(-time.Duration(tt.ago[n]) * time.Second).UnixMicro()
					_, err := tx.ExecContext(t.Context(), `UPDATE bulk_items SET state = 'done', finished_at = $1
						WHERE plan_id = $2 AND place > $3 AND place <= $4`, at, p.ID, from, from+of)
					if err != nil {
						return err
					}
					from += of
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			w.late = time.Until(now)
			got, err := r.Progress(t.Context(), p.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.pace, got.Pace, cmpopts.EquateApprox(0.05, 0)); diff != "" {
				t.Errorf("%v finished %v ago, after %d s: %s", tt.finished, tt.ago, tt.after, diff)
			}
			left := 0.0
			if tt.pace > 0 {
				left = float64(got.Counts.Left()) / tt.pace
			}
			if diff := cmp.Diff(left, got.Left().Seconds(), cmpopts.EquateApprox(0.05, 0)); diff != "" {
				t.Errorf("time left after %d s: %s", tt.after, diff)
			}
		}
	})
}

func TestParts_ofMany(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		const all = 1000 // a multiple of a part
		var items []bulk.DraftItem
		for n := range all + 1 {
			items = append(items, bulk.DraftItem{UserID: wave.UserID(fmt.Sprint("a", n)), Want: wave.Wanted{"invoice": true}, LeftOut: n == 7})
		}
		p := w.make(items...)
		last, parts := 0, 0
		for part, err := range w.plans.Parts(t.Context(), p.ID) {
			if err != nil {
				t.Fatal(err)
			}
			parts++
			for _, i := range part {
				if i.Place <= last || i.Place == 8 {
					t.Fatalf("%d comes after %d", i.Place, last)
				}
				last = i.Place
			}
		}
		if parts != 2 || last != all+1 {
			t.Errorf("%d parts up to %d", parts, last)
		}
	})
}
