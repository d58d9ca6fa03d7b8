package savedview

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
)

// An Auditor records, inside the transaction that does it, what becomes of a shared
// view: before is nil for one that begins to be shared, after for one that ends. When
// it fails, nothing is done.
type Auditor interface {
	Append(ctx context.Context, tx *sql.Tx, who auth.Actor, before, after *View) error
}

// Store keeps the views. It is safe for concurrent use, also of several processes on
// one database.
type Store struct {
	db    *db.DB
	audit Auditor
	now   func() time.Time
}

// NewStore returns the store in d, whose tables must be up to date. Audit may be nil
// for no record, and now for time.Now.
func NewStore(d *db.DB, audit Auditor, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{db: d, audit: audit, now: now}
}

const columns = `id, name, query, shared, owner_issuer, owner_subject, owner_name, created_at, changed_at`

// List returns the views that who sees: the own ones first, then those that are
// shared, each by name.
func (s *Store) List(ctx context.Context, who auth.Actor) ([]View, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+columns+` FROM saved_views
		WHERE shared = 1 OR owner_issuer = $1 AND owner_subject = $2`, who.Issuer, who.Subject)
	if err != nil {
		return nil, fmt.Errorf("read saved views: %w", err)
	}
	defer rows.Close()
	var list []View
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read saved views: %w", err)
	}
	slices.SortFunc(list, func(a, b View) int {
		if a.Shared != b.Shared {
			if b.Shared {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return list, nil
}

func scan(row interface{ Scan(...any) error }) (View, error) {
	var v View
	var shared, created, changed int64
	err := row.Scan(&v.ID, &v.Name, &v.Query, &shared, &v.Owner.Issuer, &v.Owner.Subject, &v.Owner.Name, &created, &changed)
	if err != nil {
		return View{}, fmt.Errorf("read a saved view: %w", err)
	}
	v.Shared, v.Created, v.Changed = shared == 1, db.Time(created), db.Time(changed)
	return v, nil
}

// Create keeps a new view of who. It fails with fault.Invalid when the name is
// missing, too long or taken, or who has MaxEach views, and with fault.Forbidden when
// who may not share.
func (s *Store) Create(ctx context.Context, who auth.Actor, d Draft) (View, error) {
	v, err := newView(who, d, s.now())
	if err != nil {
		return View{}, err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error { return s.insert(ctx, tx, who, v) })
	if err != nil {
		return View{}, explained("create a saved view", v, err)
	}
	return v, nil
}

func (s *Store) insert(ctx context.Context, tx *sql.Tx, who auth.Actor, v View) error {
	var have int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM saved_views WHERE owner_issuer = $1 AND owner_subject = $2`,
		who.Issuer, who.Subject).Scan(&have)
	if err != nil {
		return err
	}
	if have >= MaxEach {
		return &fault.Error{Kind: fault.Invalid, Say: fault.Say("view.too_many", "max", MaxEach)}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO saved_views (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		v.ID, v.Name, v.Query, flag(v.Shared), v.Owner.Issuer, v.Owner.Subject, v.Owner.Name, db.Micros(v.Created), db.Micros(v.Changed))
	if err != nil {
		return err
	}
	return s.record(ctx, tx, who, View{}, v)
}

// Rename gives a view another name, and shares it or makes it its owner's alone. It
// fails as Create does, with fault.NotFound when there is none that who sees, and
// with fault.Forbidden when who may not edit it or, not being its owner, takes it
// from the others.
func (s *Store) Rename(ctx context.Context, who auth.Actor, id, name string, shared bool) (View, error) {
	return s.change(ctx, who, id, func(v *View) error {
		switch {
		case shared && !v.Shared && !who.MayModify():
			return forbidden("view.may_not_share")
		case !shared && v.Shared && !v.isOf(who):
			return forbidden("view.not_yours")
		}
		v.Name, v.Shared = tidy(name), shared
		return nil
	})
}

// Replace gives a view another query. It fails as Rename does.
func (s *Store) Replace(ctx context.Context, who auth.Actor, id, query string) (View, error) {
	return s.change(ctx, who, id, func(v *View) error {
		v.Query = query
		return nil
	})
}

// change writes what edit makes of a view.
func (s *Store) change(ctx context.Context, who auth.Actor, id string, edit func(*View) error) (v View, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		before, err := s.editable(ctx, tx, who, id)
		if err != nil {
			return err
		}
		v = before
		if err := edit(&v); err != nil {
			return err
		}
		if err := v.check(); err != nil {
			return err
		}
		v.Changed = s.now()
		_, err = tx.ExecContext(ctx, `UPDATE saved_views SET name = $1, query = $2, shared = $3, changed_at = $4 WHERE id = $5`,
			v.Name, v.Query, flag(v.Shared), db.Micros(v.Changed), v.ID)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, who, before, v)
	})
	if err != nil {
		return View{}, explained("change a saved view", v, err)
	}
	return v, nil
}

// Delete removes a view and returns what it was. It fails with fault.NotFound and
// fault.Forbidden as Rename does.
func (s *Store) Delete(ctx context.Context, who auth.Actor, id string) (v View, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if v, err = s.editable(ctx, tx, who, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM saved_views WHERE id = $1`, id); err != nil {
			return err
		}
		return s.record(ctx, tx, who, v, View{})
	})
	if err != nil {
		return View{}, explained("delete a saved view", v, err)
	}
	return v, nil
}

// editable returns a view that who may edit.
func (s *Store) editable(ctx context.Context, tx *sql.Tx, who auth.Actor, id string) (View, error) {
	v, err := scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM saved_views WHERE id = $1`, id))
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && !v.sees(who):
		return View{}, gone()
	case err != nil:
		return View{}, err
	case !v.MayEdit(who):
		return View{}, forbidden("view.not_yours")
	}
	return v, nil
}

// record tells the auditor what everyone can see of the step; a view that is its
// owner's alone is none.
func (s *Store) record(ctx context.Context, tx *sql.Tx, who auth.Actor, before, after View) error {
	if s.audit == nil || !before.Shared && !after.Shared {
		return nil
	}
	var b, a *View
	if before.Shared {
		b = &before
	}
	if after.Shared {
		a = &after
	}
	return s.audit.Append(ctx, tx, who, b, a)
}

// explained says of an error what the person can do about it.
func explained(doing string, v View, err error) error {
	if db.IsUnique(err) {
		return taken(v)
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
