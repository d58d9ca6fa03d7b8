package savedview

import (
	"context"
	"database/sql"
	"errors"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
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

// A Step is what an import does with one draft.
type Step struct {
	Draft       // with its name as it is kept
	Was   *View // the view whose place it takes, nil for none
	Fault error // why it cannot be taken, as of Create; nil when it can
}

// Same reports whether there is nothing to do.
func (s Step) Same() bool { return s.Fault == nil && s.Was != nil && s.Was.Query == s.Query }

// Plan says what Import of the drafts as views of who would do, a step for each. One
// with the name of a view that is there takes its place: of an own view of who, or of
// a shared one.
func (s *Store) Plan(ctx context.Context, who auth.Actor, drafts []Draft) ([]Step, error) {
	list, err := s.List(ctx, who)
	if err != nil {
		return nil, err
	}
	type key struct {
		name   string
		shared bool
	}
	there, have := make(map[key]*View), 0
	for i, v := range list {
		there[key{v.Name, v.Shared}] = &list[i]
		if v.isOf(who) {
			have++
		}
	}
	steps := make([]Step, len(drafts))
	met := make(map[key]bool)
	for i, d := range drafts {
		d.Name = tidy(d.Name)
		at := key{d.Name, d.Shared}
		step := Step{Draft: d, Was: there[at]}
		v, err := newView(who, d, s.now())
		switch {
		case err != nil:
			step.Fault = err
		case met[at]:
			step.Fault = taken(v)
		case step.Was == nil && have >= MaxEach:
			step.Fault = &fault.Error{Kind: fault.Invalid, Say: fault.Say("view.import_too_many", "max", MaxEach)}
		default:
			met[at] = true
			if step.Was == nil {
				have++
			}
		}
		steps[i] = step
	}
	return steps, nil
}

// Import does the steps, all of them or, when it fails, none. It fails with
// fault.Conflict when a view in question is not as it was for Plan, and else as Create
// and Replace do.
func (s *Store) Import(ctx context.Context, who auth.Actor, steps []Step) error {
	var v View
	err := s.db.Write(ctx, func(tx *sql.Tx) (err error) {
		for _, step := range steps {
			if v, err = s.importOne(ctx, tx, who, step); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return explained("import saved views", v, err)
	}
	return nil
}

func (s *Store) importOne(ctx context.Context, tx *sql.Tx, who auth.Actor, step Step) (View, error) {
	v, err := newView(who, step.Draft, s.now())
	if err != nil {
		return v, err
	}
	before, err := scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM saved_views
		WHERE name = $1 AND shared = $2 AND (shared = 1 OR owner_issuer = $3 AND owner_subject = $4)`,
		v.Name, flag(v.Shared), who.Issuer, who.Subject))
	is := err == nil
	switch {
	case !is && !errors.Is(err, sql.ErrNoRows):
		return v, err
	case is != (step.Was != nil), is && (before.ID != step.Was.ID || before.Query != step.Was.Query):
		return v, &fault.Error{Kind: fault.Conflict, Say: fault.Say("view.import_moved")}
	case !is:
		return v, s.insert(ctx, tx, who, v)
	case before.Query == v.Query:
		return before, nil
	}
	after := before
	after.Query, after.Changed = v.Query, v.Changed
	_, err = tx.ExecContext(ctx, `UPDATE saved_views SET query = $1, changed_at = $2 WHERE id = $3`,
		after.Query, db.Micros(after.Changed), after.ID)
	if err != nil {
		return v, err
	}
	return after, s.record(ctx, tx, who, before, after)
}
