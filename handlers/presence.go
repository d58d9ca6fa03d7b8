package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/presence"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Presence is the part of presence.Store that pages need.
type Presence interface {
	Editing(ctx context.Context, account wave.UserID, who auth.Actor) error
	Done(ctx context.Context, account wave.UserID, who auth.Actor) error
	Others(ctx context.Context, account wave.UserID, who auth.Actor) ([]presence.Editor, error)
}

// Ping answers POST /resellers/{userID}/presence, which an open page of the account
// sends by itself, with who else is editing it. The field editing says whether the
// page has unsaved edits: "on" while it has, "off" once it has no more, and nothing
// when it never had. That of a viewer is ignored. It asks Wave nothing.
func (h *Account) Ping(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	snapshot := h.Directory.Last()
	if snapshot == nil {
		return fault.New(fault.Unavailable, errors.New("no list of accounts yet"))
	}
	account, ok := snapshot.Get(userID(r))
	if !ok || account.Flaw != wave.NoFlaw {
		return &fault.Error{Kind: fault.NotFound, Say: fault.Say("error.no_account")}
	}
	actor := auth.ActorFrom(ctx)
	if actor.MayModify() {
		var err error
		switch r.PostFormValue("editing") {
		case "on":
			err = h.Presence.Editing(ctx, account.UserID, actor)
		case "off":
			err = h.Presence.Done(ctx, account.UserID, actor)
		}
		if err != nil {
			return err
		}
	}
	others, err := h.Presence.Others(ctx, account.UserID, actor)
	if err != nil {
		return err
	}
	return views.Render(w, r, http.StatusOK, views.PresenceLine(presenceText(ctx, others)))
}

// present returns who else is editing, for a page of the account, or nil for one
// that nobody can edit. A page does not fail for it: the next ping will tell.
func (h *Account) present(ctx context.Context, account wave.Reseller) *views.PresenceProps {
	if account.Flaw != wave.NoFlaw {
		return nil
	}
	p := &views.PresenceProps{URL: views.AccountURL(account.UserID, "presence")}
	if others, err := h.Presence.Others(ctx, account.UserID, auth.ActorFrom(ctx)); err == nil {
		p.Text = presenceText(ctx, others)
	}
	return p
}

func presenceText(ctx context.Context, others []presence.Editor) string {
	now := time.Now()
	switch len(others) {
	case 0:
		return ""
	case 1:
		return i18n.T(ctx, "presence.one", "name", others[0].Name, "time", i18n.MomentShort(ctx, others[0].Since, now))
	}
	names := make([]string, len(others))
	for i, o := range others {
		names[i] = i18n.T(ctx, "presence.item", "name", o.Name, "time", i18n.MomentShort(ctx, o.Since, now))
	}
	return i18n.T(ctx, "presence.many", "count", len(others), "names", i18n.Join(ctx, names))
}
