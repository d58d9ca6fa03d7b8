package reseller

import (
	"slices"
	"strings"
	"sync"

	"waveadmin/internal/wave"
)

// with returns a snapshot in which r stands in place of the account with its id,
// or is added. It shares nearly everything with s.
func (s *Snapshot) with(r wave.Reseller) *Snapshot {
	b := builder{fold: s.fold, old: s}
	b.groups = make(map[wave.BillingGroup]*group)
	e := b.entry(r)
	old, found := s.find(r.UserID)
	if found && compareEmail(s.at(old), &e) == 0 {
		return s.rearranged(old, true, func(n *Snapshot) { n.set(old, e) })
	}
	n := s
	if found { // its email moved, and with it its place
		n = s.without(r.UserID)
	}
	slot := int32(n.slots)
	return n.rearranged(slot, false, func(n *Snapshot) {
		n.slots++
		n.set(slot, e)
		i, _ := slices.BinarySearchFunc(n.byID, e.id, func(slot int32, id wave.UserID) int {
			return strings.Compare(string(n.at(slot).id), string(id))
		})
		n.byID = slices.Insert(slices.Clone(n.byID), i, slot)
	})
}

// without returns a snapshot that lacks an account. Its slot stays, unused.
func (s *Snapshot) without(id wave.UserID) *Snapshot {
	slot, found := s.find(id)
	if !found {
		return s
	}
	n := s.share()
	n.byID = cut(n.byID, slot)
	for o, slots := range s.orders.all() {
		n.orders.m[o] = cut(slots, slot)
	}
	return n
}

// rearranged returns a copy of s after edit, in which slot stands at its place in
// every order that s has. Was says whether it was in them before.
func (s *Snapshot) rearranged(slot int32, was bool, edit func(*Snapshot)) *Snapshot {
	n := s.share()
	edit(n)
	for o, slots := range s.orders.all() {
		if was {
			slots = cut(slots, slot)
		} else {
			slots = slices.Clone(slots)
		}
		i, _ := slices.BinarySearchFunc(slots, slot, n.compare(o))
		n.orders.m[o] = slices.Insert(slots, i, slot)
	}
	return n
}

// share returns a snapshot with the accounts of s and no orders.
func (s *Snapshot) share() *Snapshot {
	n := &Snapshot{
		asOf: s.asOf, answered: s.answered, fold: s.fold, slots: s.slots, byID: s.byID,
		bytes:  s.bytes,
		chunks: slices.Clone(s.chunks), orders: &orders{m: make(map[order][]int32)}, standings: new(standings),
	}
	n.counts = sync.OnceValue(n.count)
	return n
}

// set puts e into a slot of a snapshot that nobody else has yet.
func (s *Snapshot) set(slot int32, e entry) {
	i := slot / chunkSize
	if int(i) == len(s.chunks) {
		s.chunks = append(s.chunks, new(chunk))
	}
	c := *s.chunks[i]
	c[slot%chunkSize] = e
	s.chunks[i] = &c
}

// all returns the orders made so far.
func (o *orders) all() map[order][]int32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := make(map[order][]int32, len(o.m))
	for key, slots := range o.m {
		m[key] = slots
	}
	return m
}

// cut returns a copy of slots without slot.
func cut(slots []int32, slot int32) []int32 {
	i := slices.Index(slots, slot)
	if i < 0 {
		return slices.Clone(slots)
	}
	return slices.Concat(slots[:i], slots[i+1:])
}
