package reseller

import (
	"iter"
	"slices"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/wave"
)

const defaultSize = 50

// A Match is the accounts of a snapshot that a Query selects, in its order, whatever
// its page. It is safe for concurrent use.
type Match struct {
	snapshot *Snapshot
	slots    []int32
}

// Match returns what q selects. An unknown Sort is ByEmail. It takes the time of the
// last change of an account from last, which may be nil when q has nothing to do
// with it.
func (s *Snapshot) Match(q Query, last func(wave.UserID) (change.Last, bool)) Match {
	slots := s.slotsIn(q, last)
	if f := s.filter(q, last); f != nil {
		slots = f(slots)
	}
	return Match{s, slots}
}

// Len returns how many accounts there are.
func (m Match) Len() int { return len(m.slots) }

// All returns the accounts one after the other, each unpacked only then.
func (m Match) All() iter.Seq[wave.Reseller] {
	return func(yield func(wave.Reseller) bool) {
		for _, slot := range m.slots {
			if !yield(m.snapshot.at(slot).reseller()) {
				return
			}
		}
	}
}

// Find returns the page of accounts that q asks for, as Match has them. A Size below
// 1 is 50.
func (s *Snapshot) Find(q Query, last func(wave.UserID) (change.Last, bool)) Result {
	slots := s.Match(q, last).slots
	size := q.Size
	if size < 1 {
		size = defaultSize
	}
	r := Result{Total: len(slots), Pages: max(1, (len(slots)+size-1)/size)}
	r.Page = min(max(q.Page, 1), r.Pages)
	slots = slots[(r.Page-1)*size:]
	slots = slots[:min(size, len(slots))]
	r.Rows = make([]wave.Reseller, len(slots))
	for i, slot := range slots {
		r.Rows[i] = s.at(slot).reseller()
	}
	return r
}

// slotsIn returns all accounts in the order of q.
func (s *Snapshot) slotsIn(q Query, last func(wave.UserID) (change.Last, bool)) []int32 {
	if key, ok := q.Sort.SortFlag(); ok {
		return s.byFlag(key, q.Desc)
	}
	switch q.Sort {
	case ByBillingGroup, ByCompany, ByRegistered, ByUpdated, ByPassword, ByFlagsOn:
		return s.order(order{q.Sort, q.Desc})
	case ByDrift:
		return s.byDrift(q.Presets, q.Desc)
	case ByChanged:
		if last != nil {
			return s.byChanged(q.Desc, last)
		}
	}
	return s.order(order{ByEmail, q.Desc && (q.Sort == ByEmail || q.Sort == "")})
}

// byChanged puts the few accounts that were changed here before all others.
func (s *Snapshot) byChanged(desc bool, last func(wave.UserID) (change.Last, bool)) []int32 {
	type stamped struct {
		slot int32
		at   time.Time
	}
	var changed []stamped
	all := s.order(order{key: ByEmail})
	never := make([]int32, 0, len(all))
	for _, slot := range all {
		if l, ok := last(s.at(slot).id); ok {
			changed = append(changed, stamped{slot, l.At})
		} else {
			never = append(never, slot)
		}
	}
	slices.SortStableFunc(changed, func(a, b stamped) int {
		if desc {
			return b.at.Compare(a.at)
		}
		return a.at.Compare(b.at)
	})
	out := make([]int32, 0, len(all))
	for _, c := range changed {
		out = append(out, c.slot)
	}
	return append(out, never...)
}

// filter returns what reduces slots to the accounts that q selects, or nil when
// that is all.
func (s *Snapshot) filter(q Query, last func(wave.UserID) (change.Last, bool)) func([]int32) []int32 {
	words := s.needles(q.Text)
	on, others := split(q.On)
	off, othersOff := split(q.Off)
	since := !q.ChangedSince.IsZero() && last != nil
	follows := s.follows(q)
	if follows == nil && len(words) == 0 && len(q.On) == 0 && len(q.Off) == 0 && !since && !q.NeverRegistered && !q.Unusual {
		return nil
	}
	keep := func(e *entry) bool {
		bits := e.meta.Bits()
		if bits&on != on || bits&off != 0 || q.NeverRegistered && e.registered != noTime || q.Unusual && !e.unusual {
			return false
		}
		for _, w := range words {
			if !w.in(e.text) {
				return false
			}
		}
		for _, key := range others {
			if !e.meta.On(key) {
				return false
			}
		}
		for _, key := range othersOff {
			if e.meta.On(key) {
				return false
			}
		}
		if since {
			l, ok := last(e.id)
			return ok && !l.At.Before(q.ChangedSince)
		}
		return true
	}
	return func(slots []int32) []int32 {
		var out []int32
		for _, slot := range slots {
			if (follows == nil || follows(slot)) && keep(s.at(slot)) {
				out = append(out, slot)
			}
		}
		return out
	}
}

// split returns the flags of the catalogue as bits, and the others.
func split(keys []wave.Key) (mask uint64, others []wave.Key) {
	for _, key := range keys {
		if i, ok := wave.Index(key); ok {
			mask |= 1 << i
		} else {
			others = append(others, key)
		}
	}
	return mask, others
}
