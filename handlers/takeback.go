package handlers

import (
	"context"

	"waveadmin/internal/auth"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// takeBack returns the panel of an undo or a restore, with what it stages, or
// nothing when neither is named.
func (h *Account) takeBack(ctx context.Context, id wave.UserID, undo, restore string) (*views.TakeBackProps, wave.Wanted, error) {
	actor := auth.ActorFrom(ctx)
	switch {
	case undo != "":
		plan, err := h.Service.PlanUndo(ctx, actor, id, undo)
		if err != nil {
			return nil, nil, err
		}
		p := takeBackProps(ctx, plan)
		p.UndoOf = undo
		p.Title, p.Nothing = aboutOrigin(ctx, "undo.of", plan.Of), i18n.T(ctx, "undo.nothing")
		return p, plan.Stage, nil
	case restore != "":
		plan, err := h.Service.PlanRestore(ctx, actor, id, restore)
		if err != nil {
			return nil, nil, err
		}
		p := takeBackProps(ctx, plan)
		p.RestoreOf = restore
		p.Title, p.Nothing = aboutOrigin(ctx, "restore.to", plan.Of), i18n.T(ctx, "restore.nothing")
		return p, plan.Stage, nil
	}
	return nil, nil, nil
}

func takeBackProps(ctx context.Context, plan reseller.TakeBack) *views.TakeBackProps {
	p := &views.TakeBackProps{
		Of: views.ChangeURL(plan.Of.ID, ""), Look: i18n.T(ctx, "again.look"), Then: i18n.T(ctx, "undo.then"), Staged: len(plan.Stage),
	}
	for _, f := range plan.Flags {
		row := views.TakeBackRow{
			Label: views.FlagLabel(ctx, f.Key), Then: f.Then, Now: f.Now, Will: f.Now,
			Stays: f.Stays != "", Since: sinceText(ctx, f),
		}
		if on, ok := plan.Stage[f.Key]; ok {
			row.Will = wave.StateOf(on)
		}
		if f.Stays != "" {
			row.Why = i18n.T(ctx, "stays."+string(f.Stays))
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

// sinceText says who moved a flag since the change, and when.
func sinceText(ctx context.Context, f reseller.BackFlag) string {
	switch {
	case f.Outside && f.At.IsZero():
		return i18n.T(ctx, "history.outside")
	case f.Outside:
		return i18n.T(ctx, "undo.since_outside", "time", i18n.DateTime(ctx, f.At))
	case f.By != "":
		return i18n.T(ctx, "undo.since_by", "name", f.By, "time", i18n.DateTime(ctx, f.At))
	}
	return ""
}
