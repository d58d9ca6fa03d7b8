package handlers

import (
	"context"
	"net/http"

	"waveadmin/internal/auth"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// stage lays over the form what its address asks for: undo=… what takes a change
// back, restore=… what brings the account back to the outcome of one. Saving it is
// an ordinary save.
func (h *Account) stage(r *http.Request, form *views.PermFormProps) error {
	query := r.URL.Query()
	p, staged, err := h.takeBack(r.Context(), form.Account.UserID, query.Get("undo"), query.Get("restore"))
	if err != nil || p == nil {
		return err
	}
	form.TakeBack, form.Staged = p, staged
	return nil
}

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
	p := &views.TakeBackProps{Of: views.ChangeURL(plan.Of.ID, ""), Staged: len(plan.Stage)}
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
