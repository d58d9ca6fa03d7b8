// Package audit keeps the audit log: who came, who was refused, and every step
// of every change. Events are only ever appended, each under a MAC of itself and
// of the one before, so that one that is edited, removed, inserted or moved is
// found by Verify. The end of the log is held by anchors, which go to the log of
// the program: see Anchor.
package audit

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

// Kind is what happened.
type Kind string

const (
	SignIn        Kind = "sign_in"
	SignInRefused Kind = "sign_in_refused"
	SignOut       Kind = "sign_out"
	SignInAgain   Kind = "sign_in_again"  // the session goes on after the provider was asked again
	SessionsEnded Kind = "sessions_ended" // by an operator, by a lost role, or from the person's own list
	LogoutRefused Kind = "logout_refused" // what the provider, or someone else, sent to end sessions
	Refused       Kind = "refused"        // a write, by role or because nobody or another site asked
	Export        Kind = "export"         // data left as a file
	Run           Kind = "run"            // a step of a bulk run: started, paused, resumed, cancelled, finished
	Settings      Kind = "settings"       // the program started with these
	View          Kind = "view"           // a shared view of the table
)

// ChangeKind is the kind of a change's step into a state.
func ChangeKind(state string) Kind { return Kind("change_" + state) }

// PresetKind is the kind of a step with a preset.
func PresetKind(step string) Kind { return Kind("preset_" + step) }

// An Event is what happened and to whom. It must not hold a secret or a password.
type Event struct {
	Kind    Kind
	Actor   auth.Actor // whose Role and Email are not kept; the zero Actor for nobody
	Account wave.UserID
	Change  string // its ID
	Details any    // becomes a JSON object; nil for none
}

// Options are the settings of a Log.
type Options struct {
	// Secrets are the session secrets: events are signed with a key of the first.
	Secrets [][]byte
	Now     func() time.Time // nil for time.Now
	Log     *slog.Logger     // gets the anchors; nil for the default one
	// Origin returns the id and the address of the request that ctx belongs to,
	// or nothing. Nil for never.
	Origin func(ctx context.Context) (requestID, remoteAddress string)
}

// Log appends events. It is safe for concurrent use, also of several processes
// on one database.
type Log struct {
	db     *db.DB
	key    key
	now    func() time.Time
	log    *slog.Logger
	origin func(context.Context) (string, string)

	full    chan struct{} // enough events for an anchor
	people  quota         // of refusals of who is known
	unknown quota         // of strangers
}

// New returns the log in d, whose tables must be up to date.
func New(d *db.DB, o Options) (*Log, error) {
	if len(o.Secrets) == 0 {
		return nil, errors.New("audit: a secret is needed")
	}
	l := &Log{
		db: d, key: newKey(o.Secrets[0]), now: o.Now, log: o.Log, origin: o.Origin,
		full: make(chan struct{}, 1), people: newQuota(), unknown: newQuota(),
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.log == nil {
		l.log = slog.Default()
	}
	if l.origin == nil {
		l.origin = func(context.Context) (string, string) { return "", "" }
	}
	return l, nil
}

// Append adds e inside tx, a transaction of the database of l: what tx does and
// the event are both there or neither is. When it fails, tx must be rolled back.
func (l *Log) Append(ctx context.Context, tx *sql.Tx, e Event) error {
	details := []byte("{}")
	if e.Details != nil {
		var err error
		if details, err = json.Marshal(e.Details); err != nil {
			return fmt.Errorf("audit: details of %s: %w", e.Kind, err)
		}
	}
	head, err := readHead(ctx, tx) // it stays the end: writers wait for each other
	if err != nil {
		return fmt.Errorf("audit: find the end of the log: %w", err)
	}
	seq, at := head.Seq+1, db.Micros(l.now())
	request, remote := l.origin(ctx)
	fields := []string{
		strconv.FormatInt(seq, 10), strconv.FormatInt(at, 10), string(e.Kind),
		e.Actor.Issuer, e.Actor.Subject, e.Actor.Name, string(e.Account), e.Change,
		request, remote, string(details), l.key.id, head.MAC,
	}
	args := make([]any, 0, len(fields)+1)
	for i, f := range fields {
		fields[i] = storable(f)
		args = append(args, fields[i])
	}
	args[0], args[1] = seq, at
	_, err = tx.ExecContext(ctx, `INSERT INTO audit_events (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`, append(args, l.key.sum(fields))...)
	if err != nil {
		return fmt.Errorf("audit: append event %d: %w", seq, err)
	}
	if seq%anchorRows == 1 && seq > 1 { // the ones before are committed, or we would not be here
		select {
		case l.full <- struct{}{}:
		default:
		}
	}
	return nil
}

// Record adds e in a transaction of its own.
func (l *Log) Record(ctx context.Context, e Event) error {
	return l.db.Write(ctx, func(tx *sql.Tx) error { return l.Append(ctx, tx, e) })
}

// storable returns s as every engine gives it back: valid UTF-8 without NUL.
func storable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
}
