package handlers

import (
	"context"
	"net/http"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// gone answers with what is recorded of an account that the newest list lacks, or
// returns missing when nothing is.
func (h *Account) gone(w http.ResponseWriter, r *http.Request, status int, missing error) error {
	ctx := r.Context()
	history, err := h.Service.History(ctx, userID(r), historyLimit+1)
	if err != nil {
		return err
	}
	if len(history) == 0 {
		return missing
	}
	p := views.GonePageProps{
		UserID: userID(r), Email: history[0].Email, Sentence: goneSentence(ctx, history),
		History: views.HistoryProps{More: len(history) > historyLimit},
	}
	history = history[:min(len(history), historyLimit)]
	if p.History.Changes, err = h.rows(ctx, history, false); err != nil {
		return err
	}
	if c, had := seedIn(history); had != nil {
		p.Groups = onByGroup(ctx, *had)
		if auth.ActorFrom(ctx).MayModify() {
			p.AgainURL = views.IssueAgainURL(c.ID)
		}
	}
	return views.Render(w, r, status, views.GonePage(p))
}

// seedIn returns the newest change that tells with which flags its account can be
// issued again, and those; nil for none.
func seedIn(newestFirst []change.Change) (change.Change, *wave.Meta) {
	for _, c := range newestFirst {
		if had := seedOf(c); had != nil {
			return c, had
		}
	}
	return change.Change{}, nil
}

// againURL returns where an account that is gone is issued again: filled in, as far
// as it is on record.
func (h *Account) againURL(ctx context.Context, id wave.UserID) string {
	history, err := h.Service.History(ctx, id, historyLimit)
	if c, had := seedIn(history); err == nil && had != nil {
		return views.IssueAgainURL(c.ID)
	}
	return views.NewURL
}

// goneSentence says who deleted the account, as far as that is known.
func goneSentence(ctx context.Context, newestFirst []change.Change) string {
	for _, c := range newestFirst {
		switch {
		case c.Kind != change.Delete || c.State != change.Done:
		case c.Source == change.Outside:
			return i18n.T(ctx, "gone.outside", "between", seenBetween(ctx, c))
		default:
			return i18n.T(ctx, "gone.by", "name", c.Actor.Display(), "time", i18n.DateTime(ctx, c.Finished))
		}
	}
	return i18n.T(ctx, "gone.unknown")
}

// onByGroup names the flags of m that are on, under their headings.
func onByGroup(ctx context.Context, m wave.Meta) []views.OnGroup {
	var out []views.OnGroup
	for _, g := range views.Grid(ctx, m, nil) {
		group := views.OnGroup{Label: g.Label}
		for _, f := range g.Flags {
			if f.On {
				group.Flags = append(group.Flags, f.Label)
			}
		}
		if len(group.Flags) > 0 {
			out = append(out, group)
		}
	}
	return out
}

// rows are the changes of an account in words; standing says whether it can be
// changed by who asks.
func (h *Account) rows(ctx context.Context, list []change.Change, standing bool) ([]views.ChangeRow, error) {
	origins, err := originsOf(ctx, h.Changes, list)
	if err != nil {
		return nil, err
	}
	return changeRows(ctx, list, origins, func(wave.UserID) bool { return standing }), nil
}
