package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"waveadmin/internal/bulk"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sheet"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// CSV answers GET /bulk/{planID}/result.csv: what became of each account.
func (h *Bulk) CSV(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("planID")
	at, err := h.Plans.Progress(ctx, id)
	if err != nil {
		return err
	}
	if err := h.Exports.RecordExport(ctx, "run.csv", map[string]string{"run": id}, at.Counts.Total()); err != nil {
		return fmt.Errorf("nothing was exported: %w", err)
	}
	name := "bulk-" + cmp.Or(at.Run.Started, at.Run.Asked).In(i18n.Zone(ctx)).Format("20060102-1504") + ".csv"
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "no-store")
	if err := h.writeResult(ctx, w, id); err != nil {
		if ctx.Err() != nil {
			panic(http.ErrAbortHandler) // nobody waits for the rest
		}
		// The answer has begun: web cuts it, so that nobody takes it for whole.
		panic(fmt.Errorf("export of a run: %w", err))
	}
	return nil
}

// resultColumns are the columns of the file: keys that stay, each with its name in the
// language of the reader.
var resultColumns = []struct{ key, name string }{
	{"account", "details.user_id"},
	{"email", "col.email"},
	{"billing_group", "col.billing_group"},
	{"outcome", "history.outcome"},
	{"detail", "bulk.detail"},
	{"flags", "export.flags"},
	{"finished", "export.finished"},
	{"change", "export.id"},
}

// writeResult sends a part of the accounts at a time, within a time of its own: the
// whole may take longer than an answer may.
func (h *Bulk) writeResult(ctx context.Context, w http.ResponseWriter, id string) error {
	out, err := sheet.NewWriter(w)
	if err != nil {
		return err
	}
	head := make([]string, len(resultColumns))
	for n, c := range resultColumns {
		head[n] = i18n.T(ctx, c.name) + " [" + c.key + "]"
	}
	if err := out.Row(head...); err != nil {
		return err
	}
	control := http.NewResponseController(w)
	for items, err := range h.Plans.Parts(ctx, id) {
		if err == nil {
			err = control.SetWriteDeadline(time.Now().Add(pieceTime))
		}
		if err != nil {
			return err
		}
		for _, i := range items {
			if err := out.Row(resultRow(ctx, i)...); err != nil {
				return err
			}
		}
		if err := errors.Join(out.Flush(), control.Flush()); err != nil {
			return err
		}
	}
	return out.Flush()
}

func resultRow(ctx context.Context, i bulk.Item) []string {
	detail := ""
	if i.Say.Key != "" {
		detail = sentence(ctx, i.Say)
	}
	var lines []string
	for _, c := range i.Cells() {
		if c.Outcome == bulk.Moves {
			lines = append(lines, movedLine(ctx, wave.Moved{Key: c.Key, From: c.From, To: wave.StateOf(c.On)}))
		}
	}
	return []string{
		string(i.Account), i.Email, i.Group, views.OutcomeLabel(ctx, string(i.State), false), detail,
		i18n.Join(ctx, lines), i18n.Full(ctx, i.Finished), i.ChangeID,
	}
}
