package change

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/wave"
)

// A Filter selects changes. The zero Filter is all of them.
type Filter struct {
	Account wave.UserID // empty for any
	Text    string      // in the email or the account's id, without case
	By      auth.Actor  // Issuer and Subject count; the zero Actor for anyone
	Outside bool        // only what was done outside this program
	Flag    wave.Key    // changes about this flag
	Kind    Kind
	States  []State   // none for any
	From    time.Time // created at or after; zero for no limit
	To      time.Time // created before
	Older   string    // only changes before this ID, which need not exist
	Newer   string    // only changes after this ID: the nearest to it, when there are more than asked for
}

// slack is how far the time in an ID may be from the creation of its change: many
// at once are given out a moment apart.
const slack = time.Minute

// List returns the changes that f selects, newest first, at most limit. More says
// whether there are others beyond them, in the direction of f.Older or f.Newer.
func (l *Ledger) List(ctx context.Context, f Filter, limit int) (list []Change, more bool, err error) {
	// The ids first: the indexes tell them, so that no row is read that is not returned.
	page, args := f.page(limit + 1)
	list, err = selectAll(ctx, l.db.Read(), "id IN ("+page+") ORDER BY id DESC", args...)
	if err != nil {
		return nil, false, err
	}
	switch more = len(list) > limit; {
	case more && f.Newer != "":
		list = list[1:]
	case more:
		list = list[:limit]
	}
	return list, more, nil
}

// page returns the query for the ids of at most limit changes, in no order.
func (f Filter) page(limit int) (string, []any) {
	where, args := f.where()
	order := "DESC"
	if f.Newer != "" {
		order = "ASC"
	}
	args = append(args, limit)
	return fmt.Sprintf("SELECT id FROM changes WHERE %s ORDER BY id %s LIMIT $%d", where, order, len(args)), args
}

// Count returns how many changes f selects.
func (l *Ledger) Count(ctx context.Context, f Filter) (int, error) {
	where, args := f.where()
	var n int
	if err := l.db.Read().QueryRowContext(ctx, "SELECT count(*) FROM changes WHERE "+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count changes: %w", err)
	}
	return n, nil
}

// GetMany returns the changes with these ids, by id. What there is none of is left
// out.
func (l *Ledger) GetMany(ctx context.Context, ids []string) (map[string]Change, error) {
	found := make(map[string]Change, len(ids))
	for part := range slices.Chunk(ids, manyIDs) {
		args := make([]any, len(part))
		places := make([]string, len(part))
		for i, id := range part {
			args[i], places[i] = id, fmt.Sprintf("$%d", i+1)
		}
		list, err := selectAll(ctx, l.db.Read(), "id IN ("+strings.Join(places, ", ")+")", args...)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			found[c.ID] = c
		}
	}
	return found, nil
}

// manyIDs is how many ids one query names.
const manyIDs = 500

// Following returns the changes that take back c or bring its account back to the
// outcome of c, oldest first.
func (l *Ledger) Following(ctx context.Context, c Change) ([]Change, error) {
	// A follower is a later change of the same account, which the index finds.
	return selectAll(ctx, l.db.Read(), "account = $1 AND id > $2 AND (undo_of = $2 OR restore_of = $2) ORDER BY id", string(c.Account), c.ID)
}

// where returns the condition of f in SQL, with its arguments.
func (f Filter) where() (string, []any) {
	and, args := []string{"1 = 1"}, []any(nil)
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		and = append(and, condition)
	}
	kind, state := f.byIndex()
	if f.Account != "" {
		add("account = ?", string(f.Account))
	}
	if f.Text != "" {
		add("lower(email || '\n' || email_before || '\n' || account) LIKE ? ESCAPE '\\'", contains(f.Text))
	}
	if f.By.Subject != "" {
		add("actor_issuer = ? AND actor_subject = ?", f.By.Issuer, f.By.Subject)
	}
	if f.Outside {
		add("source = 'outside'") // in the words of its index
	}
	if f.Flag != "" {
		add("id IN (SELECT change_id FROM change_flags WHERE flag = ?)", string(f.Flag))
	}
	if f.Kind != "" {
		add(kind+" = ?", string(f.Kind))
	}
	if len(f.States) > 0 {
		names := make([]any, len(f.States))
		for i, s := range f.States {
			names[i] = string(s)
		}
		add(state+" IN (?"+strings.Repeat(", ?", len(names)-1)+")", names...)
	}
	if !f.From.IsZero() {
		add("id >= ? AND created_at >= ?", idFloor(f.From.Add(-slack)), db.Micros(f.From))
	}
	if !f.To.IsZero() {
		add("id < ? AND created_at < ?", idFloor(f.To.Add(slack)), db.Micros(f.To))
	}
	if f.Older != "" {
		add("id < ?", f.Older)
	}
	if f.Newer != "" {
		add("id > ?", f.Newer)
	}
	return strings.Join(and, " AND "), args
}

// byIndex returns the columns kind and state, spoilt for their indexes where another
// condition of f leaves fewer changes: SQLite has no figures to compare them by.
func (f Filter) byIndex() (kind, state string) {
	const spoilt = " || ''"
	kind, state = "kind", "state"
	few := f.Account != "" || f.By.Subject != "" || f.Flag != "" || f.Text != ""
	if few || f.Kind == Meta && len(f.States) > 0 {
		kind += spoilt
	}
	if few || f.Kind != Meta && f.Kind != "" {
		state += spoilt
	}
	return kind, state
}

// contains is a pattern for texts in lower case that contain text.
func contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)) + "%"
}

// People returns everyone who ever asked for a change, each with the name of the
// last time, by name.
func (l *Ledger) People(ctx context.Context) ([]auth.Actor, error) {
	// The newest of the last person in the index, then of the person before: it is not
	// read whole. A comparison of pairs would read it so on SQLite.
	rows, err := l.db.Read().QueryContext(ctx, `WITH RECURSIVE newest (id) AS (
			SELECT (SELECT id FROM changes ORDER BY actor_issuer DESC, actor_subject DESC, id DESC LIMIT 1)
			UNION ALL
			SELECT coalesce(
				(SELECT id FROM changes WHERE actor_issuer = c.actor_issuer AND actor_subject < c.actor_subject ORDER BY actor_subject DESC, id DESC LIMIT 1),
				(SELECT id FROM changes WHERE actor_issuer < c.actor_issuer ORDER BY actor_issuer DESC, actor_subject DESC, id DESC LIMIT 1))
			FROM newest JOIN changes c ON c.id = newest.id)
		SELECT c.actor_issuer, c.actor_subject, c.actor_name, c.actor_email
		FROM newest JOIN changes c ON c.id = newest.id WHERE c.actor_subject <> ''`)
	if err != nil {
		return nil, fmt.Errorf("read who changed: %w", err)
	}
	defer rows.Close()
	var people []auth.Actor
	for rows.Next() {
		var a auth.Actor
		if err := rows.Scan(&a.Issuer, &a.Subject, &a.Name, &a.Email); err != nil {
			return nil, fmt.Errorf("read who changed: %w", err)
		}
		people = append(people, a)
	}
	slices.SortFunc(people, func(a, b auth.Actor) int {
		return strings.Compare(a.Display()+a.Issuer+a.Subject, b.Display()+b.Issuer+b.Subject)
	})
	return people, rows.Err()
}
