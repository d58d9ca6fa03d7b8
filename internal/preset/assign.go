package preset

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// MaxAssign is how many accounts one call may name.
const MaxAssign = 500

// Assign makes accounts follow a preset, instead of the one that they followed, and
// returns how many were not assigned to this version of it before. Nothing is sent
// to Wave, and it is not checked that there are such accounts. It fails with
// fault.NotFound without the preset, and with fault.Invalid for more than MaxAssign.
func (s *Store) Assign(ctx context.Context, by auth.Actor, id string, accounts []wave.UserID) (n int, err error) {
	accounts = userIDs(accounts)
	if err := checkAccounts(accounts); err != nil {
		return 0, err
	}
	err = s.write(ctx, by, func(tx *sql.Tx) ([]Event, error) {
		p, err := get(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		as, err := among(ctx, tx, "preset = $1 AND version = $2", []any{p.ID, p.Version}, accounts)
		if err != nil {
			return nil, err
		}
		var others []wave.UserID
		for _, account := range accounts {
			if !as[account] {
				others = append(others, account)
			}
		}
		if n = len(others); n == 0 {
			return nil, errUnchanged
		}
		return []Event{{Step: Assigned, Preset: p, By: by, Accounts: others}}, s.insertAssigned(ctx, tx, p, actor(by), others)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (s *Store) insertAssigned(ctx context.Context, tx *sql.Tx, p *Preset, by auth.Actor, accounts []wave.UserID) error {
	args := []any{p.ID, p.Version, by.Issuer, by.Subject, by.Name, by.Email, db.Micros(s.moment())}
	rows := make([]string, len(accounts))
	for i, account := range accounts {
		args = append(args, string(account))
		rows[i] = fmt.Sprintf("($%d, $1, $2, $3, $4, $5, $6, $7)", len(args))
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO preset_assignments
		(account, preset, version, by_issuer, by_subject, by_name, by_email, assigned_at)
		VALUES `+strings.Join(rows, ", ")+`
		ON CONFLICT (account) DO UPDATE SET preset = excluded.preset, version = excluded.version, by_issuer = excluded.by_issuer,
			by_subject = excluded.by_subject, by_name = excluded.by_name, by_email = excluded.by_email, assigned_at = excluded.assigned_at`, args...)
	return err
}

// Unassign makes accounts follow no preset that followed this one, and returns how
// many did. Those that follow another one by now are left. It fails as Assign does.
func (s *Store) Unassign(ctx context.Context, by auth.Actor, id string, accounts []wave.UserID) (n int, err error) {
	accounts = userIDs(accounts)
	if err := checkAccounts(accounts); err != nil {
		return 0, err
	}
	err = s.write(ctx, by, func(tx *sql.Tx) ([]Event, error) {
		p, err := get(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		has, err := among(ctx, tx, "preset = $1", []any{p.ID}, accounts)
		if err != nil {
			return nil, err
		}
		var those []wave.UserID
		for _, account := range accounts {
			if has[account] {
				those = append(those, account)
			}
		}
		if n = len(those); n == 0 {
			return nil, errUnchanged
		}
		list, args := inList([]any{p.ID}, those)
		_, err = tx.ExecContext(ctx, "DELETE FROM preset_assignments WHERE preset = $1 AND account IN ("+list+")", args...)
		return []Event{{Step: Unassigned, Preset: p, By: by, Accounts: those}}, err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func checkAccounts(accounts []wave.UserID) error {
	if len(accounts) > MaxAssign {
		return &fault.Error{Kind: fault.Invalid, Say: fault.Say("preset.assign_many", "max", MaxAssign)}
	}
	for _, id := range accounts {
		if !printable(string(id), false) {
			return fault.New(fault.Invalid, fmt.Errorf("user id %.80q", id))
		}
	}
	return nil
}

// among returns those of accounts whose assignment is as where says.
func among(ctx context.Context, q querier, where string, args []any, accounts []wave.UserID) (map[wave.UserID]bool, error) {
	found := make(map[wave.UserID]bool)
	if len(accounts) == 0 {
		return found, nil
	}
	list, args := inList(args, accounts)
	rows, err := q.QueryContext(ctx, "SELECT account FROM preset_assignments WHERE "+where+" AND account IN ("+list+")", args...)
	if err != nil {
		return nil, fmt.Errorf("read which presets are assigned: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id wave.UserID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read which presets are assigned: %w", err)
		}
		found[id] = true
	}
	return found, rows.Err()
}

// inList returns places for accounts, and args with them.
func inList(args []any, accounts []wave.UserID) (string, []any) {
	places := make([]string, len(accounts))
	for i, account := range accounts {
		args = append(args, string(account))
		places[i] = fmt.Sprintf("$%d", len(args))
	}
	return strings.Join(places, ", "), args
}
