package bulk

import (
	"waveadmin/internal/wave"
)

// Outcome is what a plan says of one wanted flag of an account.
type Outcome int

const (
	Moves   Outcome = iota // it will be changed
	Already                // it is as wanted
	Moved                  // it was as wanted when the person looked, and someone has changed it since
	Missing                // neither the catalogue nor the account has it
	Barred                 // nothing can be sent to the account
)

// A Cell is one wanted flag of an account.
type Cell struct {
	Key     wave.Key
	From    wave.State // in the list of the plan
	On      bool       // what is wanted
	Outcome Outcome
}

// Cells returns the wanted flags of i, those of the catalogue in its order, then
// the others by key. Unset and odd count as off: to a customer they are.
func (i Item) Cells() []Cell {
	cells := make([]Cell, 0, len(i.Want))
	for _, key := range wave.Ordered(i.Want) {
		cells = append(cells, i.cell(key))
	}
	return cells
}

func (i Item) cell(key wave.Key) Cell {
	c := Cell{Key: key, On: i.Want[key]}
	if i.Before == nil || i.Flawed {
		c.Outcome = Barred
		return c
	}
	c.From = i.Before.State(key)
	_, known := wave.Lookup(key)
	seen, looked := i.Seen[key]
	switch {
	case (c.From == wave.On) == c.On:
		c.Outcome = Already
	case !known && c.From == wave.Unset:
		c.Outcome = Missing
	case looked && (seen == wave.On) == c.On:
		c.Outcome = Moved
	}
	return c
}

// Split returns the wanted flags of i that will be changed, and those that are to
// stay as they are.
func (i Item) Split() (moves, stay wave.Wanted) {
	moves, stay = make(wave.Wanted), make(wave.Wanted)
	for key := range i.Want {
		switch c := i.cell(key); c.Outcome {
		case Moves:
			moves[key] = c.On
		case Already:
			stay[key] = c.On
		}
	}
	return moves, stay
}

// Acts reports whether something will be done to the account, if it is not left out.
func (i Item) Acts() bool {
	switch i.Kind {
	case Creations:
		return true
	case Passwords, Deletions:
		return i.Before != nil && !i.Flawed
	}
	moves, _ := i.Split()
	return len(moves) > 0
}

// Changes returns how many flags of the account will be changed, 0 when it is left
// out, and 1 where a plan changes no flags.
func (i Item) Changes() int {
	switch {
	case i.LeftOut:
		return 0
	case i.Kind != Flags && i.Acts():
		return 1
	}
	moves, _ := i.Split()
	return len(moves)
}

// InRun reports whether a run looks at the account at all: one that is as wanted is
// looked at, though nothing is sent to it.
func (i Item) InRun() bool {
	if i.LeftOut || i.Kind != Flags {
		return !i.LeftOut && i.Acts()
	}
	moves, stay := i.Split()
	return len(moves)+len(stay) > 0
}

// A Sum is a plan in numbers, without what is left out.
type Sum struct {
	Accounts int       // that something will be done to
	Changes  int       // flags that will be changed; as Accounts where a plan changes none
	Flags    []FlagSum // the wanted flags, in the order of Cells
	Right    int       // accounts that are as wanted already
	LeftOut  int       // accounts that are left out by hand
	Gone     int       // accounts that are not there
	Flawed   int
	Odd      int // accounts with data out of the ordinary that will be changed
	Moved    int // flags that someone changed since the person looked; they are left
	Missing  int // flags that an account does not have; they are left
}

// FlagSum is one flag of a plan in numbers of accounts.
type FlagSum struct {
	Key                      wave.Key
	TurnOn, TurnOff, Already int
}

// Sum counts p.
func (p *Plan) Sum() Sum { return tallyOf(p.Items).sum() }

// MustType reports whether the number of accounts must be typed to run p.
func (p *Plan) MustType(s Sum) bool {
	return s.Accounts >= CountFrom || p.Kind == Deletions || p.Kind == Passwords
}

// FlagsMoved returns how many flags will be changed somewhere.
func (s Sum) FlagsMoved() int {
	n := 0
	for _, f := range s.Flags {
		if f.TurnOn+f.TurnOff > 0 {
			n++
		}
	}
	return n
}
