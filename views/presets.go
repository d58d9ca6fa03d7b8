package views

import (
	"cmp"
	"context"
	"strings"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// PresetSum is a preset in a line.
type PresetSum struct {
	ID        string
	Name      string // in the reader's language, for the one that is built in too
	Note      string
	BuiltIn   bool
	ForNew    bool // new accounts begin with it
	On, Off   int  // flags that it specifies
	Version   int
	Accounts  int // that follow it
	Differ    int // of them
	Changed   time.Time
	By        string
	Uncertain bool // the accounts could not be read, so nobody knows how many differ
}

// Open is how many flags of the catalogue the preset does not specify.
func (p PresetSum) Open() int { return max(0, len(wave.Flags)-p.On-p.Off) }

// PresetsProps is the list of presets.
type PresetsProps struct {
	Rows   []PresetSum
	Notice *NoticeProps
}

// PresetProps is the frame of the pages of one preset.
type PresetProps struct {
	PresetSum
	Notice *NoticeProps
	Failed bool // the page answers a form that was refused
}

// PresetFormProps is the form of a preset, or of a new one when ID is empty.
type PresetFormProps struct {
	ID      string
	Name    string
	Note    string
	Version int // that is there now, and that a save changes
	// What the version that is there now has; for a new one what it began with.
	SavedName, SavedNote string
	From                 string // a sentence about where the form has its content; empty for none
	Groups               []PresetGroup
	Moved                *PresetMoved
	Errors               map[string]string
	Failure              *FailureProps
	ReadOnly             bool
}

// PresetMoved says what someone else changed since the person opened the form.
type PresetMoved struct {
	Sentence string
	Lines    []string
}

// PresetGroup is a heading with its flags.
type PresetGroup struct {
	ID, Label string
	Flags     []PresetFlag
}

// PresetFlag is what a preset says of one flag: on, off or none.
type PresetFlag struct {
	Key         wave.Key
	Label, Help string
	Value       string // in the form
	Saved       string // in the version that is there now
	Child       bool
}

// presetValues are the choices for a flag with the keys of their labels.
var presetValues = []labelled{{"on", "state.on"}, {"off", "state.off"}, {"none", "preset.unspecified"}}

// PresetStateLabel is what a value of a PresetFlag is called.
func PresetStateLabel(ctx context.Context, value string) string {
	for _, v := range presetValues {
		if v.value == value {
			return t(ctx, v.label)
		}
	}
	return value
}

// PresetAccountsProps is the accounts that follow a preset.
type PresetAccountsProps struct {
	Rows       []PresetAccount
	OnlyDiffer bool
	Total      int // that the filter leaves
	Page       int // from 1
	Pages      int
	Pending    []wave.UserID // those that differ, at most as many as one change may name
	Assign     PresetAssignProps
}

// PresetAccount is an account that follows a preset. Email is empty when there is
// no such account any more.
type PresetAccount struct {
	ID      wave.UserID
	Email   string
	Group   string
	Differ  int
	Lines   []string // some of the flags that differ
	Rest    int      // and how many more
	At      time.Time
	By      string
	Version int // of the preset, at that time
}

// PresetAssignProps is the form that assigns more accounts.
type PresetAssignProps struct {
	Paste   string
	Unknown []string // of what was pasted, what names no account
	Errors  map[string]string
	Failure *FailureProps
}

// PresetVersion is what one version of a preset said and changed.
type PresetVersion struct {
	Version int
	At      time.Time
	By      string
	Lines   []string // what is otherwise than in the version before
}

// PresetVersionsProps is the history of a preset, newest first.
type PresetVersionsProps struct {
	Versions []PresetVersion
	More     bool // there are older ones
}

// PresetDeleteProps asks before a preset is deleted.
type PresetDeleteProps struct {
	Blocked []string // why it cannot be deleted
	Failure *FailureProps
}

// presetAssets are what the pages of presets need besides.
var presetAssets = []string{"css/presets.css", "js/presets.js"}

// differText says how many of a preset's accounts differ.
func (p PresetSum) differText() string {
	switch {
	case p.Accounts == 0:
		return "–"
	case p.Uncertain:
		return "?"
	}
	return i18n.Number(p.Differ)
}

// action is where the form is posted, and where who gives it up goes.
func (p PresetFormProps) action() string {
	if p.ID == "" {
		return PresetsURL
	}
	return PresetURL(p.ID)
}

// kind tells the script whether the form is of a new preset.
func (p PresetFormProps) kind() string {
	if p.ID == "" {
		return "new"
	}
	return "edit"
}

// name is what an account is called.
func (a PresetAccount) name() string { return cmp.Or(a.Email, string(a.ID)) }

// joinIDs returns ids, a line each.
func joinIDs(ids []wave.UserID) string {
	lines := make([]string, len(ids))
	for i, id := range ids {
		lines[i] = string(id)
	}
	return strings.Join(lines, "\n")
}
