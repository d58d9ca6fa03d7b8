package handlers

import (
	"context"

	"waveadmin/internal/wave"
	"waveadmin/views"
)

// followed is the preset that is assigned to an account, or nil.
func followed(ctx context.Context, book Book, account wave.Reseller) *views.FollowedProps {
	now := book.Book()
	assigned, ok := now.Of(account.UserID)
	p := now.PresetOf(account.UserID)
	if !ok || p == nil {
		return nil
	}
	return &views.FollowedProps{
		ID: p.ID, Name: presetName(ctx, p), Version: p.Version, Flags: p.Flags,
		Assigned: assigned.Version, By: assigned.By.Display(), At: assigned.At,
		Drift: p.DriftCount(account.Meta),
	}
}
