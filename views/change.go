package views

import (
	"time"

	"waveadmin/internal/wave"
)

// ChangePageProps is everything that is recorded of one change, in words.
type ChangePageProps struct {
	ID      string
	What    string // such as "3 functions"
	Email   string
	Account wave.UserID // empty while it is not known
	Gone    bool        // the account is not there any more

	Outcome   string // the state
	Undecided bool
	Means     string // what the outcome means
	Why       string // the sentence of the fault that ended it; empty for none

	Facts   []Fact
	Flags   []ChangeFlag
	Columns FlagColumns
	Note    string // about the flags; empty for none

	UndoURL, RestoreURL, AgainURL string // empty for what cannot be done
	Links                         []Link // to what it takes back, and what took it back
	Settle                        *SettleProps
	Notice                        *NoticeProps
	Failed                        bool // the page shows a form that was refused
}

// Fact is one line of a record.
type Fact struct {
	Label, Value string
	Mono         bool
}

// Link leads to another change.
type Link struct{ Text, URL string }

// FlagColumns says which states of the flags are shown beside each other.
type FlagColumns struct{ Before, After, Wanted, Now bool }

// ChangeFlag is one flag that a change is about.
type ChangeFlag struct {
	Label                      string
	Before, After, Wanted, Now wave.State
}

// SettleProps asks a person what became of a change in doubt.
type SettleProps struct {
	URL      string
	Now      string // what the list shows beside the flags, such as that there is no such account; empty for nothing
	NowAsOf  time.Time
	Reason   string
	Applied  string // "applied", "not_applied" or empty
	Errors   map[string]string
	Failure  *FailureProps
	MayWrite bool
}
