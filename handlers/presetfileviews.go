package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/savedview"
	"waveadmin/views"
)

// CarriedViews is the part of savedview.Store that files need.
type CarriedViews interface {
	Export(ctx context.Context, who auth.Actor) ([]savedview.Draft, error)
	Plan(ctx context.Context, who auth.Actor, drafts []savedview.Draft) ([]savedview.Step, error)
	Import(ctx context.Context, who auth.Actor, steps []savedview.Step) error
}

// fileViews returns the views that the actor of ctx sees, as a file has them: a preset
// of ours by its name, as its ID means nothing elsewhere.
func (h *Presets) fileViews(ctx context.Context, book *preset.Book) ([]preset.View, error) {
	drafts, err := h.Views.Export(ctx, auth.ActorFrom(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]preset.View, len(drafts))
	for i, d := range drafts {
		q := viewQuery(d.Query)
		out[i] = preset.View{Name: d.Name, Shared: d.Shared}
		if p := book.Get(q.Preset); p != nil && p.ID != preset.Defaults {
			out[i].Preset, q.Preset = p.Name, ""
		}
		out[i].Query = q.State()
	}
	return out, nil
}

// viewStep is what an import does with one view. The preset of its query is there
// already, unless edit says which of the edits before makes it.
type viewStep struct {
	savedview.Step
	edit int // -1 for none
}

// afterEdits returns the steps, once the edits have made what is in saved.
func afterEdits(steps []viewStep, saved []*preset.Preset) []savedview.Step {
	out := make([]savedview.Step, len(steps))
	for i, s := range steps {
		out[i] = s.Step
		if s.edit >= 0 {
			q := viewQuery(s.Query)
			q.Preset = saved[s.edit].ID
			out[i].Query = q.State()
		}
	}
	return out
}

// previewViews adds to plan what becomes of the views of a file, and to mark what that
// rests on. The presets of the file must be there.
func (h *Presets) previewViews(ctx context.Context, entries []preset.ViewEntry, plan *importPlan, mark io.Writer) error {
	choices := presetChoices(ctx, h.Store.Book())
	named := make(map[string]string) // folded name -> ID, also of those to come
	for _, c := range choices {
		if c.ID != preset.Defaults {
			named[i18n.Fold(c.Name)] = c.ID
		}
	}
	edits := make(map[string]int)
	for i, e := range plan.edits {
		if e.ID == "" {
			id := fmt.Sprintf("new-%032d", i) // as long as an ID
			named[i18n.Fold(e.Name)], edits[id] = id, i
			choices = append(choices, views.Preset{ID: id, Name: e.Name})
		}
	}

	rows := make([]views.PresetImportRow, len(entries))
	var drafts []savedview.Draft
	var of []int // the entry of each draft
	for i, e := range entries {
		rows[i] = views.PresetImportRow{Line: e.Line, Name: e.Name, Shared: &e.Shared, Outcome: "invalid"}
		d, problems := fileDraft(e, named)
		if len(problems) > 0 {
			rows[i].Problems = importProblems(ctx, problems)
			continue
		}
		drafts, of = append(drafts, d), append(of, i)
	}
	steps, err := h.Views.Plan(ctx, auth.ActorFrom(ctx), drafts)
	if err != nil {
		return err
	}
	met := make(map[savedview.Draft]int)
	for i, s := range steps {
		e, row := entries[of[i]], &rows[of[i]]
		name := savedview.Draft{Name: s.Name, Shared: s.Shared}
		first, again := met[name]
		switch {
		case again:
			row.Problems = importProblems(ctx, []preset.Problem{{Line: e.LineOf("name"), Say: fault.Say("view.import_twice", "line", first)}})
		case s.Fault != nil:
			row.Problems = importProblems(ctx, []preset.Problem{viewProblem(e, s.Fault)})
		default:
			row.Name, met[name] = s.Name, e.Line
			row.Outcome, row.Lines = viewOutcome(ctx, s, choices)
		}
		if row.Outcome != "new" && row.Outcome != "changed" {
			continue
		}
		step := viewStep{s, -1}
		if edit, ok := edits[viewQuery(s.Query).Preset]; ok {
			step.edit = edit
		}
		plan.views = append(plan.views, step)
		fmt.Fprintf(mark, "\x00view %t %q %q", s.Shared, s.Name, s.Query)
		if s.Was != nil {
			fmt.Fprintf(mark, " %s %q", s.Was.ID, s.Was.Query)
		}
	}
	plan.page.Views = rows
	return nil
}

// viewOutcome says what a step without a fault does, and of what is new or changed
// what the table is by it.
func viewOutcome(ctx context.Context, s savedview.Step, presets []views.Preset) (outcome string, lines []string) {
	next := viewQuery(s.Query).Words(ctx, presets)
	switch {
	case s.Same():
		return "same", nil
	case s.Was == nil:
		return "new", []string{next}
	}
	return "changed", []string{
		i18n.T(ctx, "view.import_was", "view", viewQuery(s.Was.Query).Words(ctx, presets)),
		i18n.T(ctx, "view.import_is", "view", next),
	}
}

// fileDraft returns what e says, with its preset by ID, or why that is nothing.
func fileDraft(e preset.ViewEntry, named map[string]string) (savedview.Draft, []preset.Problem) {
	if len(e.Problems) > 0 {
		return savedview.Draft{}, e.Problems
	}
	q, wrong := fileQuery(e.Query, named)
	if wrong.Key != "" {
		return savedview.Draft{}, []preset.Problem{{Line: e.LineOf("query"), Say: wrong}}
	}
	if e.Preset != "" {
		id, ok := named[i18n.Fold(e.Preset)]
		switch {
		case q.Preset != "":
			return savedview.Draft{}, []preset.Problem{{Line: e.LineOf("preset"), Say: fault.Say("view.file_two_presets")}}
		case !ok:
			return savedview.Draft{}, []preset.Problem{{Line: e.LineOf("preset"), Say: fault.Say("view.file_preset", "name", brief(e.Preset))}}
		}
		q.Preset = id
	}
	return savedview.Draft{Name: e.Name, Query: q.State(), Shared: e.Shared}, nil
}

// fileQuery reads the query of a view. An address that is odd still shows a table; a
// file that is odd is a slip of the pen, so what means nothing is said.
func fileQuery(text string, named map[string]string) (q views.ListQuery, wrong fault.Text) {
	given, err := url.ParseQuery(strings.TrimPrefix(text, "?"))
	if err != nil {
		return q, fault.Say("view.file_query")
	}
	q = listQuery(given).SavedState()
	kept, _ := url.ParseQuery(q.State()) // we wrote it
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !tableTook(name, given[name], kept[name]) {
			return q, fault.Say("view.file_part", "part", brief(name+"="+strings.Join(given[name], ",")))
		}
	}
	known := slices.Collect(maps.Values(named))
	if q.Preset != "" && q.Preset != views.NoPreset && q.Preset != preset.Defaults && !slices.Contains(known, q.Preset) {
		return q, fault.Say("view.file_preset", "name", brief(q.Preset))
	}
	return q, wrong
}

// usualValues are those of parameters that say what is so anyhow.
var usualValues = map[string]string{"sort": "email", "size": "50", "changed_days": "0"}

// tableTook reports whether the table took a parameter as it was given. The page and the
// view of an address are no part of a view.
func tableTook(name string, given, kept []string) bool {
	parts := listParts(given)
	switch {
	case name == "page" || name == "view" || strings.Join(parts, ",") == usualValues[name]:
		return true
	case name == "cols":
		return !slices.ContainsFunc(parts, func(id string) bool {
			return id != "email" && len(views.ChosenColumns([]string{"email", id})) != 1
		})
	}
	return slices.Equal(parts, listParts(kept))
}

// listParts returns the values of a list that a parameter is, each once and in order.
func listParts(values []string) (out []string) {
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// viewProblem says on which line of a file is what savedview refuses.
func viewProblem(e preset.ViewEntry, err error) preset.Problem {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		if say, wrong := f.Fields["name"]; wrong {
			return preset.Problem{Line: e.LineOf("name"), Say: say}
		}
	}
	return preset.Problem{Line: e.Line, Say: fault.SentenceOf(err)}
}

// brief keeps what a message repeats of a file short.
func brief(s string) string {
	if short := cut(s, 40); short != s {
		return short + "…"
	}
	return s
}
