package handlers_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// createForm returns the fields of a new form, filled in for an account.
func createForm(t *testing.T, c *testkit.Client, email string) url.Values {
	t.Helper()
	p := c.Get("/resellers/new")
	wantStatus(t, p, http.StatusOK)
	form := fields(t, p.Find(`form[data-testid="create-form"]`))
	form.Set("email", email)
	form.Set("company_id", "k-new")
	return form
}

// created returns the account with the email, as Wave has it.
func created(s *testkit.Site, email string) []wave.Reseller {
	var out []wave.Reseller
	for _, a := range s.Wave.Accounts() {
		if a.Email == email {
			out = append(out, a)
		}
	}
	return out
}

// A flag that no form of ours names, or a value that none sends, is refused
// rather than left out in silence.
func TestCreation_refusesOddFlags(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	for name, value := range map[string]string{"flag.no_such_flag": "on", "flag.invoice": "maybe", "flag.open_api": "unset"} {
		form := createForm(t, c, "new@example.co.jp")
		form[name] = []string{value}
		if p := c.Post("/resellers", form); p.Status != http.StatusUnprocessableEntity || len(created(s, "new@example.co.jp")) > 0 {
			t.Errorf("%s=%s: %d, want 422 and no account", name, value, p.Status)
		}
	}
}

func TestCreation_creates(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 3})
			c := s.SignedIn(t, testkit.Editor)
			form := createForm(t, c, " new@example.co.jp ")
			if form.Get("input_type") != "Auto" || form.Get("notification") != "on" {
				t.Errorf("the form begins with %v", form)
			}
			form["flag.invoice"] = []string{"off", "on"}        // a checked box
			form["flag.dashboard_graph"] = []string{"off"}      // an unchecked one
			form.Set("password", "left over from a moment ago") // but Auto is chosen
			s.Wave.ResetJournal()
			p := c.Unredirected().Post("/resellers", form, way.headers...)

			list := created(s, "new@example.co.jp")
			if len(list) != 1 {
				t.Fatalf("Wave has %d such accounts: %d %s", len(list), p.Status, short(p.Selection))
			}
			a := list[0]
			status, header := http.StatusSeeOther, "Location"
			if way.headers != nil {
				status, header = http.StatusNoContent, "HX-Redirect"
			}
			if p.Status != status || p.Header.Get(header) != "/resellers/"+string(a.UserID) {
				t.Errorf("got %d, %v, want the way to %s", p.Status, p.Header, a.UserID)
			}
			want := wave.Defaults().With("invoice", true).With("dashboard_graph", false)
			if moved := wave.Diff(want, a.Meta); len(moved) != 0 || a.BillingGroup.CompanyID != "k-new" {
				t.Errorf("created %+v, flags differ: %v", a, moved)
			}
			calls := writes(s)
			if len(calls) != 1 || !strings.Contains(string(calls[0].Body), `"password":null`) || !strings.Contains(string(calls[0].Body), `"notification":true`) {
				t.Errorf("calls: %+v", calls)
			}

			p = c.Get("/resellers/" + string(a.UserID))
			wantText(t, p, ".notice-line.success", says("create.done", "email", a.Email))
			if p := c.Get("/resellers/" + string(a.UserID)); p.Find(".notice-line.success").Length() != 0 {
				t.Error("said twice")
			}
			wantText(t, c.Get("/resellers/"+string(a.UserID)+"/history"), "tbody", says("history.kind_create"))
		})
	}
}

// TestCreation_password: an own password reaches Wave, and nothing else.
func TestCreation_password(t *testing.T) {
	const secret = "Zx9-canary-Qw4!"
	log := new(synced)
	dir := t.TempDir()
	s := testkit.Start(t, testkit.Options{
		Accounts: 3, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Config: func(cfg *config.Config) {
			cfg.Database.URL = config.DatabaseURL("sqlite:" + filepath.Join(dir, "wa.db"))
		},
	})
	c := s.SignedIn(t, testkit.Editor)
	var bodies strings.Builder
	keep := func(p testkit.Page) testkit.Page {
		bodies.WriteString(p.Body)
		for _, values := range p.Header {
			bodies.WriteString(strings.Join(values, "\n"))
		}
		return p
	}
	form := createForm(t, c, "broken")
	form.Set("input_type", "Custom")
	form.Set("password", secret)
	wantStatus(t, keep(c.Post("/resellers", form)), http.StatusUnprocessableEntity)
	wantStatus(t, keep(c.Post("/resellers", form, htmx)), http.StatusUnprocessableEntity)
	s.Wave.Fail(on(sandbox.OpCreate, once(sandbox.Fault{Status: 400, Body: `{"description":"` + secret + ` is too weak"}`})))
	form.Set("email", "pw@example.co.jp")
	wantStatus(t, keep(c.Post("/resellers", form)), http.StatusUnprocessableEntity)
	form = createForm(t, c, "pw@example.co.jp")
	form.Set("input_type", "Custom")
	form.Set("password", secret)
	s.Wave.ResetJournal()
	wantStatus(t, keep(c.Post("/resellers", form)), http.StatusOK)
	if calls := writes(s); len(calls) != 1 || !strings.Contains(string(calls[0].Body), `"password":"`+secret+`"`) {
		t.Errorf("calls: %+v", calls)
	}
	id := created(s, "pw@example.co.jp")[0].UserID
	reset := url.Values{"input_type": {"Custom"}, "password": {secret}}
	wantStatus(t, keep(c.Post("/resellers/"+string(id)+"/password", reset)), http.StatusOK)
	if got := s.Wave.Passwords(id); len(got) != 1 || got[0].Password != secret || got[0].Notify {
		t.Errorf("passwords at Wave: %d", len(got))
	}
	for _, path := range []string{"", "/details", "/history"} {
		keep(c.Get("/resellers/" + string(id) + path))
	}
	for where, has := range map[string]bool{
		"an answer": strings.Contains(bodies.String(), secret), "the log": strings.Contains(log.String(), secret),
		"the database": databaseHas(t, dir, secret),
	} {
		if has {
			t.Errorf("the password is in %s", where)
		}
	}
	if !databaseHas(t, dir, "pw@example.co.jp") || !strings.Contains(log.String(), "wave call") {
		t.Error("this test looked in the wrong places")
	}
}

// synced is a buffer for the log of a server.
type synced struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *synced) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *synced) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// TestCreation_twice: one submission creates once, however often it is sent.
func TestCreation_twice(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	form := createForm(t, c, "twice@example.co.jp")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if p := c.Post("/resellers", form); p.Status != http.StatusOK {
				t.Errorf("status = %d", p.Status)
			}
		})
	}
	wg.Wait()
	p := c.Post("/resellers", form)
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, "h1", "twice@example.co.jp")
	if got := s.Wave.Count(sandbox.OpCreate); got != 1 || len(created(s, "twice@example.co.jp")) != 1 {
		t.Errorf("%d creations", got)
	}
	form.Set("email", "third@example.co.jp") // with the submit id of the first
	wantStatus(t, c.Post("/resellers", form), http.StatusUnprocessableEntity)
	if got := s.Wave.Count(sandbox.OpCreate); got != 1 {
		t.Errorf("%d creations", got)
	}
}

// TestCreation_invalid: each bad input is said at its field and in the summary,
// nothing is sent, and what was typed is still there.
func TestCreation_invalid(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	add(t, s, c, accountOf("taken"))
	custom := func(password string) url.Values { return url.Values{"input_type": {"Custom"}, "password": {password}} }
	tests := []struct {
		name  string
		set   url.Values
		field string
	}{
		{"no email", url.Values{"email": {""}}, "email"},
		{"no at", url.Values{"email": {"example.co.jp"}}, "email"},
		{"nothing before the at", url.Values{"email": {"@example.co.jp"}}, "email"},
		{"two addresses", url.Values{"email": {"a@example.jp, b@example.jp"}}, "email"},
		{"a name with it", url.Values{"email": {"A <a@example.jp>"}}, "email"},
		{"space inside", url.Values{"email": {"a b@example.jp"}}, "email"},
		{"markup", url.Values{"email": {"<script>alert(1)</script>@example.jp"}}, "email"},
		{"a line break", url.Values{"email": {"a@example.jp\r\nBcc: x@example.jp"}}, "email"},
		{"a long email", url.Values{"email": {strings.Repeat("a", 250) + "@example.jp"}}, "email"},
		{"an email that is used", url.Values{"email": {"taken@example.co.jp"}}, "email"},
		{"the same in capitals", url.Values{"email": {"TAKEN@Example.co.jp"}}, "email"},
		{"no company", url.Values{"company_id": {" "}}, "company_id"},
		{"a long company", url.Values{"company_id": {strings.Repeat("k", 256)}}, "company_id"},
		{"a company with NUL", url.Values{"company_id": {"k\x00"}}, "company_id"},
		{"a password of 7", custom("1234567"), "password"},
		{"a password of 19", custom("1234567890123456789"), "password"},
		{"no password", custom(""), "password"},
		{"a Japanese password", custom("パスワードパスワード"), "password"},
		{"a password with a space", custom("1234 5678"), "password"},
		{"no kind of password", url.Values{"input_type": nil}, "input_type"},
		{"an unknown kind", url.Values{"input_type": {"auto"}}, "input_type"},
		{"no submit id", url.Values{"submit_id": nil}, "submit_id"},
		{"a short submit id", url.Values{"submit_id": {"1234567"}}, "submit_id"},
		{"a long submit id", url.Values{"submit_id": {strings.Repeat("x", 65)}}, "submit_id"},
		{"a submit id with NUL", url.Values{"submit_id": {"12345678\x00"}}, "submit_id"},
		{"a long reason", url.Values{"reason": {strings.Repeat("長", 501)}}, "reason"},
		{"everything", url.Values{"email": {"x"}, "company_id": {""}, "input_type": {"Custom"}, "password": {"x"}}, "email"},
	}
	for _, tt := range tests {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				form := createForm(t, c, "ok@example.co.jp")
				form["flag.invoice"] = []string{"off", "on"}
				form.Set("reason", "ticket 41")
				for name, values := range tt.set {
					form[name] = values
				}
				s.Wave.ResetJournal()
				p := c.Post("/resellers", form, way.headers...)
				wantStatus(t, p, http.StatusUnprocessableEntity)
				wantFragment(t, p, way.headers)
				wantSummary(t, p, tt.field)
				if len(way.headers) == 0 && !strings.HasPrefix(p.Find("title").Text(), "Error: ") {
					t.Errorf("title = %q", p.Find("title").Text())
				}
				again := fields(t, p.Find(`form[data-testid="create-form"]`))
				for _, name := range []string{"email", "company_id", "reason"} {
					if got, want := again.Get(name), strings.TrimSpace(form.Get(name)); got != want && !strings.ContainsAny(want, "\x00\r") {
						t.Errorf("%s became %q, want %q", name, got, want)
					}
				}
				if got := again["flag.invoice"]; len(got) != 2 || again.Get("notification") != "on" {
					t.Error("a box is lost")
				}
				if len(again.Get("submit_id")) < 8 || again.Get("password") != "" {
					t.Error("no new submit id, or the password came back")
				}
				if got := writes(s); len(got) != 0 {
					t.Errorf("sent %+v", got)
				}
			})
		}
	}
}

// wantSummary fails the test unless the summary of a refused form leads to the
// field, and every link of it to an element that exists.
func wantSummary(t *testing.T, p testkit.Page, field string) {
	t.Helper()
	links := p.Find("[data-form-error] a")
	leads := false
	links.Each(func(_ int, a *goquery.Selection) {
		href := a.AttrOr("href", "")
		leads = leads || href == "#"+field
		if p.Find(`[id="`+strings.TrimPrefix(href, "#")+`"]`).Length() != 1 {
			t.Errorf("the summary leads to %s, which is not there", href)
		}
		if strings.TrimSpace(a.Text()) == "" {
			t.Errorf("the summary says nothing about %s", href)
		}
	})
	if !leads && field != "submit_id" {
		t.Errorf("the summary does not lead to %s: %s", field, short(p.Find("[data-form-error]")))
	}
	if field == "submit_id" && shown(p.Find("[data-form-error]")) == "" {
		t.Error("nothing is said")
	}
	if control := p.Find(`[id="` + field + `"]`); control.Length() == 1 && field != "input_type" {
		if control.AttrOr("aria-invalid", "") != "true" || shown(p.Find(`[id="`+field+`-error"]`)) == "" {
			t.Errorf("%s is not marked", field)
		}
	}
}

// TestCreation_lengths: the ends of what is allowed are allowed.
func TestCreation_lengths(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	for i, password := range []string{"12345678", "123456789012345678", `!"#$%&'()*+,-.~`} {
		form := createForm(t, c, string(rune('a'+i))+"@example.co.jp")
		form.Set("input_type", "Custom")
		form.Set("password", password)
		form.Set("submit_id", strings.Repeat(string(rune('a'+i)), []int{8, 64, 20}[i]))
		wantStatus(t, c.Post("/resellers", form), http.StatusOK)
	}
}
