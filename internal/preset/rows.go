package preset

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readGeneration(ctx context.Context, q querier) (n int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT generation FROM preset_book").Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("read whether presets changed: %w", err)
	}
	return n, nil
}

// load reads everything.
func load(ctx context.Context, q querier) (*state, error) {
	var forNew string
	next := new(state)
	err := q.QueryRowContext(ctx, "SELECT generation, for_new FROM preset_book").Scan(&next.generation, &forNew)
	if err != nil {
		return nil, fmt.Errorf("read presets: %w", err)
	}
	presets, err := selectVersions(ctx, q, "JOIN presets p ON p.id = v.preset AND p.version = v.version WHERE p.deleted_at = 0")
	if err != nil {
		return nil, err
	}
	assigned, err := selectAssigned(ctx, q)
	if err != nil {
		return nil, err
	}
	next.book = NewBook(presets, assigned, forNew)
	return next, nil
}

// selectVersions returns the versions that the rest of a query selects.
func selectVersions(ctx context.Context, q querier, rest string, args ...any) ([]*Preset, error) {
	rows, err := q.QueryContext(ctx, `SELECT v.preset, v.version, v.name, v.note, v.flags,
		v.by_issuer, v.by_subject, v.by_name, v.by_email, v.made_at FROM preset_versions v `+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read presets: %w", err)
	}
	defer rows.Close()
	var out []*Preset
	for rows.Next() {
		var p Preset
		var flags string
		var made int64
		err := rows.Scan(&p.ID, &p.Version, &p.Name, &p.Note, &flags, &p.By.Issuer, &p.By.Subject, &p.By.Name, &p.By.Email, &made)
		if err != nil {
			return nil, fmt.Errorf("read presets: %w", err)
		}
		if err := json.Unmarshal([]byte(flags), &p.Flags); err != nil {
			return nil, fmt.Errorf("read the flags of preset %s, version %d: %w", p.ID, p.Version, err)
		}
		p.Changed = db.Time(made)
		out = append(out, New(p))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read presets: %w", err)
	}
	return out, nil
}

func selectAssigned(ctx context.Context, q querier) ([]Assignment, error) {
	rows, err := q.QueryContext(ctx, `SELECT account, preset, version, by_issuer, by_subject, by_name, by_email, assigned_at
		FROM preset_assignments`)
	if err != nil {
		return nil, fmt.Errorf("read which presets are assigned: %w", err)
	}
	defer rows.Close()
	var out []Assignment
	for rows.Next() {
		var a Assignment
		var at int64
		err := rows.Scan(&a.Account, &a.Preset, &a.Version, &a.By.Issuer, &a.By.Subject, &a.By.Name, &a.By.Email, &at)
		if err != nil {
			return nil, fmt.Errorf("read which presets are assigned: %w", err)
		}
		a.At = db.Time(at)
		out = append(out, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read which presets are assigned: %w", err)
	}
	return out, nil
}

// get returns the preset as it is now, or fails with fault.NotFound.
func get(ctx context.Context, q querier, id string) (*Preset, error) {
	switch {
	case id == Defaults:
		return builtIn, nil
	case !isKey(wave.Key(id)):
		return nil, noPreset(id)
	}
	found, err := selectVersions(ctx, q, "JOIN presets p ON p.id = v.preset AND p.version = v.version WHERE p.deleted_at = 0 AND p.id = $1", id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noPreset(id)
	}
	return found[0], nil
}

func noPreset(id string) error {
	return &fault.Error{Kind: fault.NotFound, Say: fault.Say("preset.gone"), Err: fmt.Errorf("preset %.80q", id)}
}

// nameTaken reports whether another preset than id has a name that folds to key.
func nameTaken(ctx context.Context, q querier, key, id string) (bool, error) {
	var other string
	err := q.QueryRowContext(ctx, "SELECT id FROM presets WHERE name_key = $1 AND id <> $2 AND deleted_at = 0", key, id).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a preset of the same name: %w", err)
	}
	return true, nil
}

// insertVersion adds what p says as its version.
func insertVersion(ctx context.Context, tx *sql.Tx, p *Preset) error {
	flags, err := json.Marshal(p.Flags)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO preset_versions
		(preset, version, name, note, flags, by_issuer, by_subject, by_name, by_email, made_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		p.ID, p.Version, p.Name, p.Note, string(flags), p.By.Issuer, p.By.Subject, p.By.Name, p.By.Email, db.Micros(p.Changed))
	return err
}

// Versions returns what a preset said from its newest version back to its first,
// at most limit of them, also when it was deleted. It fails with fault.NotFound.
func (s *Store) Versions(ctx context.Context, id string, limit int) ([]*Preset, error) {
	switch {
	case id == Defaults:
		return []*Preset{builtIn}, nil
	case !isKey(wave.Key(id)):
		return nil, noPreset(id)
	}
	all, err := selectVersions(ctx, s.db.Read(), "WHERE v.preset = $1 ORDER BY v.version DESC LIMIT $2", id, limit)
	if err == nil && len(all) == 0 {
		err = noPreset(id)
	}
	return all, err
}

// Version returns one version of a preset, or fails with fault.NotFound.
func (s *Store) Version(ctx context.Context, id string, version int) (*Preset, error) {
	switch {
	case id == Defaults:
		return builtIn, nil
	case !isKey(wave.Key(id)):
		return nil, noPreset(id)
	}
	found, err := selectVersions(ctx, s.db.Read(), "WHERE v.preset = $1 AND v.version = $2", id, version)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noPreset(id)
	}
	return found[0], nil
}

// actor is by as rows keep it.
func actor(by auth.Actor) auth.Actor {
	by.Role = auth.NoRole
	return by
}

// userIDs keeps each account once, in the order given, without empty ones.
func userIDs(accounts []wave.UserID) []wave.UserID {
	seen := make(map[wave.UserID]bool, len(accounts))
	var out []wave.UserID
	for _, id := range accounts {
		if id != "" && !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
