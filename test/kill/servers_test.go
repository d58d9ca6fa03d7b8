package kill

import (
	"net/http"
	"testing"
	"time"

	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
)

// Of two servers one dies, at whatever point of a change: the other goes on
// serving, and once the lease is over it ends the change by reading alone.
func TestKill_oneOfTwoAtEachPoint(t *testing.T) {
	t.Parallel()
	for _, p := range points {
		for _, kind := range kinds {
			t.Run(p.name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, worldOptions{engine: dbtest.Postgres, accounts: 5})
				d := newDeed(w, kind)
				dies, lives := w.newServer("dies"), w.newServer("lives")
				lives.start()
				died := p.die(w, dies, d)
				c := w.newClient(lives, "misaki")

				p.serves(w, c, d)
				w.until("the change is taken over", time.Until(died.Add(closedWithin)), func() bool {
					state := d.row(w).state
					return state != "running" && state != "sent"
				})
				if early := time.Until(d.row(w).created.Add(leaseTime)); early > 0 {
					t.Errorf("taken over %v before the lease was over", early)
				}
				p.wait(w, d)
				if got := len(d.calls(w)); got != p.calls {
					t.Errorf("%d calls after the death", got-p.calls)
				}
				w.check()
				p.goOn(w, c, d)
				w.check()
				lives.kill()
				w.verifyAudit(lives)
			})
		}
	}
}

// serves uses the server that lives while the change of the other one is open.
func (p point) serves(w *world, c *client, d deed) {
	w.t.Helper()
	other := w.wave.Accounts()[2]
	if a, err := c.setFlag(other.UserID, invoice, !other.Meta.On(invoice)); err != nil || a.status != http.StatusSeeOther {
		w.t.Errorf("another account is answered with %d (%v)", a.status, err)
	}
	if n := w.count("kind = 'meta' AND account = $1 AND state = 'done'", string(other.UserID)); n != 1 {
		w.t.Errorf("%d changes of another account were done", n)
	}
	switch d.kind {
	case sandbox.OpCreate, sandbox.OpPassword: // who got no answer presses again, and comes to the other server
		if a, err := d.ask(c); err != nil || a.status >= 400 {
			w.t.Errorf("sent again, the form is answered with %d (%v)", a.status, err)
		}
	default:
		// Also one that is deleted already: somebody edited an account that was there.
		if a, err := c.setFlag(d.target.UserID, openAPI, true); err != nil || a.status != http.StatusConflict {
			w.t.Errorf("the account of the dead server is answered with %d (%v), want 409", a.status, err)
		}
	}
}
