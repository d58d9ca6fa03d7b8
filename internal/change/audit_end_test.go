package change_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

// A takeover records each change that it ends. One that it cannot record stops it:
// none is ended then, and the next takeover finds them all.
func TestLedger_takesNothingOverWithoutItsAudit(t *testing.T) {
	takeovers := map[string]func(*testing.T, *change.Ledger) (failed, inDoubt int64, err error){
		"at a start":    func(t *testing.T, l *change.Ledger) (int64, int64, error) { return l.Recover(t.Context()) },
		"from the dead": func(t *testing.T, l *change.Ledger) (int64, int64, error) { return l.Expire(t.Context(), nil) },
	}
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		for name, takeover := range takeovers {
			t.Run(name, func(t *testing.T) {
				d, a := open(t), new(appender)
				l := newAudited(t, d, a)
				running := reach(t, l, metaChange("u-1"), change.Running)
				sent := reach(t, l, metaChange("u-2"), change.Sent)
				other := newAuditedAt(t, d, a, afterLeases)
				for _, refused := range []change.State{change.Failed, change.InDoubt} {
					a.refuse = refused
					if failed, inDoubt, err := takeover(t, other); !errors.Is(err, errAudit) || failed+inDoubt != 0 {
						t.Errorf("without the event of %s: %d, %d, %v", refused, failed, inDoubt, err)
					}
					wantState(t, l, running.ID, change.Running)
					wantState(t, l, sent.ID, change.Sent)
				}
				a.refuse, a.states = "", nil
				if failed, inDoubt, err := takeover(t, other); failed != 1 || inDoubt != 1 || err != nil {
					t.Errorf("%d, %d, %v, want 1, 1", failed, inDoubt, err)
				}
				if diff := cmp.Diff([]change.State{change.Failed, change.InDoubt}, a.states); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	})
}

// TestLedger_endsAreAudited goes to every end of a change, and to none without its
// event.
func TestLedger_endsAreAudited(t *testing.T) {
	ends := map[change.State]change.State{ // and where each comes from
		change.Done: change.Sent, change.InDoubt: change.Sent, change.Failed: change.Running,
		change.NoChange: change.Running, change.Conflict: change.Running, change.Cancelled: change.Running,
	}
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		a := new(appender)
		l := newAudited(t, open(t), a)
		for end, from := range ends {
			t.Run(string(end), func(t *testing.T) {
				c := reach(t, l, metaChange(wave.UserID(end)), from)
				c.State, a.refuse = end, end
				if _, err := l.Close(t.Context(), c); !errors.Is(err, errAudit) {
					t.Errorf("error = %v, want that of the audit log", err)
				}
				wantState(t, l, c.ID, from)
				a.refuse, a.states = "", nil
				if _, err := l.Close(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]change.State{end}, a.states); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	})
}

func TestLedger_releasesNothingWithoutItsAudit(t *testing.T) {
	onEach(t, func(t *testing.T, open func(*testing.T) *db.DB) {
		d, a := open(t), new(appender)
		l := newAudited(t, d, a)
		c := reach(t, l, metaChange("u-1"), change.InDoubt)
		a.refuse = change.InDoubt
		if _, err := l.Release(t.Context(), c); !errors.Is(err, errAudit) {
			t.Errorf("error = %v, want that of the audit log", err)
		}
		if got, err := l.Get(t.Context(), c.ID); err != nil || !got.Holds {
			t.Errorf("the account is free (%v)", err)
		}
	})
}
