package bulk_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

// runs makes runs on the parts of w that work until the test ends.
func (w *world) runs(o func(*bulk.RunOptions)) *bulk.Runs {
	w.t.Helper()
	options := bulk.RunOptions{Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate, ReasonRequired: true}
	if o != nil {
		o(&options)
	}
	r := bulk.NewRuns(w.plans, options)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Work(ctx) }()
	w.t.Cleanup(func() { stop(); <-done })
	return r
}

func (w *world) start(r *bulk.Runs, p *bulk.Plan) {
	w.t.Helper()
	err := r.Start(w.t.Context(), bulk.Start{Actor: misaki, PlanID: p.ID, Mark: p.Mark(), Reason: "FY2026", Count: fmt.Sprint(p.Sum().Accounts)})
	if err != nil {
		w.t.Fatal(err)
	}
}

// until waits for what runs do by themselves.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(40 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("never: %s", what)
		}
	}
}

// ended waits for the run to be over.
func (w *world) ended(r *bulk.Runs, id string) (*bulk.Run, bulk.Counts) {
	w.t.Helper()
	var run *bulk.Run
	var counts bulk.Counts
	w.until("the run is over", func() bool {
		var err error
		if run, counts, err = r.Run(w.t.Context(), id); err != nil {
			w.t.Fatal(err)
		}
		return !run.Finished.IsZero()
	})
	return run, counts
}

// sent returns the accounts that Wave was asked to change, and what for, sorted.
func (w *world) sent() []string {
	var out []string
	for _, e := range w.wave.Journal() {
		if e.Op == sandbox.OpMeta {
			path := strings.TrimSuffix(e.Path, "/meta")
			out = append(out, path[strings.LastIndex(path, "/")+1:])
		}
	}
	slices.Sort(out)
	return out
}

func states(p *bulk.Plan) string {
	var out []string
	for _, i := range p.Items {
		out = append(out, fmt.Sprintf("%s:%s", i.Account, i.State))
	}
	return strings.Join(out, " ")
}

func TestRun_doesWhatWasPreviewed(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		w.add("moves", wave.Wanted{"invoice": false})
		w.add("right", wave.Wanted{"invoice": true})
		w.add("out", wave.Wanted{"invoice": false})
		w.add("others", wave.Wanted{"invoice": false})
		w.add("guarded", wave.Wanted{"invoice": true, "open_api": false})
		w.add("overtaken", wave.Wanted{"invoice": false})
		w.add("leaves", wave.Wanted{"invoice": false})
		on := wave.Wanted{"invoice": true}
		p := w.make(
			bulk.DraftItem{UserID: "moves", Want: on}, bulk.DraftItem{UserID: "right", Want: on},
			bulk.DraftItem{UserID: "out", Want: on, LeftOut: true}, bulk.DraftItem{UserID: "others", Want: on},
			bulk.DraftItem{UserID: "guarded", Want: wave.Wanted{"invoice": true, "open_api": true}},
			bulk.DraftItem{UserID: "overtaken", Want: on}, bulk.DraftItem{UserID: "leaves", Want: on},
			bulk.DraftItem{UserID: "nobody", Want: on},
		)
		set := func(id wave.UserID, key wave.Key, raw string) {
			if err := w.wave.SetFlag(id, key, raw); err != nil {
				t.Fatal(err)
			}
		}
		set("others", "dashboard_graph", "false") // not in the plan: stays, and is no matter
		set("guarded", "invoice", "false")        // in the plan, and as wanted until now
		set("overtaken", "invoice", "true")       // as wanted by now
		w.wave.RemoveAccount("leaves")            // someone deleted it
		r := w.runs(nil)
		w.start(r, p)
		run, counts := w.ended(r, p.ID)
		const want = "moves:done right:no_change out:queued others:done guarded:conflict overtaken:no_change leaves:failed nobody:failed"
		if got := states(w.get(p.ID)); got != want || run.State != bulk.Done || counts.Total() != 7 || counts.Left() != 0 {
			t.Errorf("run is %s with %v:\n %s, want\n %s", run.State, counts, got, want)
		}
		if got := w.sent(); !slices.Equal(got, []string{"moves", "others"}) {
			t.Errorf("Wave was asked to change %v", got)
		}
		a, _ := w.wave.Get("guarded")
		if a.Meta.On("open_api") || a.Meta.On("invoice") {
			t.Error("what someone changed since the preview was written over")
		}
		if a, _ := w.wave.Get("others"); !a.Meta.On("invoice") || a.Meta.On("dashboard_graph") {
			t.Error("another flag that someone changed was written over")
		}
		moved := w.get(p.ID).Items[0]
		c, err := w.ledger.Get(t.Context(), moved.ChangeID)
		if err != nil || c.Source != change.Bulk || c.RunID != p.ID || c.Reason != "FY2026" || c.Actor.Subject != misaki.Subject {
			t.Errorf("the ledger has %+v, %v", c, err)
		}
	})
}

func TestStart_refuses(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), bulk.CountFrom+3)
		r := bulk.NewRuns(w.plans, bulk.RunOptions{Service: w.service, ReasonRequired: true}) // nobody works on them
		var items []bulk.DraftItem
		for _, a := range w.wave.Accounts() {
			items = append(items, bulk.DraftItem{UserID: a.UserID, Want: wave.Wanted{"open_api": !a.Meta.On("open_api")}})
		}
		p := w.make(items...)
		good := bulk.Start{Actor: misaki, PlanID: p.ID, Mark: p.Mark(), Reason: "why", Count: fmt.Sprint(p.Sum().Accounts)}
		nothing := w.make(bulk.DraftItem{UserID: items[0].UserID, Want: wave.Wanted{"open_api": !items[0].Want["open_api"]}})
		for name, tt := range map[string]struct {
			kind  fault.Kind
			say   string
			field string
			but   func(*bulk.Start)
		}{
			"a viewer":      {fault.Forbidden, "error.forbidden_editor", "", func(s *bulk.Start) { s.Actor = sam }},
			"no plan":       {fault.NotFound, "bulk.no_plan", "", func(s *bulk.Start) { s.PlanID = "none" }},
			"other boxes":   {fault.Conflict, "bulk.look_again", "", func(s *bulk.Start) { s.Mark = "x" }},
			"no reason":     {fault.Invalid, "error.invalid", "reason", func(s *bulk.Start) { s.Reason = " " }},
			"no count":      {fault.Invalid, "error.invalid", "count", func(s *bulk.Start) { s.Count = "" }},
			"another count": {fault.Invalid, "error.invalid", "count", func(s *bulk.Start) { s.Count = "1" }},
			"no change":     {fault.Invalid, "bulk.sum_none", "", func(s *bulk.Start) { s.PlanID, s.Mark = nothing.ID, nothing.Mark() }},
		} {
			s := good
			tt.but(&s)
			err := r.Start(t.Context(), s)
			if !fault.Is(err, tt.kind) || fault.SentenceOf(err).Key != tt.say {
				t.Errorf("%s: %v", name, err)
			}
			if f, ok := err.(*fault.Error); tt.field != "" && (!ok || f.Fields[tt.field].Key == "") {
				t.Errorf("%s: %+v", name, err)
			}
		}
		w.late = bulk.ValidFor
		if err := r.Start(t.Context(), good); fault.SentenceOf(err).Key != "bulk.expired" {
			t.Errorf("an expired plan: %v", err)
		}
		w.late = 0
		if err := r.Start(t.Context(), good); err != nil {
			t.Fatal(err)
		}
		if err := r.Start(t.Context(), good); fault.SentenceOf(err).Key != "bulk.runs_already" {
			t.Errorf("twice: %v", err)
		}
		if err := r.LeaveOut(t.Context(), p.ID, []int{1}, []int{1}); fault.SentenceOf(err).Key != "bulk.runs_already" {
			t.Errorf("leaving out of a run: %v", err)
		}
	})
}

// inFlight is how many calls of runs are under way at a time, at most.
const inFlight = 16

func TestRun_cancelPauseResume(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorldAt(t, e.Ready(t), 120, 10)
		var items []bulk.DraftItem
		for _, a := range w.wave.Accounts() {
			items = append(items, bulk.DraftItem{UserID: a.UserID, Want: wave.Wanted{"open_api": !a.Meta.On("open_api")}})
		}
		p := w.make(items...)
		r := w.runs(nil)
		w.start(r, p)
		counts := func() bulk.Counts {
			_, c, err := r.Run(t.Context(), p.ID)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		w.until("some are sent", func() bool { return len(w.sent()) >= 3 })
		if err := r.Pause(t.Context(), misaki, p.ID); err != nil {
			t.Fatal(err)
		}
		called := len(w.sent())
		w.until("those in flight have ended", func() bool { return counts()[change.Running] == 0 })
		paused := len(w.sent())
		time.Sleep(1500 * time.Millisecond) // in which a job could begin others
		if got := len(w.sent()); got != paused || got > called+inFlight {
			t.Fatalf("a run that is paused after %d calls makes %d, then %d", called, paused, got)
		}
		if err := r.Pause(t.Context(), misaki, p.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("paused twice: %v", err)
		}
		if err := r.Resume(t.Context(), sam, p.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("resumed by a viewer: %v", err)
		}
		if err := r.Resume(t.Context(), misaki, p.ID); err != nil {
			t.Fatal(err)
		}
		w.until("more are sent", func() bool { return len(w.sent()) > paused })
		if err := r.Cancel(t.Context(), misaki, p.ID); err != nil {
			t.Fatal(err)
		}
		called = len(w.sent())
		run, c := w.ended(r, p.ID)
		if run.State != bulk.Cancelled || len(w.sent()) > called+inFlight || c[change.Done]+c[change.Cancelled] != 120 || c[change.Cancelled] == 0 {
			t.Errorf("cancelled after %d calls: %v after %d", called, c, len(w.sent()))
		}
		for _, i := range w.get(p.ID).Items {
			if i.Finished.IsZero() {
				t.Errorf("%s is %s, and not said to have ended", i.Account, i.State)
			}
		}
		if got := len(w.sent()); got != c[change.Done] {
			t.Errorf("Wave was asked %d times, %d are done", got, c[change.Done])
		}
		retry, err := r.Retry(t.Context(), misaki, p.ID)
		if err != nil || retry.Sum().Accounts != c[change.Cancelled] {
			t.Errorf("the rest again: %v", err)
		}
		if run.Reason == "" || retry.Reason != run.Reason {
			t.Errorf("the reason of the rest is %q, that of the run %q", retry.Reason, run.Reason)
		}
	})
}

func TestRevert_takesBackWhatStillIsSo(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		w.add("a", wave.Wanted{"invoice": false, "open_api": true})
		w.add("b", wave.Wanted{"invoice": false, "open_api": false})
		w.add("c", wave.Wanted{"invoice": true, "open_api": true})
		want := wave.Wanted{"invoice": true, "open_api": false}
		p := w.make(bulk.DraftItem{UserID: "a", Want: want}, bulk.DraftItem{UserID: "b", Want: want}, bulk.DraftItem{UserID: "c", Want: want})
		before := make(map[wave.UserID]wave.Meta)
		for _, a := range w.wave.Accounts() {
			before[a.UserID] = a.Meta
		}
		r := w.runs(nil)
		if _, err := r.Revert(t.Context(), misaki, p.ID); !fault.Is(err, fault.Invalid) {
			t.Errorf("before it ran: %v", err)
		}
		w.start(r, p)
		w.ended(r, p.ID)
		if err := w.wave.SetFlag("b", "invoice", "false"); err != nil { // someone took that one back already
			t.Fatal(err)
		}
		back, err := r.Revert(t.Context(), misaki, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if s := back.Sum(); s.Accounts != 2 || s.Changes != 3 {
			t.Errorf("the plan back is %+v", s)
		}
		w.start(r, back)
		w.ended(r, back.ID)
		for _, a := range w.wave.Accounts() {
			if moved := wave.Diff(before[a.UserID], a.Meta); len(moved) > 0 {
				t.Errorf("%s is not as before: %v", a.UserID, moved)
			}
		}
		c, err := w.ledger.Get(t.Context(), w.get(back.ID).Items[0].ChangeID)
		if err != nil || c.UndoOf != w.get(p.ID).Items[0].ChangeID {
			t.Errorf("the change back says %q, %v", c.UndoOf, err)
		}
	})
}

// roles is what a person may do by now.
type roles struct {
	role  auth.Role
	known bool
}

func (r *roles) RoleOf(context.Context, auth.Actor) (auth.Role, bool, error) {
	return r.role, r.known, nil
}

func TestRun_pausesByItself(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		// While the third refusal is recorded others are sent: sixteen at a time, and as
		// many as the rate allows. Some must be left all the same.
		const accounts = 60
		w := newWorldAt(t, e.Ready(t), accounts, 50)
		var items []bulk.DraftItem
		for _, a := range w.wave.Accounts() {
			items = append(items, bulk.DraftItem{UserID: a.UserID, Want: wave.Wanted{"open_api": !a.Meta.On("open_api")}})
		}
		who := &roles{role: auth.Viewer, known: true}
		r := w.runs(func(o *bulk.RunOptions) { o.Roles = who })
		p := w.make(items...)
		pausedFor := func(why bulk.Pause) bulk.Counts {
			var c bulk.Counts
			w.until("it pauses for "+string(why), func() bool {
				run, counts, err := r.Run(t.Context(), p.ID)
				c = counts
				return err == nil && run.State == bulk.Paused && run.Why == why && counts[change.Running] == 0
			})
			return c
		}
		w.start(r, p)
		if c := pausedFor(bulk.RoleLost); c[change.Queued] != accounts {
			t.Errorf("without the role: %v", c)
		}
		who.known = false // signed out: that is no loss
		stop := w.wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Times: 1000, Status: http.StatusForbidden})
		hana := auth.Actor{Issuer: "idp", Subject: "2", Name: "Hana", Role: auth.Editor}
		if err := r.Resume(t.Context(), hana, p.ID); err != nil {
			t.Fatal(err)
		}
		c := pausedFor(bulk.Denied)
		if c[change.Failed] < 3 || c[change.Queued] == 0 {
			t.Errorf("refused: %v", c)
		}
		stop()
		if err := r.Resume(t.Context(), misaki, p.ID); err != nil {
			t.Fatal(err)
		}
		run, after := w.ended(r, p.ID)
		if after[change.Failed] != c[change.Failed] || after[change.Done] != accounts-c[change.Failed] || run.Actor.Subject != hana.Subject {
			t.Errorf("after that: %v by %+v", after, run.Actor)
		}
	})
}

func TestRun_outlastsWaveBeingAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 6)
	var items []bulk.DraftItem
	for _, a := range w.wave.Accounts() {
		items = append(items, bulk.DraftItem{UserID: a.UserID, Want: wave.Wanted{"open_api": !a.Meta.On("open_api")}})
	}
	p := w.make(items...)
	stop := w.wave.Fail(sandbox.Fault{Op: sandbox.OpList, Times: 1000, Status: http.StatusServiceUnavailable})
	r := w.runs(nil)
	lists := w.wave.Count(sandbox.OpList)
	w.start(r, p)
	w.until("it was tried", func() bool { return w.wave.Count(sandbox.OpList) >= lists+4 }) // a list and its repetitions
	if list, _, err := w.ledger.List(t.Context(), change.Filter{}, 10); err != nil || len(list) > 0 {
		t.Errorf("%d changes were opened without a list (%v)", len(list), err)
	}
	stop()
	if _, c := w.ended(r, p.ID); c[change.Done] != 6 || len(w.sent()) != 6 {
		t.Errorf("counts = %v, %d calls", c, len(w.sent()))
	}
}

// A list that is refused says nothing of the accounts that waited for it.
func TestRun_keepsWhatARefusedListHeldUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 20)
	var items []bulk.DraftItem
	for _, a := range w.wave.Accounts() {
		items = append(items, bulk.DraftItem{UserID: a.UserID, Want: wave.Wanted{"open_api": !a.Meta.On("open_api")}})
	}
	p := w.make(items...)
	w.wave.Fail(sandbox.Fault{Op: sandbox.OpList, Times: 1, Status: http.StatusForbidden})
	r := w.runs(nil)
	w.start(r, p)
	w.until("it pauses", func() bool {
		run, counts, err := r.Run(t.Context(), p.ID)
		return err == nil && run.State == bulk.Paused && run.Why == bulk.Denied && counts[change.Running] == 0
	})
	if err := r.Resume(t.Context(), misaki, p.ID); err != nil {
		t.Fatal(err)
	}
	if _, c := w.ended(r, p.ID); c[change.Done] != 20 {
		t.Errorf("counts = %v, want all done", c)
	}
}

// Who lost an account to another server says nothing of it any more.
func TestRun_leavesWhatWasTakenOver(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		w.add("slow", wave.Wanted{"invoice": false})
		p := w.make(bulk.DraftItem{UserID: "slow", Want: wave.Wanted{"invoice": true}})
		w.wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Times: 1, Delay: time.Second})
		r := w.runs(nil)
		w.start(r, p)
		w.until("the call is under way", func() bool { return len(w.sent()) == 1 })
		err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE bulk_items SET claimed_by = 'another' WHERE plan_id = $1", p.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.until("it is done", func() bool {
			list, _, err := w.ledger.List(t.Context(), change.Filter{States: []change.State{change.Done}}, 10)
			return err == nil && len(list) == 1
		})
		time.Sleep(200 * time.Millisecond) // for the end that it is not to write
		if got := states(w.get(p.ID)); got != "slow:running" {
			t.Errorf("states = %s, want what the other server says", got)
		}
	})
}
