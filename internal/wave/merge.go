package wave

import (
	"maps"
	"slices"
)

// Seen is what a form showed of an account: the state of each flag on it. It may
// hold only the flags that were touched.
type Seen map[Key]State

// Wanted is what a person asks for: only the flags that they touched, each with
// the value that they chose.
type Wanted map[Key]bool

// SeenIn returns what a form over m shows: every flag of the catalogue and every
// flag that m has besides.
func SeenIn(m Meta) Seen {
	seen := make(Seen, len(Flags))
	for _, f := range Flags {
		seen[f.Key] = m.State(f.Key)
	}
	for _, key := range m.Unknown() {
		seen[key] = m.State(key)
	}
	return seen
}

// A Moved is a flag whose value is another than before.
type Moved struct {
	Key      Key
	From, To State
}

// Diff returns the flags that differ between two metas: those of the catalogue
// in its order, then the others by key.
func Diff(before, after Meta) []Moved {
	var out []Moved
	add := func(key Key) {
		from, to := before.State(key), after.State(key)
		if from != to || from == Odd && before.raw(key) != after.raw(key) {
			out = append(out, Moved{key, from, to})
		}
	}
	for _, f := range Flags {
		add(f.Key)
	}
	others := make(map[Key]bool)
	for _, m := range []Meta{before, after} {
		for _, key := range m.Unknown() {
			others[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(others)) {
		add(key)
	}
	return out
}

// Merged is what becomes of a person's edits when the account may have moved
// since they saw it.
type Merged struct {
	Meta    Meta    // what to send: now, with the wanted flags set
	Apply   []Moved // wanted flags that the write really changes
	Already []Key   // wanted flags that have the wanted value already
	Others  []Moved // flags that nobody asked for and that moved since they were seen
	Related []Key   // of Others, those that are parent or child of a wanted flag
}

// Merge lays wanted over now, flag by flag. A flag that wanted does not name
// keeps what now says. What seen lacks is not compared. As a flag has only two
// values to choose from, a wanted flag that moved has what was wanted already:
// there is no conflict within one flag.
func Merge(seen Seen, wanted Wanted, now Meta) Merged {
	out := Merged{Meta: now}
	for _, key := range Ordered(wanted) {
		from, to := now.State(key), StateOf(wanted[key])
		if from == to {
			out.Already = append(out.Already, key)
			continue
		}
		out.Meta = out.Meta.With(key, wanted[key])
		out.Apply = append(out.Apply, Moved{key, from, to})
	}
	for _, key := range Ordered(seen) {
		if _, mine := wanted[key]; mine {
			continue
		}
		// A form shows an odd value as off and can only say so.
		if from, to := seen[key], now.State(key); from != to && (from != Off || to != Odd) {
			out.Others = append(out.Others, Moved{key, from, to})
			if related(key, wanted) {
				out.Related = append(out.Related, key)
			}
		}
	}
	return out
}

// related reports whether key is the parent or a child of a flag in wanted.
func related(key Key, wanted Wanted) bool {
	if f, ok := Lookup(key); ok && f.Parent != "" {
		if _, ok := wanted[f.Parent]; ok {
			return true
		}
	}
	return slices.ContainsFunc(Children(key), func(child Key) bool {
		_, ok := wanted[child]
		return ok
	})
}

// Ordered returns the keys of m: those of the catalogue in its order, then the
// others by name.
func Ordered[V any](m map[Key]V) []Key {
	return slices.SortedFunc(maps.Keys(m), func(a, b Key) int {
		i, knownA := index[a]
		j, knownB := index[b]
		switch {
		case knownA && knownB:
			return i - j
		case knownA:
			return -1
		case knownB:
			return 1
		case a < b:
			return -1
		}
		return 1
	})
}
