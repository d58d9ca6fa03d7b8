package bulk_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

// recorder keeps what it is told, and refuses it while it is full.
type recorder struct {
	mu    sync.Mutex
	steps []string
	full  bool
}

var errFull = errors.New("the log is full")

func (r *recorder) RecordRun(_ context.Context, _ *sql.Tx, by auth.Actor, step string, run bulk.Run, accounts int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full {
		return errFull
	}
	line := fmt.Sprintf("%s by %s, %d of %s", step, by.Name, accounts, run.Actor.Name)
	if run.Why != "" {
		line += " for " + string(run.Why)
	}
	r.steps = append(r.steps, line)
	return nil
}

func (r *recorder) fill(full bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full = full
}

// take returns what was recorded since the last time.
func (r *recorder) take() (steps []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	steps, r.steps = r.steps, nil
	return steps
}

// audited is runs on two accounts that record their steps.
func audited(t *testing.T, e dbtest.Engine, o func(*bulk.RunOptions)) (*world, *bulk.Runs, *recorder) {
	t.Helper()
	w := newWorld(t, e.Ready(t), 0)
	w.add("a", wave.Wanted{"invoice": false})
	w.add("b", wave.Wanted{"invoice": false})
	log := new(recorder)
	return w, w.runs(func(options *bulk.RunOptions) {
		options.Audit = log
		if o != nil {
			o(options)
		}
	}), log
}

func wantSteps(t *testing.T, log *recorder, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, log.take()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestAudit_ofSteps(t *testing.T) {
	t.Parallel()
	w, r, log := audited(t, dbtest.SQLite, nil)
	p := w.pair()
	hang := w.wave.Fail(sandbox.Fault{Op: sandbox.OpList, Hang: true})
	w.start(r, p)
	for _, step := range []func(context.Context, auth.Actor, string) error{r.Pause, r.Resume, r.Cancel} {
		if err := step(t.Context(), sam, p.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a viewer: %v", err)
		}
		if err := step(t.Context(), hana, p.ID); err != nil {
			t.Fatal(err)
		}
	}
	w.ended(r, p.ID)
	hang()
	wantSteps(t, log, "started by Misaki, 2 of Misaki", "paused by Hana, 2 of Misaki for person", "resumed by Hana, 2 of Misaki",
		"cancelled by Hana, 2 of Misaki", "finished by Misaki, 2 of Misaki")
}

func TestAudit_ofWhatWaits(t *testing.T) {
	t.Parallel()
	t.Run("for its time", func(t *testing.T) {
		t.Parallel()
		w, r, log := audited(t, dbtest.SQLite, nil)
		p := w.scheduled(r)
		w.exec("UPDATE bulk_runs SET apply_at = 1 WHERE plan_id = $1", p.ID)
		w.ended(r, p.ID)
		wantSteps(t, log, "scheduled by Misaki, 2 of Misaki", "started by Misaki, 2 of Misaki", "finished by Misaki, 2 of Misaki")
	})
	t.Run("for another editor", func(t *testing.T) {
		t.Parallel()
		w, r, log := audited(t, dbtest.SQLite, func(o *bulk.RunOptions) { o.Approval.All = true })
		p, void := w.pair(), w.pair()
		for _, p := range []*bulk.Plan{p, void} {
			if err := r.Start(t.Context(), startOf(p)); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Approve(t.Context(), hana, p.ID, p.Mark()); err != nil {
			t.Fatal(err)
		}
		w.ended(r, p.ID)
		wantSteps(t, log, "requested by Misaki, 2 of Misaki", "requested by Misaki, 2 of Misaki", "approved by Hana, 2 of Misaki", "finished by Misaki, 2 of Misaki")
		if err := r.Approve(t.Context(), hana, void.ID, void.Mark()); fault.SentenceOf(err).Key != "bulk.void" {
			t.Errorf("the other: %v", err)
		}
		wantSteps(t, log, "cancelled by Hana, 2 of Misaki for moved", "finished by Misaki, 2 of Misaki for moved")
	})
}

// At its time a run goes by what its author may do then.
func TestStart_scheduledByWhoLosesTheRole(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		who := &roles{role: auth.Viewer, known: true}
		w, r, log := audited(t, e, func(o *bulk.RunOptions) { o.Roles = who })
		p := w.scheduled(r)
		w.exec("UPDATE bulk_runs SET apply_at = 1 WHERE plan_id = $1", p.ID)
		w.until("it waits for a person", func() bool { return w.state(r, p.ID).State == bulk.Paused })
		if run := w.state(r, p.ID); run.Why != bulk.RoleLost || !run.Started.IsZero() || len(w.sent()) != 0 {
			t.Errorf("run = %+v after %d calls", run, len(w.sent()))
		}
		wantSteps(t, log, "scheduled by Misaki, 2 of Misaki", "paused by Misaki, 2 of Misaki for role")
		who.role = auth.Editor
		if err := r.Resume(t.Context(), hana, p.ID); err != nil {
			t.Fatal(err)
		}
		if run, c := w.ended(r, p.ID); c[change.Done] != 2 || run.Actor.Subject != hana.Subject {
			t.Errorf("resumed: %v by %+v", c, run.Actor)
		}
	})
}

// A step that cannot be recorded is not taken.
func TestAudit_noStepWithoutItsRecord(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w, r, log := audited(t, e, func(o *bulk.RunOptions) { o.Approval.Flags = []wave.Key{"open_api"} })
		p := w.pair()
		log.fill(true)
		if err := r.Start(t.Context(), startOf(p)); !errors.Is(err, errFull) {
			t.Errorf("Start = %v", err)
		}
		if run := w.state(r, p.ID); run != nil {
			t.Errorf("a run that is not recorded: %+v", run)
		}
		log.fill(false)
		s := startOf(p)
		s.At = time.Now().Add(time.Hour)
		if err := r.Start(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		log.fill(true)
		if err := r.Cancel(t.Context(), misaki, p.ID); !errors.Is(err, errFull) {
			t.Errorf("Cancel = %v", err)
		}
		w.exec("UPDATE bulk_runs SET apply_at = 1 WHERE plan_id = $1", p.ID)
		time.Sleep(1500 * time.Millisecond) // in which it would begin
		if run := w.state(r, p.ID); run.State != bulk.Scheduled || len(w.sent()) != 0 {
			t.Errorf("run = %+v after %d calls", run, len(w.sent()))
		}
		log.fill(false)
		if _, c := w.ended(r, p.ID); c[change.Done] != 2 {
			t.Errorf("in the end: %v", c)
		}
	})
}

// scheduled returns a plan for two accounts that waits for its time.
func (w *world) scheduled(r *bulk.Runs) *bulk.Plan {
	w.t.Helper()
	p := w.pair()
	s := startOf(p)
	s.At = time.Now().Add(time.Hour)
	if err := r.Start(w.t.Context(), s); err != nil {
		w.t.Fatal(err)
	}
	return p
}
