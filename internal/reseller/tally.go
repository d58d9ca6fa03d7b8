package reseller

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"waveadmin/internal/wave"
)

// A Tally is what can be counted of all accounts of a snapshot. Times of the API are
// two: when an account was registered, and when its record was updated. It tells of
// no sign-ins.
type Tally struct {
	Accounts int
	Others   []FlagTally // flags that the catalogue lacks, by key

	Never    int          // accounts that are not registered
	ByAge    [3]int       // registered less than one year ago, one to three years, longer ago
	ByMonth  []MonthTally // accounts by the month of their registration, the oldest first, only months with some
	NoUpdate int          // accounts without a time of update
	Stale    int          // accounts that were not updated for a year

	Unusual int // what Query.Unusual selects, all flawed ones among them
	Flawed  int // records that refuse every change
	Doubles int // of these, those that share their id with another
}

// MonthTally is how many accounts were registered in a month.
type MonthTally struct {
	Month time.Time // its first moment
	Count int
}

// FlagTally is how many accounts say what of a flag.
type FlagTally struct {
	Key                 wave.Key
	On, Off, Unset, Odd int
	Groups              []GroupTally // billing groups by number of accounts, the largest first, then by name
}

// GroupTally is how many accounts of a billing group have a flag on.
type GroupTally struct {
	wave.BillingGroup
	On, Accounts int
}

// Known reports whether any account has the flag, on or not.
func (t FlagTally) Known() bool { return t.On+t.Off+t.Odd > 0 }

// Tally counts all accounts, as old as they are at now. Months are those of zone. It
// reads each account once: some milliseconds for ten thousand.
func (s *Snapshot) Tally(now time.Time, zone *time.Location) Tally {
	var t Tally
	year, three := now.AddDate(-1, 0, 0).UnixMicro(), now.AddDate(-3, 0, 0).UnixMicro()
	months := make(map[int]int) // months since the year 0
	others := make(map[wave.Key]*FlagTally)
	for e := range s.entries() {
		t.Accounts++
		switch {
		case e.registered == noTime:
			t.Never++
		case e.registered >= year:
			t.ByAge[0]++
		case e.registered >= three:
			t.ByAge[1]++
		default:
			t.ByAge[2]++
		}
		if e.registered != noTime {
			y, m, _ := time.UnixMicro(e.registered).In(zone).Date()
			months[y*12+int(m)-1]++
		}
		switch {
		case e.updated == noTime:
			t.NoUpdate++
		case e.updated < year:
			t.Stale++
		}
		if !e.unusual {
			continue
		}
		t.Unusual++
		if e.flaw != wave.NoFlaw {
			t.Flawed++
		}
		if e.flaw == wave.DuplicateID {
			t.Doubles++
		}
		for _, key := range e.meta.Unknown() {
			if key == "" {
				continue // no address can name it
			}
			if others[key] == nil {
				others[key] = &FlagTally{Key: key}
			}
			others[key].add(e.meta.State(key))
		}
	}
	for _, month := range slices.Sorted(maps.Keys(months)) {
		t.ByMonth = append(t.ByMonth, MonthTally{time.Date(month/12, time.Month(month%12+1), 1, 0, 0, 0, 0, zone), months[month]})
	}
	for _, key := range slices.Sorted(maps.Keys(others)) {
		o := *others[key]
		o.Unset = t.Accounts - o.On - o.Off - o.Odd
		t.Others = append(t.Others, o)
	}
	return t
}

// TallyOf counts what the accounts say of one flag. Accounts without a billing group
// are in no GroupTally.
func (s *Snapshot) TallyOf(key wave.Key) FlagTally {
	t := FlagTally{Key: key}
	type counted struct {
		group *group
		GroupTally
	}
	// By value: an account that was laid over the snapshot has a group of its own.
	groups := make(map[wave.BillingGroup]*counted)
	for e := range s.entries() {
		state := e.meta.State(key)
		t.add(state)
		if e.group.BillingGroup == (wave.BillingGroup{}) {
			continue
		}
		g := groups[e.group.BillingGroup]
		if g == nil {
			g = &counted{e.group, GroupTally{BillingGroup: e.group.BillingGroup}}
			groups[e.group.BillingGroup] = g
		}
		g.Accounts++
		if state == wave.On {
			g.On++
		}
	}
	ordered := slices.SortedFunc(maps.Values(groups), func(a, b *counted) int {
		return cmp.Or(b.Accounts-a.Accounts, compareGroup(a.group, b.group))
	})
	t.Groups = make([]GroupTally, len(ordered))
	for i, g := range ordered {
		t.Groups[i] = g.GroupTally
	}
	return t
}

func (t *FlagTally) add(s wave.State) {
	switch s {
	case wave.On:
		t.On++
	case wave.Off:
		t.Off++
	case wave.Odd:
		t.Odd++
	default:
		t.Unset++
	}
}

// Metas returns the id and the flags of every account, in no order that counts.
func (s *Snapshot) Metas() iter.Seq2[wave.UserID, wave.Meta] {
	return func(yield func(wave.UserID, wave.Meta) bool) {
		for e := range s.entries() {
			if !yield(e.id, e.meta) {
				return
			}
		}
	}
}

func (s *Snapshot) entries() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for _, slot := range s.order(order{key: ByEmail}) {
			if !yield(s.at(slot)) {
				return
			}
		}
	}
}
