package app_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

// TestAudit_ofAnExport: who took which data as a file is on record before it leaves,
// and what cannot be recorded does not leave.
func TestAudit_ofAnExport(t *testing.T) {
	dbtest.OnEach(t, exports)
}

func exports(t *testing.T, e dbtest.Engine) {
	s, cfg := start(t, e, new(logs))
	c := s.SignedIn(t, testkit.Editor)
	if p := c.Post("/resellers/acme/meta", turnOn(offKey(t, s))); p.Status != http.StatusOK {
		t.Fatalf("the save = %d", p.Status)
	}
	viewer := s.SignedIn(t, testkit.Viewer)
	for _, path := range []string{"/changes.csv?kind=meta&older=zzz", "/changes.jsonl?q=nobody"} {
		if p := viewer.Get(path); p.Status != http.StatusOK {
			t.Errorf("%s = %d", path, p.Status)
		}
	}
	_, events := export(t, cfg)
	events = slices.DeleteFunc(events, func(e event) bool { return e.Kind != "export" })
	if len(events) != 2 {
		t.Fatalf("%d events, want 2", len(events))
	}
	csv, jsonl := events[0].Details, events[1].Details
	if events[0].ActorSubject != testkit.Viewer || csv["file"] != "changes.csv" || csv["rows"] != 1.0 || csv["filter"].(map[string]any)["kind"] != "meta" {
		t.Errorf("the CSV: %+v", events[0])
	}
	if jsonl["file"] != "changes.jsonl" || jsonl["rows"] != 0.0 || jsonl["filter"].(map[string]any)["q"] != "nobody" {
		t.Errorf("the JSON lines: %+v", events[1])
	}

	defer refuse(t, e, openRaw(t, cfg.Database.URL.Reveal()), "export")()
	if p := viewer.Get("/changes.csv"); p.Status != http.StatusInternalServerError || strings.Contains(p.Body, "acme") {
		t.Errorf("without an event: %d, %q", p.Status, p.Body)
	}
}

// TestAudit_ofADecision: the event that ends a doubt says who decided, and why.
func TestAudit_ofADecision(t *testing.T) {
	var cfg config.Config
	var late atomic.Int64
	s := testkit.Start(t, testkit.Options{
		Accounts: 1, Now: func() time.Time { return time.Now().Add(time.Duration(late.Load())) },
		Config: func(c *config.Config) { c.Wave.MaxSnapshotAge = 24 * time.Hour; cfg = *c },
	})
	c := s.SignedIn(t, testkit.Editor)
	id := string(s.Wave.Accounts()[0].UserID)
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpPassword, When: sandbox.Before, Reset: true})
	if p := c.Post("/resellers/"+id+"/password", url.Values{"input_type": {"Auto"}}); p.Status != http.StatusOK {
		t.Fatalf("the password = %d", p.Status)
	}
	change, _ := c.Get("/changes").Find("tr[data-change]").Attr("data-change")
	late.Store(int64(2 * time.Minute))
	if p := c.Post("/changes/"+change+"/settle", url.Values{"outcome": {"not_applied"}, "reason": {"顧客に確認"}}); p.Status != http.StatusOK {
		t.Fatalf("the decision = %d: %s", p.Status, p.Find("main").Text())
	}
	_, events := export(t, cfg)
	last := events[len(events)-1]
	decided, _ := last.Details["decided"].(map[string]any)
	by, _ := decided["by"].(map[string]any)
	if last.Kind != "change_failed" || last.ChangeID != change || decided["reason"] != "顧客に確認" || by["subject"] != testkit.Editor {
		t.Errorf("the event is %+v", last)
	}
}
