package change_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

func TestLedger_Recover(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		d := open(t)
		l := newLedger(t, d)
		want := map[change.State]change.State{
			change.Running: change.Failed, change.Sent: change.InDoubt,
			change.Done: change.Done, change.InDoubt: change.InDoubt, change.NoChange: change.NoChange,
		}
		ids := make(map[change.State]string)
		for state := range want {
			ids[state] = reach(t, l, metaChange(wave.UserID(state)), state).ID
		}
		later := ledgerAt(t, d, func() time.Time { return time.Now().Add(31 * time.Second) })
		failed, inDoubt, err := later.Recover(t.Context())
		if err != nil || failed != 1 || inDoubt != 1 {
			t.Errorf("Recover = %d, %d, %v, want 1, 1", failed, inDoubt, err)
		}
		for state, id := range ids {
			c, err := l.Get(t.Context(), id)
			if err != nil || c.State != want[state] {
				t.Errorf("%s became %s (%v), want %s", state, c.State, err, want[state])
			}
			if c.Holds != (c.State == change.InDoubt) {
				t.Errorf("%s, now %s, holds its account: %v", state, c.State, c.Holds)
			}
			if final := c.State != change.InDoubt; final == c.Finished.IsZero() {
				t.Errorf("%s, now %s, finished %v", state, c.State, c.Finished)
			}
		}
		if doubts, err := l.InDoubt(t.Context()); err != nil || len(doubts) != 2 {
			t.Errorf("%d in doubt (%v), want 2", len(doubts), err)
		}
	})
}

// Changes whose outcome could not be recorded do not stay open for ever, but those
// that a call works on do, and those of other processes that live.
func TestLedger_Expire(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		d := open(t)
		now := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
		newLedger := func() *change.Ledger { return ledgerAt(t, d, func() time.Time { return now }) }
		l, other, dead := newLedger(), newLedger(), newLedger()
		password := metaChange("password")
		password.Kind = change.Password
		rows := map[string]change.Change{
			"running":         reach(t, l, metaChange("running"), change.Running),
			"sent":            reach(t, l, metaChange("sent"), change.Sent),
			"a password":      reach(t, l, password, change.Sent),
			"worked on":       reach(t, l, metaChange("worked on"), change.Sent),
			"another process": reach(t, other, metaChange("other"), change.Sent),
			"a dead process":  reach(t, dead, metaChange("dead"), change.Sent),
			"done":            reach(t, l, metaChange("done"), change.Done),
		}
		expire := func(want map[string]string) {
			t.Helper()
			if _, _, err := other.Expire(t.Context(), []string{rows["another process"].ID}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := l.Expire(t.Context(), []string{rows["worked on"].ID, rows["another process"].ID}); err != nil {
				t.Fatal(err)
			}
			got := make(map[string]string)
			for name, row := range rows {
				c, err := l.Get(t.Context(), row.ID)
				if err != nil {
					t.Fatal(err)
				}
				got[name] = string(c.State)
				if c.Holds {
					got[name] += ", holds"
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after %v (-want +got):\n%s", now, diff)
			}
		}
		fresh := map[string]string{
			"running": "running, holds", "sent": "sent, holds", "a password": "sent, holds",
			"worked on": "sent, holds", "another process": "sent, holds", "a dead process": "sent, holds", "done": "done",
		}
		now = now.Add(29 * time.Second)
		expire(fresh)
		now = now.Add(2 * time.Second)
		expired := map[string]string{
			"running": "failed", "sent": "in_doubt, holds", "a password": "in_doubt",
			"worked on": "sent, holds", "another process": "sent, holds", "a dead process": "in_doubt, holds", "done": "done",
		}
		expire(expired)
		expire(expired)
	})
}

// What no reading will tell stays in doubt, but bars nobody any more.
func TestLedger_Release(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		l := newLedger(t, open(t))
		c := reach(t, l, metaChange("u-1"), change.InDoubt)
		c.Detail = "left to a person"
		if _, err := l.Release(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		got, err := l.Get(t.Context(), c.ID)
		if err != nil || got.State != change.InDoubt || got.Holds || got.Detail != c.Detail {
			t.Errorf("released: %+v (%v)", got, err)
		}
		next := reach(t, l, metaChange("u-1"), change.Sent)
		if _, err := l.Release(t.Context(), next); err == nil {
			t.Error("a change under way was released")
		}
	})
}
