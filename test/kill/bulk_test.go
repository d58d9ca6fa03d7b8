package kill

import (
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

// TestKill_bulk kills the server again and again in the midst of a bulk run: it goes
// on where it was, each account ends in one state, and none is written twice.
func TestKill_bulk(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, worldOptions{engine: e, accounts: 60, latency: 40 * time.Millisecond})
		s := w.newServer("server")
		s.start()
		id := w.startRun(w.newClient(s, "misaki"))
		deaths := 4
		if e.Name == dbtest.Postgres.Name { // where a death may be that of one of many, what it had claimed waits for a while
			deaths = 1
		}
		for n := range deaths {
			wanted := 10*n + 1 + rand.N(10)
			w.until("some accounts are sent", time.Minute, func() bool { return w.sent() >= wanted })
			s.kill()
			t.Logf("death %d after %d calls and %d accounts", n+1, w.sent(), w.ended(id))
			s.start()
		}
		w.until("the run is over", 3*time.Minute, func() bool { return w.isOver(id) })
		w.checkRun(id)
		s.kill()
		w.verifyAudit(s)
	})
}

// TestKill_bulkOneOfTwo kills the server that works on a run: the other goes on with it.
func TestKill_bulkOneOfTwo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{engine: dbtest.Postgres, accounts: 60, latency: 40 * time.Millisecond})
	dies, lives := w.newServer("dies"), w.newServer("lives")
	dies.start()
	id := w.startRun(w.newClient(dies, "misaki"))
	lives.start()
	w.until("some accounts are sent", time.Minute, func() bool { return w.sent() >= 5 })
	dies.kill()
	w.until("the run is over", 3*time.Minute, func() bool { return w.isOver(id) })
	w.checkRun(id)
	lives.kill()
	w.verifyAudit(lives)
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
func (w *world) sent() int {
	n := 0
	for _, e := range w.wave.Journal() {
		if e.Op == sandbox.OpMeta {
			n++
		}
	}
	return n
}

func (w *world) ended(id string) int {
	return w.number("SELECT count(*) FROM bulk_items WHERE plan_id = $1 AND state NOT IN ('queued', 'running')", id)
}

func (w *world) isOver(id string) bool {
	return w.number("SELECT count(*) FROM bulk_runs WHERE plan_id = $1 AND finished_at > 0", id) == 1 &&
		w.number("SELECT count(*) FROM changes WHERE state IN ('running', 'sent', 'in_doubt')") == 0
}

// checkRun: every account is as the plan wants it and said to be so, and was written
// to once. A call that was cut off before Wave did it may come again.
func (w *world) checkRun(id string) {
	w.t.Helper()
	calls := make(map[string]int)
	for _, e := range w.wave.Journal() {
		if e.Op == sandbox.OpMeta && e.Applied {
			calls[e.UserID]++
		}
	}
	all := len(w.before)
	done := w.number(`SELECT count(*) FROM bulk_items i LEFT JOIN changes c ON c.id = i.change_id WHERE i.plan_id = $1
		AND CASE i.state WHEN 'in_doubt' THEN c.state ELSE i.state END = 'done'`, id)
	if done != all {
		w.t.Errorf("%d accounts of %d are done", done, all)
	}
	right := 0
	for _, a := range w.wave.Accounts() {
		if n := calls[string(a.UserID)]; n > 1 {
			w.t.Errorf("%s was written to %d times", a.UserID, n)
		}
		if moved := wave.Diff(w.before[a.UserID].Meta, a.Meta); len(moved) == 1 && moved[0].Key == openAPI {
			right++
		} else if len(moved) > 0 {
			w.t.Errorf("%s moved %v", a.UserID, moved)
		}
	}
	if right != done {
		w.t.Errorf("%d accounts are as wanted, %d are said to be", right, done)
	}
	w.checkRows(w.rows())
}
