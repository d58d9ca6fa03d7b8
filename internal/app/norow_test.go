package app_test

import (
	"context"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"

	"waveadmin/internal/app"
	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// openRaw opens the database at address as someone does who is not the program.
func openRaw(t *testing.T, address string) *sql.DB {
	t.Helper()
	driver := "pgx"
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	raw, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return raw
}

func runAll(t *testing.T, raw *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := raw.ExecContext(context.WithoutCancel(t.Context()), s); err != nil { // also when the test ends
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// refuse lets the database take no audit event of a kind.
func refuse(t *testing.T, e dbtest.Engine, raw *sql.DB, kind string) (accept func()) {
	t.Helper()
	if e.Name == "sqlite" {
		runAll(t, raw, "CREATE TRIGGER broken BEFORE INSERT ON audit_events WHEN NEW.kind = '"+kind+"' BEGIN SELECT RAISE(ABORT, 'no room'); END")
		return func() { runAll(t, raw, "DROP TRIGGER broken") }
	}
	runAll(t, raw, "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no room''; END'",
		"CREATE TRIGGER broken BEFORE INSERT ON audit_events FOR EACH ROW WHEN (NEW.kind = '"+kind+"') EXECUTE FUNCTION broken()")
	return func() { runAll(t, raw, "DROP TRIGGER broken ON audit_events", "DROP FUNCTION broken()") }
}

// A write is one that the site offers, in the order in which they can be done.
type write struct {
	op, path string
	form     url.Values
}

func writes(key wave.Key) []write {
	created := url.Values{
		"email": {"new@example.co.jp"}, "company_id": {"k-1"}, "input_type": {"Auto"}, "submit_id": {"submission-1"},
	}
	for _, f := range wave.Flags {
		created.Set("flag."+string(f.Key), "off")
	}
	return []write{
		{sandbox.OpCreate, "/resellers", created},
		{sandbox.OpMeta, "/resellers/acme/meta", turnOn(key)},
		{sandbox.OpPassword, "/resellers/acme/password", url.Values{"input_type": {"Custom"}, "password": {canary}}},
		{sandbox.OpDelete, "/resellers/acme/delete", url.Values{"confirm": {"acme@example.co.jp"}}},
	}
}

// TestAudit_noRowNoCall: the real ledger of a running server with a database that
// takes no audit row before the call.
func TestAudit_noRowNoCall(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		s, cfg := start(t, e, new(logs))
		c := s.SignedIn(t, testkit.Editor).Unredirected()
		raw, all := openRaw(t, cfg.Database.URL.Reveal()), writes(offKey(t, s))
		for _, kind := range []string{"change_running", "change_sent"} {
			accept := refuse(t, e, raw, kind)
			for _, w := range all {
				if p := c.Post(w.path, w.form); p.Status != http.StatusInternalServerError {
					t.Errorf("%s without %s = %d: %.200s", w.op, kind, p.Status, p.Text())
				}
				if n := s.Wave.Count(w.op); n != 0 {
					t.Errorf("%s without %s: %d calls were sent", w.op, kind, n)
				}
			}
			accept()
		}
		for _, w := range all {
			if p := c.Post(w.path, w.form); p.Status != http.StatusSeeOther || s.Wave.Count(w.op) != 1 {
				t.Errorf("%s after that = %d: %.200s", w.op, p.Status, p.Text())
			}
		}
		if report, err := app.VerifyAudit(t.Context(), cfg, nil); err != nil || !report.OK() {
			t.Errorf("verify: %+v, %v", report, err)
		}
	})
}

// watched stands before the Wave API and looks, for each call that changes
// something, at what is committed in the database when the call arrives.
type watched struct {
	http.Handler
	raw  *sql.DB
	mu   sync.Mutex
	seen []string // the kind of the change that is sent and has its audit event
}

func (w *watched) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		var kind string
		err := w.raw.QueryRowContext(r.Context(), `SELECT c.kind FROM changes c JOIN audit_events e ON e.change_id = c.id
			WHERE c.state = 'sent' AND e.kind = 'change_sent' AND e.account = c.account
			AND e.seq = (SELECT max(seq) FROM audit_events WHERE change_id = c.id)`).Scan(&kind)
		if err != nil {
			kind = r.Method + " " + r.URL.Path + ": " + err.Error()
		}
		w.mu.Lock()
		w.seen = append(w.seen, kind)
		w.mu.Unlock()
	}
	w.Handler.ServeHTTP(rw, r)
}

// TestAudit_rowBeforeEachCall looks from where the calls arrive, those that are
// sent again and that of an undo included.
func TestAudit_rowBeforeEachCall(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := new(watched)
		var cfg config.Config
		s := testkit.Start(t, testkit.Options{Accounts: 1, Wave: acme(t), Config: func(c *config.Config) {
			c.Database.URL = config.DatabaseURL(e.Ready(t))
			w.raw = openRaw(t, c.Database.URL.Reveal())
			api, err := url.Parse(c.Wave.BaseURL)
			if err != nil {
				t.Fatal(err)
			}
			w.Handler = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: api.Scheme, Host: api.Host})
			before := httptest.NewServer(w)
			t.Cleanup(before.Close)
			c.Wave.BaseURL = before.URL + api.Path
			cfg = *c
		}})
		c := s.SignedIn(t, testkit.Editor).Unredirected()
		all := writes(offKey(t, s))
		for _, op := range []string{sandbox.OpMeta, sandbox.OpDelete} { // their first call comes to nothing
			s.Wave.Fail(sandbox.Fault{Op: op, Nth: 1, Status: http.StatusInternalServerError})
		}
		for _, w := range all[:3] {
			if p := c.Post(w.path, w.form); p.Status != http.StatusSeeOther {
				t.Errorf("%s = %d: %.200s", w.op, p.Status, p.Text())
			}
		}
		_, events := export(t, cfg)
		saved := events[slices.IndexFunc(events, func(e event) bool { return e.Details["change"] == "meta" })].ChangeID
		if p := c.Post("/resellers/acme/undo?change="+saved, url.Values{}); p.Status != http.StatusSeeOther {
			t.Errorf("undo = %d: %.200s", p.Status, p.Text())
		}
		if p := c.Post(all[3].path, all[3].form); p.Status != http.StatusSeeOther {
			t.Errorf("%s = %d: %.200s", all[3].op, p.Status, p.Text())
		}
		want := []string{"create", "meta", "meta", "password", "meta", "delete", "delete"}
		if diff := cmp.Diff(want, w.seen); diff != "" {
			t.Errorf("the changes that stood in the ledger and the audit log when a call arrived (-want +got):\n%s", diff)
		}
	})
}
