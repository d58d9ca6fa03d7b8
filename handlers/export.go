package handlers

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/i18n"
)

// ExportRecorder records in the audit log that data leaves as a file, by the actor
// of ctx: what file, what it was filtered by, how many rows. When it fails nothing
// may leave.
type ExportRecorder interface {
	RecordExport(ctx context.Context, file string, filter map[string]string, rows int) error
}

const (
	exportPiece = 500              // changes read at once
	pieceTime   = 60 * time.Second // for a client to take a piece
)

// CSV answers GET /changes.csv: what the filter selects, all pages, newest first.
func (h *Changes) CSV(w http.ResponseWriter, r *http.Request) error {
	return h.export(w, r, "csv", "text/csv; charset=utf-8; header=present", newChangeCSV)
}

// JSONLines answers GET /changes.jsonl: the same as JSON, one change a line.
func (h *Changes) JSONLines(w http.ResponseWriter, r *http.Request) error {
	return h.export(w, r, "jsonl", "application/jsonl; charset=utf-8", newChangeJSON)
}

// changeWriter writes a piece of a file of changes.
type changeWriter func(list []change.Change, origins map[string]change.Change) error

// export streams the file: it reads the first piece, records that data leaves, and
// then sends a piece at a time.
func (h *Changes) export(w http.ResponseWriter, r *http.Request, format, mediaType string, begin func(context.Context, io.Writer) changeWriter) error {
	ctx := r.Context()
	people, err := h.History.People(ctx)
	if err != nil {
		return err
	}
	q, f := changesQuery(ctx, r.URL.Query(), people)
	f.Older, f.Newer = "", ""
	list, more, err := h.History.List(ctx, f, exportPiece)
	if err != nil {
		return err
	}
	rows, err := h.History.Count(ctx, f)
	if err != nil {
		return err
	}
	if err := h.Exports.RecordExport(ctx, "changes."+format, q.Filters(), rows); err != nil {
		return fmt.Errorf("nothing was exported: %w", err)
	}

	name := "changes-" + time.Now().In(i18n.Zone(ctx)).Format("20060102-1504") + "." + format
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "no-store")
	write := begin(ctx, w)
	for err = h.piece(ctx, w, write, list); err == nil && more; err = h.piece(ctx, w, write, list) {
		f.Older = list[len(list)-1].ID
		if list, more, err = h.History.List(ctx, f, exportPiece); err != nil {
			break
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			panic(http.ErrAbortHandler) // nobody waits for the rest
		}
		// The answer has begun: web cuts it, so that nobody takes it for whole.
		panic(fmt.Errorf("export of changes: %w", err))
	}
	return nil
}

// piece writes list and sends it, within a time of its own: the whole may take
// longer than an answer may.
func (h *Changes) piece(ctx context.Context, w http.ResponseWriter, write changeWriter, list []change.Change) error {
	origins, err := originsOf(ctx, h.History, list)
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(pieceTime)); err != nil {
		return fmt.Errorf("extend the time of an export: %w", err)
	}
	if err := write(list, origins); err != nil {
		return err
	}
	return control.Flush()
}
