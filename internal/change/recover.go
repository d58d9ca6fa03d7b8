package change

import (
	"context"
	"database/sql"
	"fmt"

	"waveadmin/internal/db"
)

// Recover ends what a process that died has left open: what was not sent failed,
// what may have been sent is in doubt. Where other servers may be at work, that is
// only what has a lease that is over; see Expire. Call it at start, before the
// first Open.
func (l *Ledger) Recover(ctx context.Context) (failed, inDoubt int64, err error) {
	err = l.db.Write(ctx, func(tx *sql.Tx) (err error) {
		if l.db.Exclusive() {
			failed, inDoubt, err = l.abandon(ctx, tx, serverStopped, "1 = 1")
		} else {
			failed, inDoubt, err = l.abandon(ctx, tx, serverStopped, "lease_until < $3", db.Micros(l.moment()))
		}
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("recover changes: %w", err)
	}
	return failed, inDoubt, nil
}

const serverStopped = "the server stopped"

// Expire renews the leases of the changes that this process works on, and ends
// all others whose lease is over as Recover does: their outcome could not be
// recorded, or their process died. Nothing is sent, and what it decides stands:
// a process that was only asleep can take no further step with them. Call it at
// least three times a lease. The clocks of servers must not be further apart than
// a third of one.
func (l *Ledger) Expire(ctx context.Context, working []string) (failed, inDoubt int64, err error) {
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		now := l.moment()
		for _, id := range working {
			if _, err := tx.ExecContext(ctx, "UPDATE changes SET lease_until = $1 WHERE id = $2 AND lease_owner = $3",
				db.Micros(now.Add(leaseTime)), id, l.owner); err != nil {
				return err
			}
		}
		ownFailed, ownInDoubt, err := l.abandon(ctx, tx, "its outcome could not be recorded",
			"lease_owner = $3 AND lease_until < $4", l.owner, db.Micros(now))
		if err != nil {
			return err
		}
		failed, inDoubt, err = l.abandon(ctx, tx, serverStopped, "lease_until < $3", db.Micros(now))
		failed, inDoubt = failed+ownFailed, inDoubt+ownInDoubt
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("end changes that nobody works on: %w", err)
	}
	return failed, inDoubt, nil
}

// abandon ends the open changes that where selects, whose arguments start at $3.
func (l *Ledger) abandon(ctx context.Context, tx *sql.Tx, why, where string, args ...any) (failed, inDoubt int64, err error) {
	exec := func(query string, first ...any) (n int64) {
		if err != nil {
			return 0
		}
		var ended []Change
		ended, err = queryAll(ctx, tx, query+" AND "+where+" RETURNING "+columns, append(first, args...)...)
		for _, c := range ended {
			if err == nil {
				err = l.record(ctx, tx, c)
			}
		}
		return int64(len(ended))
	}
	failed = exec(`UPDATE changes SET state = 'failed', lock_key = NULL, fault = 'unavailable', detail = $1, finished_at = $2, lease_owner = '', lease_until = 0
		WHERE state = 'running'`, why+" before it was sent", db.Micros(l.moment()))
	inDoubt = exec(`UPDATE changes SET state = 'in_doubt', lock_key = `+keptInDoubt+`, fault = 'uncertain', detail = $1, finished_at = $2, lease_owner = '', lease_until = 0
		WHERE state = 'sent'`, why+" before it was answered", 0)
	return failed, inDoubt, err
}
