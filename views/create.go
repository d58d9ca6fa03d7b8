package views

import (
	"maps"
	"slices"
	"time"

	"waveadmin/internal/wave"
)

// CreateProps is the form for a new account, as the person has filled it in.
type CreateProps struct {
	Email      string
	CompanyID  string
	Input      wave.InputType
	Notify     bool
	Reason     string
	NeedReason bool
	SubmitID   string
	Groups     []GroupProps
	Min, Max   int // length of a password
	Companies  []wave.BillingGroup
	Complete   bool // whether Companies can be trusted to be all
	Hint       CompanyHint
	EmailUsed  bool // the address has an account already
	Errors     map[string]string
	Failure    *FailureProps
	Checking   *CheckingProps
	From       *SeedProps // the change that the form was filled in from; nil for none

	Preset, Copy             string // the preset to follow and the account to copy, as chosen
	FilledPreset, FilledCopy string // what Groups were filled in from
	Presets                  []PresetChoice
	PresetFlags              wave.Wanted // what FilledPreset says
}

// SeedProps is the change whose account a form was filled in from.
type SeedProps struct {
	ChangeID string
	Email    string
	At       time.Time
	URL      string
	Left     []string // functions that were on and that the form does not offer
}

// CompanyHint says whom the typed company id means.
type CompanyHint struct {
	Typed bool
	Found *wave.BillingGroup
}

// sortedFields returns the fields with errors in the order of the forms.
func sortedFields(errors map[string]string) []string {
	order := []string{"email", "company_id", "input_type", "password", "confirm", "name", "note", "flags", "paste", "yaml", "file", "reason", "preset", "pick-copy"}
	return slices.SortedFunc(maps.Keys(errors), func(a, b string) int {
		return slices.Index(order, a) - slices.Index(order, b)
	})
}

func companyLabel(g wave.BillingGroup) string {
	if g.ID == "" {
		return g.Name
	}
	return g.Name + " (" + g.ID + ")"
}
