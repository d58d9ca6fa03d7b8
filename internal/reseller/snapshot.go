package reseller

import (
	"slices"
	"strings"
	"sync"
	"time"

	"waveadmin/internal/wave"
)

// Snapshot is all accounts as Wave listed them at one moment. It never changes
// and is safe for concurrent use.
//
// Accounts stand in slots, which are numbered in the order of their emails when
// the snapshot is built. A slot keeps its number in every snapshot that is made
// of this one by replacing an account: such a snapshot shares all chunks but one.
type Snapshot struct {
	asOf time.Time
	// answered is when the list was there, which is no sooner than what it says was so.
	answered time.Time
	chunks   []*chunk
	slots    int     // used in chunks, removed accounts included
	byID     []int32 // slots by user id, without those that have none
	fold     func(string) string
	orders   *orders
	// standings are not the business of a snapshot that is made of this one.
	standings *standings
	counts    func() *[64]int
	bytes     func() *[256]int // how often each byte is in the texts
}

const chunkSize = 256

type chunk [chunkSize]entry

// newSnapshot builds a snapshot of list, which it does not keep. What old has
// alike is shared with it; old may be nil.
func newSnapshot(list []wave.Reseller, asOf time.Time, fold func(string) string, old *Snapshot) *Snapshot {
	b := builder{fold: fold, old: old, groups: make(map[wave.BillingGroup]*group)}
	entries := make([]entry, len(list))
	for i, r := range list {
		entries[i] = b.entry(r)
	}
	places := make([]*entry, len(entries)) // moving pointers is cheaper than moving entries
	for i := range entries {
		places[i] = &entries[i]
	}
	slices.SortFunc(places, compareEmail)

	s := &Snapshot{asOf: asOf, slots: len(entries), fold: fold}
	for part := range slices.Chunk(places, chunkSize) {
		c := new(chunk)
		for i, e := range part {
			c[i] = *e
		}
		s.chunks = append(s.chunks, c)
	}
	s.byID = make([]int32, 0, len(entries))
	for i := range int32(s.slots) {
		if s.at(i).id != "" {
			s.byID = append(s.byID, i)
		}
	}
	slices.SortStableFunc(s.byID, func(a, b int32) int { return strings.Compare(string(s.at(a).id), string(s.at(b).id)) })
	s.orders, s.standings = newOrders(s.slots), new(standings)
	s.counts = sync.OnceValue(s.count)
	s.bytes = sync.OnceValue(s.countBytes)
	return s
}

func (s *Snapshot) at(slot int32) *entry { return &s.chunks[slot/chunkSize][slot%chunkSize] }

// find returns the slot of an account. Of several with one id, it is the first
// by email.
func (s *Snapshot) find(id wave.UserID) (int32, bool) {
	i, ok := slices.BinarySearchFunc(s.byID, id, func(slot int32, id wave.UserID) int {
		return strings.Compare(string(s.at(slot).id), string(id))
	})
	if !ok {
		return 0, false
	}
	return s.byID[i], true
}

// Get returns an account. Its times are in UTC.
func (s *Snapshot) Get(id wave.UserID) (wave.Reseller, bool) {
	slot, ok := s.find(id)
	if !ok {
		return wave.Reseller{}, false
	}
	return s.at(slot).reseller(), true
}

// AsOf returns when Wave was asked for the list.
func (s *Snapshot) AsOf() time.Time { return s.asOf }

// Len returns the number of accounts.
func (s *Snapshot) Len() int { return len(s.order(order{key: ByEmail})) }

// CountOn returns how many accounts have the flag on.
func (s *Snapshot) CountOn(key wave.Key) int {
	if i, ok := wave.Index(key); ok {
		return s.counts()[i]
	}
	n := 0
	for _, slot := range s.order(order{key: ByEmail}) {
		if s.at(slot).meta.On(key) {
			n++
		}
	}
	return n
}

func (s *Snapshot) count() *[64]int {
	var n [64]int
	for _, slot := range s.order(order{key: ByEmail}) {
		on := s.at(slot).meta.Bits()
		for i := range wave.Flags {
			n[i] += int(on >> i & 1)
		}
	}
	return &n
}

// billingGroups returns the groups of the accounts, each once, by name.
func (s *Snapshot) billingGroups() []wave.BillingGroup {
	seen := make(map[*group]bool)
	var groups []*group
	for _, slot := range s.order(order{key: ByEmail}) {
		if g := s.at(slot).group; g.CompanyID != "" && !seen[g] {
			seen[g] = true
			groups = append(groups, g)
		}
	}
	slices.SortStableFunc(groups, compareGroup)
	out := make([]wave.BillingGroup, len(groups))
	for i, g := range groups {
		out[i] = g.BillingGroup
	}
	return out
}

// findCreated returns the account with that email in the company, email compared
// folded. An empty company means any.
func (s *Snapshot) findCreated(email, company string) (wave.Reseller, bool) {
	email = s.fold(email)
	byEmail := s.order(order{key: ByEmail})
	i, _ := slices.BinarySearchFunc(byEmail, email, func(slot int32, email string) int {
		return compareText(s.at(slot).emailKey(), email)
	})
	for _, slot := range byEmail[i:] {
		e := s.at(slot)
		if e.emailKey() != email {
			break
		}
		if company == "" || e.group.CompanyID == company {
			return e.reseller(), true
		}
	}
	return wave.Reseller{}, false
}

// ByEmail returns an account with that email, compared folded, or false.
func (s *Snapshot) ByEmail(email string) (wave.Reseller, bool) { return s.findCreated(email, "") }
