package auth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/sandbox/idp"
)

// clock is a clock that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// events collects what is logged.
type events struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (e *events) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.buf.Write(p)
}

func (e *events) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.buf.String()
}

// reasons returns the reason codes of the refusals logged so far.
func (e *events) reasons() []string {
	var all []string
	for line := range strings.Lines(e.String()) {
		var event struct{ Msg, Reason string }
		if json.Unmarshal([]byte(line), &event) == nil && event.Msg == "sign-in refused" {
			all = append(all, event.Reason)
		}
	}
	return all
}

// engine is what new sites keep their sessions in.
var engine = dbtest.SQLite

// TestPostgres runs the tests that go through the database once more.
func TestPostgres(t *testing.T) {
	engine = dbtest.Postgres
	defer func() { engine = dbtest.SQLite }()
	for name, test := range map[string]func(*testing.T){
		"Session_endsWhenIdle":             TestSession_endsWhenIdle,
		"Session_endsForGood":              TestSession_endsForGood,
		"Session_pollingIsNoActivity":      TestSession_pollingIsNoActivity,
		"Session_writesOnceAMinute":        TestSession_writesOnceAMinute,
		"Session_cookieThatIsNotOurs":      TestSession_cookieThatIsNotOurs,
		"Session_secretsRotate":            TestSession_secretsRotate,
		"Session_ofAnotherProvider":        TestSession_ofAnotherProvider,
		"Load_withoutADatabase":            TestLoad_withoutADatabase,
		"Session_rowsOfTheDeadAreDeleted":  TestSession_rowsOfTheDeadAreDeleted,
		"SignIn_inTwoTabsAtOnce":           TestSignIn_inTwoTabsAtOnce,
		"SignIn_replacesTheSession":        TestSignIn_replacesTheSession,
		"SignIn_manyAtOnce":                TestSignIn_manyAtOnce,
		"SignOut_endsTheSessionEverywhere": TestSignOut_endsTheSessionEverywhere,
		"StepUp_goesOnUnderANewID":         TestStepUp_goesOnUnderANewID,
		"StepUp_refuses":                   TestStepUp_refuses,
		"StepUp_doesNotUndoAnEnd":          TestStepUp_doesNotUndoAnEnd,
		"StepUp_inManyTabsAtOnce":          TestStepUp_inManyTabsAtOnce,
		"RoleCheck":                        TestRoleCheck,
		"RoleOf":                           TestRoleOf,
		"Sessions_areOnesOwn":              TestSessions_areOnesOwn,
		"EndNamed":                         TestEndNamed,
		"EndByProvider":                    TestEndByProvider,
		"EndByProvider_worksOnce":          TestEndByProvider_worksOnce,
		"EndByProvider_allOrNothing":       TestEndByProvider_allOrNothing,
		"KeptKey":                          TestKeptKey,
		"KeptKey_manyAtOnce":               TestKeptKey_manyAtOnce,
	} {
		t.Run(name, test)
	}
}

// site is the real sign-in between a real browser's cookie jar, a sandbox
// provider and a database.
type site struct {
	*auth.Auth
	cfg   auth.Config
	idp   *idp.Provider
	url   string
	db    *db.DB
	clock *clock
	log   *events
	at    string // where the database is

	mu    sync.Mutex
	fault error // of the last request that failed
}

const clientSecret = "a secret / with: odd+characters, long enough for HS256"

func newSite(t testing.TB, change ...func(*auth.Config)) *site {
	t.Helper()
	s := &site{clock: &clock{at: time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}, log: new(events), at: engine.Ready(t)}

	app := httptest.NewUnstartedServer(nil)
	s.url = "http://" + app.Listener.Addr().String()
	op := httptest.NewUnstartedServer(nil)
	issuer := "http://" + op.Listener.Addr().String()
	s.idp = idp.New(idp.Options{
		Issuer: issuer, ClientID: "wave", ClientSecret: clientSecret,
		RedirectURIs: []string{s.url + "/auth/callback"}, PostLogout: []string{s.url + "/auth/signed-out"}, Now: s.clock.Now,
	})
	s.idp.AutoChoose("misaki")
	op.Config.Handler = s.idp
	op.Start()
	t.Cleanup(op.Close)

	s.db = dbtest.Open(t, s.at)
	s.cfg = auth.Config{
		Issuer: issuer, ClientID: "wave", ClientSecret: clientSecret, PublicURL: s.url,
		ViewerGroups: []string{idp.ViewerGroup}, EditorGroups: []string{idp.EditorGroup}, StrictAudience: true,
		SessionSecret: bytes.Repeat([]byte{7}, 32), Now: s.clock.Now,
		Log: slog.New(slog.NewJSONHandler(s.log, nil)),
	}
	for _, f := range change {
		f(&s.cfg)
	}
	s.restart(t)
	app.Config.Handler = http.HandlerFunc(s.serve)
	app.Start()
	t.Cleanup(app.Close)
	return s
}

// restart replaces the Auth by a new one with the settings of now.
func (s *site) restart(t testing.TB) {
	t.Helper()
	a, err := auth.New(s.cfg, s.db)
	if err != nil {
		t.Fatal(err)
	}
	s.Auth = a
}

// serve stands where package web does.
func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	s.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		switch r.URL.Path {
		case "/auth/login":
			err = s.Begin(w, r)
		case "/auth/callback":
			var to string
			if to, err = s.Callback(w, r); err == nil {
				http.Redirect(w, r, to, http.StatusSeeOther)
			}
		case "/auth/logout":
			var next string
			if next, err = s.SignOut(w, r); err == nil {
				io.WriteString(w, next)
			}
		case "/standing":
			fmt.Fprintf(w, "%+v", auth.StandingOf(r.Context()))
		case "/kept":
			io.WriteString(w, auth.StandingOf(r.Context()).Kept.Reveal())
		default:
			actor := auth.ActorFrom(r.Context())
			fmt.Fprintf(w, "%s: %s is %s", r.URL, actor.Display(), actor.Role)
		}
		if err != nil {
			s.mu.Lock()
			s.fault = err
			s.mu.Unlock()
			w.WriteHeader(statusOf[fault.KindOf(err)])
			io.WriteString(w, fault.SentenceOf(err).Key)
		}
	})).ServeHTTP(w, r)
}

var statusOf = map[fault.Kind]int{
	fault.Internal: 500, fault.Invalid: 400, fault.Forbidden: 403, fault.Unavailable: 503,
}

// browser has a cookie jar and follows redirects.
type browser struct {
	*http.Client
	t testing.TB
	s *site
}

func (s *site) browser(t testing.TB) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{&http.Client{Jar: jar}, t, s}
}

// open gets a page and returns its status and body.
func (b *browser) open(path string, header ...string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), "GET", b.s.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, name := range header {
		r.Header.Set(name, "1")
	}
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// stop makes the browser stop in front of the callback and returns its address.
func (b *browser) stop(path string) string {
	b.t.Helper()
	var callback string
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path != "/auth/callback" {
			return nil
		}
		callback = r.URL.RequestURI()
		return http.ErrUseLastResponse
	}
	defer func() { b.CheckRedirect = nil }()
	b.open(path)
	if callback == "" {
		b.t.Fatal("the provider did not send the browser back")
	}
	return callback
}

func (b *browser) cookies() map[string]string {
	u, _ := url.Parse(b.s.url)
	all := make(map[string]string)
	for _, c := range b.Jar.Cookies(u) {
		all[c.Name] = c.Value
	}
	return all
}

func (b *browser) setCookie(name, value string) {
	u, _ := url.Parse(b.s.url)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func (s *site) rows(t *testing.T, table string) int {
	t.Helper()
	var n int
	if err := s.db.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
