package views

import (
	"context"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// PickNames are the fields in which a person names an account.
var PickNames = []string{"a", "b", "copy"}

// PickProps is a field that names an account.
type PickProps struct {
	Value   string
	Error   string       // what is wrong with it
	Choices []PickChoice // whom it may mean, if that is several
}

// PickChoice is an account that a field may mean.
type PickChoice struct {
	Account wave.Reseller
	URL     string // the page with this one
}

// CompareProps is two accounts side by side.
type CompareProps struct {
	A, B    PickProps
	All     bool // also what is the same
	SwapURL string
	Fresh   FreshProps
	Both    *BothProps // nil until there are two
}

// BothProps is the comparison itself.
type BothProps struct {
	A, B         SideProps
	Groups       []CompareGroup
	Differ, Same int
}

// SideProps is one of the two.
type SideProps struct {
	Account wave.Reseller
	LastAt  time.Time // of its last change here; zero for none
	LastBy  string
	Preset  *FollowedProps // nil for none
}

// FollowedProps is the preset that is assigned to an account.
type FollowedProps struct {
	ID, Name string
	Version  int // as it is now
	Flags    wave.Wanted
	Assigned int // its version when it was assigned
	By       string
	At       time.Time
	Drift    int // flags in which the account differs from it
}

// CompareGroup is a heading with the flags under it that are shown.
type CompareGroup struct {
	Label  string
	Differ int
	Rows   []CompareRow
}

// CompareRow is one flag of two accounts. Differs is what a customer sees: not set and
// off are the same.
type CompareRow struct {
	Key          wave.Key
	Label        string
	A, B         wave.State
	Differs      bool
	IntoA, IntoB bool // whether a copy to that account takes it
}

// sides are the two accounts with the letters that the page gives them.
func (p BothProps) sides() []struct {
	Letter string
	SideProps
} {
	return []struct {
		Letter string
		SideProps
	}{{"A", p.A}, {"B", p.B}}
}

// driftText says how far an account is from its preset.
func driftText(ctx context.Context, n int) string {
	if n == 0 {
		return t(ctx, "follow.same")
	}
	return t(ctx, "follow.drift", "count", n)
}

// lastText says who changed an account last, and when.
func lastText(ctx context.Context, at time.Time, by string) string {
	if at.IsZero() {
		return t(ctx, "compare.never_changed")
	}
	return t(ctx, "compare.last", "time", i18n.DateTime(ctx, at), "name", by)
}

// mayStage reports whether the account can be edited at all.
func mayStage(ctx context.Context, account wave.Reseller) bool {
	return mayModify(ctx) && account.Flaw == wave.NoFlaw
}
