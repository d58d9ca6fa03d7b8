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
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

// longAgo returns an editor who proved eleven minutes ago who they are. From then on the
// provider asks again, and the same person answers.
func longAgo(t *testing.T, s *testkit.Site) *testkit.Client {
	t.Helper()
	return personLongAgo(t, s, testkit.Editor)
}

func personLongAgo(t *testing.T, s *testkit.Site, person string) *testkit.Client {
	t.Helper()
	s.IDP.Script(idp.Script{Claims: func(c map[string]any) { c["auth_time"] = time.Now().Add(-11 * time.Minute).Unix() }})
	c := s.SignedIn(t, person)
	s.IDP.Script(idp.Script{})
	s.IDP.AutoChoose(person)
	return c
}

// throughProvider follows the page that asks for a sign-in, and returns where that ends.
func throughProvider(t *testing.T, c *testkit.Client, p testkit.Page) testkit.Page {
	t.Helper()
	wantStatus(t, p, http.StatusUnauthorized)
	wantText(t, p, `[data-testid="proof"]`, says("proof.text"))
	link, _ := p.Find(`[data-testid="proof"] a`).Attr("href")
	back := c.Get(link)
	wantStatus(t, back, http.StatusOK)
	wantText(t, back, ".notice-line.warning", says("proof.back"))
	return back
}

func TestProof_delete(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := longAgo(t, s)
	add(t, s, c, accountOf("acme"))
	typed := url.Values{"confirm": {"acme@example.co.jp"}}

	p := c.Unredirected().Post("/resellers/acme/delete", typed, htmx)
	if to := p.Header.Get("HX-Redirect"); p.Status != http.StatusUnauthorized || to != "/auth/login?return_to=%2Fresellers%2Facme%2Fdelete&step_up=1" {
		t.Errorf("by htmx: %d to %q", p.Status, to)
	}
	p = throughProvider(t, c, c.Post("/resellers/acme/delete", typed))
	if n := s.Wave.Count(sandbox.OpDelete); n != 0 {
		t.Fatalf("%d calls before the proof", n)
	}
	form := fields(t, p.Find("#delete-form"))
	if p.URL.Path != "/resellers/acme/delete" || form.Get("confirm") != "acme@example.co.jp" {
		t.Errorf("back at %s with %q, want what was typed", p.URL, form)
	}
	again := c.Get("/resellers/acme/delete")
	if again.Find(".notice-line.warning").Length() != 0 || fields(t, again.Find("#delete-form")).Get("confirm") != "" {
		t.Error("what was typed comes back twice")
	}
	wantStatus(t, c.Post("/resellers/acme/delete", form), http.StatusOK)
	if n := s.Wave.Count(sandbox.OpDelete); n != 1 {
		t.Errorf("%d calls after it, want 1", n)
	}
}

func TestProof_pageComesAfterIt(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	for _, part := range []string{"delete", "password"} {
		c := longAgo(t, s)
		add(t, s, c, accountOf("acme-"+part))
		path := "/resellers/acme-" + part + "/" + part
		p := c.Get(path)
		if p.Status != http.StatusOK || p.URL.Path != path || p.Find(".notice-line").Length() != 0 {
			t.Errorf("%s ends with %d at %s", path, p.Status, p.URL)
		}
		if got := s.IDP.Counts()["/authorize"]; got < 2 {
			t.Errorf("the provider was asked %d times", got)
		}
	}
}

func TestProof_password(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := longAgo(t, s)
	add(t, s, c, accountOf("acme"))
	typed := url.Values{"input_type": {"Custom"}, "password": {"Abcd-1234"}, "submit_id": {"submission-1"}}
	refused := c.Post("/resellers/acme/password", typed)
	if cookies := strings.Join(refused.Header.Values("Set-Cookie"), " "); strings.Contains(cookies, "Abcd") || strings.Contains(refused.Body, "Abcd") {
		t.Error("the password is in the answer")
	}
	p := throughProvider(t, c, refused)
	form := fields(t, p.Find("#password-form"))
	if form.Get("input_type") != "Custom" || form.Has("notification") || form.Get("password") != "" {
		t.Errorf("back with %q", form)
	}
	if got := s.Wave.Count(sandbox.OpPassword); got != 0 {
		t.Fatalf("%d calls before the password was typed again", got)
	}
	form.Set("password", "Abcd-1234")
	c.Post("/resellers/acme/password", form)
	if got := s.Wave.Passwords("acme"); len(got) != 1 || got[0].Password != "Abcd-1234" {
		t.Errorf("Wave has %d passwords", len(got))
	}
}

// manyAccounts adds n accounts and returns the form that switches a function of all on.
func manyAccounts(t *testing.T, s *testkit.Site, c *testkit.Client, n int) url.Values {
	t.Helper()
	form := url.Values{"flag.open_api": {"on"}}
	for i := range n {
		a := accountOf(fmt.Sprintf("many-%d", i))
		a.Meta = a.Meta.With("open_api", false)
		if err := s.Wave.AddAccount(a); err != nil {
			t.Fatal(err)
		}
		form.Add("user", string(a.UserID))
	}
	refresh(t, c)
	return form
}

func TestProof_bulkRun(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := longAgo(t, s)
	preview := planned(t, c, manyAccounts(t, s, c, 51))
	run := fields(t, preview.Find("#bulk-form"))
	run.Set("reason", "決算前 <1>")
	wantStatus(t, c.Post(preview.URL.Path+"/run", run), http.StatusUnprocessableEntity) // the number is missing, which comes first
	run.Set("count", "51")
	run.Set("page", "2")

	p := throughProvider(t, c, c.Post(preview.URL.Path+"/run", run))

	if n := len(writes(s)); n != 0 || p.URL.Path != preview.URL.Path || p.URL.Query().Get("page") != "2" {
		t.Errorf("%d calls before the proof, and back at %s", n, p.URL)
	}
	form := fields(t, p.Find("#bulk-form"))
	if form.Get("reason") != "決算前 <1>" || form.Get("count") != "51" {
		t.Errorf("back with %q", form)
	}
	started := c.Post(p.URL.Path+"/run", form)
	if started.Find(`[data-testid="bulk-progress"]`).Length() != 1 {
		t.Errorf("the run leads to %d at %s", started.Status, started.URL)
	}
	over(t, c, started.URL.Path)
}

func TestProof_bulkRunOfAFew(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	for _, tt := range []struct {
		name     string
		accounts int
		config   func(*config.Config)
		status   int
	}{
		{"twenty", 20, nil, http.StatusOK},
		{"one more", 21, nil, http.StatusUnauthorized},
		{"one more, but switched off", 21, func(c *config.Config) { c.Auth.StepUp = false }, http.StatusOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{Accounts: 3, Config: tt.config})
			c := longAgo(t, s)
			preview := planned(t, c, manyAccounts(t, s, c, tt.accounts))
			run := fields(t, preview.Find("#bulk-form"))
			run.Set("reason", "決算前")
			wantStatus(t, c.Post(preview.URL.Path+"/run", run), tt.status)
		})
	}
}

// TestProof_bulkRunThatDeletes: one account is enough, at whatever time it is to be.
func TestProof_bulkRunThatDeletes(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s := testkit.Start(t, testkit.Options{Accounts: 3, Config: func(c *config.Config) { c.UI.Approval = "runs" }})
	c := longAgo(t, s)
	add(t, s, c, accountOf("acme"))
	preview := planned(t, c, url.Values{"user": {"acme"}, "what": {"delete"}})
	run := fields(t, preview.Find("#bulk-form"))
	run.Set("reason", "解約")
	run.Set("count", "1")
	run.Set("at", time.Now().Add(30*24*time.Hour).Format("2006-01-02T15:04"))
	p := throughProvider(t, c, c.Post(preview.URL.Path+"/run", run))
	form := fields(t, p.Find("#bulk-form"))
	if form.Get("at") != run.Get("at") || form.Get("count") != "1" || form.Get("reason") != "解約" {
		t.Errorf("back with %q", form)
	}
	asked := c.Post(p.URL.Path+"/run", form)
	wantText(t, asked, `[data-testid="bulk-asked"]`, says("bulk.approve_own"))

	other := personLongAgo(t, s, testkit.Second)
	mark := other.Get(asked.URL.Path).Find(`[data-testid="bulk-asked"] input[name=mark]`).AttrOr("value", "")
	back := throughProvider(t, other, other.Post(asked.URL.Path+"/approve", url.Values{"mark": {mark}}))
	wantText(t, back, "main", "解約")
	if back.Find(`[data-testid="bulk-approve"]`).Length() != 1 {
		t.Errorf("back at %s", short(back.Find("main")))
	}
	approved := other.Post(asked.URL.Path+"/approve", url.Values{"mark": {mark}})
	if got := approved.Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", ""); got != "scheduled" {
		t.Errorf("approved: state = %q", got)
	}
}

// TestProof_bulkRunResumed: a run that paused goes on no more easily than it began.
func TestProof_bulkRunResumed(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	form := manyAccounts(t, s, c, 30)
	t.Cleanup(s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Delay: 200 * time.Millisecond}))
	p := started(t, c, form)
	paused := c.Post(p.URL.Path+"/pause", url.Values{})
	wantText(t, paused, `[data-testid="bulk-resume"]`, says("bulk.resume"))

	other := personLongAgo(t, s, testkit.Second)
	back := throughProvider(t, other, other.Post(p.URL.Path+"/resume", url.Values{}))
	if back.URL.Path != p.URL.Path || back.Find(`[data-testid="bulk-progress"][data-state=paused]`).Length() != 1 {
		t.Errorf("back at %s: %s", back.URL, short(back.Find("main")))
	}
	if strings.Contains(other.Get(p.URL.Path).Find("main").Text(), says("proof.back")) {
		t.Error("that nothing was done comes twice")
	}
	wantStatus(t, other.Post(p.URL.Path+"/resume", url.Values{}), http.StatusOK)
	if end := over(t, other, p.URL.Path); end.Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", "") != "done" {
		t.Errorf("it ends as %s", short(end.Find("#bulk-progress")))
	}
}

// TestProof_ofSomeoneElse: the page that refuses leads back into the same attempt, or to
// the provider's own sign-in.
func TestProof_ofSomeoneElse(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := longAgo(t, s)
	add(t, s, c, accountOf("acme"))
	s.IDP.AutoChoose(testkit.Viewer)
	p := c.Get("/resellers/acme/delete")
	wantStatus(t, p, http.StatusForbidden)
	wantText(t, p, "main", says("signin.other_person", "name", "Sam Carter"))
	const back = "/auth/login?return_to=%2Fresellers%2Facme%2Fdelete&step_up=1"
	for _, link := range []string{back, back + "&prompt=login"} {
		if p.Find(`main a[href="`+link+`"]`).Length() != 1 {
			t.Errorf("no link to %s in %s", link, short(p.Find("main")))
		}
	}
	wantText(t, c.Get("/resellers"), ".who", "田中 美咲")
}
