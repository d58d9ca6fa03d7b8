package handlers

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"

	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// conflictProps is what moved and what the person wants, to choose from.
func conflictProps(ctx context.Context, c reseller.MetaChange, e *reseller.ConflictError) *views.ConflictProps {
	p := &views.ConflictProps{Why: i18n.T(ctx, "conflict."+string(e.Why), "name", e.Holder)}
	for _, m := range e.Merged.Apply {
		p.Rows = append(p.Rows, views.ConflictRow{
			Key: m.Key, Label: views.FlagLabel(ctx, m.Key), Seen: c.Seen[m.Key], Now: m.From, Touched: true, Mine: m.To,
		})
	}
	for _, o := range e.Others {
		p.Rows = append(p.Rows, views.ConflictRow{
			Key: o.Key, Label: views.FlagLabel(ctx, o.Key), Seen: o.From, Now: o.To, By: byWhom(ctx, o),
		})
	}
	return p
}

// undoMovedProps is what an undo would take back and what it would leave. The
// rest is undone by the same address.
func undoMovedProps(ctx context.Context, id wave.UserID, changeID string, e *reseller.ConflictError) *views.UndoMovedProps {
	p := &views.UndoMovedProps{
		Why:     i18n.T(ctx, "conflict."+string(e.Why)),
		RestURL: views.UndoRestURL(id, changeID),
	}
	for _, m := range e.Merged.Apply {
		p.Back = append(p.Back, movedLine(ctx, m))
	}
	for _, o := range e.Others {
		p.Stays = append(p.Stays, views.StaysLine{Line: movedLine(ctx, o.Moved), By: byWhom(ctx, o)})
	}
	return p
}

// byWhom says who moved a flag and when.
func byWhom(ctx context.Context, o reseller.Other) string {
	switch {
	case o.By == "" && o.At.IsZero():
		return i18n.T(ctx, "conflict.outside")
	case o.By == "":
		return i18n.T(ctx, "undo.since_outside", "time", i18n.Moment(ctx, o.At, time.Now()))
	}
	return i18n.T(ctx, "conflict.by", "name", o.By, "time", i18n.Moment(ctx, o.At, time.Now()))
}

// includedLines names what others changed meanwhile: a sentence for each of them.
func includedLines(ctx context.Context, others []reseller.Other) []string {
	var lines, authors []string
	for _, o := range others {
		if slices.Contains(authors, o.By) {
			continue
		}
		authors = append(authors, o.By)
		var flags []string
		var last time.Time
		for _, same := range others {
			if same.By != o.By {
				continue
			}
			flags = append(flags, i18n.T(ctx, "save.included_flag",
				"label", views.FlagLabel(ctx, same.Key), "state", i18n.T(ctx, "state."+same.To.String())))
			if same.At.After(last) {
				last = same.At
			}
		}
		key := "save.included"
		if o.By == "" {
			key = "save.included_outside"
		}
		lines = append(lines, i18n.T(ctx, key, "count", len(flags), "name", o.By,
			"time", i18n.Moment(ctx, last, time.Now()), "flags", i18n.Join(ctx, flags)))
	}
	return lines
}

// accountGone shows the form as the person sent it, though its account is gone,
// with who deleted it and the edits as text: they would be lost with the page.
func (h *Account) accountGone(w http.ResponseWriter, r *http.Request, c reseller.MetaChange, e *reseller.GoneError) error {
	ctx := r.Context()
	snapshot, err := h.Directory.Current(ctx)
	if err != nil {
		return err
	}
	account := e.Account
	account.Meta = asSeen(account.Meta, c.Seen)
	form := h.permForm(ctx, account, snapshot)
	form.Staged, form.Reason = c.Want, c.Reason
	form.Gone = &views.GoneProps{
		Why: i18n.T(ctx, "conflict.gone"), Lines: wantedLines(ctx, c, account), AgainURL: h.againURL(ctx, account.UserID),
	}
	if e.By != "" {
		form.Gone.Why = i18n.T(ctx, "conflict.gone_by", "name", e.By, "time", i18n.Moment(ctx, e.At, time.Now()))
	}
	var page templ.Component = views.PermForm(form)
	if !hx.WantsFragment(r) {
		fresh := fresh(h.Directory, snapshot, r.URL)
		fresh.ReturnTo = views.ResellersURL
		page = views.AccountPage(views.AccountProps{Account: account, Fresh: fresh, Failed: true}, form)
	}
	return views.Render(w, r, http.StatusConflict, page)
}

// asSeen returns meta as the person saw it, from which the edits start.
func asSeen(meta wave.Meta, seen wave.Seen) wave.Meta {
	for key, state := range seen {
		if state == wave.On || state == wave.Off && meta.State(key) != wave.Odd {
			meta = meta.With(key, state == wave.On)
		}
	}
	return meta
}

// wantedLines are the edits of c as text, with the account and the reason: for
// whoever issues it again.
func wantedLines(ctx context.Context, c reseller.MetaChange, asSeen wave.Reseller) []string {
	moved := wave.Merge(nil, c.Want, asSeen.Meta).Apply
	if len(moved) == 0 {
		return nil
	}
	lines := []string{asSeen.Email}
	for _, m := range moved {
		lines = append(lines, movedLine(ctx, m))
	}
	if c.Reason != "" {
		lines = append(lines, i18n.T(ctx, "conflict.gone_reason", "reason", c.Reason))
	}
	return lines
}
