package bulk_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"waveadmin/internal/bulk"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

func TestMake_computesAndKeeps(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		w.add("moves", wave.Wanted{"invoice": false, "open_api": true})
		w.add("right", wave.Wanted{"invoice": true, "open_api": false})
		w.add("met", wave.Wanted{"invoice": false, "open_api": false})
		w.add("odd", wave.Wanted{"invoice": false, "open_api": false})
		if err := w.wave.SetFlag("odd", "dashboard_graph", `"true"`); err != nil {
			t.Fatal(err)
		}
		want := wave.Wanted{"invoice": true, "open_api": false}
		made := w.make(
			bulk.DraftItem{UserID: "moves", Want: want, Seen: wave.Seen{"invoice": wave.Off}},
			bulk.DraftItem{UserID: "right", Want: want},
			bulk.DraftItem{UserID: "met", Want: want, Seen: wave.Seen{"invoice": wave.On}}, // someone turned it off since
			bulk.DraftItem{UserID: "odd", Want: wave.Wanted{"invoice": true, "unheard_of": true}},
			bulk.DraftItem{UserID: "nobody", Want: want},
			bulk.DraftItem{UserID: "left", Want: want, LeftOut: true},
		)
		// PostgreSQL and SQLite keep microseconds.
		if diff := cmp.Diff(made, w.get(made.ID), cmp.Comparer(func(a, b wave.Meta) bool { return len(wave.Diff(a, b)) == 0 }),
			cmpopts.EquateApproxTime(time.Microsecond), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("kept otherwise than made: %s", diff)
		}
		got := w.get(made.ID).Sum()
		wantSum := bulk.Sum{
			Accounts: 2, Changes: 3, Right: 2, LeftOut: 1, Gone: 1, Odd: 1, Moved: 1, Missing: 1,
			Flags: []bulk.FlagSum{
				{Key: "invoice", TurnOn: 2, Already: 1}, {Key: "open_api", TurnOff: 1, Already: 2}, {Key: "unheard_of"},
			},
		}
		sortFlags := cmpopts.SortSlices(func(a, b bulk.FlagSum) bool { return a.Key < b.Key })
		if diff := cmp.Diff(wantSum, got, sortFlags); diff != "" {
			t.Error(diff)
		}
		if moves, stay := made.Items[0].Split(); !cmp.Equal(moves, want) || len(stay) != 0 {
			t.Errorf("moves: %v, %v", moves, stay)
		}
		if moves, stay := made.Items[2].Split(); len(moves) != 0 || !cmp.Equal(stay, wave.Wanted{"open_api": false}) {
			t.Errorf("met: %v, %v", moves, stay)
		}
	})
}

func TestMake_asksForAListOfNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 0)
	w.add("a", wave.Wanted{"invoice": false})
	if _, err := w.directory.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.wave.SetFlag("a", "invoice", "true"); err != nil {
		t.Fatal(err)
	}
	if p := w.make(bulk.DraftItem{UserID: "a", Want: wave.Wanted{"invoice": true}}); p.Sum().Changes != 0 {
		t.Errorf("the plan says %+v of a list that is old", p.Sum())
	}
	w.wave.Fail(sandbox.Fault{Op: sandbox.OpList, Times: 100, Status: http.StatusServiceUnavailable})
	_, err := w.plans.Make(t.Context(), misaki, bulk.Draft{Source: "flag", Items: []bulk.DraftItem{{UserID: "a", Want: wave.Wanted{"invoice": true}}}})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a list: %v", err)
	}
}

func TestMake_refuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 1)
	one := []bulk.DraftItem{{UserID: "a", Want: wave.Wanted{"invoice": true}}}
	var many []bulk.DraftItem
	for n := range bulk.MaxAccounts + 1 {
		many = append(many, bulk.DraftItem{UserID: wave.UserID(fmt.Sprint(n)), Want: one[0].Want})
	}
	if _, err := w.plans.Make(t.Context(), sam, bulk.Draft{Source: "flag", Items: one}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a viewer: %v", err)
	}
	for name, d := range map[string]bulk.Draft{
		"no account":    {Source: "flag"},
		"too many":      {Source: "flag", Items: many},
		"a long reason": {Source: "flag", Items: one, Reason: strings.Repeat("理", 501)},
	} {
		if _, err := w.plans.Make(t.Context(), misaki, d); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.plans.Get(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
		t.Errorf("no plan: %v", err)
	}
}

func TestMake_manyAccounts(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 1200)
		var items []bulk.DraftItem
		for _, a := range w.wave.Accounts() {
			items = append(items, bulk.DraftItem{UserID: a.UserID, Want: wave.Wanted{"open_api": true}})
		}
		p := w.get(w.make(items...).ID)
		if len(p.Items) != 1200 || p.Items[1199].Account != items[1199].UserID || p.Items[1199].Before == nil {
			t.Errorf("%d items are kept", len(p.Items))
		}
	})
}

func TestLeaveOut(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 3)
		var items []bulk.DraftItem
		for _, a := range w.wave.Accounts() {
			items = append(items, bulk.DraftItem{UserID: a.UserID, Want: wave.Wanted{"open_api": !a.Meta.On("open_api")}})
		}
		p := w.make(items...)
		out := func(shown, out []int, want ...bool) {
			t.Helper()
			if err := w.plans.LeaveOut(t.Context(), p.ID, shown, out); err != nil {
				t.Fatal(err)
			}
			var got []bool
			for _, i := range w.get(p.ID).Items {
				got = append(got, i.LeftOut)
			}
			if !cmp.Equal(got, want) {
				t.Errorf("left out %v, want %v", got, want)
			}
		}
		before := p.Mark()
		out([]int{1, 2}, []int{2}, false, true, false)
		if w.get(p.ID).Mark() == before {
			t.Error("the mark does not tell")
		}
		out([]int{3}, []int{3}, false, true, true) // of another page: the second stays out
		if s := w.get(p.ID).Sum(); s.Accounts != 1 || s.LeftOut != 2 {
			t.Errorf("sum = %+v", s)
		}
		again, err := w.plans.Again(t.Context(), misaki, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if s := again.Sum(); again.ID == p.ID || s.Accounts != 1 || s.LeftOut != 2 || again.Reason != "why" || again.Source != "matrix" {
			t.Errorf("made again: %+v, %+v", again, s)
		}
		w.late = bulk.ValidFor
		if err := w.plans.LeaveOut(t.Context(), p.ID, []int{1}, []int{1}); !fault.Is(err, fault.Conflict) {
			t.Errorf("of an expired plan: %v", err)
		}
		if err := w.plans.LeaveOut(t.Context(), "none", nil, nil); !fault.Is(err, fault.NotFound) {
			t.Errorf("of no plan: %v", err)
		}
	})
}
