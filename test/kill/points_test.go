package kill

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

// A deed is one change that a person asks for, of a kind that it names.
type deed struct {
	kind   string
	target wave.Reseller // none of a creation
	form   submission
}

// What a deed of the kind meta turns on, and another flag.
const (
	invoice = wave.Key("invoice")
	openAPI = wave.Key("open_api")
)

func (d deed) ask(c *client) (answer, error) {
	switch d.kind {
	case sandbox.OpMeta:
		return c.setFlag(d.target.UserID, invoice, true)
	case sandbox.OpCreate:
		return d.form.create(c)
	case sandbox.OpPassword:
		return d.form.replacePassword(c, d.target.UserID)
	}
	return c.remove(d.target)
}

// row returns the newest change that d has become, or the zero row.
func (d deed) row(w *world) (newest row) {
	for _, r := range w.rows() {
		if r.kind == d.kind && (r.account == d.target.UserID && d.kind != sandbox.OpCreate || d.kind == sandbox.OpCreate && r.email == d.form.email()) {
			newest = r
		}
	}
	return newest
}

// calls returns what Wave got for d.
func (d deed) calls(w *world) (calls []sandbox.Entry) {
	for _, e := range w.wave.Journal() {
		if e.Op == d.kind && e.UserID == string(d.target.UserID) {
			calls = append(calls, e)
		}
	}
	return calls
}

// listed reports whether Wave was asked for a list after t.
func listed(w *world, t time.Time) bool {
	return slices.ContainsFunc(w.wave.Journal(), func(e sandbox.Entry) bool { return e.Op == sandbox.OpList && e.At.After(t) })
}

// A point is a moment of a change at which the server dies.
type point struct {
	name     string
	settings []string // of the server that dies
	arm      func(w *world, d deed) (reached func() bool)
	state    string // of the row at that moment
	calls    int    // that Wave got until then
	applied  bool
}

// reach is how long a change may take to get to its point.
const reach = 20 * time.Second

var points = []point{
	{"before the intent", nil, func(w *world, d deed) func() bool {
		w.wave.Fail(sandbox.Fault{Op: sandbox.OpList, Hang: true}) // the one under the lock
		return func() bool { return d.row(w).state == "running" }
	}, "running", 0, false},

	// After the list, the pace of one call a second makes the write wait.
	{"after the intent", []string{"wave.rate_per_second=1"}, func(w *world, d deed) func() bool {
		return func() bool { return d.row(w).state == "sent" }
	}, "sent", 0, false},

	{"half the request sent", nil, func(w *world, d deed) func() bool {
		half := w.wire.halve()
		return func() bool {
			select {
			case <-half:
				return true
			default:
				return false
			}
		}
	}, "sent", 0, false},

	{"applied but not answered", nil, func(w *world, d deed) func() bool {
		w.wave.Fail(sandbox.Fault{Op: d.kind, When: sandbox.After, Hang: true})
		return func() bool { calls := d.calls(w); return len(calls) > 0 && calls[0].Applied }
	}, "sent", 1, true},

	// While the answer is held back, lists begin to hang: so the server has the
	// answer when it asks for one.
	{"answered but not recorded", nil, func(w *world, d deed) func() bool {
		const delay = time.Second
		w.wave.Fail(sandbox.Fault{Op: d.kind, When: sandbox.After, Delay: delay})
		hanging := false
		return func() bool {
			calls := d.calls(w)
			if len(calls) > 0 && !hanging {
				w.wave.Fail(sandbox.Fault{Op: sandbox.OpList, Hang: true})
				hanging = true
			}
			return len(calls) > 0 && calls[0].Status == http.StatusOK && listed(w, calls[0].At.Add(delay))
		}
	}, "sent", 1, true},
}

var kinds = []string{sandbox.OpMeta, sandbox.OpCreate, sandbox.OpPassword, sandbox.OpDelete}

// settled is what a change of the kind becomes that died at p.
func (p point) settled(kind string) string {
	switch {
	case p.applied:
		return "done"
	case kind == sandbox.OpPassword && p.state == "sent":
		return "in_doubt" // nothing at Wave tells that a password did not change
	}
	return "failed"
}

// bringing keeps the worlds apart that bring a change to its point: there the
// time counts. Until the doubts are settled they wait, and all at once.
var bringing = make(chan struct{}, 3)

// die brings d to p on a server that is new, and kills that there. It returns
// when.
func (p point) die(w *world, s *server, d deed) time.Time {
	w.t.Helper()
	bringing <- struct{}{}
	defer func() { <-bringing }()
	s.start(p.settings...)
	c := w.newClient(s, "misaki")
	reached := p.arm(w, d)
	gone := make(chan struct{})
	go func() { _, _ = d.ask(c); close(gone) }() // nobody answers
	w.until("the change is "+p.name, reach, reached)
	at := s.kill()
	<-gone
	w.wave.ClearFaults()

	if r := d.row(w); r.state != p.state {
		w.t.Fatalf("the server died when the change was %s, not %s", r.state, p.state)
	}
	calls := d.calls(w)
	if len(calls) != p.calls || p.calls > 0 && calls[0].Applied != p.applied {
		w.t.Fatalf("the server died after %d calls, want %d: %+v", len(calls), p.calls, calls)
	}
	return at
}

const (
	leaseTime     = 30 * time.Second // for which a server holds what it has open
	closedWithin  = 60 * time.Second // of the death, a change is no longer under way
	settledWithin = 80 * time.Second // and the last reading has told what became of it
)

// At whatever point of a change the server dies: the next start ends it, readings
// tell what became of it, and nothing is done twice.
func TestKill_atEachPoint(t *testing.T) {
	t.Parallel()
	for _, p := range points {
		for _, kind := range kinds {
			t.Run(p.name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, worldOptions{engine: dbtest.SQLite, accounts: 5})
				d := newDeed(w, kind)
				s := w.newServer("server")
				p.die(w, s, d)

				s.start()
				if n := w.count("state IN ('running', 'sent')"); n > 0 {
					t.Errorf("%d changes are under way after the start", n)
				}
				c := w.newClient(s, "misaki")
				if p.state == "sent" && (kind == sandbox.OpCreate || kind == sandbox.OpPassword) {
					if a, err := d.ask(c); err != nil || a.status >= 400 { // who got no answer presses again
						t.Errorf("sent again, the form is answered with %d (%v)", a.status, err)
					}
				}
				p.wait(w, d)
				if got := len(d.calls(w)); got != p.calls {
					t.Errorf("%d calls after the start", got-p.calls)
				}
				w.check()
				p.goOn(w, c, d)
				w.check()
				s.kill()
				w.verifyAudit(s)
			})
		}
	}
}

func newDeed(w *world, kind string) deed {
	d := deed{kind: kind, form: newSubmission(1)}
	if kind != sandbox.OpCreate {
		d.target = w.wave.Accounts()[1]
		if err := w.wave.SetFlag(d.target.UserID, invoice, "false"); err != nil {
			w.t.Fatal(err)
		}
		w.before[d.target.UserID], _ = w.wave.Get(d.target.UserID)
	}
	return d
}

// wait waits until readings have told what became of d, or have given up.
func (p point) wait(w *world, d deed) {
	w.t.Helper()
	want := p.settled(d.kind)
	if want == "in_doubt" { // and stays so after the last reading
		time.Sleep(time.Until(d.row(w).sent.Add(time.Minute + 5*time.Second)))
	}
	w.until("the change is "+want, settledWithin, func() bool {
		state := d.row(w).state
		return state == want || state != "in_doubt"
	})
	if r := d.row(w); r.state != want {
		w.t.Errorf("recorded as %s (%s), want %s", r.state, r.detail, want)
	}
}

// goOn does what was not done, now that it is known: nothing is locked any more.
func (p point) goOn(w *world, c *client, d deed) {
	w.t.Helper()
	if p.applied {
		return
	}
	d.form = newSubmission(2)
	if a, err := d.ask(c); err != nil || a.status != http.StatusSeeOther {
		w.t.Errorf("asked for again, it is answered with %d (%v)", a.status, err)
	}
	if r := d.row(w); r.state != "done" {
		w.t.Errorf("asked for again, it is %s (%s)", r.state, r.detail)
	}
}
