package bulk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"waveadmin/internal/wave"
)

// A Preview is a plan in numbers. PreviewItems has its accounts.
type Preview struct {
	Plan  *Plan // without Items
	Sum   Sum
	Mark  string // Plan.Mark
	Items int    // all accounts
	Acts  int    // those of them to which something will be done, if they are not left out

	tally *tally
}

// Show is which accounts of a preview are looked at.
type Show string

const (
	ShowAll     Show = ""
	ShowChanges Show = "changes" // something will be done to them, if they are not left out
	ShowSame    Show = "same"    // nothing will
	ShowOut     Show = "out"     // they are left out by hand
	ShowGone    Show = "gone"    // there are none such
)

// shows are the conditions on an item.
var shows = map[Show]string{
	ShowAll: "", ShowChanges: " AND i.acts = 1", ShowSame: " AND i.acts = 0", ShowOut: " AND i.left_out = 1",
	ShowGone: " AND i.left_out = 0 AND i.before_meta IS NULL AND i.issue = ''",
}

// Selects returns how many accounts show selects.
func (v *Preview) Selects(show Show) int {
	switch show {
	case ShowChanges:
		return v.Acts
	case ShowSame:
		return v.Items - v.Acts
	case ShowOut:
		return v.Sum.LeftOut
	case ShowGone:
		return v.Sum.Gone
	}
	return v.Items
}

// Preview returns a plan in numbers, or fails with fault.NotFound.
func (p *Plans) Preview(ctx context.Context, id string) (*Preview, error) {
	// The mark first: with one that is older than the numbers nothing can be started, and
	// with a newer one what starts would not be what was seen.
	out, err := p.leftOut(ctx, id)
	if err != nil {
		return nil, err
	}
	var numbers string
	plan, err := scanPlan(p.db.Read().QueryRowContext(ctx, "SELECT "+planColumns+", p.tally FROM bulk_plans p WHERE p.id = $1", id).Scan, &numbers)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noPlan(id)
	}
	if err != nil {
		return nil, fmt.Errorf("read a plan: %w", err)
	}
	t := readTally(numbers, plan.Version)
	if t == nil {
		if t, err = p.tallyAnew(ctx, id); err != nil {
			return nil, err
		}
	}
	return &Preview{Plan: plan, Sum: t.sum(), Mark: markOf(out), Items: t.Items, Acts: t.Acts, tally: t}, nil
}

// readTally returns the numbers of a plan as they are stored, or nil when they are not
// those of that version of it.
func readTally(text string, version int64) *tally {
	var t tally
	if text == "" || json.Unmarshal([]byte(text), &t) != nil || t.Version != version {
		return nil
	}
	return &t
}

// tallyAnew counts a plan from all of its accounts, and stores what it finds unless
// someone leaves accounts out meanwhile: older servers do not count.
func (p *Plans) tallyAnew(ctx context.Context, id string) (t *tally, err error) {
	err = p.db.Write(ctx, func(tx *sql.Tx) error {
		plan, err := readPlan(ctx, tx, id)
		if err != nil {
			return err
		}
		t = tallyOf(plan.Items)
		t.Version = plan.Version
		var acting []int
		for _, i := range plan.Items {
			if i.Acts() {
				acting = append(acting, i.Place)
			}
		}
		for part := range slices.Chunk(acting, insertRows) {
			list, args := oneOf([]any{id}, part)
			if _, err := tx.ExecContext(ctx, "UPDATE bulk_items SET acts = 1 WHERE plan_id = $1 AND place IN ("+list+")", args...); err != nil {
				return fmt.Errorf("count a plan: %w", err)
			}
		}
		return t.store(ctx, tx, id)
	})
	return t, err
}

// store writes t, unless the plan has another version by now.
func (t *tally) store(ctx context.Context, tx *sql.Tx, id string) error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("store the numbers of a plan: %w", err)
	}
	_, err = tx.ExecContext(ctx, "UPDATE bulk_plans SET tally = $1 WHERE id = $2 AND version = $3", storable(string(text)), id, t.Version)
	if err != nil {
		return fmt.Errorf("store the numbers of a plan: %w", err)
	}
	return nil
}

// leftOut returns the places of the accounts that are left out, in order.
func (p *Plans) leftOut(ctx context.Context, id string) ([]int, error) {
	rows, err := p.db.Read().QueryContext(ctx, "SELECT place FROM bulk_items WHERE plan_id = $1 AND left_out = 1 ORDER BY place", id)
	if err != nil {
		return nil, fmt.Errorf("read what is left out: %w", err)
	}
	defer rows.Close()
	var out []int
	for rows.Next() {
		var place int
		if err := rows.Scan(&place); err != nil {
			return nil, fmt.Errorf("read what is left out: %w", err)
		}
		out = append(out, place)
	}
	return out, rows.Err()
}

// PreviewItems returns a part of the accounts of a plan, in order. What acts says is only
// right once Preview was asked for.
func (p *Plans) PreviewItems(ctx context.Context, id string, show Show, limit, offset int) ([]Item, error) {
	return readItems(ctx, p.db.Read(), "i.plan_id = $1"+shows[show]+" ORDER BY i.place LIMIT $2 OFFSET $3", id, limit, offset)
}

// ItemsOf returns those of a plan that are one of these accounts, at most limit.
func (p *Plans) ItemsOf(ctx context.Context, id string, accounts []wave.UserID, limit int) ([]Item, error) {
	var out []Item
	for part := range slices.Chunk(accounts, insertRows) {
		list, args := oneOf([]any{id, limit}, part)
		items, err := readItems(ctx, p.db.Read(), "i.plan_id = $1 AND i.account IN ("+list+") ORDER BY i.place LIMIT $2", args...)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
	}
	slices.SortFunc(out, func(a, b Item) int { return a.Place - b.Place })
	return out[:min(len(out), limit)], nil
}
