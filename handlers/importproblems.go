package handlers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"mime"
	"net/http"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sheet"
)

// Problems answers GET /imports/{listID}/problems.csv: all that is wrong with the rows of
// a file that someone brought.
func (h *Import) Problems(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("listID")
	count, list, err := h.Plans.Problems(ctx, id)
	if err != nil {
		return err
	}
	if err := h.Exports.RecordExport(ctx, "import-problems.csv", map[string]string{"list": id}, count); err != nil {
		return fmt.Errorf("nothing was exported: %w", err)
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "import-problems.csv"}))
	w.Header().Set("Cache-Control", "no-store")
	if err := writeProblems(ctx, w, list); err != nil {
		if ctx.Err() != nil {
			panic(http.ErrAbortHandler) // nobody waits for the rest
		}
		// The answer has begun: web cuts it, so that nobody takes it for whole.
		panic(fmt.Errorf("export of the problems of a file: %w", err))
	}
	return nil
}

// problemColumns are the columns of the file: keys that stay, each with its name in the
// language of the reader. All but the last say of what its sentence is about.
var problemColumns = []struct{ key, name string }{
	{"row", "import.problem_row"},
	{"column", "import.problem_column"},
	{"value", "import.problem_value"},
	{"problem", "import.problem"},
}

// problemsAtOnce is how many lines are sent within a time of their own.
const problemsAtOnce = 1000

func writeProblems(ctx context.Context, w http.ResponseWriter, list iter.Seq2[fault.Text, error]) error {
	out, err := sheet.NewWriter(w)
	if err != nil {
		return err
	}
	head := make([]string, len(problemColumns))
	for n, c := range problemColumns {
		head[n] = i18n.T(ctx, c.name) + " [" + c.key + "]"
	}
	if err := out.Row(head...); err != nil {
		return err
	}
	control, lines := http.NewResponseController(w), 0
	for say, err := range list {
		if err == nil && lines%problemsAtOnce == 0 {
			err = errors.Join(out.Flush(), control.SetWriteDeadline(time.Now().Add(pieceTime)))
		}
		if err == nil {
			err = out.Row(argOf(say, "row"), argOf(say, "column"), argOf(say, "value"), sentence(ctx, say))
		}
		if err != nil {
			return err
		}
		lines++
	}
	return out.Flush()
}

// argOf returns what a sentence says of name, or "".
func argOf(t fault.Text, name string) string {
	for n := 0; n+1 < len(t.Args); n += 2 {
		if t.Args[n] == name {
			return fmt.Sprint(t.Args[n+1])
		}
	}
	return ""
}
