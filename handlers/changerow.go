package handlers

import (
	"context"
	"maps"
	"slices"

	"waveadmin/internal/change"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// originsOf returns the changes that those of list take back or restore, by ID.
func originsOf(ctx context.Context, h Origins, list []change.Change) (map[string]change.Change, error) {
	ids := make(map[string]bool)
	for _, c := range list {
		for _, id := range []string{c.UndoOf, c.RestoreOf} {
			if id != "" {
				ids[id] = true
			}
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return h.GetMany(ctx, slices.Collect(maps.Keys(ids)))
}

// maxLines is how many flags of a change stand in its row; the page of the change
// has all.
const maxLines = 8

// changeRows are the changes in words. Standing says of an account whether it can
// be changed by who asks.
func changeRows(ctx context.Context, list []change.Change, origins map[string]change.Change, standing func(wave.UserID) bool) []views.ChangeRow {
	rows := make([]views.ChangeRow, len(list))
	for i, c := range list {
		row := views.ChangeRow{
			ID: c.ID, At: c.Created, Who: c.Actor.Display(), Account: c.Account, Email: c.Email,
			What: what(ctx, c, origins), Outcome: string(c.State), Undecided: undecided(c), Reason: c.Reason,
			Lines: lines(ctx, c),
		}
		if c.Source == change.Outside {
			row.Seen = seenBetween(ctx, c)
			if !c.Since.IsZero() {
				row.Since = i18n.T(ctx, "history.since", "time", i18n.MomentShort(ctx, c.Since, c.Created))
			}
		}
		if c.Source == change.Bulk {
			row.Source = i18n.T(ctx, "source.bulk")
		}
		if row.More = len(row.Lines) - maxLines; row.More > 0 {
			row.Lines = row.Lines[:maxLines]
		}
		if standing(c.Account) {
			row.UndoURL, row.RestoreURL = backURLs(c)
		}
		rows[i] = row
	}
	return rows
}

// backURLs returns where c is taken back, and where its account goes back to its
// outcome, as far as it can be.
func backURLs(c change.Change) (undo, restore string) {
	if c.State != change.Done || c.After == nil {
		return "", ""
	}
	if c.Kind == change.Meta && c.Before != nil {
		undo = views.StageUndoURL(c.Account, c.ID)
	}
	if c.Kind == change.Meta || c.Kind == change.Create {
		restore = views.StageRestoreURL(c.Account, c.ID)
	}
	return undo, restore
}

// what says in a few words what c did.
func what(ctx context.Context, c change.Change, origins map[string]change.Change) string {
	if of, ok := origins[c.UndoOf]; ok {
		return aboutOrigin(ctx, "undo.of", of)
	}
	if of, ok := origins[c.RestoreOf]; ok {
		return aboutOrigin(ctx, "restore.of", of)
	}
	if c.Source == change.Outside {
		return i18n.T(ctx, "outside."+string(c.Kind), "count", len(c.Moved()), "from", c.EmailBefore, "to", c.Email)
	}
	return i18n.T(ctx, "history.kind_"+string(c.Kind), "count", len(c.Wanted))
}

// aboutOrigin is the sentence of a key about the change of, or that of the key with
// "_outside" if that was done outside.
func aboutOrigin(ctx context.Context, key string, of change.Change) string {
	if of.Source == change.Outside {
		key += "_outside"
	}
	return i18n.T(ctx, key, "time", i18n.DateTime(ctx, of.Created), "name", of.Actor.Display())
}

// seenBetween says when something was done outside.
func seenBetween(ctx context.Context, c change.Change) string {
	if c.Since.IsZero() {
		return i18n.T(ctx, "history.before", "time", i18n.DateTime(ctx, c.Created))
	}
	return i18n.T(ctx, "history.between", "from", i18n.DateTime(ctx, c.Since), "to", i18n.DateTime(ctx, c.Created))
}

// lines says what became of each flag, or what was wanted where nothing was sent.
func lines(ctx context.Context, c change.Change) []string {
	if c.Kind != change.Meta {
		return nil
	}
	var out []string
	for _, m := range c.Moved() {
		out = append(out, movedLine(ctx, m))
	}
	if len(out) > 0 {
		return out
	}
	for _, key := range slices.Sorted(maps.Keys(c.Wanted)) {
		out = append(out, i18n.T(ctx, "history.wanted", "label", views.FlagLabel(ctx, key),
			"to", i18n.T(ctx, "state."+wave.StateOf(c.Wanted[key]).String())))
	}
	return out
}

func movedLine(ctx context.Context, m wave.Moved) string {
	return i18n.T(ctx, "history.line", "label", views.FlagLabel(ctx, m.Key),
		"from", i18n.T(ctx, "state."+m.From.String()), "to", i18n.T(ctx, "state."+m.To.String()))
}
