package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// doubtful is a site with a save of acme's invoices whose answer is lost and that
// nobody can read, a minute old unless it is to be fresh.
func doubtful(t *testing.T, fresh bool) (*testkit.Site, *testkit.Client, string) {
	t.Helper()
	var ahead atomic.Int64
	s := testkit.Start(t, testkit.Options{
		Accounts: 3, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		Config: func(c *config.Config) { c.Wave.MaxSnapshotAge = 24 * time.Hour },
	})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, When: sandbox.Before, Reset: true})
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Times: 100000, Status: 503})
	wantStatus(t, c.Post("/resellers/acme/meta", edit("invoice", false, true)), http.StatusAccepted)
	if !fresh {
		ahead.Store(int64(61 * time.Second))
	}
	return s, c, newest(t, c, "acme")
}

// TestSettle: an editor says what became of a change, once, with a reason; it is on
// record who did, and the account is free again.
func TestSettle(t *testing.T) {
	for _, way := range ways {
		for outcome, want := range map[string]string{"applied": says("outcome.done"), "not_applied": says("outcome.failed")} {
			t.Run(outcome+", "+way.name, func(t *testing.T) {
				s, c, id := doubtful(t, false)
				path := "/changes/" + id
				p := c.Get(path)
				wantStatus(t, p, http.StatusOK)
				wantText(t, p, `[data-testid="change-flags"] tbody`, "Invoicesoffonoff") // before, wanted, now
				form := fields(t, p.Find("#settle-form"))
				form.Set("outcome", outcome)
				form.Set("reason", "asked the customer")
				p = c.Post(path+"/settle", form, way.headers...)
				if way.headers != nil {
					if p.Status != http.StatusNoContent || p.Header.Get("HX-Redirect") != path {
						t.Fatalf("%d to %q", p.Status, p.Header.Get("HX-Redirect"))
					}
					p = c.Get(path)
				}
				wantStatus(t, p, http.StatusOK)
				wantText(t, p, ".notice-line.success", says("decide.done"))
				wantText(t, p, ".outcome-line", want)
				wantText(t, p, ".outcome-line", editorName+" recorded")
				wantText(t, p, ".facts", "asked the customer")
				if p.Find("#settle-form").Length() > 0 {
					t.Error("it is asked again")
				}

				p = secondEditor(t, s).Post(path+"/settle", url.Values{"outcome": {"applied"}, "reason": {"r"}}, way.headers...)
				wantStatus(t, p, http.StatusConflict)
				if !strings.Contains(said(p), says("decide.by_other", "name", editorName)) {
					t.Errorf("the second editor is told %q", said(p))
				}
				s.Wave.ClearFaults()
				// So many readings failed that a pause may have begun in which Wave is not asked.
				p = c.Post("/resellers/acme/meta", edit("open_api", false, true))
				for deadline := time.Now().Add(30 * time.Second); p.Status == http.StatusServiceUnavailable && time.Now().Before(deadline); {
					time.Sleep(100 * time.Millisecond)
					p = c.Post("/resellers/acme/meta", edit("open_api", false, true))
				}
				wantStatus(t, p, http.StatusOK)
			})
		}
	}
}

func TestSettle_refused(t *testing.T) {
	s, c, id := doubtful(t, false)
	path := "/changes/" + id + "/settle"
	for _, tt := range []struct {
		name string
		form url.Values
		says string
	}{
		{"nothing", url.Values{}, says("decide.no_outcome")},
		{"no outcome", url.Values{"reason": {"r"}}, says("decide.no_outcome")},
		{"another outcome", url.Values{"outcome": {"maybe"}, "reason": {"r"}}, says("decide.no_outcome")},
		{"no reason", url.Values{"outcome": {"applied"}, "reason": {"  "}}, says("invalid.reason")},
		{"a reason too long", url.Values{"outcome": {"applied"}, "reason": {strings.Repeat("a", 501)}}, says("invalid.reason_long", "max", 500)},
	} {
		for _, way := range ways {
			p := c.Post(path, tt.form, way.headers...)
			wantStatus(t, p, http.StatusUnprocessableEntity)
			wantFragment(t, p, way.headers)
			wantText(t, p, ".form-error", tt.says)
			if p.Find(`input[name="reason"]`).AttrOr("value", "") != strings.TrimSpace(tt.form.Get("reason")) {
				t.Errorf("%s: the reason is lost", tt.name)
			}
		}
	}
	if p := c.Post("/changes/none/settle", url.Values{"outcome": {"applied"}, "reason": {"r"}}); p.Status != http.StatusNotFound {
		t.Errorf("an unknown change: %d", p.Status)
	}
	viewer := s.SignedIn(t, testkit.Viewer).Get("/changes/" + id)
	wantText(t, viewer, "#settle-form", says("decide.viewer"))
	if viewer.Find("#settle-form input, #settle-form button").Length() > 0 {
		t.Error("a viewer is asked")
	}

	s, c, id = doubtful(t, true)
	p := c.Post("/changes/"+id+"/settle", url.Values{"outcome": {"applied"}, "reason": {"r"}})
	wantStatus(t, p, http.StatusConflict)
	if !strings.Contains(said(p), says("decide.too_early")) || c.Get("/changes/"+id).Find("#settle-form").Length() > 0 {
		t.Errorf("at once: %q", said(p))
	}
	if got := s.Wave.Count(sandbox.OpMeta); got == 0 {
		t.Error("nothing was sent in the first place")
	}
}

// TestSettle_led: the page of the account leads to where its doubt is decided.
func TestSettle_led(t *testing.T) {
	s, c, id := doubtful(t, false)
	s.Wave.ClearFaults()
	for key := range map[wave.Key]bool{"open_api": true} { // so that no reading can tell
		if err := s.Wave.SetFlag("acme", key, "true"); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		refresh(t, c)
		p := c.Get("/resellers/acme")
		if strings.Contains(shown(p.Find("[data-form-error]")), says("save.undecided")) {
			if p.Find(`[data-form-error] a[href="/changes/`+id+`"]`).Length() != 1 {
				t.Error("no way to decide")
			}
			wantText(t, c.Get("/changes?outcome=in_doubt"), "tbody tr:first-child", says("outcome.undecided"))
			return
		}
		if time.Now().After(end) {
			t.Fatalf("it never was given up: %s", short(p.Find("form").First()))
		}
	}
}
