package views

import (
	"context"
)

// ImportProps is the form for a file of accounts, and why the last one was not taken.
type ImportProps struct {
	Max      int    // megabytes of a file
	MaxRows  string // as it is read
	Columns  []ImportColumn
	Problems []string // of its rows, when none could be taken
	// ProblemsURL is where all of them are to be had as a file; empty for nowhere.
	ProblemsURL string
	Errors      map[string]string
	Failure     *FailureProps
}

// ImportColumn is a column that every file may have.
type ImportColumn struct {
	Key, Name, Write string
}

// title marks a refused form, for who has many windows.
func (p ImportProps) title(ctx context.Context) string {
	return pageTitle(ctx, t(ctx, "import.title"), len(p.Problems) > 0 || len(p.Errors) > 0 || p.Failure != nil)
}
