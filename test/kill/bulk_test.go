package kill

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

// The runs that servers die in: short ones, but for make kill.
var (
	runAccounts = flag.Int("accounts", 60, "accounts of the runs in TestKill_bulk")
	runDeaths   = flag.Int("deaths", 0, "deaths in each of these runs; 0 for a few")
)

// runWithin bounds what is left of a run after a death, also where the accounts of
// the dead server stay claimed for a while.
const runWithin = 3 * time.Minute

// TestKill_bulk kills the server again and again in the midst of a bulk run: it goes
// on where it was, each account ends in one state, and none is written twice.
func TestKill_bulk(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newRunWorld(t, e)
		s := w.newServer("server")
		s.start()
		id := w.startRun(w.newClient(s, "misaki"))
		deaths := cmp.Or(*runDeaths, 4)
		if e.Name == dbtest.Postgres.Name { // where a death may be that of one of many, what it had claimed waits for a while
			deaths = 1
		}
		for n := range deaths {
			w.awaitDeath(id, n, deaths)
			s.kill()
			t.Logf("death %d after %d calls and %d accounts", n+1, w.sent(), w.ended(id))
			s.start()
		}
		w.until("the run is over", runWithin, func() bool { return w.isOver(id) })
		w.checkRun(id)
		s.kill()
		w.verifyAudit(s)
	})
}

// TestKill_bulkOneOfThree kills one of three servers, the one that works on the run
// first, and any of them after that: the others go on with the run.
func TestKill_bulkOneOfThree(t *testing.T) {
	t.Parallel()
	w := newRunWorld(t, dbtest.Postgres)
	servers := []*server{w.newServer("one"), w.newServer("two"), w.newServer("three")}
	servers[0].start()
	id := w.startRun(w.newClient(servers[0], "misaki"))
	servers[1].start()
	servers[2].start()
	deaths := cmp.Or(*runDeaths, 1) // each may make the others wait for what was claimed
	for n := range deaths {
		w.awaitDeath(id, n, deaths)
		dies := servers[0]
		if n > 0 {
			dies = servers[rand.IntN(len(servers))]
		}
		dies.kill()
		t.Logf("death %d, of %s, after %d calls and %d accounts", n+1, dies.name, w.sent(), w.ended(id))
		if n < deaths-1 {
			dies.start()
		}
	}
	w.until("the run is over", runWithin, func() bool { return w.isOver(id) })
	w.checkRun(id)
	for _, s := range servers {
		s.kill()
	}
	w.verifyAudit(servers...)
}

func newRunWorld(t *testing.T, e dbtest.Engine) *world {
	return newWorld(t, worldOptions{engine: e, accounts: *runAccounts, latency: 40 * time.Millisecond})
}

// awaitDeath returns at a moment of the run for its nth death of so many, which are
// spread over two thirds of it.
func (w *world) awaitDeath(id string, n, deaths int) {
	w.t.Helper()
	step := max(*runAccounts*2/3/deaths, 1)
	wanted := step*n + 1 + rand.N(step)
	w.until(fmt.Sprintf("%d accounts are sent", wanted), runWithin, func() bool { return w.sent() >= wanted })
	if w.isOver(id) {
		w.t.Fatalf("the run is over before death %d", n+1)
	}
}

// startRun turns one flag of all accounts and returns the id of the run.
func (w *world) startRun(c *client) string {
	w.t.Helper()
	form := url.Values{}
	var items []string
	for _, a := range w.wave.Accounts() {
		want := wave.StateOf(!a.Meta.On(openAPI))
		items = append(items, fmt.Sprintf(`{"user":%q,"want":{%q:%q}}`, a.UserID, openAPI, want))
	}
	form.Set("plan", `{"source":"flag","items":[`+strings.Join(items, ",")+`]}`)
	made, err := c.post("/bulk", form)
	if err != nil || made.status != http.StatusSeeOther {
		w.t.Fatalf("the plan is answered with %d (%v)", made.status, err)
	}
	id := made.to[strings.LastIndex(made.to, "/")+1:]
	run := url.Values{"reason": {"why"}, "count": {fmt.Sprint(len(items))}, "mark": {noneLeftOut}}
	if a, err := c.post(made.to+"/run", run); err != nil || a.status != http.StatusSeeOther {
		w.t.Fatalf("the run is answered with %d (%v)", a.status, err)
	}
	return id
}

// noneLeftOut is the mark of a plan of which nothing is left out.
const noneLeftOut = "33niihzj4ux45"

// number returns what a query counts.
func (w *world) number(query string, args ...any) (n int) {
	w.t.Helper()
	if err := w.read.QueryRowContext(w.t.Context(), query, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// sent is how many changes of flags have arrived at Wave.
func (w *world) sent() int { return w.wave.Count(sandbox.OpMeta) }

func (w *world) ended(id string) int {
	return w.number("SELECT count(*) FROM bulk_items WHERE plan_id = $1 AND state NOT IN ('queued', 'running')", id)
}

func (w *world) isOver(id string) bool {
	return w.number("SELECT count(*) FROM bulk_runs WHERE plan_id = $1 AND finished_at > 0", id) == 1 &&
		w.number("SELECT count(*) FROM changes WHERE state IN ('running', 'sent', 'in_doubt')") == 0
}

// checkRun: every account is as the plan wants it and said to be so, none was written
// to again without need, and the numbers add up.
func (w *world) checkRun(id string) {
	w.t.Helper()
	states := w.states(id)
	done := states["done"]
	if len(states) != 1 || done != len(w.before) {
		w.t.Errorf("of %d accounts the run says %v, want all done", len(w.before), states)
	}
	right := 0
	for _, a := range w.wave.Accounts() {
		if moved := wave.Diff(w.before[a.UserID].Meta, a.Meta); len(moved) == 1 && moved[0].Key == openAPI {
			right++
		} else if len(moved) > 0 {
			w.t.Errorf("%s moved %v", a.UserID, moved)
		}
	}
	if right != done {
		w.t.Errorf("%d accounts are as wanted, %d are said to be", right, done)
	}
	if n := w.number(`SELECT count(*) FROM audit_events WHERE kind = 'run' AND details LIKE '%"step":"finished"%'`); n != 1 {
		w.t.Errorf("the audit log says %d times that the run is over", n)
	}
	w.checkRows(w.rows())
	again := w.checkWrites()
	w.t.Logf("%v, %d accounts were written to again, with need", states, again)
}

// states returns how many accounts of the run ended in which state.
func (w *world) states(id string) map[string]int {
	w.t.Helper()
	rows, err := w.read.QueryContext(w.t.Context(), `SELECT CASE i.state WHEN 'in_doubt' THEN c.state ELSE i.state END AS now, count(*)
		FROM bulk_items i LEFT JOIN changes c ON c.id = i.change_id WHERE i.plan_id = $1 GROUP BY now`, id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	states := make(map[string]int)
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			w.t.Fatal(err)
		}
		states[state] = n
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return states
}

// checkWrites: an account is written to again only when what was sent to it before did
// nothing, and a list was read since. It returns how often that was.
func (w *world) checkWrites() (again int) {
	w.t.Helper()
	last := make(map[string]sandbox.Entry) // of each account
	listed := 0                            // the newest list
	for _, e := range w.wave.Journal() {
		switch e.Op {
		case sandbox.OpList:
			listed = e.Seq
		case sandbox.OpMeta:
			before, twice := last[e.UserID]
			last[e.UserID] = e
			if !twice {
				continue
			}
			again++
			if before.Applied {
				w.t.Errorf("%s was written to again at %v, and the call at %v had changed it", e.UserID, e.At, before.At)
			}
			if listed < before.Seq {
				w.t.Errorf("%s was written to again at %v, and no list was read since the call at %v", e.UserID, e.At, before.At)
			}
		}
	}
	return again
}
