package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const (
	listenPause = 5 * time.Second  // before a connection that broke is made again
	listenTrial = 5 * time.Second  // for our own word to come back to us
	listenClose = 5 * time.Second  // to say goodbye, which nobody may hear
	listenAgain = 10 * time.Minute // before what did not come back is tried again

	followEvery = 2 * time.Second
	followRest  = 100 * time.Millisecond // a run of thousands notifies with each change
)

// Notify tells who listens on a channel, on all servers, once tx is committed.
// Where no other process can have the database it does nothing.
func (d *DB) Notify(ctx context.Context, tx *sql.Tx, channel string) error {
	if d.pg == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SELECT pg_notify($1, '')", channel)
	return err
}

// Tell tells who listens on a channel at once, and waits for no other writer. Where no
// other process can have the database it does nothing.
func (d *DB) Tell(ctx context.Context, channel string) error {
	if d.aside == nil {
		return nil
	}
	_, err := d.aside.ExecContext(ctx, "SELECT pg_notify($1, '')", channel)
	return err
}

// Follow calls look at once, soon after each notification on a channel, once for those
// that come together, and every two seconds besides, as behind a pooler notifications reach nobody. It returns
// when ctx ends; an error of look is logged. Where no other process can have the
// database it only waits.
func (d *DB) Follow(ctx context.Context, channel string, log *slog.Logger, look func(context.Context) error) {
	if d.Exclusive() {
		<-ctx.Done()
		return
	}
	wake := make(chan struct{}, 1)
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() {
		d.Listen(ctx, channel, log, func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
	})
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		if err := look(ctx); err != nil && ctx.Err() == nil {
			log.Warn("what other servers did could not be read", "channel", channel, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(followRest):
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-ticker.C:
		}
	}
}

// errDeaf says that notifications do not reach us: a pooler in transaction mode
// takes the connection away that listens.
var errDeaf = errors.New("notifications of PostgreSQL do not arrive here, as behind a pooler")

// Listen calls fn, which must not block, for each notification on a channel and
// each time it begins to listen, until ctx ends. It holds one connection. It is
// only a hint: where notifications do not arrive fn is hardly called, so look for
// yourself now and then.
func (d *DB) Listen(ctx context.Context, channel string, log *slog.Logger, fn func()) {
	if d.pg == nil {
		<-ctx.Done()
		return
	}
	for ctx.Err() == nil {
		err := d.listen(ctx, channel, fn)
		pause := listenPause
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errDeaf):
			pause = listenAgain
			log.Info("other servers are asked every few seconds", "why", err)
		default:
			log.Warn("the connection that listens to other servers broke", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (d *DB) listen(ctx context.Context, channel string, fn func()) error {
	conn, err := pgx.ConnectConfig(ctx, d.pg.Copy())
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenClose)
		defer cancel()
		_ = conn.Close(ctx) // it may be dead already
	}()
	// A channel of our own first, on which only we speak: does it come back?
	own := "waveadmin_" + uuid.NewString()
	for _, name := range []string{own, channel} {
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{name}.Sanitize()); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	if err := d.hearsItself(ctx, conn, own); err != nil {
		return err
	}
	for {
		fn()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}

// hearsItself speaks through the pool and waits for it on conn.
func (d *DB) hearsItself(ctx context.Context, conn *pgx.Conn, own string) error {
	if err := d.Write(ctx, func(tx *sql.Tx) error { return d.Notify(ctx, tx, own) }); err != nil {
		return err
	}
	trial, cancel := context.WithTimeout(ctx, listenTrial)
	defer cancel()
	for {
		n, err := conn.WaitForNotification(trial)
		if err != nil && trial.Err() != nil && ctx.Err() == nil {
			return errDeaf
		}
		if err != nil {
			return err
		}
		if n.Channel == own {
			_, err := conn.Exec(ctx, "UNLISTEN "+pgx.Identifier{own}.Sanitize())
			return err
		}
	}
}
