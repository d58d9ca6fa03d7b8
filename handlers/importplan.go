package handlers

import (
	"context"

	"waveadmin/internal/bulk"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// issueLines say of an account that is to be issued what a plan shows of it.
func issueLines(ctx context.Context, n bulk.NewAccount, book *preset.Book) []string {
	follows := i18n.T(ctx, "import.line_no_preset")
	if p := book.Get(n.Preset); p != nil {
		follows = i18n.T(ctx, "import.line_preset", "name", presetName(ctx, p))
	} else if n.Preset != "" { // deleted since
		follows = i18n.T(ctx, "import.line_preset_gone")
	}
	told := "import.line_silent"
	if n.Notify {
		told = "import.line_notified"
	}
	return []string{
		i18n.T(ctx, "import.line_company", "id", n.CompanyID), follows,
		i18n.T(ctx, "import.line_on", "count", n.Meta.CountOn(), "total", len(wave.Flags)), i18n.T(ctx, told),
	}
}

// notTaken tells what of a file is not in its plan.
func notTaken(ctx context.Context, plan *bulk.Plan) views.BulkWarning {
	w := views.BulkWarning{Sentence: i18n.T(ctx, "import.not_taken"), Open: true}
	if plan.FileProblems != "" {
		w.URL = views.ProblemsURL(plan.FileProblems)
	}
	for _, t := range plan.Problems {
		w.Items = append(w.Items, sentence(ctx, t))
	}
	return w
}
