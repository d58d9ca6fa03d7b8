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

// Export answers GET /presets.yaml: all presets but the one that is built in, and the
// saved views that the person sees.
func (h *Presets) Export(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	book := h.Store.Book()
	all := book.All()
	saved, err := h.fileViews(ctx, book)
	if err != nil {
		return err
	}
	text, err := preset.EncodeFile(all, saved)
	if err != nil {
		return err
	}
	if err := h.Exports.RecordExport(ctx, "presets.yaml", nil, len(all)-1+len(saved)); err != nil {
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
	plan, err := h.preview(ctx, text)
	switch mark := r.PostForm.Get("mark"); {
	case err != nil:
		return refusedImport(err, plan.page)
	case len(plan.page.Problems) > 0:
		return refusedImport(fault.Field("yaml", "preset.import_refused"), plan.page)
	case mark == "":
		return views.Render(w, r, http.StatusOK, views.PresetImportPage(plan.page))
	case mark != plan.page.Mark:
		return refusedImport(&fault.Error{Kind: fault.Conflict, Say: fault.Say("preset.import_moved")}, plan.page)
	}
	if err := h.do(ctx, plan); err != nil {
		again, _ := h.preview(ctx, text) // someone else was quicker
		return refusedImport(err, again.page)
	}
	sayNext(w, r, "preset.done_imported", plan.page.Count)
	hx.Redirect(w, r, views.PresetsURL)
	return nil
}

// do imports what plan says: all presets, and then all views, which may be about these.
func (h *Presets) do(ctx context.Context, plan importPlan) error {
	who := auth.ActorFrom(ctx)
	var saved []*preset.Preset
	if len(plan.edits) > 0 {
		var err error
		if saved, err = h.Store.Save(ctx, who, plan.edits...); err != nil {
			return err
		}
	}
	if len(plan.views) == 0 {
		return nil
	}
	err := h.Views.Import(ctx, who, afterEdits(plan.views, saved))
	if err != nil && len(saved) > 0 {
		return &fault.Error{Kind: fault.KindOf(err), Say: fault.Say("preset.import_half", "count", len(saved)), Err: err}
	}
	return err
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

// importPlan is what a file would do, with the page that shows it.
type importPlan struct {
	page  views.PresetImportProps
	edits []preset.Edit
	views []viewStep
}

// preview compares a file with the presets and views that there are, by name. The mark
// stands for the file and all that the plan rests on. When it fails, the page still has
// the text.
func (h *Presets) preview(ctx context.Context, text string) (importPlan, error) {
	plan := importPlan{page: views.PresetImportProps{Text: text}}
	if len(text) > preset.MaxFile { // nobody mends that in a field
		plan.page.Text = ""
	}
	file, problems := preset.ParseFile([]byte(text))
	plan.page.Problems = importProblems(ctx, problems)
	mark := sha256.New()
	_, _ = io.WriteString(mark, text) // never fails
	h.previewPresets(ctx, file.Presets, &plan, mark)
	if len(file.Views) > 0 {
		if err := h.previewViews(ctx, file.Views, &plan, mark); err != nil {
			return importPlan{page: views.PresetImportProps{Text: plan.page.Text}}, err
		}
	}
	plan.page.Count = len(plan.edits) + len(plan.views)
	plan.page.Mark = hex.EncodeToString(mark.Sum(nil))
	return plan, nil
}

// previewPresets adds to plan what becomes of the presets of a file, and to mark what
// that rests on.
func (h *Presets) previewPresets(ctx context.Context, entries []preset.Entry, plan *importPlan, mark io.Writer) {
	byName := make(map[string]*preset.Preset)
	for _, one := range h.Store.Book().All() {
		if one.ID != preset.Defaults {
			byName[i18n.Fold(one.Name)] = one
		}
	}
	met := make(map[string]int)
	for _, e := range entries {
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
			plan.edits = append(plan.edits, preset.Edit{Content: e.Content})
			fmt.Fprintf(mark, "\x00new %s", e.Name)
		case now.Content().Equal(keptFlags(now, e.Content)):
			row.Outcome = "same"
		default:
			content := keptFlags(now, e.Content)
			row.Outcome, row.Lines = "changed", presetDiff(ctx, now.Content(), content)
			plan.edits = append(plan.edits, preset.Edit{ID: now.ID, Seen: now.Version, Content: content})
			fmt.Fprintf(mark, "\x00%s %d", now.ID, now.Version)
		}
		plan.page.Rows = append(plan.page.Rows, row)
	}
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
