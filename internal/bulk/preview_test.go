package bulk_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/bulk"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// wholePreview is what a plan says when all of its accounts are counted.
type wholePreview struct {
	Sum   bulk.Sum
	Mark  string
	Count map[bulk.Show]int
}

var allShows = []bulk.Show{bulk.ShowAll, bulk.ShowChanges, bulk.ShowSame, bulk.ShowOut, bulk.ShowGone}

// whole counts a plan from its accounts.
func whole(p *bulk.Plan) wholePreview {
	w := wholePreview{Sum: p.Sum(), Mark: p.Mark(), Count: make(map[bulk.Show]int)}
	for _, show := range allShows {
		for _, i := range p.Items {
			if shown(show, i) {
				w.Count[show]++
			}
		}
	}
	return w
}

func shown(show bulk.Show, i bulk.Item) bool {
	return map[bulk.Show]bool{
		bulk.ShowAll: true, bulk.ShowChanges: i.Acts(), bulk.ShowSame: !i.Acts(), bulk.ShowOut: i.LeftOut,
		bulk.ShowGone: i.Before == nil && i.New == nil && !i.LeftOut,
	}[show]
}

// same compares the preview of a plan with what its accounts say.
func (w *world) same(when, id string) {
	w.t.Helper()
	p, err := w.plans.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := w.plans.Preview(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	want, got := whole(p), wholePreview{Sum: v.Sum, Mark: v.Mark, Count: make(map[bulk.Show]int)}
	for _, show := range allShows {
		if n := v.Selects(show); n > 0 {
			got.Count[show] = n
		}
		items, err := w.plans.PreviewItems(w.t.Context(), id, show, 3, 1)
		if err != nil {
			w.t.Fatal(err)
		}
		var places, wanted []int
		for _, i := range items {
			places = append(places, i.Place)
		}
		for _, i := range p.Items {
			if shown(show, i) {
				wanted = append(wanted, i.Place)
			}
		}
		if wanted = wanted[min(1, len(wanted)):]; !slices.Equal(places, wanted[:min(3, len(wanted))]) {
			w.t.Errorf("%s: of %q the page has %v, of %v", when, show, places, wanted)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s (-all accounts +preview)\n%s", when, diff)
	}
}

// TestPreview: its numbers are those of all accounts, however often some of them are
// left out and in again, and when an older server wrote the plan.
func TestPreview(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		var items []bulk.DraftItem
		for n := range 30 {
			id := wave.UserID(fmt.Sprintf("p-%02d", n))
			if n%7 > 0 { // the others are not there
				w.add(id, wave.Wanted{"invoice": n%2 == 0, "open_api": n%3 == 0})
			}
			item := bulk.DraftItem{UserID: id, Want: wave.Wanted{"invoice": true, "not_there": true}, LeftOut: n%5 == 0}
			if n%4 == 0 {
				item.Want = wave.Wanted{"open_api": true, "aqua_link": false}
				item.Seen = wave.Seen{"open_api": wave.On}
			}
			items = append(items, item)
		}
		p := w.make(items...)
		w.same("as it is made", p.ID)
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 12 {
			var out []int
			seen := []int{1 + rnd.IntN(30), 1 + rnd.IntN(30), 1 + rnd.IntN(30), 99}
			for _, place := range seen {
				if rnd.IntN(2) == 0 {
					out = append(out, place)
				}
			}
			if err := w.plans.LeaveOut(t.Context(), p.ID, seen, out); err != nil {
				t.Fatal(err)
			}
			w.same(fmt.Sprintf("with %v of %v left out", out, seen), p.ID)
		}
		for _, old := range []string{
			"UPDATE bulk_plans SET tally = ''", "UPDATE bulk_plans SET tally = '{'", "UPDATE bulk_plans SET version = version + 1",
		} {
			for _, statement := range []string{old, "UPDATE bulk_items SET acts = 0", "UPDATE bulk_items SET left_out = 1 WHERE place = 2"} {
				w.exec(statement)
			}
			if err := w.plans.LeaveOut(t.Context(), p.ID, []int{3}, []int{3}); err != nil {
				t.Fatal(err)
			}
			w.same("after "+old, p.ID)
			w.same("again after "+old, p.ID)
			if err := w.plans.LeaveOut(t.Context(), p.ID, []int{2, 3}, nil); err != nil {
				t.Fatal(err)
			}
			w.same("with what was put in after "+old, p.ID)
		}
		if _, err := w.plans.Preview(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("of no plan: %v", err)
		}
	})
}

// TestPreview_ofOtherKinds: of new accounts, deletions and passwords, too.
func TestPreview_ofOtherKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 0)
	w.add("a", nil)
	w.add("b", nil)
	for _, d := range []bulk.Draft{
		{Kind: bulk.Deletions, Source: "table", Items: []bulk.DraftItem{{UserID: "a"}, {UserID: "gone"}, {UserID: "b", LeftOut: true}}},
		{Kind: bulk.Passwords, Source: "table", Items: []bulk.DraftItem{{UserID: "a"}, {UserID: "b"}}},
		{Kind: bulk.Creations, Source: "file", Items: []bulk.DraftItem{
			{New: &bulk.NewAccount{Email: "x@x.jp", CompanyID: "c", Meta: wave.Defaults().With("open_api", true)}},
			{New: &bulk.NewAccount{Email: "y@x.jp", CompanyID: "c", Meta: wave.Defaults()}},
		}},
	} {
		p := w.plan(d)
		w.same(string(d.Kind), p.ID)
		if err := w.plans.LeaveOut(t.Context(), p.ID, []int{1, 2}, []int{1}); err != nil {
			t.Fatal(err)
		}
		w.same(string(d.Kind)+" but one", p.ID)
	}
}

// TestNeedsApproval: as many accounts are left out, it is not needed any more.
func TestNeedsApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 0)
	w.add("a", wave.Wanted{"invoice": false, "open_api": true})
	r := bulk.NewRuns(w.plans, bulk.RunOptions{
		Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate, Approval: bulk.Approval{Flags: []wave.Key{"open_api"}},
	})
	issue := func(on bool) bulk.DraftItem {
		return bulk.DraftItem{New: &bulk.NewAccount{Email: fmt.Sprintf("%v@x.jp", on), CompanyID: "c", Meta: wave.Defaults().With("open_api", on)}}
	}
	for name, tt := range map[string]struct {
		draft bulk.Draft
		want  bool
		after bool // the first account is left out
	}{
		"another flag":        {bulk.Draft{Items: []bulk.DraftItem{{UserID: "a", Want: wave.Wanted{"invoice": true}}}}, false, false},
		"that flag":           {bulk.Draft{Items: []bulk.DraftItem{{UserID: "a", Want: wave.Wanted{"open_api": false}}}}, true, false},
		"that flag, as it is": {bulk.Draft{Items: []bulk.DraftItem{{UserID: "a", Want: wave.Wanted{"open_api": true}}}}, false, false},
		"new accounts":        {bulk.Draft{Kind: bulk.Creations, Items: []bulk.DraftItem{issue(true), issue(false)}}, true, false},
		"new without it":      {bulk.Draft{Kind: bulk.Creations, Items: []bulk.DraftItem{issue(false)}}, false, false},
		"a deletion":          {bulk.Draft{Kind: bulk.Deletions, Items: []bulk.DraftItem{{UserID: "a"}}}, false, false},
	} {
		tt.draft.Source = "table"
		p := w.plan(tt.draft)
		for step, want := range []bool{tt.want, tt.after} {
			v, err := w.plans.Preview(t.Context(), p.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.NeedsApproval(v); got != want {
				t.Errorf("%s, step %d: %v, want %v", name, step, got, want)
			}
			if err := w.plans.LeaveOut(t.Context(), p.ID, []int{1}, []int{1}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// More accounts than one statement names, and some that the plan does not have.
func TestItemsOf(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 60)
		p := w.make(turned(w)...)
		ask := []wave.UserID{"none", "no'ne"}
		for n := len(p.Items) - 1; n >= 0; n -= 2 { // every other one, from the end
			ask = append(ask, p.Items[n].Account, "none")
		}
		for limit, want := range map[int]int{100: 30, 7: 7} {
			items, err := w.plans.ItemsOf(t.Context(), p.ID, ask, limit)
			if err != nil || len(items) != want {
				t.Fatalf("at most %d: %d items, %v", limit, len(items), err)
			}
			for n, i := range items {
				if i.Place != 2*n+2 || i.Account != p.Items[i.Place-1].Account {
					t.Errorf("at most %d: item %d is %s at %d", limit, n, i.Account, i.Place)
				}
			}
		}
	})
}
