package db_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"waveadmin/internal/audit"
	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/wave"
)

var auditSecrets = [][]byte{[]byte(strings.Repeat("s", 32))}

// audited writes the states of changes to a real audit log.
type audited struct{ log *audit.Log }

func (a audited) Append(ctx context.Context, tx *sql.Tx, c change.Change) error {
	return a.log.Append(ctx, tx, audit.Event{Kind: audit.ChangeKind(string(c.State)), Change: c.ID, Details: c.Wanted})
}

// writers are people who change accounts at the same time.
type writers struct {
	done  atomic.Int64
	stop  atomic.Bool
	begun sync.WaitGroup // until each has done 5 changes
	wg    sync.WaitGroup
}

// startWriters lets n people change an account each until the end, and every
// change refers to the one before it.
func startWriters(t *testing.T, d *db.DB, n int) *writers {
	t.Helper()
	log, err := audit.New(d, audit.Options{Secrets: auditSecrets})
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := change.NewLedger(t.Context(), d, change.Options{Fold: strings.ToLower, Audit: audited{log}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ledger.Recover(t.Context()); err != nil { // a copy may hold changes that were open
		t.Fatal(err)
	}
	w := new(writers)
	for i := range n {
		w.begun.Add(1)
		begun := sync.OnceFunc(w.begun.Done)
		w.wg.Go(func() {
			defer begun()
			var before string
			for k := 0; !w.stop.Load() || k < 5; k++ {
				if k == 5 {
					begun()
				}
				c, err := ledger.Open(t.Context(), change.Change{
					Kind: change.Meta, Account: wave.UserID(rune('a' + i)), Email: "a@example.com", UndoOf: before,
					Actor: auth.Actor{Issuer: "i", Subject: "s"}, Source: change.Page, Wanted: wave.Wanted{"invoice": true},
				})
				if err == nil {
					c.State, before = change.NoChange, c.ID
					_, err = ledger.Close(t.Context(), c)
				}
				if err != nil {
					t.Error(err)
					return
				}
				w.done.Add(1)
			}
		})
	}
	t.Cleanup(w.end)
	return w
}

func (w *writers) end() {
	w.stop.Store(true)
	w.wg.Wait()
}

func TestBackup_underWriters(t *testing.T) {
	url := dbtest.SQLite.Ready(t)
	d := dbtest.Open(t, url)
	mustExec(t, d, `INSERT INTO used_logins (state, expires_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
		SELECT i || hex(randomblob(500)), 0 FROM n`) // so that the copy takes a while
	w := startWriters(t, d, 4)
	w.begun.Wait()
	path := filepath.Join(t.TempDir(), "copy.db")
	before, log := w.done.Load(), head(t, d)
	if err := db.Backup(t.Context(), url, path, goodCopy); err != nil {
		t.Fatal(err)
	}
	w.end()
	t.Logf("%d changes were done meanwhile", w.done.Load()-before)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the copy has mode %v (%v)", info.Mode(), err)
	}

	c := copied(t, path)
	if n := number(t, c, "SELECT count(*) FROM changes WHERE state = 'no_change'"); int64(n) < before {
		t.Errorf("%d changes are in the copy, but %d were done", n, before)
	}
	if n := number(t, c, "SELECT count(*) FROM pragma_foreign_key_check"); n != 0 {
		t.Errorf("%d rows of the copy refer to nothing", n)
	}
	report, err := audit.Verify(t.Context(), c.Read(), auditSecrets, []audit.Anchor{log})
	if err != nil || !report.OK() {
		t.Errorf("the audit log of the copy: %+v, %v", report, err)
	}
	if events, steps := report.Events, number(t, c, "SELECT count(*) + count(*) FILTER (WHERE state <> 'running') FROM changes"); events != int64(steps) {
		t.Errorf("%d events of %d steps", events, steps)
	}
	startWriters(t, c, 1).end() // it takes writes as its original did
}

// The copy takes no lock that a writer needs: it is made while one has it.
func TestBackup_neitherWaitsForWritersNorStopsThem(t *testing.T) {
	url := dbtest.SQLite.Ready(t)
	d := dbtest.Open(t, url)
	path := filepath.Join(t.TempDir(), "copy.db")
	insert := "INSERT INTO used_logins (state, expires_at) VALUES ($1, 1)"
	mustExec(t, d, insert, "committed")
	err := d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(insert, "not committed")
		return errors.Join(err, db.Backup(t.Context(), url, path, goodCopy))
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := number(t, copied(t, path), "SELECT count(*) FROM used_logins"); n != 1 {
		t.Errorf("%d rows are in the copy, want the one that was committed", n)
	}
}

func head(t *testing.T, d *db.DB) audit.Anchor {
	t.Helper()
	a, err := audit.Head(t.Context(), d.Read())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What goes wrong leaves the directory of the copy as it was.
func TestBackup_refuses(t *testing.T) {
	url := dbtest.SQLite.Ready(t)
	dbtest.Open(t, url)
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	damage(t, strings.TrimPrefix(url, "sqlite:"), damaged)
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken.db")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(dir, "dangling.db")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), dangling); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(dir, "fresh.db")
	ask := func(url, path string, check func(context.Context, *sql.DB) error) func() string {
		return func() string { return said(db.Backup(t.Context(), url, path, check)) }
	}
	tests := []struct {
		name, want string
		backup     func() string
	}{
		{"a file that is there", taken + " is there already", ask(url, taken, goodCopy)},
		{"a directory", dir + " is there already", ask(url, dir, goodCopy)},
		{"a link that leads nowhere", dangling + " is there already", ask(url, dangling, goodCopy)},
		{"the database itself", "is there already", ask(url, strings.TrimPrefix(url, "sqlite:"), goodCopy)},
		{"no directory", "there is no directory " + dir + "/none", ask(url, filepath.Join(dir, "none", "x.db"), goodCopy)},
		{"a file as a directory", "there is no directory " + taken, ask(url, filepath.Join(taken, "x.db"), goodCopy)},
		{"no database", "none.db: no such file", ask("sqlite:"+filepath.Join(dir, "none.db"), fresh, goodCopy)},
		{"a damaged database", "damaged.db is damaged", ask("sqlite:"+damaged, fresh, goodCopy)},
		{"another engine", "no SQLite file", ask("postgres://me:hunter2@db/x", fresh, goodCopy)},
		{"a copy that is found bad", "the copy is not good: bad", ask(url, fresh, func(context.Context, *sql.DB) error { return errors.New("bad") })},
		{"a name that someone takes meanwhile", fresh + " is there already", ask(url, fresh, func(context.Context, *sql.DB) error {
			return os.Symlink("elsewhere", fresh)
		})},
		{"a full disk", "copy ", func() string { return fullDisk(t, url, fresh) }},
		{"who is interrupted", "context canceled", func() string {
			gone, leave := context.WithCancel(t.Context())
			leave()
			return said(db.Backup(gone, url, fresh, goodCopy))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.backup()
			if !strings.Contains(got, tt.want) || strings.Contains(got, "hunter2") {
				t.Errorf("said %q, want %q", got, tt.want)
			}
			if target, err := os.Readlink(fresh); err == nil { // of someone else, and still that
				if err := os.Remove(fresh); target != "elsewhere" || err != nil {
					t.Errorf("%s, %v", target, err)
				}
			}
			names, err := filepath.Glob(filepath.Join(dir, "*"))
			hidden, err2 := filepath.Glob(filepath.Join(dir, ".*"))
			if len(names) != 2 || len(hidden) != 0 || err != nil || err2 != nil {
				t.Errorf("left behind: %v %v", names, hidden)
			}
			if text, err := os.ReadFile(taken); string(text) != "precious" {
				t.Errorf("the file that was there now says %.20q (%v)", text, err)
			}
		})
	}
}

func said(err error) string {
	if err == nil {
		return "it is done"
	}
	return err.Error()
}

// damage makes a copy of the database file at from in which no page but the first
// is what it was.
func damage(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for i := page; i < len(b); i++ {
		b[i] ^= 0x5a
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
