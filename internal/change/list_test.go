package change_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/wave"
)

var sato = auth.Actor{Issuer: "https://idp.example.com", Subject: "u2", Name: "佐藤", Email: "sato@example.com"}

// day is a moment of a day in November.
func day(d int) time.Time { return time.Date(2026, 11, d, 12, 0, 0, 0, time.UTC) }

// five opens and ends five changes, a day each from the 21st on, and returns the
// ledger with their names by ID.
func five(t *testing.T, d *db.DB) (*change.Ledger, map[string]string) {
	t.Helper()
	now := day(21)
	l, err := change.NewLedger(t.Context(), d, change.Options{Fold: strings.ToLower, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	invoice := metaChange("u-1")
	several := metaChange("u-2")
	several.Email, several.Actor, several.Wanted = "b_100%@Example.com", sato, wave.Wanted{"open_api": true, "invoice": false}
	creation := change.Change{Kind: change.Create, Email: "new@example.com", Company: "c1", Actor: sato, Source: change.Page, Input: wave.Auto}
	refused := metaChange("u-1")
	refused.Wanted = wave.Wanted{"usage_tag": true}
	deletion := change.Change{Kind: change.Delete, Account: "U-3", Email: "gone@example.com", Actor: tanaka, Source: change.Page}
	names := make(map[string]string)
	for i, one := range []struct {
		name  string
		c     change.Change
		state change.State
	}{
		{"invoice", invoice, change.Done},
		{"several", several, change.NoChange},
		{"creation", creation, change.InDoubt},
		{"refused", refused, change.Conflict},
		{"deletion", deletion, change.Failed},
	} {
		now = day(21 + i)
		names[reach(t, l, one.c, one.state).ID] = one.name
	}
	return l, names
}

func TestLedger_List(t *testing.T) {
	tests := []struct {
		name   string
		filter change.Filter
		want   string
	}{
		{"all", change.Filter{}, "deletion refused creation several invoice"},
		{"of an account", change.Filter{Account: "u-1"}, "refused invoice"},
		{"by part of an email, whatever the case", change.Filter{Text: "B_100%@EX"}, "several"},
		{"a pattern is only text", change.Filter{Text: "%"}, "several"},
		{"by part of an id", change.Filter{Text: "u-3"}, "deletion"},
		{"by a person", change.Filter{By: sato}, "creation several"},
		{"about a flag", change.Filter{Flag: "invoice"}, "several invoice"},
		{"of a kind", change.Filter{Kind: change.Create}, "creation"},
		{"with an outcome", change.Filter{States: []change.State{change.Failed, change.Conflict}}, "deletion refused"},
		{"from a time on", change.Filter{From: day(24)}, "deletion refused"},
		{"before a time", change.Filter{To: day(22)}, "invoice"},
		{"from and to", change.Filter{From: day(22), To: day(24)}, "creation several"},
		{"outside", change.Filter{Outside: true}, ""},
		{"several at once", change.Filter{By: tanaka, Flag: "invoice", Kind: change.Meta, States: []change.State{change.Done}, From: day(20), To: day(30)}, "invoice"},
	}
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		l, names := five(t, open(t))
		for _, tt := range tests {
			list, more, err := l.List(t.Context(), tt.filter, 10)
			var got []string
			for _, c := range list {
				got = append(got, names[c.ID])
			}
			if text := strings.Join(got, " "); text != tt.want || more || err != nil {
				t.Errorf("%s: %q, more: %v, error %v, want %q", tt.name, text, more, err, tt.want)
			}
		}
	})
}

// TestLedger_List_pages walks to the end and back by twos.
func TestLedger_List_pages(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		l, names := five(t, open(t))
		page := func(f change.Filter, want string, wantMore bool) (first, last string) {
			t.Helper()
			list, more, err := l.List(t.Context(), f, 2)
			var got []string
			for _, c := range list {
				got = append(got, names[c.ID])
			}
			if text := strings.Join(got, " "); text != want || more != wantMore || err != nil {
				t.Fatalf("%q, more: %v, error %v, want %q and %v", text, more, err, want, wantMore)
			}
			return list[0].ID, list[len(list)-1].ID
		}
		_, second := page(change.Filter{}, "deletion refused", true)
		_, fourth := page(change.Filter{Older: second}, "creation several", true)
		first, _ := page(change.Filter{Older: fourth}, "invoice", false)
		third, _ := page(change.Filter{Newer: first}, "creation several", true)
		page(change.Filter{Newer: third}, "deletion refused", false)
	})
}

func TestLedger_People(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		l, _ := five(t, open(t))
		married := sato
		married.Name = "鈴木"
		c := metaChange("u-9")
		c.Actor = married
		reach(t, l, c, change.Cancelled)
		got, err := l.People(t.Context())
		if diff := cmp.Diff([]auth.Actor{tanaka, married}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestLedger_Count(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		l, _ := five(t, open(t))
		for _, tt := range []struct {
			filter change.Filter
			want   int
		}{{change.Filter{}, 5}, {change.Filter{By: sato, Flag: "invoice"}, 1}, {change.Filter{Text: "nobody"}, 0}} {
			if n, err := l.Count(t.Context(), tt.filter); n != tt.want || err != nil {
				t.Errorf("%+v: %d (%v), want %d", tt.filter, n, err, tt.want)
			}
		}
	})
}

func TestLedger_GetMany(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		l, names := five(t, open(t))
		ids := []string{"nonsense"}
		for id := range names {
			ids = append(ids, id)
		}
		for len(ids) < 600 { // more than one query names
			ids = append(ids, "none")
		}
		got, err := l.GetMany(t.Context(), ids)
		if len(got) != 5 || err != nil {
			t.Fatalf("%d changes (%v), want the five that there are", len(got), err)
		}
		for id, c := range got {
			if c.ID != id {
				t.Errorf("%s is at %s", c.ID, id)
			}
		}
		if got, err := l.GetMany(t.Context(), nil); len(got) != 0 || err != nil {
			t.Errorf("of nothing: %v (%v)", got, err)
		}
	})
}

func TestLedger_Following(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		l := newLedger(t, open(t))
		first := reach(t, l, metaChange("u-1"), change.Done)
		undo, restore, other := metaChange("u-1"), metaChange("u-1"), metaChange("u-1")
		undo.UndoOf, restore.RestoreOf = first.ID, first.ID
		undo = reach(t, l, undo, change.Failed)
		other = reach(t, l, other, change.Done)
		restore = reach(t, l, restore, change.Done)
		list, err := l.Following(t.Context(), first)
		if err != nil || len(list) != 2 || list[0].ID != undo.ID || list[1].ID != restore.ID {
			t.Errorf("%+v (%v), want the undo, then the restore", list, err)
		}
		if list, err := l.Following(t.Context(), other); len(list) != 0 || err != nil {
			t.Errorf("of the other one: %+v (%v)", list, err)
		}
	})
}

// TestLedger_List_plans: no filter has SQLite read all rows, however few it finds.
func TestLedger_List_plans(t *testing.T) {
	d := dbtest.SQLite.New(t)
	failed := []change.State{change.Failed}
	for _, tt := range []struct {
		filter change.Filter
		index  string
	}{
		{change.Filter{Account: "u-1"}, "changes_account"},
		{change.Filter{By: sato}, "changes_actor"},
		{change.Filter{Flag: "invoice"}, "change_flags"},
		{change.Filter{Outside: true}, "changes_outside"},
		{change.Filter{Kind: change.Delete}, "changes_kind"},
		{change.Filter{States: failed}, "changes_state"},
		{change.Filter{Text: "a"}, "COVERING INDEX changes_text"},
		{change.Filter{Text: "a", Kind: change.Meta, States: failed, From: day(1)}, "COVERING INDEX changes_text"},
		{change.Filter{From: day(1), To: day(2)}, "(id>? AND id<?)"},
		{change.Filter{Account: "u-1", Kind: change.Meta, States: failed}, "changes_account"},
		{change.Filter{By: sato, Kind: change.Meta, States: failed}, "changes_actor"},
		{change.Filter{Flag: "invoice", Kind: change.Meta, States: failed}, "change_flags"},
		{change.Filter{Kind: change.Delete, States: []change.State{change.Done}}, "changes_kind"},
		{change.Filter{Kind: change.Meta, States: failed}, "changes_state"},
	} {
		query, args := change.ListQuery(tt.filter, 51)
		rows, err := d.Read().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var a, b, c int
			var step string
			if err := rows.Scan(&a, &b, &c, &step); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, step)
		}
		if all := strings.Join(plan, "; "); rows.Err() != nil || !strings.Contains(all, tt.index) || strings.Contains(all, "TEMP B-TREE FOR ORDER") {
			t.Errorf("%+v: %s (%v), want %s", tt.filter, all, rows.Err(), tt.index)
		}
		rows.Close()
	}
}
