package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/app"
	"waveadmin/internal/audit"
	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// event is a line of the export.
type event struct {
	Kind          string
	ActorSubject  string `json:"actor_subject"`
	ActorName     string `json:"actor_name"`
	Account       string
	ChangeID      string `json:"change_id"`
	RequestID     string `json:"request_id"`
	RemoteAddress string `json:"remote_address"`
	Details       map[string]any
}

// export returns the audit log of the server that runs with cfg.
func export(t *testing.T, cfg config.Config) (text string, events []event) {
	t.Helper()
	var out bytes.Buffer
	if err := app.ExportAudit(t.Context(), cfg, &out, "", ""); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return out.String(), events
}

// logs collects the log of a server.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// start runs a site with two accounts on a new database and returns its settings.
func start(t *testing.T, e dbtest.Engine, log *logs) (*testkit.Site, config.Config) {
	t.Helper()
	var cfg config.Config
	s := testkit.Start(t, testkit.Options{
		Accounts: 1, Log: slog.New(slog.NewJSONHandler(log, nil)),
		Config: func(c *config.Config) {
			c.Database.URL = config.DatabaseURL(e.Ready(t))
			cfg = *c
		},
		Wave: acme(t),
	})
	return s, cfg
}

// acme is an account of Wave, before the first list is read.
func acme(t *testing.T) func(*sandbox.Sandbox) {
	return func(w *sandbox.Sandbox) {
		err := w.AddAccount(wave.Reseller{
			UserID: "acme", Email: "acme@example.co.jp",
			BillingGroup: wave.BillingGroup{CompanyID: "k-1", ID: "BG-1", Name: "テスト商事"}, Meta: wave.Defaults(),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

const canary = "Canary-77!pw"

func turnOn(key wave.Key) url.Values {
	return url.Values{"was." + string(key): {"off"}, "is." + string(key): {"on"}}
}

// offKey is a flag that the account does not have on.
func offKey(t *testing.T, s *testkit.Site) wave.Key {
	t.Helper()
	account, ok := s.Wave.Get("acme")
	if !ok {
		t.Fatal("no account")
	}
	for _, f := range wave.Flags {
		if account.Meta.State(f.Key) == wave.Off {
			return f.Key
		}
	}
	t.Fatal("everything is on")
	return ""
}

func TestAudit_ofAWholeDay(t *testing.T) {
	dbtest.OnEach(t, wholeDay)
}

func wholeDay(t *testing.T, e dbtest.Engine) {
	log := new(logs)
	s, cfg := start(t, e, log)
	c := s.SignedIn(t, testkit.Editor)
	c.Post("/refresh", url.Values{}) // acme may have come after the first list
	key := offKey(t, s)
	for path, form := range map[string]url.Values{
		"/resellers/acme/meta":     turnOn(key),
		"/resellers/acme/password": {"input_type": {"Custom"}, "password": {canary}},
	} {
		if p := c.Unredirected().Post(path, form); p.Status != http.StatusSeeOther {
			t.Fatalf("%s = %d: %s", path, p.Status, p.Text())
		}
	}
	viewer := s.SignedIn(t, testkit.Viewer)
	if p := viewer.Post("/resellers/acme/meta", turnOn(key)); p.Status != http.StatusForbidden {
		t.Fatalf("a viewer's write = %d", p.Status)
	}
	c.Post("/resellers/acme/delete", url.Values{"confirm": {"acme@example.co.jp"}})
	c.Post("/auth/logout", url.Values{})
	s.Client(t).Get("/auth/callback?state=" + canary + "&code=" + canary)

	text, events := export(t, cfg)
	kinds := make(map[string]int)
	byKind := make(map[string]event)
	for _, e := range events {
		if e.Details["source"] == "outside" { // see above
			continue
		}
		kinds[e.Kind]++
		byKind[e.Kind] = e
	}
	want := map[string]int{
		"settings": 1, "sign_in": 2, "sign_out": 1, "sign_in_refused": 1, "refused": 1,
		"change_running": 3, "change_sent": 3, "change_done": 3,
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("events of each kind (-want +got):\n%s", diff)
	}
	meta := events[slices.IndexFunc(events, func(e event) bool {
		return e.Kind == "change_sent" && e.Details["change"] == "meta"
	})]
	if sent, _ := meta.Details["sent"].(map[string]any); len(sent) != 1 || sent[string(key)] != "on" {
		t.Errorf("the flags sent are %v", meta.Details["sent"])
	}
	if meta.Account != "acme" || meta.ActorName == "" || meta.ChangeID == "" || meta.RequestID == "" || meta.RemoteAddress != "127.0.0.1" {
		t.Errorf("an event lacks something: %+v", meta)
	}
	if e := byKind["refused"]; e.ActorSubject == "" || e.Details["path"] != "/resellers/acme/meta" || e.Details["status"] != 403.0 {
		t.Errorf("refused: %+v", e)
	}
	if e := byKind["settings"]; e.Details["session.secret"] != "[redacted]" || e.Details["session.idle"] != "30m" {
		t.Errorf("settings: %v", e.Details)
	}
	secrets := []string{
		canary, cfg.Session.Secret.Reveal(), cfg.Auth.ClientSecret.Reveal(), cfg.Wave.ClientSecret.Reveal(),
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds the secret %.6s…", secret)
		}
	}

	report, err := app.VerifyAudit(t.Context(), cfg, nil) // the server runs on
	if err != nil || !report.OK() || report.Events != int64(len(events)) {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

// TestAudit_isAnchoredAtTheEnd stops a server and verifies its audit log with its
// other log: what is cut from the end after that is found.
func TestAudit_isAnchoredAtTheEnd(t *testing.T) {
	cut := map[string][]string{
		"sqlite":   {"DROP TRIGGER audit_events_no_delete", "DELETE FROM audit_events WHERE kind = 'sign_in'"},
		"postgres": {"ALTER TABLE audit_events DISABLE TRIGGER ALL", "DELETE FROM audit_events WHERE kind = 'sign_in'"},
	}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		log := new(logs)
		cfg := config.Config{Database: config.Database{URL: config.DatabaseURL(e.Ready(t))}}
		t.Run("a server", func(t *testing.T) {
			s := testkit.Start(t, testkit.Options{
				Accounts: 1, Log: slog.New(slog.NewJSONHandler(log, nil)),
				Config: func(c *config.Config) { c.Database = cfg.Database; cfg = *c },
			})
			s.SignedIn(t, testkit.Editor)
		})
		verify := func(anchors io.Reader) *audit.Report {
			t.Helper()
			report, err := app.VerifyAudit(t.Context(), cfg, anchors)
			if err != nil {
				t.Fatal(err)
			}
			return report
		}
		whole := log.buf.String()
		if r := verify(strings.NewReader(whole)); !r.OK() || !strings.Contains(whole, r.Head.MAC) {
			t.Errorf("%+v: the head must be an anchor of\n%s", r, whole)
		}
		runAll(t, openRaw(t, cfg.Database.URL.Reveal()), cut[e.Name]...)
		if r := verify(strings.NewReader(whole)); r.OK() {
			t.Error("the cut was not found")
		}
		if r := verify(nil); !r.OK() {
			t.Errorf("without anchors: %v", r.Problems)
		}
	})
}

func TestExportAudit_takesDaysAndTimes(t *testing.T) {
	_, cfg := start(t, dbtest.SQLite, new(logs))
	today := time.Now().In(cfg.UI.Location()).Format(time.DateOnly)
	tests := []struct {
		from, to string
		some     bool
	}{
		{"", "", true},
		{today, today, true},
		{"", "2026-01-01", false},
		{"2100-01-01", "", false},
		{"2026-01-01T00:00:00+09:00", "2100-01-01T00:00:00Z", true},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		if err := app.ExportAudit(t.Context(), cfg, &out, tt.from, tt.to); err != nil || (out.Len() > 0) != tt.some {
			t.Errorf("%q to %q: %v, %q", tt.from, tt.to, err, &out)
		}
	}
	if err := app.ExportAudit(t.Context(), cfg, io.Discard, "yesterday", ""); !errors.Is(err, app.ErrUsage) {
		t.Errorf("a date that is none: %v", err)
	}
}
