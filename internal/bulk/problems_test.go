package bulk_test

import (
	"fmt"
	"slices"
	"testing"

	"waveadmin/internal/bulk"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
)

// TestProblems: a long list comes back as it was, in order.
func TestProblems(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		var list bulk.FileProblems
		if id, err := w.plans.KeepProblems(t.Context(), &list); id != "" || err != nil {
			t.Errorf("an empty list is kept as %q: %v", id, err)
		}
		const n = 20_000
		for i := range n {
			if err := list.Add(fault.Say("import.bad_email", "row", i, "value", "=x\x00\xff\n「あ」")); err != nil {
				t.Fatal(err)
			}
		}
		id, err := w.plans.KeepProblems(t.Context(), &list)
		if err != nil {
			t.Fatal(err)
		}
		count, got, err := w.plans.Problems(t.Context(), id)
		if err != nil || count != n {
			t.Fatalf("%d are there: %v", count, err)
		}
		i := 0
		for say, err := range got {
			if want := []any{"row", fmt.Sprint(i), "value", "=x\uFFFD\n「あ」"}; err != nil || say.Key != "import.bad_email" || !slices.Equal(say.Args, want) {
				t.Fatalf("number %d is %+v, %v", i, say, err)
			}
			i++
		}
		if i != n {
			t.Errorf("%d come back", i)
		}
		if _, _, err := w.plans.Problems(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("of no list: %v", err)
		}
	})
}
