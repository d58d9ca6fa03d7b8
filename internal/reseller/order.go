package reseller

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// order is a way to arrange the accounts of a snapshot. ByChanged and ByDrift are
// none: they depend on more than the snapshot.
type order struct {
	key  SortKey
	desc bool
}

// orders are the arrangements of one snapshot, each made when it is first asked
// for.
type orders struct {
	mu sync.Mutex
	m  map[order][]int32
}

func newOrders(slots int) *orders {
	byEmail := make([]int32, slots)
	for i := range byEmail {
		byEmail[i] = int32(i)
	}
	return &orders{m: map[order][]int32{{key: ByEmail}: byEmail}}
}

// order returns the slots of all accounts in order o. Do not change them.
func (s *Snapshot) order(o order) []int32 {
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	if have, ok := s.orders.m[o]; ok {
		return have
	}
	slots := slices.Clone(s.orders.m[order{key: ByEmail}])
	slices.SortStableFunc(slots, s.compare(o)) // the same value: by email
	s.orders.m[o] = slots
	return slots
}

// compare returns how o arranges two slots. It is a total order, so that an
// account can be put in its place alone. Empty values come last both ways.
func (s *Snapshot) compare(o order) func(a, b int32) int {
	var by func(a, b *entry) int // in the order's direction
	dir := 1
	if o.desc {
		dir = -1
	}
	time := func(of func(*entry) int64) func(a, b *entry) int {
		return func(a, b *entry) int {
			x, y := of(a), of(b)
			if x == noTime || y == noTime {
				return -cmp.Compare(x, y) // not turned round
			}
			return dir * cmp.Compare(x, y)
		}
	}
	switch o.key {
	case ByBillingGroup:
		by = func(a, b *entry) int {
			if a.group == b.group {
				return 0
			}
			if (a.group.key == "") != (b.group.key == "") {
				return compareGroup(a.group, b.group)
			}
			return dir * compareGroup(a.group, b.group)
		}
	case ByCompany:
		by = func(a, b *entry) int {
			x, y := a.group.CompanyID, b.group.CompanyID
			if x == "" || y == "" {
				return compareText(x, y) // not turned round
			}
			return dir * strings.Compare(x, y)
		}
	case ByPassword:
		by = time(func(e *entry) int64 { return e.password })
	case ByRegistered:
		by = time(func(e *entry) int64 { return e.registered })
	case ByUpdated:
		by = time(func(e *entry) int64 { return e.updated })
	case ByFlagsOn:
		by = func(a, b *entry) int { return dir * cmp.Compare(a.meta.CountOn(), b.meta.CountOn()) }
	default:
		by = func(a, b *entry) int {
			if (a.email == "") != (b.email == "") {
				return compareEmail(a, b)
			}
			return dir * compareEmail(a, b)
		}
	}
	return func(a, b int32) int {
		x, y := s.at(a), s.at(b)
		if c := by(x, y); c != 0 {
			return c
		}
		return cmp.Or(compareEmail(x, y), cmp.Compare(a, b))
	}
}

// compareEmail compares by folded email, then by id.
func compareEmail(a, b *entry) int {
	if c := compareText(a.emailKey(), b.emailKey()); c != 0 {
		return c
	}
	return strings.Compare(string(a.id), string(b.id))
}

// emailKey returns the folded email, the first line of the text.
func (e *entry) emailKey() string {
	key, _, _ := strings.Cut(e.text, "\n")
	return key
}

func compareGroup(a, b *group) int {
	return cmp.Or(compareText(a.key, b.key), strings.Compare(a.ID, b.ID), strings.Compare(a.CompanyID, b.CompanyID))
}

// compareText puts the empty text last.
func compareText(a, b string) int {
	if a == "" || b == "" {
		return -strings.Compare(a, b)
	}
	return strings.Compare(a, b)
}
