package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// refusal is how the API's document says no.
const refusal = `{"code":"5005","message":"account function exception","description":"Customer id already exists."}`

// gateway is how a proxy in front of the API says anything.
const gateway = "<html><body>502 <script>alert(1)</script></body></html>"

func on(op string, f sandbox.Fault) sandbox.Fault {
	f.Op = op
	return f
}

func once(f sandbox.Fault) sandbox.Fault {
	f.Nth, f.Times = 1, 1
	return f
}

// TestAccount_faults: a save says what really became of it, in the form, and
// keeps the edits unless they are saved.
func TestAccount_faults(t *testing.T) {
	type faults []sandbox.Fault
	meta := func(f sandbox.Fault) faults { return faults{on(sandbox.OpMeta, f)} }
	tests := []struct {
		name   string
		faults faults
		status int
		says   string
		saved  bool
	}{
		{"too many calls, once", meta(once(sandbox.Fault{Status: 429})), 200, savedText(1), true},
		{"too many calls, and a short pause", meta(once(sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"1"}}})), 200, savedText(1), true},
		{"too many calls, again and again", meta(sandbox.Fault{Status: 429, Body: gateway}), 503, says("error.busy"), false},
		{"too many calls, and a long pause", meta(sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"45"}}}), 503, says("error.busy"), false},
		{"broken before it was done, once", meta(once(sandbox.Fault{Reset: true})), 200, savedText(1), true},
		{"broken after it was done", meta(sandbox.Fault{When: sandbox.After, Reset: true}), 200, savedText(1), true},
		{"an error after it was done", meta(sandbox.Fault{When: sandbox.After, Status: 500}), 200, savedText(1), true},
		{"an error before it was done, once", meta(once(sandbox.Fault{Status: 502, Body: gateway})), 200, savedText(1), true},
		{"errors before it was done", meta(sandbox.Fault{Status: 500, Body: gateway}), 202, says("save.checking"), false},
		{"broken before it was done, again and again", meta(sandbox.Fault{Reset: true}), 202, says("save.checking"), false},
		{"success that is no JSON, done", meta(sandbox.Fault{When: sandbox.After, Status: 200, Body: gateway}), 200, savedText(1), true},
		{"success that is no JSON, not done", meta(sandbox.Fault{Status: 200, Body: gateway}), 202, says("save.checking"), false},
		{"success that is not done", meta(sandbox.Fault{Status: 200, Body: `{"status":"success"}`}), 202, says("save.checking"), false},
		{"success that is cut", meta(sandbox.Fault{When: sandbox.After, Cut: 5}), 200, savedText(1), true},
		{"a refusal as documented", meta(sandbox.Fault{Status: 400, Body: refusal}), 422, "Nothing was changed.", false},
		{"a refusal as a page", meta(sandbox.Fault{Status: 400, Body: gateway}), 422, "Nothing was changed.", false},
		{"no role at Wave", meta(sandbox.Fault{Status: 403}), 502, says("error.denied"), false},
		{"no token will do", meta(sandbox.Fault{Status: 401}), 502, says("error.denied"), false},
		{"the list fails afterwards", faults{on(sandbox.OpList, sandbox.Fault{Nth: 2, Times: 99, Status: 500})}, 200, savedText(1), true},
		{"the list fails before", faults{on(sandbox.OpList, sandbox.Fault{Status: 503})}, 503, says("error.unavailable"), false},
		{"the list is cut before", faults{on(sandbox.OpList, sandbox.Fault{Cut: 300})}, 503, says("error.unavailable"), false},
		{"the list is a page before", faults{on(sandbox.OpList, sandbox.Fault{Status: 200, Body: gateway})}, 503, says("error.unavailable"), false},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				t.Parallel()
				s := testkit.Start(t, testkit.Options{Accounts: 3})
				c := s.SignedIn(t, testkit.Editor)
				add(t, s, c, accountOf("acme"))
				form := permForm(t, c.Get("/resellers/acme"))
				check(form, "invoice", true)
				form.Set("reason", "ticket 41")
				for _, f := range tt.faults {
					s.Wave.Fail(f)
				}
				p := c.Post("/resellers/acme/meta", form, way.headers...)

				wantStatus(t, p, tt.status)
				wantFragment(t, p, way.headers)
				wantText(t, p, "[data-outcome], [data-form-error]", tt.says)
				if !boxOn(p, "invoice") {
					t.Error("the edit is lost")
				}
				if got := state(t, s, "acme", "invoice") == wave.On; got != tt.saved {
					t.Errorf("saved: %v, want %v", got, tt.saved)
				}
				undo := p.Find(`[data-testid="undo"]`).Length() == 1
				if undo != tt.saved || !tt.saved && strings.Contains(short(p.Find(".savebar")), "Saved") {
					t.Error("it looks saved and is not, or the other way round")
				}
				if !tt.saved && p.Find(`input[name="reason"]`).AttrOr("value", "") != "ticket 41" {
					t.Error("the reason is lost")
				}
				if strings.Contains(p.Body, "alert(1)") || strings.Contains(p.Body, "Customer id") {
					t.Error("what the API or a proxy said is shown")
				}
				if p.Status >= 500 && shown(p.Find("[data-form-error] code")) == "" {
					t.Error("no request id")
				}
				if got := p.Header.Get("HX-Form"); got != "" != (len(way.headers) > 0 && p.Status > 202) {
					t.Errorf("HX-Form = %q with status %d", got, p.Status)
				}
				if len(way.headers) == 0 {
					back := p.Find(`#freshness input[name="return_to"]`).AttrOr("value", "")
					wantStatus(t, c.Get(back), http.StatusOK)
				}
				if !tt.saved && tt.status != http.StatusAccepted { // the edits can be saved as soon as Wave allows
					s.Wave.ClearFaults()
					wantStatus(t, c.Post("/resellers/acme/meta", permForm(t, p), way.headers...), http.StatusOK)
					if state(t, s, "acme", "invoice") != wave.On {
						t.Error("saving again did not save")
					}
				}
			})
		}
	}
}

// TestAccount_retryAfter: the API's pause reaches the browser.
func TestAccount_retryAfter(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	s.Wave.Fail(on(sandbox.OpMeta, sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"45"}}}))
	p := c.Post("/resellers/acme/meta", edit("invoice", false, true), htmx)
	if p.Status != http.StatusServiceUnavailable || p.Header.Get("Retry-After") != "45" {
		t.Errorf("got %d, Retry-After %q", p.Status, p.Header.Get("Retry-After"))
	}
}

// TestAccount_tokenRevoked: nobody notices.
func TestAccount_tokenRevoked(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	s.Wave.RevokeTokens()
	wantStatus(t, c.Post("/resellers/acme/meta", edit("invoice", false, true), htmx), http.StatusOK)
	s.Wave.ExpireTokens()
	wantStatus(t, c.Post("/resellers/acme/meta", edit("invoice", true, false), htmx), http.StatusOK)
	if got := state(t, s, "acme", "invoice"); got != wave.Off {
		t.Errorf("invoice is %v", got)
	}
}

// TestAccount_checking: a save whose answer was lost is checked until the truth
// is known. The form asks by itself; without scripts a link does.
func TestAccount_checking(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c := s.SignedIn(t, testkit.Editor)
			add(t, s, c, accountOf("acme"))
			s.Wave.Fail(on(sandbox.OpMeta, sandbox.Fault{When: sandbox.After, Reset: true}))
			s.Wave.Fail(on(sandbox.OpList, sandbox.Fault{Nth: 2, Times: 99, Status: 500}))
			p := c.Post("/resellers/acme/meta", edit("invoice", false, true), way.headers...)
			wantStatus(t, p, http.StatusAccepted)
			wantFragment(t, p, way.headers)
			if p.Find("form[data-checking]").Length() != 1 || !boxOn(p, "invoice") {
				t.Error("the form is not checking, or the edit is lost")
			}
			path := p.Find("[data-outcome][hx-get]").AttrOr("hx-get", "")
			if len(way.headers) == 0 {
				path = p.Find("[data-outcome] a").AttrOr("href", "")
			}
			p = c.Get(path, way.headers...)
			wantStatus(t, p, http.StatusOK)
			wantFragment(t, p, way.headers)
			wantText(t, p, "main, [data-outcome]", says("save.checking"))
			again := c.Get("/resellers/acme")
			wantText(t, again, "[data-outcome]", says("save.checking"))

			s.Wave.ClearFaults()
			settled := func() bool { return strings.Contains(shown(p.Selection), "aved") && boxOn(p, "invoice") }
			for end := time.Now().Add(20 * time.Second); !settled() && time.Now().Before(end); {
				time.Sleep(100 * time.Millisecond) // as the form does
				p = c.Get(path, way.headers...)
				wantStatus(t, p, http.StatusOK)
			}
			if !settled() || p.Find(`[data-testid="undo"]`).Length() != 1 {
				t.Fatalf("not settled: %s", short(p.Selection))
			}
			if got := p.Header.Get("HX-Retarget"); got != "" != (len(way.headers) > 0) {
				t.Errorf("HX-Retarget = %q: the form takes the place of the line that asked", got)
			}
			if got := s.Wave.Count(sandbox.OpMeta); got != 1 {
				t.Errorf("%d writes, want 1", got)
			}
			wantText(t, c.Get("/resellers/acme/history"), "tbody tr", says("outcome.done"))
			if c.Get("/resellers/acme").Find("[data-checking]").Length() != 0 {
				t.Error("still checking")
			}
		})
	}
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Viewer)
	for _, id := range []string{"nonsense", "%00", "%2e%2e"} {
		for _, way := range ways {
			if p := c.Get("/changes/"+id+"/state", way.headers...); p.Status != http.StatusNotFound {
				t.Errorf("the state of %s, %s = %d, want 404", id, way.name, p.Status)
			}
		}
	}
}

// TestAccount_busy: two saves of one account at the same time are both done, one
// after the other.
func TestAccount_busy(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3, Latency: 20 * time.Millisecond})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	statuses := make(chan int)
	keys := []wave.Key{"invoice", "open_api", "users_management", "budgetalerts"}
	for _, key := range keys {
		go func() {
			statuses <- c.Post("/resellers/acme/meta", url.Values{"was." + string(key): {"off"}, "is." + string(key): {"on"}}, htmx).Status
		}()
	}
	for range keys {
		if got := <-statuses; got != http.StatusOK {
			t.Errorf("a save = %d", got)
		}
	}
	for _, key := range keys {
		if state(t, s, "acme", key) != wave.On {
			t.Errorf("%s is lost", key)
		}
	}
}
