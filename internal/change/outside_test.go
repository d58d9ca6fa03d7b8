package change_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

// watch is a ledger with a clock, whose lists take a second each.
type watch struct {
	*change.Ledger
	t   *testing.T
	now time.Time
}

func newWatch(t *testing.T, d *db.DB, o change.Options) *watch {
	t.Helper()
	w := &watch{t: t, now: day(21)}
	o.Fold, o.Now = strings.ToLower, func() time.Time { return w.now }
	var err error
	if w.Ledger, err = change.NewLedger(t.Context(), d, o); err != nil {
		t.Fatal(err)
	}
	return w
}

// list observes accounts by a list that is asked for now, and returns what came of
// it in words, with the accounts that are left for later in brackets.
func (w *watch) list(seen ...change.Seen) string {
	w.t.Helper()
	asked := w.now
	w.now = w.now.Add(time.Second)
	outside, later, err := w.Observe(w.t.Context(), asked, w.now, seen)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	return words(w.t, outside, later)
}

func words(t *testing.T, outside []change.Change, later []wave.UserID) string {
	t.Helper()
	var out []string
	for _, c := range outside {
		if c.Source != change.Outside || c.State != change.Done || c.Actor.Subject != "" {
			t.Errorf("recorded from outside: %+v", c)
		}
		text := string(c.Kind) + " " + string(c.Account)
		for _, m := range c.Moved() {
			text += " " + string(m.Key) + ":" + m.From.String() + "→" + m.To.String()
		}
		if c.Kind == change.Email {
			text += " " + c.EmailBefore + "→" + c.Email
		}
		out = append(out, text)
	}
	for _, id := range later {
		out = append(out, "("+string(id)+")")
	}
	return strings.Join(out, ", ")
}

func seen(id wave.UserID, on ...wave.Key) change.Seen {
	m := wave.Meta{}.With("invoice", false).With("open_api", false)
	for _, key := range on {
		m = m.With(key, true)
	}
	return change.Seen{Account: id, Email: string(id) + "@example.com", Company: "c1", Meta: m}
}

func (w *watch) adopt(all ...change.Seen) {
	w.t.Helper()
	if err := w.Adopt(w.t.Context(), w.now, all); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
}

func TestLedger_Observe(t *testing.T) {
	renamed := seen("u-1")
	renamed.Email = "new@example.com"
	both := seen("u-1", "invoice")
	both.Email = "new@example.com"
	unset := change.Seen{Account: "u-1", Email: "u-1@example.com", Company: "c1", Meta: wave.Meta{}.With("invoice", false)}
	odd := unset
	odd.Meta = odd.Meta.WithRaw("open_api", []byte(`"yes"`))
	tests := []struct {
		name string
		seen change.Seen
		want string
	}{
		{"nothing moved", seen("u-1"), ""},
		{"a flag", seen("u-1", "invoice"), "meta u-1 invoice:off→on"},
		{"two flags", seen("u-1", "open_api", "invoice"), "meta u-1 invoice:off→on open_api:off→on"},
		{"the address", renamed, "email u-1 u-1@example.com→new@example.com"},
		{"a flag and the address", both, "meta u-1 invoice:off→on, email u-1 u-1@example.com→new@example.com"},
		{"a new account", seen("u-2"), "create u-2"},
		{"an account is gone", change.Seen{Account: "u-1", Gone: true}, "delete u-1"},
		{"one that nobody knew is gone", change.Seen{Account: "u-9", Gone: true}, ""},
		{"off and not set are the same to a customer", unset, ""},
		{"an odd value is not", odd, "meta u-1 open_api:off→odd"},
	}
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				d, a := open(t), new(appender)
				w := newWatch(t, d, change.Options{Audit: a})
				adopted := w.now
				w.adopt(seen("u-1"))
				asked := w.now
				if got := w.list(tt.seen); got != tt.want {
					t.Fatalf("recorded %q, want %q", got, tt.want)
				}
				if got := w.list(tt.seen); got != "" {
					t.Errorf("the same again recorded %q", got)
				}
				if n := len(a.states); n != strings.Count(tt.want, ",")+min(len(tt.want), 1) {
					t.Errorf("%d audit events for %q", n, tt.want)
				}
				list, _, err := w.List(t.Context(), change.Filter{Outside: true}, 10)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range list {
					if c.Company != "c1" {
						t.Errorf("%s is of company %q", c.Kind, c.Company)
					}
					since := adopted
					if c.Kind == change.Create {
						since = time.Time{}
					}
					if !c.Created.Equal(asked) || !c.Finished.Equal(asked) || !c.Since.Equal(since) {
						t.Errorf("%s: from %v to %v, want from %v to %v", c.Kind, c.Since, c.Created, since, asked)
					}
				}
				slices.Reverse(list)
				if got := words(t, list, nil); len(list) < 2 && got != tt.want {
					t.Errorf("the history says %q", got)
				}
				if _, ok := w.LastOf("u-1"); ok {
					t.Error("it counts as a change of ours")
				}
			})
		}
	})
}

// TestLedger_Observe_oursIsNotOutside: what a change of ours did, or may do, is
// never recorded as done outside, whichever list shows it first.
func TestLedger_Observe_oursIsNotOutside(t *testing.T) {
	must := func(t *testing.T, c change.Change, err error) change.Change {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	off, on := seen("u-1").Meta, seen("u-1", "invoice").Meta
	meta := change.Change{Kind: change.Meta, Account: "u-1", Email: "u-1@example.com", Actor: tanaka, Source: change.Page, Wanted: wave.Wanted{"invoice": true}}
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		t.Run("flags", func(t *testing.T) {
			w := newWatch(t, open(t), change.Options{})
			w.adopt(seen("u-1"))
			c, err := w.Open(t.Context(), meta)
			c = must(t, c, err)
			if got := w.list(seen("u-1", "invoice")); got != "(u-1)" {
				t.Errorf("while it runs: %q, want it left for later", got)
			}
			c.Before, c.After = &off, &on
			c, err = w.Intend(t.Context(), c)
			c = must(t, c, err)
			c.State = change.InDoubt
			c, err = w.Close(t.Context(), c)
			c = must(t, c, err)
			if got := w.list(seen("u-1", "invoice")); got != "(u-1)" {
				t.Errorf("while it is in doubt: %q, want it left for later", got)
			}
			asked := w.now
			c.State = change.Done
			w.now = w.now.Add(time.Second)
			c, err = w.Settle(t.Context(), c)
			must(t, c, err)
			// A list from before shows the old state, and says nothing.
			outside, later, err := w.Observe(t.Context(), asked, w.now, []change.Seen{seen("u-1")})
			if got := words(t, outside, later); got != "(u-1)" || err != nil {
				t.Errorf("an old list: %q, %v, want it left for later", got, err)
			}
			w.now = w.now.Add(time.Minute)
			if got := w.list(seen("u-1", "invoice")); got != "" {
				t.Errorf("what we did: %q", got)
			}
			if got := w.list(seen("u-1")); got != "meta u-1 invoice:on→off" {
				t.Errorf("taken back outside: %q", got)
			}
		})
		t.Run("a failed change explains nothing", func(t *testing.T) {
			w := newWatch(t, open(t), change.Options{})
			w.adopt(seen("u-1"))
			c := meta
			c.Before, c.After = &off, &on
			reach(t, w.Ledger, c, change.Failed)
			w.now = w.now.Add(time.Minute)
			if got := w.list(seen("u-1", "invoice")); got != "meta u-1 invoice:off→on" {
				t.Errorf("recorded %q", got)
			}
		})
		t.Run("a change that a person decides about much later", func(t *testing.T) {
			w := newWatch(t, open(t), change.Options{})
			w.adopt(seen("u-1"))
			c := meta
			c.Before, c.After = &off, &on
			c, err := w.Release(t.Context(), reach(t, w.Ledger, c, change.InDoubt))
			c = must(t, c, err)
			w.now = w.now.Add(time.Minute)
			if got := w.list(seen("u-1", "open_api")); got != "meta u-1 open_api:off→on" {
				t.Errorf("recorded %q", got)
			}
			c.State, c.Decided = change.Done, change.Decision{By: tanaka, Reason: "seen at the time"}
			c, err = w.Settle(t.Context(), c)
			must(t, c, err)
			w.now = w.now.Add(time.Minute)
			if got := w.list(seen("u-1", "open_api")); got != "" {
				t.Errorf("recorded once more: %q", got)
			}
		})
		t.Run("a deletion", func(t *testing.T) {
			w := newWatch(t, open(t), change.Options{})
			w.adopt(seen("u-1"))
			asked := w.now
			w.now = w.now.Add(time.Second)
			reach(t, w.Ledger, change.Change{Kind: change.Delete, Account: "u-1", Email: "u-1@example.com", Actor: tanaka, Source: change.Page, Before: &off}, change.Done)
			outside, later, err := w.Observe(t.Context(), asked, w.now, []change.Seen{seen("u-1")})
			if got := words(t, outside, later); got != "(u-1)" || err != nil {
				t.Errorf("an old list: %q, %v, want it left for later", got, err)
			}
			w.now = w.now.Add(time.Minute)
			if got := w.list(change.Seen{Account: "u-1", Gone: true}); got != "" {
				t.Errorf("recorded %q", got)
			}
			if got := w.list(seen("u-1")); got != "create u-1" {
				t.Errorf("back again: recorded %q", got)
			}
		})
		t.Run("a change that is quicker than the first list", func(t *testing.T) {
			w := newWatch(t, open(t), change.Options{})
			c := meta
			c.Before, c.After = &off, &on
			reach(t, w.Ledger, c, change.Done)
			reach(t, w.Ledger, change.Change{Kind: change.Delete, Account: "u-2", Email: "u-2@example.com", Actor: tanaka, Source: change.Page, Before: &off}, change.Done)
			w.adopt(seen("u-1"), seen("u-2")) // as they were
			if got := w.list(seen("u-1", "invoice"), change.Seen{Account: "u-2", Gone: true}); got != "" {
				t.Errorf("recorded %q", got)
			}
		})
		t.Run("a creation that did not come out as sent", func(t *testing.T) {
			w := newWatch(t, open(t), change.Options{})
			w.adopt()
			c := reach(t, w.Ledger, change.Change{Kind: change.Create, Account: "u-7", Email: "u-7@example.com", Actor: tanaka, Source: change.Page, Input: wave.Auto, After: &off}, change.Done)
			w.now = w.now.Add(time.Minute)
			if got := w.list(seen("u-7", "invoice")); got != "meta u-7 invoice:off→on" {
				t.Errorf("recorded %q after %s", got, c.State)
			}
		})
		for name, account := range map[string]wave.UserID{"a creation": "u-7", "a creation whose id is not known": ""} {
			t.Run(name, func(t *testing.T) {
				w := newWatch(t, open(t), change.Options{})
				w.adopt()
				creation := change.Change{Kind: change.Create, Email: "U-7@example.com", Company: "c1", Actor: tanaka, Source: change.Page, Input: wave.Auto, After: &off}
				c, err := w.Open(t.Context(), creation)
				c = must(t, c, err)
				c, err = w.Intend(t.Context(), c)
				c = must(t, c, err)
				if got := w.list(seen("u-7")); got != "(u-7)" {
					t.Errorf("while it runs: %q", got)
				}
				c.State, c.Account = change.Done, account
				c, err = w.Close(t.Context(), c)
				must(t, c, err)
				w.now = w.now.Add(time.Minute)
				more := seen("u-7")
				more.Meta = more.Meta.With("new_in_2027", true) // the API's own default
				if got := w.list(more); got != "" {
					t.Errorf("recorded %q", got)
				}
				w.now = w.now.Add(time.Minute)
				more.Meta = more.Meta.With("invoice", true)
				if got := w.list(more); got != "meta u-7 invoice:off→on" {
					t.Errorf("and then, recorded %q", got)
				}
			})
		}
	})
}

// TestLedger_Intend_meetsANewcomer: nobody knew of the account before.
func TestLedger_Intend_meetsANewcomer(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		w := newWatch(t, open(t), change.Options{})
		w.adopt()
		found, after := seen("u-1", "open_api").Meta, seen("u-1", "open_api", "invoice").Meta
		reach(t, w.Ledger, change.Change{
			Kind: change.Meta, Account: "u-1", Email: "u-1@example.com", Actor: tanaka, Source: change.Page,
			Wanted: wave.Wanted{"invoice": true}, Before: &found, After: &after,
		}, change.Done)
		w.now = w.now.Add(time.Minute)
		if got := w.list(seen("u-1", "open_api", "invoice")); got != "" {
			t.Errorf("later it is recorded: %q", got)
		}
		list, _, err := w.List(t.Context(), change.Filter{Outside: true}, 10)
		if got := words(t, list, nil); !strings.HasPrefix(got, "create u-1") || len(list) != 1 || err != nil {
			t.Errorf("from outside came %q, %v, want that it came", got, err)
		}
	})
}

// TestLedger_Intend_tellsWhatItFound: a change of ours that meets one from outside
// first records that one, before its own.
func TestLedger_Intend_tellsWhatItFound(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		w := newWatch(t, open(t), change.Options{})
		w.adopt(seen("u-1"))
		found, after := seen("u-1", "open_api").Meta, seen("u-1", "open_api", "invoice").Meta
		ours := reach(t, w.Ledger, change.Change{
			Kind: change.Meta, Account: "u-1", Email: "u-1@example.com", Actor: tanaka, Source: change.Page,
			Wanted: wave.Wanted{"invoice": true}, Before: &found, After: &after,
		}, change.Done)
		list, err := w.ListByAccount(t.Context(), "u-1", 10)
		if err != nil || len(list) != 2 || list[0].ID != ours.ID {
			t.Fatalf("history %+v, %v, want ours and one before", list, err)
		}
		if got := words(t, list[1:], nil); got != "meta u-1 open_api:off→on" {
			t.Errorf("before ours stands %q", got)
		}
		w.now = w.now.Add(time.Minute)
		if got := w.list(seen("u-1", "open_api", "invoice")); got != "" {
			t.Errorf("it is recorded again: %q", got)
		}
	})
}

// TestLedger_Observe_waitsForNobody: what is known just so is not written again. After
// a run every server sees thousands of these.
func TestLedger_Observe_waitsForNobody(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		d := open(t)
		w := newWatch(t, d, change.Options{})
		w.adopt(seen("u-1", "invoice"), seen("u-2"))
		err := d.Write(t.Context(), func(*sql.Tx) error {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // for the case that it waits
			defer cancel()
			outside, later, err := w.Observe(ctx, w.now, w.now, []change.Seen{seen("u-1", "invoice"), seen("u-2")})
			if got := words(t, outside, later); got != "" || err != nil {
				t.Errorf("while another one writes: %q, %v", got, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.list(seen("u-1", "invoice"), seen("u-2", "invoice")); got != "meta u-2 invoice:off→on" {
			t.Errorf("recorded %q", got)
		}
	})
}

func TestLedger_Observe_refusedByTheAuditLog(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		w := newWatch(t, open(t), change.Options{Audit: &appender{refuse: change.Done}})
		w.adopt(seen("u-1"))
		_, _, err := w.Observe(t.Context(), w.now, w.now, []change.Seen{seen("u-1", "invoice")})
		if list, _, _ := w.List(t.Context(), change.Filter{}, 1); !errors.Is(err, errAudit) || len(list) > 0 {
			t.Errorf("error %v, and the ledger has %v", err, list)
		}
	})
}

// TestLedger_Known: what is known outlasts the process, and Adopt never replaces it.
func TestLedger_Known(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		w := newWatch(t, open(t), change.Options{})
		known := func() (map[wave.UserID]change.Seen, bool) {
			m := make(map[wave.UserID]change.Seen)
			any, err := w.Ledger.Known(t.Context(), func(s change.Seen) { m[s.Account] = s })
			if err != nil {
				t.Fatal(err)
			}
			return m, any
		}
		if m, any := known(); any || len(m) > 0 {
			t.Errorf("at first %v is known", m)
		}
		var all []change.Seen
		for i := range 1203 { // more than one transaction
			all = append(all, seen(wave.UserID(rune('a'+i%26))+wave.UserID(time.Duration(i).String())))
		}
		all = append(all, seen("u-1", "invoice"))
		w.adopt(all...)
		w.adopt(seen("u-1"))
		m, any := known()
		if diff := cmp.Diff(seen("u-1", "invoice"), m["u-1"], cmp.Comparer(func(a, b wave.Meta) bool { return len(wave.Diff(a, b)) == 0 })); !any || len(m) != len(all) || diff != "" {
			t.Errorf("%d are known, %v (-want +got):\n%s", len(m), any, diff)
		}
	})
}
