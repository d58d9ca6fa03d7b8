package views

import "waveadmin/internal/wave"

// TakeBackProps says what the staged flags of a form undo or restore.
type TakeBackProps struct {
	UndoOf, RestoreOf string // the change, in the one or the other
	Of                string // address of its page
	Title             string // such as "Undo of the change of …"
	Nothing           string // what is said when nothing is staged
	Staged            int
	Rows              []TakeBackRow
}

// TakeBackRow is one flag: what it was then, is now and will be.
type TakeBackRow struct {
	Label           string
	Then, Now, Will wave.State
	Stays           bool
	Why             string // it stays
	Since           string // who moved it since and when; empty for nobody
}

// takesBack returns the change that the form takes back or restores from, or that
// its save just did; empty for neither.
func (p PermFormProps) takesBack() string {
	if p.TakeBack != nil {
		return p.TakeBack.UndoOf + p.TakeBack.RestoreOf // one of them
	}
	return p.TookBack
}

// GonePageProps is what is recorded of an account that is not there any more.
type GonePageProps struct {
	UserID   wave.UserID
	Email    string
	Sentence string    // who deleted it and when, as far as that is known
	Groups   []OnGroup // the functions that it had
	AgainURL string    // where it is issued again; empty when it cannot be
	History  HistoryProps
}

// OnGroup is a heading with the functions under it that are on.
type OnGroup struct {
	Label string
	Flags []string
}
