package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"waveadmin/internal/audit"
	"waveadmin/internal/auth"
	"waveadmin/internal/config"
	"waveadmin/internal/db"
)

// Sessions returns everyone's sessions that are not over, the last seen first, also
// beside the server.
func Sessions(ctx context.Context, cfg config.Config) (all []auth.Session, err error) {
	err = withSessions(ctx, cfg, func(a *auth.Auth) error {
		all, err = a.AllSessions(ctx)
		return err
	})
	return all, err
}

// EndSessions ends the sessions that name names, a key, an email or a subject, also
// beside the servers, which refuse them from the next request on. It returns what it
// ended. By says in the audit log who gave the command.
func EndSessions(ctx context.Context, cfg config.Config, name, by string) (ended []auth.Session, err error) {
	if name == "" {
		return nil, fmt.Errorf("%w: whose sessions?", ErrUsage)
	}
	err = withSessions(ctx, cfg, func(a *auth.Auth) error {
		ended, err = a.EndNamed(ctx, name, by)
		return err
	})
	return ended, err
}

// withSessions calls do with the sessions of the database of cfg.
func withSessions(ctx context.Context, cfg config.Config, do func(*auth.Auth) error) (err error) {
	d, err := db.OpenBeside(ctx, cfg.Database.URL.Reveal())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	o := Options{Log: slog.New(slog.DiscardHandler), Now: time.Now}
	log, err := audit.New(d, audit.Options{Secrets: cfg.Session.Keys(), Now: o.Now, Log: o.Log})
	if err != nil {
		return err
	}
	a, err := auth.New(authConfig(cfg, o, log), d)
	if err != nil {
		return err
	}
	return do(a)
}
