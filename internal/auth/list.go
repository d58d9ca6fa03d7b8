package auth

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"

	"waveadmin/internal/db"
)

// A Session is one browser in which someone is signed in.
type Session struct {
	Key     string // names it among the sessions of the person; gives nothing away
	Who     Actor
	Started time.Time
	Seen    time.Time // to the minute
	Ends    time.Time // whatever happens
	Address string    // of the client, when it was last seen
	Agent   string    // what the browser calls itself; it may say anything
}

// keyLength is that of a Session's Key, a part of its row's.
const keyLength = 16

func keyOf(row string) string { return row[:min(len(row), keyLength)] }

// maxAgent bounds what is kept of a browser's name.
const maxAgent = 250

// agentOf returns what a browser calls itself, fit to be kept and shown.
func agentOf(r *http.Request) string {
	name := strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(r.UserAgent(), ""))
	if len(name) > maxAgent {
		name = strings.ToValidUTF8(name[:maxAgent], "")
	}
	return name
}

func peerOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Sessions returns the sessions of who that are not over, the last seen first.
func (a *Auth) Sessions(ctx context.Context, who Actor) ([]Session, error) {
	return a.list(ctx, `issuer = $3 AND subject = $4`, who.Issuer, who.Subject)
}

// AllSessions returns the sessions of everyone that are not over, the last seen first.
func (a *Auth) AllSessions(ctx context.Context) ([]Session, error) {
	return a.list(ctx, `issuer = $3`, a.cfg.Issuer)
}

// list returns the live sessions that where selects, whose arguments start at $3.
func (a *Auth) list(ctx context.Context, where string, args ...any) ([]Session, error) {
	now := a.cfg.Now()
	rows, err := a.db.Read().QueryContext(ctx, `SELECT id, issuer, subject, name, email, role, created_at, seen_at, expires_at, address, agent
		FROM sessions WHERE expires_at > $1 AND seen_at > $2 AND `+where+` ORDER BY seen_at DESC, created_at DESC, id`,
		append([]any{db.Micros(now), db.Micros(now.Add(-a.cfg.Idle))}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	defer rows.Close()
	var all []Session
	for rows.Next() {
		var s Session
		var row, role string
		var started, seen, ends int64
		err := rows.Scan(&row, &s.Who.Issuer, &s.Who.Subject, &s.Who.Name, &s.Who.Email, &role, &started, &seen, &ends, &s.Address, &s.Agent)
		if err != nil {
			return nil, fmt.Errorf("read a session: %w", err)
		}
		s.Key, s.Who.Role = keyOf(row), roleNamed(role)
		s.Started, s.Seen, s.Ends = db.Time(started), db.Time(seen), db.Time(ends)
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return all, nil
}

// EndSession ends the session of who with this key, on all servers at once, and returns
// how many there were: 0 is no error.
func (a *Auth) EndSession(ctx context.Context, who Actor, key string) (int, error) {
	return a.endOwn(ctx, who, `substr(id, 1, $3) = $4`, key)
}

// EndOthers ends all sessions of who but the one with this key, and returns how many.
func (a *Auth) EndOthers(ctx context.Context, who Actor, key string) (int, error) {
	return a.endOwn(ctx, who, `substr(id, 1, $3) <> $4`, key)
}

func (a *Auth) endOwn(ctx context.Context, who Actor, where, key string) (n int, err error) {
	err = a.db.Write(ctx, func(tx *sql.Tx) error {
		n, err = a.store.end(ctx, tx, who, ByThemselves, where, keyLength, key)
		return err
	})
	return n, err
}

// EndNamed ends, on all servers at once, the sessions of everyone that name names: the
// key of a session, or the email or the subject of a person. By says who gave the
// command. It returns what it ended, without Seen, also sessions that were over by
// themselves. The role of these people counts as lost until they sign in again; see
// RoleOf.
func (a *Auth) EndNamed(ctx context.Context, name, by string) (ended []Session, err error) {
	err = a.db.Write(ctx, func(tx *sql.Tx) error {
		if ended, err = a.store.endNamed(ctx, tx, name); err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		counts := make(map[Actor]int)
		for _, s := range ended {
			counts[Actor{Issuer: s.Who.Issuer, Subject: s.Who.Subject, Name: s.Who.Name}]++
		}
		for who, n := range counts {
			if err := a.store.markEnded(ctx, tx, who); err != nil {
				return fmt.Errorf("end sessions: %w", err)
			}
			if err := a.cfg.Audit.SessionsEnded(ctx, tx, who, Ending{Why: ByCommand, By: by, Count: n}); err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}

func (s *store) endNamed(ctx context.Context, tx *sql.Tx, name string) (ended []Session, err error) {
	rows, err := tx.QueryContext(ctx, `DELETE FROM sessions WHERE issuer = $1 AND (substr(id, 1, $2) = $3 OR lower(email) = lower($3) OR subject = $3) AND $3 <> ''
		RETURNING id, issuer, subject, name, email, created_at`, s.cfg.Issuer, keyLength, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one Session
		var row string
		var started int64
		if err := rows.Scan(&row, &one.Who.Issuer, &one.Who.Subject, &one.Who.Name, &one.Who.Email, &started); err != nil {
			return nil, err
		}
		one.Key, one.Started = keyOf(row), db.Time(started)
		ended = append(ended, one)
	}
	return ended, rows.Err()
}
