// Package sheet reads the files in which people list accounts to be created, and
// writes the tables that they open in a spreadsheet.
package sheet

import (
	"cmp"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// Limits of a file. What is read of one stays under 64 MB, whatever is in it.
const (
	MaxBytes = 2 << 20
	MaxRows  = 10_000 // without the head and blank ones

	maxColumns  = 200
	maxCell     = 1000 // bytes of a cell that is read
	maxProblems = 5    // that are named of one row
)

// The columns of a file beside those of the functions, which are called by the key of
// their flag.
const (
	Email        = "email"
	CompanyID    = "company_id"
	Notification = "notification"
	Preset       = "preset"
)

// Names are what the columns are called for people, in both languages. The functions
// are called as in the catalogue.
type Names struct{ Email, CompanyID, Notification, Preset wave.Text }

// all returns the columns that have a name here, in the order of the template.
func (n Names) all() []column {
	return []column{{Email, n.Email}, {CompanyID, n.CompanyID}, {Notification, n.Notification}, {Preset, n.Preset}}
}

// A column is one that a file can have.
type column struct {
	key  string
	name wave.Text
}

// functions returns the columns of the functions, in the order of the catalogue.
func functions() []column {
	out := make([]column, len(wave.Flags))
	for i, f := range wave.Flags {
		out[i] = column{string(f.Key), f.Label}
	}
	return out
}

// A Sheet is what a file says.
type Sheet struct {
	Rows    []Row    // at least one
	Ignored []string // heads of the columns that say nothing to us, cut to a length
}

// A Row is one account to be created.
type Row struct {
	Number    int // as a spreadsheet counts, so that the first after the head is 2
	Email     string
	CompanyID string
	Preset    string     // its name or ID, as it was typed; empty for none
	Notify    wave.State // On, Off, or Unset when the row does not say
	Flags     wave.Meta  // what the row says of functions; a flag that it leaves open is unset
	Problems  []Problem  // why it cannot be taken, at most a few; empty when it can

	called map[string]string // as of head
}

// Called returns what the file calls a column, or its key when it has none such.
func (r *Row) Called(column string) string { return cmp.Or(r.called[column], column) }

// A Problem is what is wrong with a row. Its sentence says which row and column it is
// about.
type Problem struct {
	Column string // the key of the column; empty for the row as a whole
	Say    fault.Text
}

func (r *Row) problem(column, key string, args ...any) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, Problem{column, fault.Say(key, append(args, "row", r.Number, "column", r.Called(column))...)})
	}
}

// refused is the fault of a file that cannot be taken as a whole.
func refused(key string, args ...any) error { return fault.Field("file", key, args...) }
