package preset

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

const (
	promiseEvery = 10 * time.Second
	promiseRest  = 500 * time.Millisecond // between looks, however much they hurry
	promiseFresh = 10 * time.Minute       // within this the creation may still begin
	promiseLasts = 7 * 24 * time.Hour     // longer no promise is kept
)

// An Outcome tells what became of the creation with that submit id: its account, or an
// empty one while there is none. Over says that there will be none.
type Outcome func(ctx context.Context, submitID string) (account wave.UserID, over bool, err error)

// Promise records that the account which is being created under submitID is to follow
// a preset. The same again replaces it. It fails with fault.NotFound and
// fault.Forbidden.
func (s *Store) Promise(ctx context.Context, by auth.Actor, submitID, id string) error {
	if !by.MayModify() {
		return &fault.Error{Kind: fault.Forbidden, Say: fault.Say("error.forbidden_editor")}
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := get(ctx, tx, id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO preset_promises (submit_id, preset, by_issuer, by_subject, by_name, by_email, made_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (submit_id) DO UPDATE SET preset = excluded.preset, by_issuer = excluded.by_issuer, by_subject = excluded.by_subject,
				by_name = excluded.by_name, by_email = excluded.by_email, made_at = excluded.made_at`,
			submitID, id, by.Issuer, by.Subject, by.Name, by.Email, db.Micros(s.moment()))
		return err
	})
}

// Redeem assigns what was promised under submitID to the account, and ends the promise.
// Without one it does nothing. An account that follows a preset by now keeps that.
func (s *Store) Redeem(ctx context.Context, submitID string, account wave.UserID) error {
	all, err := s.promises(ctx, "WHERE submit_id = $1", submitID)
	if err != nil || len(all) == 0 {
		return err
	}
	return s.redeem(ctx, all[0], account)
}

func (s *Store) redeem(ctx context.Context, p promise, account wave.UserID) error {
	if _, follows := s.Book().Of(account); !follows {
		p.by.Role = auth.Editor // as who promised it was then
		if _, err := s.Assign(ctx, p.by, p.preset, []wave.UserID{account}); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return s.Withdraw(ctx, p.submitID)
}

// Withdraw ends a promise.
func (s *Store) Withdraw(ctx context.Context, submitID string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM preset_promises WHERE submit_id = $1", submitID)
		return err
	})
}

// Hurry lets KeepPromises look now: an account is there that may have been promised
// something. It never blocks.
func (s *Store) Hurry() {
	select {
	case s.hurry <- struct{}{}:
	default: // it is about to look
	}
}

// KeepPromises redeems what was promised once the accounts are there, until ctx ends: at
// once when Hurry says so, and of an answer that was lost, a server that died, a database
// that was away within promiseEvery.
func (s *Store) KeepPromises(ctx context.Context, log *slog.Logger, created Outcome) {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := s.keep(ctx, created); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "a preset that was promised to a new account could not be assigned", "err", err)
		}
		rest(ctx, promiseRest) // many accounts come together: they are assigned together
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-s.hurry:
		}
	}
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// kept is a promise whose account is there.
type kept struct {
	promise
	account wave.UserID
}

// keep looks at each promise once, and returns the last error.
func (s *Store) keep(ctx context.Context, created Outcome) error {
	all, err := s.promises(ctx, "")
	there := make(map[promise][]kept) // by what is promised, and by whom
	for _, p := range all {
		account, over, failed := created(ctx, p.submitID)
		age := s.moment().Sub(p.at)
		switch {
		case failed != nil:
		case account != "":
			same := promise{preset: p.preset, by: p.by}
			there[same] = append(there[same], kept{p, account})
		case over && age > promiseFresh || age > promiseLasts:
			failed = s.Withdraw(ctx, p.submitID)
		}
		if failed != nil {
			err = failed
		}
	}
	for same, list := range there {
		for part := range slices.Chunk(list, MaxAssign) {
			if failed := s.redeemAll(ctx, same, part); failed != nil {
				err = failed
			}
		}
	}
	return err
}

// redeemAll is redeem of many that were promised the same by the same person, at most
// MaxAssign.
func (s *Store) redeemAll(ctx context.Context, same promise, list []kept) error {
	var accounts []wave.UserID
	for _, k := range list {
		if _, follows := s.Book().Of(k.account); !follows {
			accounts = append(accounts, k.account)
		}
	}
	same.by.Role = auth.Editor // as who promised it was then
	_, err := s.Assign(ctx, same.by, same.preset, accounts)
	switch {
	case err == nil || fault.Is(err, fault.NotFound):
	case fault.Is(err, fault.Invalid) && len(list) > 1: // one of them is odd, and the others are not
		for _, k := range list {
			if failed := s.redeem(ctx, k.promise, k.account); failed != nil {
				err = failed
			}
		}
		return err
	default:
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		args, places := make([]any, len(list)), make([]string, len(list))
		for n, k := range list {
			args[n], places[n] = k.submitID, fmt.Sprintf("$%d", n+1)
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM preset_promises WHERE submit_id IN ("+strings.Join(places, ", ")+")", args...)
		return err
	})
}

type promise struct {
	submitID, preset string
	by               auth.Actor
	at               time.Time
}

func (s *Store) promises(ctx context.Context, where string, args ...any) ([]promise, error) {
	rows, err := s.db.Read().QueryContext(ctx,
		"SELECT submit_id, preset, by_issuer, by_subject, by_name, by_email, made_at FROM preset_promises "+where+" ORDER BY made_at", args...)
	if err != nil {
		return nil, fmt.Errorf("read promised presets: %w", err)
	}
	defer rows.Close()
	var all []promise
	for rows.Next() {
		var p promise
		var at int64
		if err := rows.Scan(&p.submitID, &p.preset, &p.by.Issuer, &p.by.Subject, &p.by.Name, &p.by.Email, &at); err != nil {
			return nil, fmt.Errorf("read promised presets: %w", err)
		}
		p.at = db.Time(at)
		all = append(all, p)
	}
	return all, rows.Err()
}
