package views

import (
	"context"

	"waveadmin/internal/i18n"
)

// PresetImportProps is the form for a file of presets, and what the file would do.
type PresetImportProps struct {
	Text     string
	Problems []PresetProblem   // of the file as a whole
	Rows     []PresetImportRow // presets
	Views    []PresetImportRow
	Count    int    // presets and views that would be made or changed
	Mark     string // of exactly this preview
	Failure  *FailureProps
}

// PresetProblem is what is wrong on a line of a file.
type PresetProblem struct {
	Line     int
	Sentence string
}

// PresetImportRow is what becomes of one preset or view of a file.
type PresetImportRow struct {
	Line     int
	Name     string
	Shared   *bool  // of a view; nil of a preset
	Outcome  string // new, changed, same or invalid
	Lines    []string
	Problems []PresetProblem
}

// outcome is what a row's outcome is called, and how its tag looks.
func (r PresetImportRow) outcome(ctx context.Context) (label, class string) {
	switch r.Outcome {
	case "new":
		return t(ctx, "preset.outcome_new"), "tag good"
	case "changed":
		return t(ctx, "preset.outcome_changed"), "tag warn"
	case "same":
		return t(ctx, "preset.outcome_same"), "tag"
	}
	return t(ctx, "preset.outcome_invalid"), "tag bad"
}

// where says on which line a row begins, and of a view whose it is.
func (r PresetImportRow) where(ctx context.Context) string {
	line := t(ctx, "preset.line", "line", i18n.Number(r.Line))
	switch {
	case r.Shared == nil:
		return line
	case *r.Shared:
		return t(ctx, "view.import_shared", "line", line)
	}
	return t(ctx, "view.import_own", "line", line)
}
