package auth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/sessions"

	"waveadmin/internal/db"
)

const (
	// seenEvery bounds how often activity is written, so reading pages does not
	// write to the database. A session may end this much early.
	seenEvery = time.Minute
	// sweepEvery bounds how often rows that nobody can use are deleted.
	sweepEvery = 10 * time.Minute
)

// record is the data of a session.
type record struct {
	Actor
	sid     string    // the provider's session
	idToken string    // in the clear only before it is stored and at sign-out
	started time.Time // zero before it is stored, and so is ends
	seen    time.Time
	ends    time.Time // whatever happens
	proved  time.Time // when the person proved who they are; zero when the provider did not say
	checked time.Time // when the provider last said what role they have
	address string
	agent   string
	kept    KeptKey // of the person; none until it is needed

	issued time.Time // the ID token, by the provider's clock
	begun  time.Time // the attempt, by ours

	former string // the row that it replaces
	again  again  // why it goes on under a new id; empty for a new one
}

// recordKey is where a sessions.Session holds its record.
type recordKey struct{}

func recordOf(s *sessions.Session) (record, bool) {
	rec, ok := s.Values[recordKey{}].(record)
	return rec, ok
}

// store is a sessions.Store on the database. The cookie holds a signed random
// id, the row its hash: whoever copies the cookie of an ended session has
// nothing. The ID of a Session is the key of its row.
type store struct {
	cfg     Config
	db      *db.DB
	name    string // of the cookie
	cookies signer
	tokens  box // of stored ID tokens
	swept   atomic.Int64
}

func newStore(cfg Config, database *db.DB, secrets [][]byte) *store {
	return &store{
		cfg: cfg, db: database, name: cfg.cookieName(""),
		cookies: newSigner(secrets, "session cookie"), tokens: newBox(secrets, "id token"),
	}
}

// Get returns the session of r, looked up once a request.
func (s *store) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New looks the session of r up. One that is missing, made up or over is a new
// and empty one; an error means that it could not be looked up.
func (s *store) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.IsNew = true
	session.Options = &sessions.Options{
		Path: "/", Secure: s.cfg.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	c, err := r.Cookie(name)
	if err != nil {
		return session, nil
	}
	row, ok := s.cookies.row(c.Value)
	if !ok {
		return session, nil
	}
	rec, err := s.read(r.Context(), row)
	if errors.Is(err, sql.ErrNoRows) {
		return session, nil
	}
	if err != nil {
		return session, fmt.Errorf("read the session: %w", err)
	}
	session.ID, session.IsNew = row, false
	session.Values[recordKey{}] = rec
	return session, nil
}

// Save writes a session without an ID as a new one and sets its cookie. With a
// negative MaxAge it deletes the session, and the cookie whatever the database
// says. Sessions do not change in between.
func (s *store) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.Options.MaxAge < 0 {
		http.SetCookie(w, sessions.NewCookie(session.Name(), "", session.Options))
		return s.delete(r.Context(), session.ID)
	}
	rec, ok := recordOf(session)
	if !ok || session.ID != "" {
		return nil
	}
	cookie, row := s.cookies.issue()
	rec.address, rec.agent = s.cfg.Address(r), agentOf(r)
	if err := s.insert(r.Context(), row, rec); err != nil {
		return fmt.Errorf("write the session: %w", err)
	}
	session.ID = row
	http.SetCookie(w, sessions.NewCookie(session.Name(), cookie, session.Options))
	return nil
}

// begin starts a session of rec under a new id and ends the one of r, both or neither.
// It fails with errLoggedOut or errGone when that is overtaken.
func (s *store) begin(w http.ResponseWriter, r *http.Request, rec record) error {
	old, err := s.Get(r, s.name)
	if err != nil {
		return err
	}
	rec.former = old.ID
	fresh := sessions.NewSession(s, s.name)
	fresh.Options = old.Options
	fresh.Values[recordKey{}] = rec
	return s.Save(r, w, fresh)
}

func (s *store) read(ctx context.Context, row string) (record, error) {
	var rec record
	var role string
	var started, seen, ends, proved, checked int64
	err := s.db.Read().QueryRowContext(ctx, `SELECT issuer, subject, sid, name, email, role, id_token,
		created_at, seen_at, expires_at, auth_time, checked_at,
		(SELECT secret FROM kept_keys k WHERE k.issuer = sessions.issuer AND k.subject = sessions.subject)
		FROM sessions WHERE id = $1`, row).
		Scan(&rec.Issuer, &rec.Subject, &rec.sid, &rec.Name, &rec.Email, &role, &rec.idToken, &started, &seen, &ends, &proved, &checked, &rec.kept.text)
	if err != nil {
		return record{}, err
	}
	now := s.cfg.Now()
	rec.started, rec.seen, rec.ends, rec.Role = db.Time(started), db.Time(seen), db.Time(ends), roleNamed(role)
	rec.proved, rec.checked = db.Time(proved), db.Time(checked)
	// A session of another provider, or of a role that is no more, is over too.
	if !now.Before(rec.ends) || now.Sub(rec.seen) >= s.cfg.Idle || rec.Issuer != s.cfg.Issuer || rec.Role == NoRole {
		return record{}, sql.ErrNoRows
	}
	return rec, nil
}

func (s *store) insert(ctx context.Context, row string, rec record) error {
	now := s.cfg.Now()
	if rec.again == "" {
		rec.started, rec.ends = now, now.Add(s.cfg.Absolute)
	}
	sealed := ""
	if rec.idToken != "" {
		sealed = s.tokens.seal([]byte(rec.idToken), row)
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := s.sweep(ctx, tx); err != nil {
			return err
		}
		if err := s.checkMeanwhile(ctx, tx, rec); err != nil {
			return err
		}
		if err := s.makeWay(ctx, tx, rec); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions
			(id, issuer, subject, sid, name, email, role, id_token, created_at, seen_at, expires_at, auth_time, checked_at, address, agent)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
			row, rec.Issuer, rec.Subject, rec.sid, rec.Name, rec.Email, rec.Role.String(), sealed,
			db.Micros(rec.started), db.Micros(now), db.Micros(rec.ends), db.Micros(rec.proved), db.Micros(now), rec.address, rec.agent)
		switch {
		case err != nil:
			return err
		case rec.again != "":
			return s.cfg.Audit.SignedInAgain(ctx, tx, rec.Actor, string(rec.again))
		}
		return s.cfg.Audit.SignedIn(ctx, tx, rec.Actor)
	})
}

func (s *store) delete(ctx context.Context, row string) error {
	if row == "" {
		return nil
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE id = $1`, row)
		return err
	})
}

// use remembers until a time that name was used. It fails with errUsed when it
// was used before.
func (s *store) use(ctx context.Context, tx *sql.Tx, name string, until time.Time) error {
	if err := s.sweep(ctx, tx); err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO used_logins (state, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		hashOf(name), db.Micros(until))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return errUsed
}

// touch records that the person is active, and from where.
func (s *store) touch(ctx context.Context, row string, now time.Time, address string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sessions SET seen_at = $1, address = $2 WHERE id = $3 AND seen_at < $1`, db.Micros(now), address, row)
		return err
	})
}

// sweep deletes what nobody can use any more, now and then. Idle
// sessions stay until their absolute end.
func (s *store) sweep(ctx context.Context, tx *sql.Tx) error {
	now := s.cfg.Now()
	if last := s.swept.Load(); now.Sub(time.UnixMicro(last)) < sweepEvery || !s.swept.CompareAndSwap(last, now.UnixMicro()) {
		return nil
	}
	for _, table := range []string{"sessions", "used_logins"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE expires_at < $1`, db.Micros(now)); err != nil {
			return err
		}
	}
	return s.forgetEnded(ctx, tx, now)
}
