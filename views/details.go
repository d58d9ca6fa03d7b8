package views

import (
	"context"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// PasswordProps is the form for a new password.
type PasswordProps struct {
	Account  wave.Reseller
	Input    wave.InputType
	Notify   bool
	Min, Max int
	SubmitID string
	Errors   map[string]string // field -> sentence
	Failure  *FailureProps
}

// DeleteProps is the form that deletes an account.
type DeleteProps struct {
	Account wave.Reseller
	Confirm string // as typed
	Errors  map[string]string
	Failure *FailureProps

	Checking *CheckingProps // the deletion was sent and is not confirmed
}

// HistoryProps is what happened to one account, newest first.
type HistoryProps struct {
	Changes []ChangeRow
	More    bool // whether older ones were left out
}

// outcomeClass returns how the state of a change is marked; words say it too.
func outcomeClass(state string) string {
	switch state {
	case "done":
		return "tag good"
	case "failed", "conflict":
		return "tag bad"
	case "in_doubt", "running", "sent", "queued":
		return "tag warn"
	}
	return "tag"
}

// onLabels returns the functions of an account that are on.
func onLabels(ctx context.Context, m wave.Meta) []string {
	var labels []string
	for _, f := range wave.Flags {
		if m.On(f.Key) {
			labels = append(labels, f.Label.In(i18n.Lang(ctx)))
		}
	}
	for _, key := range m.Unknown() {
		if m.On(key) {
			labels = append(labels, string(key))
		}
	}
	return labels
}
