package signin

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/db"
	"waveadmin/internal/testkit"
)

// world is the program between a provider that can lie and a database that is
// read from outside. Its clock stands still until it is moved.
type world struct {
	*testkit.Site
	cfg   config.Config
	clock *clock
	db    *sql.DB
	seats int // taken, see person
}

// newWorld starts a program that has not spoken to its provider yet.
func newWorld(t *testing.T, change ...func(*config.Config)) *world {
	t.Helper()
	w := &world{clock: &clock{at: time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}}
	w.Site = testkit.Start(t, testkit.Options{Accounts: 2, Now: w.clock.now, Config: func(c *config.Config) {
		c.UI.DefaultLanguage = "ja"
		c.Server.TrustedProxies = 1 // who says where each person sits
		for _, f := range change {
			f(c)
		}
		w.cfg = *c
	}})
	pool, err := db.OpenReadOnly(t.Context(), w.cfg.Database.URL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	w.db = pool
	w.IDP.AutoChoose(testkit.Editor)
	return w
}

func (w *world) issuer() string       { return w.cfg.Auth.Issuer }
func (w *world) clientID() string     { return w.cfg.Auth.ClientID }
func (w *world) clientSecret() string { return w.cfg.Auth.ClientSecret.Reveal() }

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// event is one of the audit log that is about people.
type event struct {
	kind, subject, reason string
}

// mark is a point in the audit log.
type mark int64

func (w *world) mark(t *testing.T) (m mark) {
	t.Helper()
	if err := w.db.QueryRowContext(t.Context(), "SELECT coalesce(max(seq), 0) FROM audit_events").Scan(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// since returns the events about people after m.
func (w *world) since(t *testing.T, m mark) (all []event) {
	t.Helper()
	rows, err := w.db.QueryContext(t.Context(), "SELECT kind, actor_subject, details FROM audit_events WHERE seq > $1 ORDER BY seq", m)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var e event
		var details string
		if err := rows.Scan(&e.kind, &e.subject, &details); err != nil {
			t.Fatal(err)
		}
		var d struct{ Reason, By string }
		if err := json.Unmarshal([]byte(details), &d); err != nil {
			t.Fatal(err)
		}
		if e.reason = d.Reason + d.By; strings.HasPrefix(e.kind, "sign_") || strings.HasPrefix(e.kind, "logout_") {
			all = append(all, e)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// sessions counts the sessions that began at the time of now.
func (w *world) sessions(t *testing.T) (n int) {
	t.Helper()
	err := w.db.QueryRowContext(context.WithoutCancel(t.Context()), "SELECT count(*) FROM sessions WHERE created_at = $1",
		db.Micros(w.clock.now())).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
