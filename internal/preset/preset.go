// Package preset holds named sets of flags: what they say, which accounts they are
// assigned to, and where an account differs from its own.
package preset

import (
	"math/bits"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/wave"
)

// Defaults is the ID of the preset that is built in: what the API documents for a
// new account. It cannot be changed, and it has no name of its own.
const Defaults = "defaults"

// A Preset is a named set of flags. It is a value that nobody changes in place.
type Preset struct {
	ID      string
	Name    string
	Note    string // what it is for; may be empty
	Version int    // from 1, one more with each change
	Flags   wave.Wanted
	Changed time.Time  // when this version was made; zero for the built-in one
	By      auth.Actor // who made it, without Role; the zero Actor for the built-in one

	mask mask
}

// mask is Flags as two sets of bits, with the flags that the catalogue lacks apart.
type mask struct {
	on, off uint64
	others  []wave.Key
}

// New returns p, ready to be compared with accounts.
func New(p Preset) *Preset {
	p.mask = mask{}
	for key, on := range p.Flags {
		switch i, ok := wave.Index(key); {
		case !ok:
			p.mask.others = append(p.mask.others, key)
		case on:
			p.mask.on |= 1 << i
		default:
			p.mask.off |= 1 << i
		}
	}
	slices.Sort(p.mask.others)
	return &p
}

// builtIn is the preset of the API's defaults.
var builtIn = func() *Preset {
	flags := make(wave.Wanted, len(wave.Flags))
	for _, f := range wave.Flags {
		flags[f.Key] = f.Default
	}
	return New(Preset{ID: Defaults, Version: 1, Flags: flags})
}()

// BuiltIn returns the preset that there always is.
func BuiltIn() *Preset { return builtIn }

// DriftCount returns how many flags of m differ from p. A flag that p does not
// specify never differs; unset and odd count as off.
func (p *Preset) DriftCount(m wave.Meta) int {
	on := m.Bits()
	n := bits.OnesCount64(p.mask.on&^on | p.mask.off&on)
	for _, key := range p.mask.others {
		if m.On(key) != p.Flags[key] {
			n++
		}
	}
	return n
}

// Drift returns the flags of m that differ from p, each with what p says, in the
// order of the catalogue, then the others by key.
func (p *Preset) Drift(m wave.Meta) []wave.Moved {
	var out []wave.Moved
	add := func(key wave.Key) {
		if want, ok := p.Flags[key]; ok && m.On(key) != want {
			out = append(out, wave.Moved{Key: key, From: m.State(key), To: wave.StateOf(want)})
		}
	}
	for _, f := range wave.Flags {
		add(f.Key)
	}
	for _, key := range p.mask.others {
		add(key)
	}
	return out
}

// An Assignment says which preset an account is to follow.
type Assignment struct {
	Account wave.UserID
	Preset  string // its ID
	Version int    // of the preset, when it was assigned
	By      auth.Actor
	At      time.Time
}

// A Book is all presets and assignments at one moment. It never changes and is
// safe for concurrent use.
type Book struct {
	presets  []*Preset // the built-in one first, then by name
	byID     map[string]*Preset
	assigned map[wave.UserID]Assignment
	accounts map[string][]wave.UserID // by preset, sorted
	forNew   string
}

// NewBook returns a book with the built-in preset and those given. ForNew is the ID
// of the preset that new accounts begin with; one that there is none of counts as
// Defaults. Assignments to a preset that there is none of are left out. The book
// keeps both slices' contents.
func NewBook(presets []*Preset, assigned []Assignment, forNew string) *Book {
	b := &Book{
		presets:  append([]*Preset{builtIn}, presets...),
		byID:     make(map[string]*Preset, len(presets)+1),
		assigned: make(map[wave.UserID]Assignment, len(assigned)),
		accounts: make(map[string][]wave.UserID),
		forNew:   forNew,
	}
	slices.SortStableFunc(b.presets[1:], func(x, y *Preset) int { return strings.Compare(x.Name, y.Name) })
	for _, p := range b.presets {
		b.byID[p.ID] = p
	}
	for _, a := range assigned {
		if b.byID[a.Preset] != nil {
			b.assigned[a.Account] = a
		}
	}
	for id, a := range b.assigned {
		b.accounts[a.Preset] = append(b.accounts[a.Preset], id)
	}
	for _, ids := range b.accounts {
		slices.Sort(ids)
	}
	return b
}

// All returns the presets, the built-in one first, then by name.
func (b *Book) All() []*Preset { return b.presets }

// Get returns a preset, or nil.
func (b *Book) Get(id string) *Preset { return b.byID[id] }

// ForNew returns the preset that new accounts begin with.
func (b *Book) ForNew() *Preset {
	if p := b.byID[b.forNew]; p != nil {
		return p
	}
	return builtIn
}

// Of returns what is assigned to an account.
func (b *Book) Of(id wave.UserID) (Assignment, bool) {
	a, ok := b.assigned[id]
	return a, ok
}

// AccountsOf returns the accounts that a preset is assigned to, by ID. Some may be
// gone at Wave. The slice is the book's: do not change it.
func (b *Book) AccountsOf(preset string) []wave.UserID { return b.accounts[preset] }

// PresetOf returns the preset that is assigned to an account, or nil.
func (b *Book) PresetOf(id wave.UserID) *Preset {
	a, ok := b.assigned[id]
	if !ok {
		return nil
	}
	return b.byID[a.Preset]
}

// DriftOf returns how many flags of an account differ from its preset, 0 without one.
func (b *Book) DriftOf(id wave.UserID, m wave.Meta) int {
	if p := b.PresetOf(id); p != nil {
		return p.DriftCount(m)
	}
	return 0
}

// Standing returns the ID of the preset that is assigned to an account, empty for
// none, and how many flags of m differ from it.
func (b *Book) Standing(id wave.UserID, m wave.Meta) (preset string, drift int) {
	p := b.PresetOf(id)
	if p == nil {
		return "", 0
	}
	return p.ID, p.DriftCount(m)
}
