package handlers

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// facts are what is recorded of c besides its flags and its outcome.
func facts(ctx context.Context, c change.Change) []views.Fact {
	var out []views.Fact
	add := func(label, value string, mono bool) {
		if value != "" {
			out = append(out, views.Fact{Label: i18n.T(ctx, label), Value: value, Mono: mono})
		}
	}
	outside := c.Source == change.Outside
	if outside {
		add("history.who", i18n.T(ctx, "history.outside"), false)
		add("history.when", seenBetween(ctx, c), false)
	} else {
		add("history.who", c.Actor.Display(), false)
		add("change.asked", i18n.Full(ctx, c.Created), false)
		add("change.sent", i18n.Full(ctx, c.SentAt), false)
		if age, known := c.ListAge(); known {
			add("change.list", i18n.T(ctx, "change.list_age", "seconds", fmt.Sprintf("%.1f", age.Seconds())), false)
		}
		add("export.finished", i18n.Full(ctx, c.Finished), false)
	}
	add("changes.kind", i18n.T(ctx, "kind."+string(c.Kind)), false)
	add("export.source", i18n.T(ctx, "source."+string(c.Source)), false)
	add("history.reason", c.Reason, false)
	if c.Kind == change.Email {
		add("change.email_before", c.EmailBefore, false)
	}
	if c.Input != "" {
		key := "password.custom"
		if c.Input == wave.Auto {
			key = "password.auto"
		}
		add("password.label", i18n.T(ctx, key), false)
		notify := "change.not_notified"
		if c.Notify {
			notify = "change.notified"
		}
		add("change.notify", i18n.T(ctx, notify), false)
	}
	if c.Decided.By.Subject != "" {
		add("export.decided_by", c.Decided.By.Display(), false)
		add("export.decided_reason", c.Decided.Reason, false)
	}
	add("details.user_id", string(c.Account), true)
	add("col.company", c.Company, true)
	add("export.id", c.ID, true)
	return out
}

// links lead to the bulk change that c is a part of, to what c takes back or restores, and to what did that to c.
func links(ctx context.Context, c change.Change, origins map[string]change.Change, following []change.Change) []views.Link {
	var out []views.Link
	if c.RunID != "" {
		out = append(out, views.Link{Text: i18n.T(ctx, "change.of_bulk"), URL: views.BulkURL(c.RunID)})
	}
	for _, id := range []string{c.UndoOf, c.RestoreOf} {
		if of, ok := origins[id]; ok {
			out = append(out, views.Link{Text: aboutOrigin(ctx, "change.of", of), URL: views.ChangeURL(id, "")})
		}
	}
	for _, f := range following {
		key := "change.restored_by"
		if f.UndoOf == c.ID {
			key = "change.undone_by"
		}
		out = append(out, views.Link{
			Text: i18n.T(ctx, key, "time", i18n.DateTime(ctx, f.Created), "name", f.Actor.Display(),
				"outcome", views.OutcomeLabel(ctx, string(f.State), undecided(f))),
			URL: views.ChangeURL(f.ID, ""),
		})
	}
	return out
}

// means says what the outcome of c means.
func means(ctx context.Context, c change.Change) string {
	switch {
	case c.Source == change.Outside:
		return i18n.T(ctx, "means.outside")
	case c.Decided.By.Subject != "" && c.State == change.Done:
		return i18n.T(ctx, "means.decided_done", "name", c.Decided.By.Display())
	case c.Decided.By.Subject != "":
		return i18n.T(ctx, "means.decided_failed", "name", c.Decided.By.Display())
	case undecided(c):
		return i18n.T(ctx, "means.undecided")
	}
	return i18n.T(ctx, "means."+string(c.State))
}

// whyNot is the sentence of the fault that ended c, or nothing.
func whyNot(ctx context.Context, c change.Change) string {
	for _, kind := range fault.Kinds {
		if kind.String() == c.Fault && c.Decided.By.Subject == "" {
			return i18n.T(ctx, "error."+c.Fault)
		}
	}
	return ""
}

// changeFlags are the flags that c is about: those that moved, or were wanted where
// nothing was sent; of a creation and a deletion those that are on.
func changeFlags(ctx context.Context, c change.Change) ([]views.ChangeFlag, views.FlagColumns) {
	var out []views.ChangeFlag
	add := func(key wave.Key, f views.ChangeFlag) {
		f.Label = views.FlagLabel(ctx, key)
		out = append(out, f)
	}
	switch {
	case c.Kind == change.Create && c.After != nil:
		for _, key := range onKeys(*c.After) {
			add(key, views.ChangeFlag{After: wave.On})
		}
		return out, views.FlagColumns{After: true}
	case c.Kind == change.Delete && c.Before != nil:
		for _, key := range onKeys(*c.Before) {
			add(key, views.ChangeFlag{Before: wave.On})
		}
		return out, views.FlagColumns{Before: true}
	case len(c.Moved()) > 0:
		for _, m := range c.Moved() {
			add(m.Key, views.ChangeFlag{Before: m.From, After: m.To, Wanted: m.To})
		}
		if c.State != change.Done {
			return out, views.FlagColumns{Before: true, Wanted: true}
		}
		return out, views.FlagColumns{Before: true, After: true}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Wanted)) {
		add(key, views.ChangeFlag{Wanted: wave.StateOf(c.Wanted[key])})
	}
	return out, views.FlagColumns{Wanted: true}
}

// onKeys returns the flags of m that are on, those of the catalogue first.
func onKeys(m wave.Meta) []wave.Key {
	var keys []wave.Key
	for key := range m.All() {
		if m.On(key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// seedOf returns the flags with which the account of c can be issued again, or nil.
func seedOf(c change.Change) *wave.Meta {
	switch {
	case c.State != change.Done:
		return nil
	case c.Kind == change.Delete:
		return c.Before
	case c.Kind == change.Create || c.Kind == change.Meta:
		return c.After
	}
	return nil
}
