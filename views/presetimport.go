package views

import "context"

// PresetImportProps is the form for a file of presets, and what the file would do.
type PresetImportProps struct {
	Text     string
	Problems []PresetProblem // of the file as a whole
	Rows     []PresetImportRow
	Count    int    // presets that would be made or changed
	Mark     string // of exactly this preview
	Failure  *FailureProps
}

// PresetProblem is what is wrong on a line of a file.
type PresetProblem struct {
	Line     int
	Sentence string
}

// PresetImportRow is what becomes of one preset of a file.
type PresetImportRow struct {
	Line     int
	Name     string
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
