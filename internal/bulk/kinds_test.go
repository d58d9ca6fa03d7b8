package bulk_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

// promises notes which submission was promised which preset.
type promises struct {
	mu   sync.Mutex
	made map[string]string
}

func (p *promises) Promise(_ context.Context, _ auth.Actor, submitID, preset string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made[submitID] = preset
	return nil
}

func (w *world) plan(d bulk.Draft) *bulk.Plan {
	w.t.Helper()
	p, err := w.plans.Make(context.Background(), misaki, d)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) calls(op string) (n int) {
	for _, e := range w.wave.Journal() {
		if string(e.Op) == op {
			n++
		}
	}
	return n
}

func TestRun_createsAccounts(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		w.add("there", nil)
		meta := wave.Defaults().With("open_api", true)
		d := bulk.Draft{Kind: bulk.Creations, Source: "file", Reason: "why", Items: []bulk.DraftItem{
			{New: &bulk.NewAccount{Email: "new@example.co.jp", CompanyID: "c-there", Notify: true, Meta: meta, Preset: "p1"}},
			{New: &bulk.NewAccount{Email: "out@example.co.jp", CompanyID: "c-there", Meta: meta}, LeftOut: true},
			{New: &bulk.NewAccount{Email: "there@example.co.jp", CompanyID: "c-there", Meta: meta}},
		}}
		p := w.plan(d)
		kept := &promises{made: map[string]string{}}
		r := w.runs(func(o *bulk.RunOptions) { o.Presets = kept })
		w.start(r, p)
		_, counts := w.ended(r, p.ID)
		if counts[change.Done] != 1 || counts[change.Failed] != 1 {
			t.Fatalf("counts = %v", counts)
		}
		items := w.get(p.ID).Items
		created, ok := w.wave.Get(items[0].Account)
		if !ok || created.Email != "new@example.co.jp" || !created.Meta.On("open_api") || created.BillingGroup.CompanyID != "c-there" {
			t.Errorf("Wave has %+v for %q", created, items[0].Account)
		}
		if items[2].Say.Key != "create.email_used" || items[1].State != change.Queued {
			t.Errorf("the others ended as %+v", items[1:])
		}
		if len(kept.made) != 1 || kept.made["run-"+p.ID+"-1"] != "p1" {
			t.Errorf("promised %v", kept.made)
		}
		if n := w.calls(string(sandbox.OpCreate)); n != 1 {
			t.Errorf("Wave was asked to create %d times", n)
		}
		if again, err := r.Retry(t.Context(), misaki, p.ID); err != nil || len(again.Items) != 1 || again.Items[0].New.Email != "there@example.co.jp" {
			t.Errorf("the rest again: %+v, %v", again, err)
		}
	})
}

func TestRun_deletesAndResets(t *testing.T) {
	t.Parallel()
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, e.Ready(t), 0)
		for _, id := range []wave.UserID{"a", "b", "c"} {
			w.add(id, nil)
		}
		reset := w.plan(bulk.Draft{Kind: bulk.Passwords, Source: "table", Items: []bulk.DraftItem{{UserID: "a"}, {UserID: "nobody"}}})
		if s := reset.Sum(); s.Accounts != 1 || s.Gone != 1 || !reset.MustType(s) {
			t.Errorf("sum = %+v", s)
		}
		r := w.runs(nil)
		w.start(r, reset)
		if _, c := w.ended(r, reset.ID); c[change.Done] != 1 || c[change.Failed] != 1 || w.calls(string(sandbox.OpPassword)) != 1 {
			t.Errorf("passwords: %v, %d calls", c, w.calls(string(sandbox.OpPassword)))
		}
		gone := w.plan(bulk.Draft{Kind: bulk.Deletions, Source: "table", Items: []bulk.DraftItem{{UserID: "a"}, {UserID: "b", LeftOut: true}, {UserID: "c"}}})
		w.wave.RemoveAccount("c") // someone was faster
		w.start(r, gone)
		if _, c := w.ended(r, gone.ID); c[change.Done] != 1 || c[change.Failed] != 1 {
			t.Errorf("deletions: %v", c)
		}
		var left []string
		for _, a := range w.wave.Accounts() {
			left = append(left, string(a.UserID))
		}
		if !slices.Equal(left, []string{"b"}) {
			t.Errorf("Wave still has %v", left)
		}
		c, err := w.ledger.Get(t.Context(), w.get(gone.ID).Items[0].ChangeID)
		if err != nil || c.Kind != change.Delete || c.Source != change.Bulk || c.RunID != gone.ID || c.Reason != "FY2026" {
			t.Errorf("the ledger has %+v, %v", c, err)
		}
		if _, err := r.Revert(t.Context(), misaki, gone.ID); err == nil {
			t.Error("a deletion can be taken back")
		}
	})
}
