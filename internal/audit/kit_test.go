package audit_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/audit"
	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
)

var (
	secret    = bytes.Repeat([]byte{7}, 32)
	oldSecret = bytes.Repeat([]byte{3}, 32)
	tanaka    = auth.Actor{Issuer: "https://idp.example.com", Subject: "u1", Name: "田中"}
)

// journal is an audit log on a database of its own, and what it wrote to the log
// of the program.
type journal struct {
	*audit.Log
	engine dbtest.Engine
	url    string
	db     *db.DB
	out    *output
}

// onEach runs test with a new journal on every engine.
func onEach(t *testing.T, test func(t *testing.T, j *journal), change ...func(*audit.Options)) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) { test(t, newJournal(t, e, change...)) })
}

// output collects what is logged.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func newJournal(t testing.TB, e dbtest.Engine, change ...func(*audit.Options)) *journal {
	t.Helper()
	j := &journal{engine: e, url: e.Ready(t), out: new(output)}
	j.db = dbtest.Open(t, j.url)
	j.restart(t, change...)
	return j
}

// restart replaces the log by a new one on the same database.
func (j *journal) restart(t testing.TB, change ...func(*audit.Options)) {
	t.Helper()
	o := audit.Options{Secrets: [][]byte{secret}, Log: slog.New(slog.NewJSONHandler(j.out, nil))}
	for _, f := range change {
		f(&o)
	}
	var err error
	if j.Log, err = audit.New(j.db, o); err != nil {
		t.Fatal(err)
	}
}

// fill appends n events in one transaction.
func (j *journal) fill(t testing.TB, n int) {
	t.Helper()
	err := j.db.Write(t.Context(), func(tx *sql.Tx) error {
		for i := range n {
			err := j.Append(t.Context(), tx, audit.Event{
				Kind: audit.ChangeKind("done"), Actor: tanaka, Account: "u-1", Change: fmt.Sprint("c-", i),
				Details: map[string]any{"n": i, "text": "<&> \u2028"},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tamper does what someone can do who may write to the file, or who owns the
// tables: no trigger stops him.
func (j *journal) tamper(t testing.TB, statements ...string) {
	t.Helper()
	driver, address := "pgx", j.url
	off := []string{"ALTER TABLE audit_events DISABLE TRIGGER ALL"}
	if path, ok := strings.CutPrefix(j.url, "sqlite:"); ok {
		u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
		driver, address = "sqlite", u.String()
		off = nil
		for _, name := range []string{"update", "delete", "replace"} {
			off = append(off, "DROP TRIGGER IF EXISTS audit_events_no_"+name)
		}
	}
	raw, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, s := range slices.Concat(off, statements) {
		if _, err := raw.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// verify reads the log through a pool that only reads, beside the open database.
func (j *journal) verify(t testing.TB, secrets [][]byte, anchors ...audit.Anchor) *audit.Report {
	t.Helper()
	pool, err := db.OpenReadOnly(t.Context(), j.url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	r, err := audit.Verify(t.Context(), pool, secrets, anchors)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// anchors returns those in the log of the program.
func (j *journal) anchors(t testing.TB) []audit.Anchor {
	t.Helper()
	all, err := audit.ParseAnchors(strings.NewReader(j.out.String()))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (j *journal) count(t testing.TB, where string) (n int) {
	t.Helper()
	if err := j.db.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM audit_events WHERE "+where).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// clock stands still until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }
