package bulk_test

import (
	"fmt"
	"testing"

	"waveadmin/internal/bulk"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/wave"
)

// BenchmarkPreview is what a look at the preview of as many accounts as there can be
// takes, with a page of a hundred: whole reads all of them, as it was once.
func BenchmarkPreview(b *testing.B) {
	w := newWorld(b, dbtest.SQLite.Ready(b), 0)
	items := make([]bulk.DraftItem, bulk.MaxAccounts)
	for n := range items {
		id := wave.UserID(fmt.Sprintf("p-%05d", n))
		w.add(id, wave.Wanted{"open_api": n%2 == 0})
		items[n] = bulk.DraftItem{UserID: id, Want: wave.Wanted{"open_api": true, "invoice": true, "usage_tag": false}, Seen: wave.Seen{"invoice": wave.Off}}
	}
	id := w.make(items...).ID
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			p, err := w.plans.Get(b.Context(), id)
			if err != nil || p.Sum().Accounts != len(items) || p.Mark() == "" {
				b.Fatal(err)
			}
		}
	})
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			v, err := w.plans.Preview(b.Context(), id)
			if err != nil || v.Sum.Accounts != len(items) {
				b.Fatal(err)
			}
			if page, err := w.plans.PreviewItems(b.Context(), id, bulk.ShowChanges, 100, 0); err != nil || len(page) != 100 {
				b.Fatal(err)
			}
		}
	})
	b.Run("page at the end", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.plans.Preview(b.Context(), id); err != nil {
				b.Fatal(err)
			}
			if page, err := w.plans.PreviewItems(b.Context(), id, bulk.ShowChanges, 100, len(items)-100); err != nil || len(page) != 100 {
				b.Fatal(err)
			}
		}
	})
	b.Run("box", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if err := w.plans.LeaveOut(b.Context(), id, []int{1}, []int{1 + n%2}); err != nil {
				b.Fatal(err)
			}
			if _, err := w.plans.Preview(b.Context(), id); err != nil {
				b.Fatal(err)
			}
		}
	})
}
