package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// TestStart_demandsAProof: of large runs, and of all that cannot be taken back. What
// else is wrong is said first, and nothing is begun without it.
func TestStart_demandsAProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 0)
	proved := false
	r := bulk.NewRuns(w.plans, bulk.RunOptions{
		Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate, ReasonRequired: true,
		Proved: func(context.Context) bool { return proved },
	})
	var ids []wave.UserID
	for n := range bulk.ProofAbove + 1 {
		ids = append(ids, wave.UserID(fmt.Sprintf("p-%02d", n)))
		w.add(ids[n], wave.Wanted{"invoice": false})
	}
	for _, tt := range []struct {
		name     string
		kind     bulk.Kind
		accounts int
		want     bool
	}{
		{"as many as go without", bulk.Flags, bulk.ProofAbove, false},
		{"one more", bulk.Flags, bulk.ProofAbove + 1, true},
		{"one deletion", bulk.Deletions, 1, true},
		{"one password", bulk.Passwords, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := bulk.Draft{Kind: tt.kind, Source: "table", Reason: "why"}
			for _, id := range ids[:tt.accounts] {
				item := bulk.DraftItem{UserID: id}
				if tt.kind == bulk.Flags {
					item.Want = wave.Wanted{"invoice": true}
				}
				d.Items = append(d.Items, item)
			}
			p := w.plan(d)
			s := startOf(p)
			s.Count = fmt.Sprint(tt.accounts)
			wrong := s
			wrong.Reason = ""

			proved = false
			if err := r.Start(t.Context(), wrong); err == nil || errors.Is(err, auth.ErrProofNeeded) {
				t.Errorf("without a reason: %v, want that first", err)
			}
			err := r.Start(t.Context(), s)
			if errors.Is(err, auth.ErrProofNeeded) != tt.want || !tt.want && err != nil {
				t.Fatalf("without a proof: %v, want one demanded: %v", err, tt.want)
			}
			if run := w.state(r, p.ID); (run == nil) != tt.want {
				t.Errorf("run = %+v", run)
			}
			if proved = true; !tt.want {
				return
			}
			if err := r.Start(t.Context(), s); err != nil {
				t.Errorf("with a proof: %v", err)
			}
		})
	}
}

func TestApprove_demandsAProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 0)
	w.add("a", nil)
	proved := true
	r := bulk.NewRuns(w.plans, bulk.RunOptions{
		Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate,
		Approval: bulk.Approval{All: true}, Proved: func(context.Context) bool { return proved },
	})
	p := w.plan(bulk.Draft{Kind: bulk.Deletions, Source: "table", Items: []bulk.DraftItem{{UserID: "a"}}})
	s := startOf(p)
	s.Count = "1"
	if err := r.Start(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	proved = false
	if err := r.Approve(t.Context(), hana, p.ID, p.Mark()); !errors.Is(err, auth.ErrProofNeeded) {
		t.Errorf("without a proof: %v", err)
	}
	if run := w.state(r, p.ID); run.State != bulk.Waiting {
		t.Errorf("run = %+v, want it to wait on", run)
	}
	proved = true
	if err := r.Approve(t.Context(), hana, p.ID, p.Mark()); err != nil {
		t.Errorf("with a proof: %v", err)
	}
}

// TestResume_demandsAProof: whoever finds a paused run and a browser left open can do no
// more with it than with its preview.
func TestResume_demandsAProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite.Ready(t), 0)
	proved := true
	r := bulk.NewRuns(w.plans, bulk.RunOptions{
		Service: w.service, Lists: w.directory, Ledger: w.ledger, Rate: w.rate,
		Proved: func(context.Context) bool { return proved },
	})
	w.add("a", wave.Wanted{"invoice": false})
	for kind, grave := range map[bulk.Kind]bool{bulk.Flags: false, bulk.Passwords: true, bulk.Deletions: true} {
		item := bulk.DraftItem{UserID: "a"}
		if kind == bulk.Flags {
			item.Want = wave.Wanted{"invoice": true}
		}
		p := w.plan(bulk.Draft{Kind: kind, Source: "table", Items: []bulk.DraftItem{item}})
		s := startOf(p)
		s.Count = "1"
		proved = true
		if err := r.Start(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		proved = false
		if err := r.Resume(t.Context(), hana, p.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s, resumed while it runs: %v, want that said first", kind, err)
		}
		if err := r.Pause(t.Context(), hana, p.ID); err != nil {
			t.Errorf("%s: a pause needs no proof: %v", kind, err)
		}
		if err := r.Resume(t.Context(), hana, p.ID); errors.Is(err, auth.ErrProofNeeded) != grave || !grave && err != nil {
			t.Errorf("%s, without a proof: %v, want one demanded: %v", kind, err, grave)
		}
		if run := w.state(r, p.ID); (run.State == bulk.Paused) != grave {
			t.Errorf("%s is %s", kind, run.State)
		}
		if proved = true; !grave {
			continue
		}
		if err := r.Resume(t.Context(), hana, p.ID); err != nil {
			t.Errorf("%s, with a proof: %v", kind, err)
		}
	}
	if err := r.Resume(t.Context(), sam, "none"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("by a viewer: %v", err)
	}
	if err := r.Resume(t.Context(), hana, "none"); !fault.Is(err, fault.NotFound) {
		t.Errorf("of no run: %v", err)
	}
}
