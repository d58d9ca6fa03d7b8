package views

import (
	"context"

	"waveadmin/internal/auth"
	"waveadmin/internal/i18n"
)

// Prefs is how a person wants to see the pages. The zero Prefs follows the
// system and is comfortable.
type Prefs struct {
	Theme   string // "light", "dark" or "" for the system's
	Density string // "compact" or ""
}

type prefsKey struct{}

// WithPrefs returns a context whose pages look as p says.
func WithPrefs(ctx context.Context, p Prefs) context.Context {
	return context.WithValue(ctx, prefsKey{}, p)
}

// PrefsFrom returns the preferences of ctx.
func PrefsFrom(ctx context.Context) Prefs {
	p, _ := ctx.Value(prefsKey{}).(Prefs)
	return p
}

// t is i18n.T, short because templates are full of it.
func t(ctx context.Context, key string, args ...any) string { return i18n.T(ctx, key, args...) }

// mayModify reports whether the person who asks may change accounts.
func mayModify(ctx context.Context) bool { return auth.ActorFrom(ctx).MayModify() }
