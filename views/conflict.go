package views

import (
	"context"

	"waveadmin/internal/wave"
)

// ConflictProps is what a person must look at before a save is sent.
type ConflictProps struct {
	Why  string
	Rows []ConflictRow // none when only time can help
}

// ConflictRow is one flag that moved, or that the person wants to move.
type ConflictRow struct {
	Key     wave.Key
	Label   string
	Seen    wave.State
	Now     wave.State
	Touched bool       // by the person
	Mine    wave.State // what they want, when they touched it
	By      string     // who moved it and when; empty when nobody did
}

// A choice is one result that a row offers. Its value is that of the form field
// "choose." and the flag's key: "mine" leaves the flag to its box in the grid, "now"
// and "seen" decide. A flag has two values only, so a choice other than the first
// and a box that was switched by hand want the same.
type choice struct {
	value string
	label string
	on    bool // what the flag becomes
}

// choices returns what a row offers, the merge first, or nothing when there is but
// one result: not set and off are the same.
func (r ConflictRow) choices(ctx context.Context) []choice {
	now, seen := r.Now == wave.On, r.Seen == wave.On
	switch {
	case r.Touched:
		return []choice{
			{"mine", t(ctx, "conflict.choose_mine", "state", stateLabel(ctx, r.Mine)), r.Mine == wave.On},
			{"now", t(ctx, "conflict.choose_now", "state", stateLabel(ctx, r.Now)), now},
		}
	case now != seen:
		return []choice{
			{"mine", t(ctx, "conflict.choose_now", "state", stateLabel(ctx, r.Now)), now},
			{"seen", t(ctx, "conflict.choose_seen", "state", stateLabel(ctx, wave.StateOf(seen))), seen},
		}
	}
	return nil
}

// UndoMovedProps is an undo some of whose flags were changed since.
type UndoMovedProps struct {
	Why     string
	Back    []string // what goes back, a line a flag
	Stays   []StaysLine
	RestURL string // where to post the undo of the rest
}

// StaysLine is a flag that an undo leaves, and who changed it when.
type StaysLine struct{ Line, By string }

// GoneProps is an account that was deleted while someone edited it.
type GoneProps struct {
	Why   string   // who deleted it, and when
	Lines []string // the edits as text; none for an undo
	// AgainURL is where it is issued again, with its functions if they are known.
	AgainURL string
}

// firstBox returns the id of what a person looks at who goes back to the form.
func (p ConflictProps) firstBox() string {
	if len(p.Rows) == 0 {
		return "save"
	}
	return "f-" + string(p.Rows[0].Key)
}
