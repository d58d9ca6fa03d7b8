package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// TestCreation_faults: a creation is sent once whatever happens, says what became
// of it, and keeps what was typed unless it is done.
func TestCreation_faults(t *testing.T) {
	create := func(f sandbox.Fault) []sandbox.Fault { return []sandbox.Fault{on(sandbox.OpCreate, f)} }
	tests := []struct {
		name   string
		faults []sandbox.Fault
		status int
		says   string
		exists bool
	}{
		{"broken after it was done", create(sandbox.Fault{When: sandbox.After, Reset: true}), 200, says("create.done", "email", "new@example.co.jp"), true},
		{"an error after it was done", create(sandbox.Fault{When: sandbox.After, Status: 500, Body: gateway}), 200, says("create.done", "email", "new@example.co.jp"), true},
		{"success that is no JSON, done", create(sandbox.Fault{When: sandbox.After, Status: 200, Body: gateway}), 200, says("create.done", "email", "new@example.co.jp"), true},
		{"broken before it was done", create(sandbox.Fault{Reset: true}), 202, says("create.checking"), false},
		{"an error before it was done", create(sandbox.Fault{Status: 500, Body: gateway}), 202, says("create.checking"), false},
		{"success that is not done", create(sandbox.Fault{Status: 200, Body: `{"status":"success"}`}), 202, says("create.checking"), false},
		{"a refusal as documented", create(sandbox.Fault{Status: 400, Body: refusal}), 422, "Nothing was changed.", false},
		{"too many calls, once", create(once(sandbox.Fault{Status: 429})), 200, says("create.done", "email", "new@example.co.jp"), true},
		{"too many calls, and a long pause", create(sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"45"}}}), 503, says("error.busy"), false},
		{"no role at Wave", create(sandbox.Fault{Status: 403}), 502, says("error.denied"), false},
		{"the list fails before", []sandbox.Fault{on(sandbox.OpList, sandbox.Fault{Status: 503})}, 503, says("error.unavailable"), false},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				t.Parallel()
				s := testkit.Start(t, testkit.Options{Accounts: 3})
				c := s.SignedIn(t, testkit.Editor)
				form := createForm(t, c, "new@example.co.jp")
				form["flag.invoice"] = []string{"off", "on"}
				for _, f := range tt.faults {
					s.Wave.Fail(f)
				}
				p := follow(c, c.Post("/resellers", form, way.headers...))
				wantStatus(t, p, tt.status)
				wantText(t, p, ".notice-line, [data-outcome], [data-form-error]", tt.says)
				if got := len(created(s, "new@example.co.jp")) == 1; got != tt.exists {
					t.Errorf("Wave has it: %v, want %v", got, tt.exists)
				}
				if strings.Contains(p.Body, "alert(1)") {
					t.Error("what a proxy said is shown")
				}
				if tt.exists {
					return
				}
				again := fields(t, p.Find(`form[data-testid="create-form"]`))
				if again.Get("email") != "new@example.co.jp" || again.Get("company_id") != "k-new" || len(again["flag.invoice"]) != 2 {
					t.Errorf("what was typed is lost: %v", again)
				}
				s.Wave.ClearFaults()
				before := s.Wave.Count(sandbox.OpCreate)
				p = follow(c, c.Post("/resellers", again, way.headers...))
				if tt.status == http.StatusAccepted { // not known yet: it must not be sent again
					if p.Status != http.StatusAccepted || s.Wave.Count(sandbox.OpCreate) != before {
						t.Errorf("the second press = %d, %d calls", p.Status, s.Wave.Count(sandbox.OpCreate)-before)
					}
					return
				}
				wantText(t, p, "h1", "new@example.co.jp")
			})
		}
	}
}

// follow does what htmx does with HX-Redirect.
func follow(c *testkit.Client, p testkit.Page) testkit.Page {
	if to := p.Header.Get("HX-Redirect"); to != "" {
		return c.Get(to)
	}
	return p
}

// TestCreation_checking: the answer is lost and the list as well, so the form
// checks until the account is there, and leads to it.
func TestCreation_checking(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c := s.SignedIn(t, testkit.Editor)
			form := createForm(t, c, "new@example.co.jp")
			s.Wave.Fail(on(sandbox.OpCreate, sandbox.Fault{When: sandbox.After, Reset: true}))
			s.Wave.Fail(on(sandbox.OpList, sandbox.Fault{Nth: 2, Times: 99, Status: 500}))
			p := c.Post("/resellers", form, way.headers...)
			wantStatus(t, p, http.StatusAccepted)
			wantFragment(t, p, way.headers)
			if got := p.Find(`input[name="submit_id"]`).AttrOr("value", ""); got != form.Get("submit_id") {
				t.Error("the form that checks has another submit id")
			}
			path := p.Find("[data-outcome][hx-get]").AttrOr("hx-get", "")
			if len(way.headers) == 0 {
				path = p.Find("[data-outcome] a").AttrOr("href", "")
			}
			p = c.Get(path, way.headers...)
			wantStatus(t, p, http.StatusOK)
			wantFragment(t, p, way.headers)
			wantText(t, p, "main, [data-outcome]", says("create.checking"))

			s.Wave.ClearFaults()
			ready := func() bool { return shown(p.Find("h1")) == "new@example.co.jp" }
			for end := time.Now().Add(20 * time.Second); !ready() && time.Now().Before(end); {
				time.Sleep(100 * time.Millisecond) // as the form does
				p = follow(c, c.Get(path, way.headers...))
			}
			if !ready() {
				t.Fatalf("not settled: %s", short(p.Selection))
			}
			wantText(t, p, ".notice-line.success", says("create.done", "email", "new@example.co.jp"))
			if got := s.Wave.Count(sandbox.OpCreate); got != 1 {
				t.Errorf("%d creations, want 1", got)
			}
		})
	}
}

// TestCreation_companies: the field offers what the API lists, or what the
// accounts show when the role for that lacks.
func TestCreation_companies(t *testing.T) {
	for _, denied := range []bool{false, true} {
		t.Run(fmt.Sprintf("denied %v", denied), func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			if denied {
				s.Wave.Fail(on(sandbox.OpBillingGroups, sandbox.Fault{Status: 403}))
			}
			c := s.SignedIn(t, testkit.Editor)
			a := accountOf("acme")
			a.BillingGroup.Name = "ﾃﾞｰﾀ商事 <b>"
			add(t, s, c, a)
			tests := []struct {
				name, typed string
				offers      string // company id among the offers
				hint        string
			}{
				{"nothing typed", "", "", map[bool]string{false: says("create.company_help"), true: says("create.company_partial")}[denied]},
				{"a part of a name, in another kana", "でーた", "k-acme", says("create.company_unknown")},
				{"a billing group id in small letters", "bg-acme", "k-acme", says("create.company_unknown")},
				{"the id itself", "k-acme", "k-acme", "ﾃﾞｰﾀ商事 <b> (BG-acme)"},
				{"an unknown id", "no such company", "", says("create.company_unknown")},
				{"markup", "<script>alert(1)</script>", "", says("create.company_unknown")},
			}
			for _, tt := range tests {
				t.Run(tt.name, func(t *testing.T) {
					p := c.Get("/billing-groups?company_id="+url.QueryEscape(tt.typed), htmx)
					wantStatus(t, p, http.StatusOK)
					wantFragment(t, p, []string{htmx})
					wantText(t, p, "#company-hint", tt.hint)
					options := p.Find("datalist option")
					if tt.offers != "" && options.Filter(`[value="`+tt.offers+`"]`).Length() != 1 {
						t.Errorf("%d offers, none is %s", options.Length(), tt.offers)
					}
					if tt.typed == "" && options.Length() == 0 || tt.offers == "" && tt.typed != "" && options.Length() != 0 {
						t.Errorf("%d offers", options.Length())
					}
				})
			}
			p := c.Get("/resellers/new")
			if p.Find(`datalist option`).Length() == 0 {
				t.Error("the form offers no company")
			}
		})
	}
}

func TestCreation_checkEmail(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("acme"))
	for email, used := range map[string]bool{
		"acme@example.co.jp": true, " ACME@example.co.jp ": true, "acme@example.co.j": false, "": false,
		"<script>": false, "\x00": false, strings.Repeat("a", 5000): false,
	} {
		p := c.Get("/resellers/check?email="+url.QueryEscape(email), htmx)
		wantStatus(t, p, http.StatusOK)
		if got := strings.Contains(shown(p.Find("#email-hint")), says("create.email_used")); got != used {
			t.Errorf("%.20q is used: %v, want %v", email, got, used)
		}
	}
}

// TestCreation_reason: the form says that it needs one before it is refused.
func TestCreation_reason(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3, Config: func(c *config.Config) { c.UI.RequireReason = "always" }})
	c := s.SignedIn(t, testkit.Editor)
	wantText(t, c.Get("/resellers/new"), `label[for="reason"]`, says("save.reason_required"))
	form := createForm(t, c, "new@example.co.jp")
	p := c.Post("/resellers", form)
	wantStatus(t, p, http.StatusUnprocessableEntity)
	wantSummary(t, p, "reason")
	wantText(t, p, `label[for="reason"]`, says("save.reason_required"))
	form.Set("reason", "ticket 41")
	wantText(t, c.Post("/resellers", form), "h1", "new@example.co.jp")
}

// TestCreation_form: it begins with the defaults of new accounts.
func TestCreation_form(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	p := c.Get("/resellers/new")
	form := fields(t, p.Find(`form[data-testid="create-form"]`))
	for _, f := range wave.Flags {
		if got := form["flag."+string(f.Key)]; got[len(got)-1] != wave.StateOf(f.Default).String() {
			t.Errorf("%s begins with %v, want %v", f.Key, got, f.Default)
		}
	}
	if other := fields(t, c.Get("/resellers/new").Find(`form[data-testid="create-form"]`)); other.Get("submit_id") == form.Get("submit_id") {
		t.Error("two forms have one submit id")
	}
	wantText(t, p, "#password-rule", says("password.rule", "min", 8, "max", 18))
}
