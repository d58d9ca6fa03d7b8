package bulk

import (
	"waveadmin/internal/wave"
)

// A tally is a plan in numbers, as they are stored: an account that is left out, or is
// in again, only adds to them or takes away.
type tally struct {
	Version int64                   `json:"version"` // of the plan of which it holds
	Sum     Sum                     `json:"sum"`     // without Flags
	Flags   map[wave.Key]*flagTally `json:"flags"`
	Issued  map[wave.Key]int        `json:"issued,omitempty"` // flags that are on in new accounts
	Items   int                     `json:"items"`            // all accounts
	Acts    int                     `json:"acts"`             // those of them to which something will be done, if they are not left out
}

type flagTally struct {
	Of  int     `json:"of"` // accounts that want it one way or the other
	Sum FlagSum `json:"sum"`
}

func tallyOf(items []Item) *tally {
	t := &tally{Flags: make(map[wave.Key]*flagTally), Issued: make(map[wave.Key]int), Items: len(items)}
	for _, i := range items {
		if i.Acts() {
			t.Acts++
		}
		t.add(i, 1)
	}
	return t
}

// sum returns what t says of the accounts that are not left out.
func (t *tally) sum() Sum {
	s := t.Sum
	for _, key := range wave.Ordered(t.Flags) {
		s.Flags = append(s.Flags, t.Flags[key].Sum)
	}
	return s
}

// add counts i, or with n = -1 takes it away again.
func (t *tally) add(i Item, n int) {
	s := &t.Sum
	switch {
	case i.LeftOut:
		s.LeftOut += n
	case i.Kind == Creations:
		s.Accounts += n
		s.Changes += n
		for key := range i.New.Meta.All() {
			if i.New.Meta.On(key) {
				t.Issued[key] += n
			}
		}
	case i.Before == nil:
		s.Gone += n
	case i.Flawed:
		s.Flawed += n
	case i.Kind != Flags:
		s.Accounts += n
		s.Changes += n
	default:
		t.addFlags(i, n)
	}
}

func (t *tally) addFlags(i Item, n int) {
	s, moves := &t.Sum, 0
	for key := range i.Want {
		f := t.Flags[key]
		if f == nil {
			f = &flagTally{Sum: FlagSum{Key: key}}
			t.Flags[key] = f
		}
		f.Of += n
		switch c := i.cell(key); c.Outcome {
		case Moves:
			moves++
			if c.On {
				f.Sum.TurnOn += n
			} else {
				f.Sum.TurnOff += n
			}
		case Already:
			f.Sum.Already += n
		case Moved:
			s.Moved += n
		case Missing:
			s.Missing += n
		}
		if f.Of == 0 {
			delete(t.Flags, key)
		}
	}
	if moves == 0 {
		s.Right += n
		return
	}
	s.Accounts += n
	s.Changes += n * moves
	if i.Before.HasOdd() || len(i.Before.Unknown()) > 0 {
		s.Odd += n
	}
}
