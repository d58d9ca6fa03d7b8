package savedview

import (
	"context"
	"database/sql"
	"errors"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
)

// Export returns the views that who sees as drafts, in the order of List.
func (s *Store) Export(ctx context.Context, who auth.Actor) ([]Draft, error) {
	list, err := s.List(ctx, who)
	if err != nil {
		return nil, err
	}
	out := make([]Draft, len(list))
	for i, v := range list {
		out[i] = Draft{Name: v.Name, Query: v.Query, Shared: v.Shared}
	}
	return out, nil
}

// Import keeps the drafts as views of who, all of them or, when it fails, none. One
// with the name of a view that is there takes its place: of an own view of who, or of
// a shared one. It fails as Create and Replace do.
func (s *Store) Import(ctx context.Context, who auth.Actor, drafts []Draft) (created, replaced int, err error) {
	var v View
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		created, replaced = 0, 0 // of this attempt
		for _, d := range drafts {
			var was bool
			if v, was, err = s.importOne(ctx, tx, who, d); err != nil {
				return err
			}
			if was {
				replaced++
			} else {
				created++
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, explained("import saved views", v, err)
	}
	return created, replaced, nil
}

func (s *Store) importOne(ctx context.Context, tx *sql.Tx, who auth.Actor, d Draft) (_ View, was bool, err error) {
	v, err := newView(who, d, s.now())
	if err != nil {
		return v, false, err
	}
	before, err := scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM saved_views
		WHERE name = $1 AND shared = $2 AND (shared = 1 OR owner_issuer = $3 AND owner_subject = $4)`,
		v.Name, flag(v.Shared), who.Issuer, who.Subject))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return v, false, s.insert(ctx, tx, who, v)
	case err != nil:
		return v, false, err
	case before.Query == v.Query:
		return before, true, nil
	}
	after := before
	after.Query, after.Changed = v.Query, v.Changed
	_, err = tx.ExecContext(ctx, `UPDATE saved_views SET query = $1, changed_at = $2 WHERE id = $3`,
		after.Query, db.Micros(after.Changed), after.ID)
	if err != nil {
		return v, true, err
	}
	return after, true, s.record(ctx, tx, who, before, after)
}
