package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Export answers GET /presets.yaml: all presets but the one that is built in.
func (h *Presets) Export(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all := h.Store.Book().All()
	text, err := preset.EncodeFile(all)
	if err != nil {
		return err
	}
	if err := h.Exports.RecordExport(ctx, "presets.yaml", nil, len(all)-1); err != nil {
		return fmt.Errorf("nothing was exported: %w", err)
	}
	name := "presets-" + time.Now().In(i18n.Zone(ctx)).Format("20060102-1504") + ".yaml"
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(text) // a reader who left is no error of ours
	return nil
}

// NewImport answers GET /presets/import.
func (h *Presets) NewImport(w http.ResponseWriter, r *http.Request) error {
	return views.Render(w, r, http.StatusOK, views.PresetImportPage(views.PresetImportProps{}))
}

// Import answers POST /presets/import. Without the field mark it shows what the file
// of the field yaml would do; with the mark of that preview it does exactly that. When
// something changed since, it is shown again. What is wrong is not imported.
func (h *Presets) Import(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ctx, text := r.Context(), plainLines.Replace(r.PostForm.Get("yaml"))
	p, edits := h.preview(ctx, text)
	switch mark := r.PostForm.Get("mark"); {
	case len(p.Problems) > 0:
		return refusedImport(fault.Field("yaml", "preset.import_refused"), p)
	case mark == "":
		return views.Render(w, r, http.StatusOK, views.PresetImportPage(p))
	case mark != p.Mark:
		return refusedImport(&fault.Error{Kind: fault.Conflict, Say: fault.Say("preset.import_moved")}, p)
	}
	if _, err := h.Store.Save(ctx, auth.ActorFrom(ctx), edits...); err != nil {
		p, _ = h.preview(ctx, text) // someone else was quicker
		return refusedImport(err, p)
	}
	sayNext(w, r, "preset.done_imported", len(edits))
	hx.Redirect(w, r, views.PresetsURL)
	return nil
}

// plainLines undoes what browsers make of line ends, so that a mark fits the text that
// a field brings back.
var plainLines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func refusedImport(err error, p views.PresetImportProps) error {
	return &FormError{Err: err, Form: func(failure *views.FailureProps) templ.Component {
		if len(p.Problems) == 0 { // they say it
			p.Failure = failure
		}
		return views.PresetImportPage(p)
	}}
}

// preview compares a file with the presets that there are, by name. Mark stands for the
// file and all that the edits rest on.
func (h *Presets) preview(ctx context.Context, text string) (views.PresetImportProps, []preset.Edit) {
	p := views.PresetImportProps{Text: text}
	if len(text) > preset.MaxFile { // nobody mends that in a field
		p.Text = ""
	}
	file, problems := preset.ParseFile([]byte(text))
	p.Problems = importProblems(ctx, problems)
	byName := make(map[string]*preset.Preset)
	for _, one := range h.Store.Book().All() {
		if one.ID != preset.Defaults {
			byName[i18n.Fold(one.Name)] = one
		}
	}
	var edits []preset.Edit
	met := make(map[string]int)
	mark := sha256.New()
	_, _ = io.WriteString(mark, text) // never fails
	for _, e := range file.Presets {
		row := views.PresetImportRow{Line: e.Line, Name: e.Name, Problems: importProblems(ctx, e.Problems)}
		key := i18n.Fold(e.Name)
		now := byName[key]
		if first, again := met[key]; again && e.Name != "" {
			row.Problems = append(row.Problems, views.PresetProblem{
				Line: e.Line, Sentence: i18n.T(ctx, "preset.import_twice", "line", first),
			})
		} else {
			met[key] = e.Line
		}
		switch {
		case len(row.Problems) > 0:
			row.Outcome = "invalid"
		case now == nil:
			row.Outcome = "new"
			row.Lines = []string{i18n.T(ctx, "preset.import_new", "count", len(e.Flags))}
			edits = append(edits, preset.Edit{Content: e.Content})
			fmt.Fprintf(mark, "\x00new %s", e.Name)
		case now.Content().Equal(keptFlags(now, e.Content)):
			row.Outcome = "same"
		default:
			content := keptFlags(now, e.Content)
			row.Outcome, row.Lines = "changed", presetDiff(ctx, now.Content(), content)
			edits = append(edits, preset.Edit{ID: now.ID, Seen: now.Version, Content: content})
			fmt.Fprintf(mark, "\x00%s %d", now.ID, now.Version)
		}
		p.Rows = append(p.Rows, row)
	}
	p.Count = len(edits)
	p.Mark = hex.EncodeToString(mark.Sum(nil))
	return p, edits
}

// keptFlags is c with what now says of flags that the catalogue lacks: a file cannot
// name them, so it takes none away.
func keptFlags(now *preset.Preset, c preset.Content) preset.Content {
	for _, key := range presetKeys(now.Flags, nil)[len(wave.Flags):] {
		c.Flags[key] = now.Flags[key]
	}
	return c
}

func importProblems(ctx context.Context, problems []preset.Problem) (out []views.PresetProblem) {
	for _, p := range problems {
		out = append(out, views.PresetProblem{Line: p.Line, Sentence: sentence(ctx, p.Say)})
	}
	return out
}
