package preset

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
)

// An Edit creates a preset, or changes the one with ID from the version that the
// person saw.
type Edit struct {
	ID   string // empty to create
	Seen int
	Content
}

// Save does all of edits, or none, and returns the presets as they are then. Each
// change is a new version; one that changes nothing makes none and never conflicts.
//
// It fails with fault.Invalid and the fields of Content.Check, also for a name that
// another preset has, with fault.NotFound, and with fault.Conflict when someone
// else made a version since the one that was seen. The built-in preset is refused
// as fault.Invalid.
func (s *Store) Save(ctx context.Context, by auth.Actor, edits ...Edit) ([]*Preset, error) {
	for i := range edits {
		edits[i].Content = edits[i].Tidy()
		if err := edits[i].Check(); err != nil {
			return nil, err
		}
	}
	var saved []*Preset
	err := s.write(ctx, by, func(tx *sql.Tx) (events []Event, err error) {
		saved = nil
		for _, e := range edits {
			p, step, err := s.saveOne(ctx, tx, by, e)
			if err != nil {
				return nil, err
			}
			saved = append(saved, p)
			if step != "" {
				events = append(events, Event{Step: step, Preset: p, By: by})
			}
		}
		if len(events) == 0 {
			return nil, errUnchanged
		}
		return events, nil
	})
	if err != nil {
		return nil, err
	}
	return saved, nil
}

// saveOne returns what e made, and with which step: none when nothing changed.
func (s *Store) saveOne(ctx context.Context, tx *sql.Tx, by auth.Actor, e Edit) (*Preset, Step, error) {
	next := Preset{ID: e.ID, Name: e.Name, Note: e.Note, Flags: e.Flags, Version: 1, Changed: s.moment(), By: actor(by)}
	step := Created
	if e.ID != "" {
		now, err := get(ctx, tx, e.ID)
		switch {
		case err != nil:
			return nil, "", err
		case now.ID == Defaults:
			return nil, "", refuse(fault.Invalid, "preset.built_in")
		case now.Content().Equal(e.Content):
			return now, "", nil
		case now.Version != e.Seen:
			return nil, "", refuse(fault.Conflict, "preset.moved")
		}
		next.Version, step = now.Version+1, Changed
	} else {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, "", fmt.Errorf("id of a preset: %w", err)
		}
		next.ID = id.String()
		if err := hasRoom(ctx, tx); err != nil {
			return nil, "", err
		}
	}
	key := s.fold(e.Name)
	if taken, err := nameTaken(ctx, tx, key, next.ID); err != nil {
		return nil, "", err
	} else if taken {
		return nil, "", fault.Field("name", "preset.name_taken")
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO presets (id, version, name_key, deleted_at) VALUES ($1, $2, $3, 0)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, name_key = excluded.name_key`, next.ID, next.Version, key)
	if err != nil {
		return nil, "", err
	}
	p := New(next)
	return p, step, insertVersion(ctx, tx, p)
}

func hasRoom(ctx context.Context, tx *sql.Tx) error {
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM presets WHERE deleted_at = 0").Scan(&n); err != nil {
		return err
	}
	if n >= MaxAll {
		return &fault.Error{Kind: fault.Invalid, Say: fault.Say("preset.too_many", "max", MaxAll)}
	}
	return nil
}

// Delete deletes a preset; its versions stay on record. It is refused as
// fault.Conflict while accounts are assigned to it, those that are gone included,
// or new accounts begin with it, and when it is no longer the version that was seen.
// It fails with fault.NotFound, and with fault.Invalid for the built-in preset.
func (s *Store) Delete(ctx context.Context, by auth.Actor, id string, seen int) error {
	return s.write(ctx, by, func(tx *sql.Tx) ([]Event, error) {
		p, err := get(ctx, tx, id)
		switch {
		case err != nil:
			return nil, err
		case p.ID == Defaults:
			return nil, refuse(fault.Invalid, "preset.built_in")
		case p.Version != seen:
			return nil, refuse(fault.Conflict, "preset.moved")
		}
		var assigned, forNew int
		err = tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM preset_assignments WHERE preset = $1),
			(SELECT COUNT(*) FROM preset_book WHERE for_new = $1)`, id).Scan(&assigned, &forNew)
		switch {
		case err != nil:
			return nil, err
		case assigned > 0:
			return nil, &fault.Error{Kind: fault.Conflict, Say: fault.Say("preset.in_use", "count", assigned)}
		case forNew > 0:
			return nil, refuse(fault.Conflict, "preset.in_use_new")
		}
		_, err = tx.ExecContext(ctx, "UPDATE presets SET deleted_at = $2 WHERE id = $1", id, db.Micros(s.moment()))
		return []Event{{Step: Deleted, Preset: p, By: by}}, err
	})
}

// ChooseForNew makes new accounts begin with a preset. It fails with fault.NotFound.
func (s *Store) ChooseForNew(ctx context.Context, by auth.Actor, id string) error {
	return s.write(ctx, by, func(tx *sql.Tx) ([]Event, error) {
		p, err := get(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		res, err := tx.ExecContext(ctx, "UPDATE preset_book SET for_new = $1 WHERE for_new <> $1", id)
		if err != nil {
			return nil, err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return nil, errUnchangedOr(err)
		}
		return []Event{{Step: ChosenForNew, Preset: p, By: by}}, nil
	})
}

func errUnchangedOr(err error) error {
	if err != nil {
		return err
	}
	return errUnchanged
}

func refuse(kind fault.Kind, say string) error {
	return &fault.Error{Kind: kind, Say: fault.Say(say)}
}
