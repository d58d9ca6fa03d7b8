package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// planFor is the form of a plan that wants these flags of these accounts.
func planFor(t *testing.T, want map[wave.UserID]wave.Wanted) url.Values {
	t.Helper()
	type item struct {
		User wave.UserID         `json:"user"`
		Want map[wave.Key]string `json:"want"`
	}
	var items []item
	for id, flags := range want {
		i := item{id, make(map[wave.Key]string)}
		for key, on := range flags {
			i.Want[key] = wave.StateOf(on).String()
		}
		items = append(items, i)
	}
	plan, err := json.Marshal(map[string]any{"source": "matrix", "items": items})
	if err != nil {
		t.Fatal(err)
	}
	return url.Values{"plan": {string(plan)}}
}

// metas returns the flags of all accounts.
func metas(s *testkit.Site) map[wave.UserID]wave.Meta {
	out := make(map[wave.UserID]wave.Meta)
	for _, a := range s.Wave.Accounts() {
		out[a.UserID] = a.Meta
	}
	return out
}

// What Wave got is the plan as it was shown: each account that it changes once, with
// all its flags, and no other account.
func TestBulkRun_sendsThePlan(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s := testkit.Start(t, testkit.Options{Accounts: 42})
	c := s.SignedIn(t, testkit.Editor)
	before := metas(s)
	want, after, changes := make(map[wave.UserID]wave.Wanted), make(map[wave.UserID]wave.Meta), 0
	n := 0
	for id, m := range before {
		n++
		want[id] = wave.Wanted{"open_api": n%2 == 0, "invoice": n%3 == 0, "aqua_link": m.On("aqua_link")}
		now := m
		for key, on := range want[id] {
			if m.On(key) != on {
				now = now.With(key, on)
				changes++
			}
		}
		if len(wave.Diff(m, now)) > 0 {
			after[id] = now
		}
	}
	p := planned(t, c, planFor(t, want))
	wantText(t, p, `[data-testid="bulk-sum"]`,
		says("bulk.sum", "accounts", strconv.Itoa(len(after)), "flags", "2", "changes", strconv.Itoa(changes)))
	run := fields(t, p.Find("#bulk-form"))
	run.Set("reason", "決算前")
	over(t, c, c.Post(p.URL.Path+"/run", run).URL.Path)
	sent := make(map[wave.UserID]bool)
	for _, e := range writes(s) {
		id := wave.UserID(e.UserID)
		var body struct{ Meta wave.Meta }
		if err := json.Unmarshal(e.Body, &body); err != nil || e.Op != sandbox.OpMeta || sent[id] {
			t.Errorf("%s of %s: %v, %v", e.Op, id, sent[id], err)
		}
		sent[id] = true
		if moved := wave.Diff(after[id], body.Meta); len(moved) > 0 {
			t.Errorf("%s got other flags than planned: %v", id, moved)
		}
	}
	if len(sent) != len(after) || len(after) == len(before) || len(after) < 20 {
		t.Errorf("%d accounts of %d got a call, %d in the plan", len(sent), len(before), len(after))
	}
	for id := range after {
		if !sent[id] {
			t.Errorf("%s got no call", id)
		}
	}
}

// A run that is cancelled at 10 of 42 ends with the calls in flight, and what it did
// until then is taken back to the last flag.
func TestBulkRun_cancelledIsTakenBack(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	const inFlight = 16
	s := testkit.Start(t, testkit.Options{Accounts: 42, Latency: 200 * time.Millisecond})
	c := s.SignedIn(t, testkit.Editor)
	before := metas(s)
	want := make(map[wave.UserID]wave.Wanted)
	for id, m := range before {
		want[id] = make(wave.Wanted)
		for _, key := range []wave.Key{"open_api", "invoice", "aqua_link", "dashboard_graph"} {
			if state := m.State(key); state == wave.On || state == wave.Off { // no other one can be written again
				want[id][key] = state == wave.Off
			}
		}
	}
	p := planned(t, c, planFor(t, want))
	run := fields(t, p.Find("#bulk-form"))
	run.Set("reason", "決算前")
	p = c.Post(p.URL.Path+"/run", run)
	until(t, "ten are sent", func() bool { return len(writes(s)) >= 10 })
	c.Post(p.URL.Path+"/cancel", url.Values{})
	called := len(writes(s))
	p = over(t, c, p.URL.Path)
	done, cancelled := p.Find(`tr[data-state="done"]`).Length(), p.Find(`tr[data-state="cancelled"]`).Length()
	if sent := len(writes(s)); sent > called+inFlight || sent != done || done+cancelled != 42 || cancelled == 0 {
		t.Errorf("cancelled after %d calls, %d were made; %d are done, %d cancelled", called, sent, done, cancelled)
	}

	back := c.Post(p.URL.Path+"/revert", url.Values{})
	wantStatus(t, back, http.StatusOK)
	run = fields(t, back.Find("#bulk-form"))
	run.Set("reason", "やり直し")
	over(t, c, c.Post(back.URL.Path+"/run", run).URL.Path)
	if sent := len(writes(s)); sent != 2*done {
		t.Errorf("%d calls took back %d accounts", sent-done, done)
	}
	for id, m := range metas(s) {
		if moved := wave.Diff(before[id], m); len(moved) > 0 {
			t.Errorf("taken back, %s differs by %v", id, moved)
		}
	}
}
