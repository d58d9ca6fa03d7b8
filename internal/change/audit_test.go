package change_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
)

// appender records states, except the one that it refuses.
type appender struct {
	refuse change.State
	states []change.State
}

var errAudit = errors.New("no audit")

func (a *appender) Append(_ context.Context, tx *sql.Tx, c change.Change) error {
	if c.State == a.refuse {
		return errAudit
	}
	var row change.State // the step is taken already, in the same transaction
	if err := tx.QueryRow("SELECT state FROM changes WHERE id = $1", c.ID).Scan(&row); err != nil || row != c.State {
		return errors.Join(err, errors.New("the row is "+string(row)+", not "+string(c.State)))
	}
	a.states = append(a.states, c.State)
	return nil
}

func newAudited(t *testing.T, d *db.DB, a *appender) *change.Ledger {
	t.Helper()
	return newAuditedAt(t, d, a, time.Now)
}

// afterLeases is a clock by which every lease of now is over: where several
// servers may run, only then may another one recover.
func afterLeases() time.Time { return time.Now().Add(time.Hour) }

func newAuditedAt(t *testing.T, d *db.DB, a *appender, now func() time.Time) *change.Ledger {
	t.Helper()
	l, err := change.NewLedger(t.Context(), d, change.Options{Fold: strings.ToLower, Audit: a, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLedger_auditsEveryState(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		d, a := open(t), new(appender)
		l := newAudited(t, d, a)
		c := reach(t, l, metaChange("u-1"), change.InDoubt)
		if _, err := l.Release(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		c.State = change.Done
		if _, err := l.Settle(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		reach(t, l, metaChange("u-2"), change.Conflict)
		reach(t, l, metaChange("u-3"), change.Running)
		reach(t, l, metaChange("u-4"), change.Sent)
		if _, _, err := newAuditedAt(t, d, a, afterLeases).Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []change.State{
			change.Running, change.Sent, change.InDoubt, change.InDoubt, change.Done, // in doubt, and released
			change.Running, change.Conflict,
			change.Running,
			change.Running, change.Sent,
			change.Failed, change.InDoubt, // found by Recover
		}
		if diff := cmp.Diff(want, a.states); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// TestLedger_takesNoStepWithoutItsAudit: a change whose next state cannot be
// recorded stays as it was.
func TestLedger_takesNoStepWithoutItsAudit(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		d, a := open(t), &appender{refuse: change.Running}
		l := newAudited(t, d, a)
		stays := func(c change.Change, state change.State, err error) {
			t.Helper()
			if !errors.Is(err, errAudit) {
				t.Errorf("error = %v, want that of the audit log", err)
			}
			if got, err := l.Get(t.Context(), c.ID); err != nil || got.State != state {
				t.Errorf("the change is %q (%v), want %q", got.State, err, state)
			}
		}
		_, err := l.Open(t.Context(), metaChange("u-1"))
		if list, _, _ := l.List(t.Context(), change.Filter{}, 1); len(list) != 0 || !errors.Is(err, errAudit) {
			t.Errorf("opened: %v, %v", list, err)
		}
		a.refuse = change.Sent
		c := reach(t, l, metaChange("u-1"), change.Running)
		_, err = l.Intend(t.Context(), c)
		stays(c, change.Running, err)
		a.refuse = change.Done
		c = reach(t, l, metaChange("u-2"), change.Sent)
		c.State = change.Done
		_, err = l.Close(t.Context(), c)
		stays(c, change.Sent, err)
		if _, ok := l.LastOf("u-2"); ok {
			t.Error("a change that is not done counts as the last one")
		}
		c = reach(t, l, metaChange("u-3"), change.InDoubt)
		c.State = change.Done
		_, err = l.Settle(t.Context(), c)
		stays(c, change.InDoubt, err)
		a.refuse = change.Failed
		c = reach(t, l, metaChange("u-4"), change.Running)
		_, _, err = newAuditedAt(t, d, a, afterLeases).Recover(t.Context())
		stays(c, change.Running, err)
	})
}
