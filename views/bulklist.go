package views

import "time"

// BulkListProps is the newest plans and runs, newest first.
type BulkListProps struct{ Rows []BulkListRow }

// BulkListRow is one of them.
type BulkListRow struct {
	URL    string
	At     time.Time
	Who    string
	Source string // in words
	Reason string
	State  string    // preview, expired, running, paused, cancelled, done, partly_failed or failed
	Label  string    // the same in words
	Total  int       // accounts
	Done   int       // of them, those that were changed
	Bad    int       // of them, those that a person should look at
	Begins time.Time // zero when nothing is to begin later
}

// runTag is the look of a state of a run.
func runTag(state string) string {
	switch state {
	case "done":
		return "tag good"
	case "failed", "partly_failed":
		return "tag bad"
	case "running", "paused", "waiting":
		return "tag warn"
	}
	return "tag"
}
