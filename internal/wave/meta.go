package wave

import (
	"bytes"
	"iter"
	"math/bits"
	"slices"
)

// State is what an account's meta says of one flag.
type State uint8

const (
	Unset State = iota // the meta lacks the flag; it counts as off
	Off
	On
	Odd // the value is no boolean; it counts as off and is sent back as it came
)

func (s State) String() string { return [...]string{"unset", "off", "on", "odd"}[s] }

// StateOf returns On or Off.
func StateOf(on bool) State {
	if on {
		return On
	}
	return Off
}

// Meta is all the switches of one account. It keeps what the API sent, flags
// that this program does not know and values that are no booleans included, so
// that a write gives them back unchanged. The zero Meta has no flag. A Meta is
// a value: its methods return new ones, and it is safe for concurrent use.
type Meta struct {
	on    uint64  // bit i: Flags[i] is on
	known uint64  // bit i: Flags[i] is on or off
	rest  *[]rest // unknown flags and odd values, as they came; nil for nearly all accounts
}

// rest is a flag that two bits cannot hold.
type rest struct {
	key Key
	raw string // a JSON value
}

// State returns what m says of key.
func (m Meta) State(key Key) State {
	if i, ok := index[key]; ok {
		bit := uint64(1) << i
		switch {
		case m.on&bit != 0:
			return On
		case m.known&bit != 0:
			return Off
		}
	}
	if raw := m.raw(key); raw != "" {
		return stateOfRaw(raw)
	}
	return Unset
}

// raw returns the JSON value of a flag that two bits cannot hold, or "".
func (m Meta) raw(key Key) string {
	for k, raw := range m.Rest() {
		if k == key {
			return raw
		}
	}
	return ""
}

// On reports whether the customer sees the function: only a plain true counts.
func (m Meta) On(key Key) bool { return m.State(key) == On }

// With returns m with key set to on, whatever it was.
func (m Meta) With(key Key, on bool) Meta {
	i, ok := index[key]
	if !ok {
		raw := "false"
		if on {
			raw = "true"
		}
		return m.withRest(key, raw)
	}
	if m.State(key) == Odd {
		m = m.without(key)
	}
	bit := uint64(1) << i
	m.known |= bit
	m.on &^= bit
	if on {
		m.on |= bit
	}
	return m
}

// WithRaw returns m with key set to the JSON value raw, as the API sent it.
func (m Meta) WithRaw(key Key, raw []byte) Meta {
	raw = bytes.TrimSpace(raw)
	state := stateOfRaw(string(raw))
	if _, ok := index[key]; ok && state != Odd {
		return m.With(key, state == On)
	}
	if i, ok := index[key]; ok {
		m.on, m.known = m.on&^(1<<i), m.known&^(1<<i)
	}
	return m.withRest(key, string(raw))
}

func (m Meta) withRest(key Key, raw string) Meta {
	var list []rest
	if m.rest != nil {
		list = slices.Clone(*m.rest)
	}
	if i := slices.IndexFunc(list, func(r rest) bool { return r.key == key }); i >= 0 {
		list[i].raw = raw
	} else {
		list = append(list, rest{key, raw})
	}
	m.rest = &list
	return m
}

func (m Meta) without(key Key) Meta {
	list := slices.DeleteFunc(slices.Clone(*m.rest), func(r rest) bool { return r.key == key })
	m.rest = &list
	if len(list) == 0 {
		m.rest = nil
	}
	return m
}

// CountOn returns how many flags of the catalogue are on.
func (m Meta) CountOn() int { return bits.OnesCount64(m.on) }

// Bits returns the flags that are on, bit i for Flags[i]: for filters over many
// accounts.
func (m Meta) Bits() uint64 { return m.on }

// Known returns the flags that are plainly on or off, bit i for Flags[i].
func (m Meta) Known() uint64 { return m.known }

// All returns every flag that the account has with its JSON value: those of the
// catalogue in its order, then the others in the order of arrival.
func (m Meta) All() iter.Seq2[Key, string] {
	return func(yield func(Key, string) bool) {
		for i, f := range Flags {
			if m.known&(1<<i) == 0 {
				continue
			}
			raw := "false"
			if m.on&(1<<i) != 0 {
				raw = "true"
			}
			if !yield(f.Key, raw) {
				return
			}
		}
		for key, raw := range m.Rest() {
			if !yield(key, raw) {
				return
			}
		}
	}
}

// Unknown returns the flags of m that the catalogue lacks, in the order of
// arrival.
func (m Meta) Unknown() []Key {
	var keys []Key
	for key := range m.Rest() {
		if _, known := index[key]; !known {
			keys = append(keys, key)
		}
	}
	return keys
}

// HasOdd reports whether a value of m is no boolean.
func (m Meta) HasOdd() bool {
	for key := range m.Rest() {
		if m.State(key) == Odd {
			return true
		}
	}
	return false
}

// Rest returns the flags that All has beside those of Known: unknown ones and odd
// values, in the order of arrival.
func (m Meta) Rest() iter.Seq2[Key, string] {
	return func(yield func(Key, string) bool) {
		if m.rest == nil {
			return
		}
		for _, r := range *m.rest {
			if !yield(r.key, r.raw) {
				return
			}
		}
	}
}

func stateOfRaw(raw string) State {
	switch raw {
	case "true":
		return On
	case "false":
		return Off
	}
	return Odd
}
