package views

import (
	"context"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// AccountProps is what every page of one account shows on top.
type AccountProps struct {
	Account  wave.Reseller
	Fresh    FreshProps
	Presence *PresenceProps // nil for an account that nobody can edit
	Notice   *NoticeProps
	Failed   bool // the page shows a form that was refused

	Followed *FollowedProps // the assigned preset; nil for none
	Presets  []PresetChoice // all there are
	Copy     PickProps      // the account to copy from, as it was typed
}

// PresetChoice is a preset that can be applied or assigned.
type PresetChoice struct {
	ID, Name string
	Version  int
	Drift    int // flags in which the account differs from it
}

// PermFormProps is the form of one account's flags.
type PermFormProps struct {
	Account    wave.Reseller
	Staged     wave.Wanted // laid over what is saved
	Reason     string
	AsOf       time.Time // of the data, for the review of old data
	Confirm    string    // ui.confirm: always, risky or never
	NeedReason bool
	ReasonErr  string // what is wrong with the reason

	Saved     *SavedProps
	Message   string // such as that there is nothing to save
	Failure   *FailureProps
	Checking  *CheckingProps
	Conflict  *ConflictProps // of these three at most one
	UndoMoved *UndoMovedProps
	Gone      *GoneProps

	TakeBack *TakeBackProps // what Staged undoes or restores; nil for nothing
	TookBack string         // the Mark of the TakeBack that was just saved
	Followed *FollowedProps // the assigned preset; nil for none
}

// SavedProps says what a save did.
type SavedProps struct {
	Sentence string   // such as "Saved 3 changes at 14:03:22 JST"
	More     []string // what others changed, what was left
	UndoURL  string   // where to post the undo; empty when there is nothing to undo
}

// FailureProps stands beside the button whose press failed.
type FailureProps struct {
	Sentence  string
	Next      string // what to do now; empty when the sentence says it
	RequestID string
	DecideURL string // where a person says what became of it; empty for nothing to decide
}

// CheckingProps is a save whose answer was lost.
type CheckingProps struct {
	StateURL string
	Sentence string // empty for that of a save
}

// readOnly reports whether the form only shows: to a viewer, or for an account
// whose record is flawed.
func (p PermFormProps) readOnly(ctx context.Context) bool {
	return !mayModify(ctx) || p.Account.Flaw != wave.NoFlaw
}

func (p PermFormProps) grid(ctx context.Context) GridProps {
	g := GridProps{
		Prefix: "is.", WithWas: true, ReadOnly: p.readOnly(ctx),
		Groups: Grid(ctx, p.Account.Meta, p.Staged),
	}
	if p.Followed != nil {
		g.Preset = p.Followed.Flags
	}
	return g
}

// groupName returns what a billing group is called, with its ids.
func groupName(g wave.BillingGroup) string {
	if g.Name != "" {
		return g.Name
	}
	return g.CompanyID
}

func stateLabel(ctx context.Context, s wave.State) string { return t(ctx, "state."+s.String()) }

func dateOrNever(ctx context.Context, at time.Time) string {
	if at.IsZero() {
		return t(ctx, "details.never")
	}
	return i18n.Full(ctx, at)
}

func reasonLabel(ctx context.Context, required bool) string {
	if required {
		return t(ctx, "save.reason_required")
	}
	return t(ctx, "save.reason")
}

// pageTitle marks the title of a page whose form was refused: a screen reader
// reads it first.
func pageTitle(ctx context.Context, title string, failed bool) string {
	if failed {
		return t(ctx, "form.error_title", "title", title)
	}
	return title
}
