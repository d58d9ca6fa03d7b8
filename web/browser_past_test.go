package web_test

import (
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// clock is that of a site whose time can be moved on.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time        { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(by time.Duration) { c.ahead.Add(int64(by)) }

// onlyWhenAsked keeps the list of accounts from being read at times of its own.
func onlyWhenAsked(cfg *config.Config) { cfg.Wave.MaxSnapshotAge = 24 * time.Hour }

// past is what was done at a site before a test looks at its history.
type past struct {
	first, second string // saves of the account "history"
	deleted       string // the deletion of the account "gone"
}

// post sends a form that must succeed.
func post(t *testing.T, c *testkit.Client, path string, form url.Values) testkit.Page {
	t.Helper()
	p := c.Post(path, form)
	if p.Status != http.StatusOK {
		t.Fatalf("POST %s = %d: %s", path, p.Status, p.Find("main").Text())
	}
	return p
}

// newPast makes two accounts: "history", of which misaki saved three functions and
// someone else five more, one of them back again, and "gone", which was deleted.
func newPast(t *testing.T, s *testkit.Site) *past {
	t.Helper()
	for _, id := range []string{"history", "gone"} {
		a := wave.Reseller{
			UserID: wave.UserID(id), Email: id + "@example.co.jp", Meta: wave.Defaults().With("new_in_2027", true),
			BillingGroup: wave.BillingGroup{CompanyID: "k-" + id, ID: "BG-9" + id, Name: "履歴商事株式会社"},
		}
		if err := s.Wave.AddAccount(a); err != nil {
			t.Fatal(err)
		}
	}
	misaki := s.SignedIn(t, testkit.Editor)
	s.IDP.Script(idp.Script{Claims: func(claims map[string]any) { claims["sub"], claims["name"] = "hana", "佐々木 花" }})
	hana := s.SignedIn(t, testkit.Editor)
	s.IDP.Script(idp.Script{})
	post(t, misaki, "/refresh", url.Values{"return_to": {"/resellers"}})

	p := new(past)
	save := func(c *testkit.Client, reason string, flips ...string) string {
		form := url.Values{"reason": {reason}}
		for _, key := range flips {
			a, _ := s.Wave.Get("history")
			was := a.Meta.On(wave.Key(key))
			form.Set("was."+key, wave.StateOf(was).String())
			if !was {
				form.Set("is."+key, "on")
			}
		}
		post(t, c, "/resellers/history/meta", form)
		id, _ := c.Get("/resellers/history/history").Find("tr[data-change]").First().Attr("data-change")
		return id
	}
	p.first = save(misaki, "依頼 2041：請求書と API を有効化", "invoice", "open_api", "dashboard_graph")
	p.second = save(hana, "", "open_api", "usage_tag", "usage_group", "usage_crosstag", "report_filters")
	post(t, hana, "/resellers/history/password", url.Values{"input_type": {"Auto"}, "notification": {"on"}})
	post(t, hana, "/resellers/gone/delete", url.Values{"confirm": {"gone@example.co.jp"}})
	p.deleted, _ = hana.Get("/resellers/gone/history").Find("tr[data-change]").First().Attr("data-change")
	return p
}

// doubt makes a save of the account "history" whose outcome nobody can read until
// undo is called, which waits until it was read, and returns its change.
func doubt(t *testing.T, s *testkit.Site, clock *clock, applied sandbox.When) (id string, undo func()) {
	t.Helper()
	c := s.SignedIn(t, testkit.Editor)
	post(t, c, "/refresh", url.Values{"return_to": {"/resellers"}}) // the next list is that under the lock
	a, _ := s.Wave.Get("history")
	form := url.Values{"was.invoice": {wave.StateOf(a.Meta.On("invoice")).String()}}
	if !a.Meta.On("invoice") {
		form.Set("is.invoice", "on")
	}
	lost := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, When: applied, Reset: true})
	unread := s.Wave.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Times: 100000, Status: 503})
	if p := c.Post("/resellers/history/meta", form); p.Status != http.StatusAccepted {
		t.Fatalf("the save ended with %d, want it in doubt", p.Status)
	}
	id, _ = c.Get("/changes?outcome=in_doubt").Find("tr[data-change]").First().Attr("data-change")
	clock.pass(61 * time.Second)
	return id, func() {
		lost()
		unread()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) { // the server spares a Wave that was away
			post(t, c, "/refresh", url.Values{"return_to": {"/resellers"}})
			if c.Get("/changes?outcome=in_doubt").Find("tr[data-change]").Length() == 0 && c.Get("/resellers").Find(".away").Length() == 0 {
				return
			}
			if time.Now().After(end) {
				t.Fatal("Wave is not read again")
			}
		}
	}
}

// pastOf makes the past of a visit once.
func (v *visit) pastOf() *past {
	if v.past == nil {
		v.past = newPast(v.t, v.s)
	}
	return v.past
}

var historyScreens = []screen{
	{"changes", "", `[data-testid="history"]`, func(v *visit) { v.pastOf(); v.open("/changes") }},
	{"changes filtered", "", `[data-popover] .panel`, func(v *visit) {
		v.pastOf()
		v.open("/changes?q=history&flag=invoice&kind=meta&outcome=done&from=2020-01-01&to=2099-12-31&account=history")
		v.b.Click(`[data-popover] summary`)
	}},
	{"changes without a match", "", `.empty`, func(v *visit) { v.open("/changes?q=nothing-has-this&by=outside") }},
	{"account history", "", `[data-testid="history"]`, func(v *visit) { v.pastOf(); v.open("/resellers/history/history") }},
	{"change", "", `[data-testid="change-flags"]`, func(v *visit) { v.open("/changes/" + v.pastOf().first) }},
	{"change deletion", "", `.facts`, func(v *visit) { v.open("/changes/" + v.pastOf().deleted) }},
	{"undo staged", testkit.Editor, `.takeback`, func(v *visit) { v.open("/resellers/history?undo=" + v.pastOf().first) }},
	{"restore staged", testkit.Editor, `.takeback`, func(v *visit) { v.open("/resellers/history?restore=" + v.pastOf().first) }},
	{"restore nothing", testkit.Editor, `.takeback`, func(v *visit) { v.open("/resellers/history?restore=" + v.pastOf().second) }},
	{"gone", "", `[data-testid="gone"]`, func(v *visit) { v.pastOf(); v.open("/resellers/gone") }},
	{"issue again", testkit.Editor, `[data-testid="seeded"]`, func(v *visit) { v.open("/resellers/new?from_change=" + v.pastOf().deleted) }},
	{"change to decide", "", `[data-testid="settle-form"]`, func(v *visit) {
		v.pastOf()
		id, undo := doubt(v.t, v.s, v.clock, sandbox.After)
		v.leave = undo
		v.open("/changes/" + id)
	}},
	{"change decision refused", testkit.Editor, `.form-error li`, func(v *visit) {
		v.pastOf()
		id, undo := doubt(v.t, v.s, v.clock, sandbox.Before)
		v.leave = undo
		v.open("/changes/" + id)
		v.b.Click(`[data-testid="settle-save"]`)
	}},
}
