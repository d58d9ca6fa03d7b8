package views

import "waveadmin/internal/wave"

// TakeBackProps says what the staged flags of a form undo or restore, or which preset
// or account they come from.
type TakeBackProps struct {
	UndoOf, RestoreOf string  // the change, in the one or the other; empty when it is neither
	Preset            string  // the preset that is staged
	Copy              string  // the account whose flags are staged
	Only              *string // of these, joined by commas, only the chosen ones; nil for all
	Of, Look          string  // address of its page, and what the link there says
	Then              string  // heading of what the flags were, or would be
	Title             string  // such as "Undo of the change of …"
	Nothing           string  // what is said when nothing is staged
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

// Mark tells what is staged from every other thing that an account's page can stage,
// so that the edits on it are kept apart from others in the browser.
func (p TakeBackProps) Mark() string {
	switch {
	case p.Preset != "":
		return "preset." + p.Preset
	case p.Copy != "":
		return "copy." + p.Copy
	}
	return p.UndoOf + p.RestoreOf // one of them
}

// since reports whether the panel says who moved the flags since.
func (p TakeBackProps) since() bool { return p.Preset+p.Copy == "" }

// takesBack returns what the form takes back, restores from or was staged from, or
// what its save just did; empty for nothing.
func (p PermFormProps) takesBack() string {
	if p.TakeBack != nil {
		return p.TakeBack.Mark()
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
