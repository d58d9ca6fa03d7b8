package reseller

import (
	"sync"

	"waveadmin/internal/wave"
)

// Presets tells how accounts stand to their presets. It never changes, and two that
// are equal say the same: a snapshot keeps what it was told.
type Presets interface {
	// Standing returns the ID of the preset that an account follows, empty for none,
	// and in how many of its flags, m, it differs from it.
	Standing(id wave.UserID, m wave.Meta) (preset string, drift int)
}

// standings are what one Presets says of the accounts of a snapshot: asked once,
// so that a filter or an order by it costs what any other does.
type standings struct {
	mu  sync.Mutex
	of  Presets
	now *told
}

type told struct {
	presets map[string]uint32 // by ID; 0 stands for none
	slots   []standing        // by slot
	orders  [2][]int32        // by drift, the lowest and the highest first
}

type standing struct {
	preset uint32
	drift  uint8
}

const maxDrift = 255 // more count as these

// standing returns what p says of the accounts of s.
func (s *Snapshot) standing(p Presets) *told {
	s.standings.mu.Lock()
	defer s.standings.mu.Unlock()
	if s.standings.now == nil || s.standings.of != p {
		s.standings.of, s.standings.now = p, s.ask(p)
	}
	return s.standings.now
}

func (s *Snapshot) ask(p Presets) *told {
	all := s.order(order{key: ByEmail})
	t := &told{presets: make(map[string]uint32), slots: make([]standing, s.slots)}
	if p != nil {
		for _, slot := range all {
			e := s.at(slot)
			id, drift := p.Standing(e.id, e.meta)
			if id == "" {
				continue
			}
			n, ok := t.presets[id]
			if !ok {
				n = uint32(len(t.presets) + 1)
				t.presets[id] = n
			}
			t.slots[slot] = standing{n, uint8(min(drift, maxDrift))}
		}
	}
	t.orders = [2][]int32{t.arrange(all, false), t.arrange(all, true)}
	return t
}

// arrange returns slots by drift, the same drift as they were, those without a
// preset last both ways.
func (t *told) arrange(slots []int32, desc bool) []int32 {
	place := func(slot int32) int {
		switch st := t.slots[slot]; {
		case st.preset == 0:
			return maxDrift + 1
		case desc:
			return maxDrift - int(st.drift)
		default:
			return int(st.drift)
		}
	}
	var next [maxDrift + 3]int // where the next of each place goes
	for _, slot := range slots {
		next[place(slot)+1]++
	}
	for i := 1; i < len(next); i++ {
		next[i] += next[i-1]
	}
	out := make([]int32, len(slots))
	for _, slot := range slots {
		out[next[place(slot)]] = slot
		next[place(slot)]++
	}
	return out
}

// byDrift returns all accounts by how much they differ from their presets.
func (s *Snapshot) byDrift(p Presets, desc bool) []int32 {
	if desc {
		return s.standing(p).orders[1]
	}
	return s.standing(p).orders[0]
}

// follows returns what keeps the slots that q selects by their presets, or nil when
// it selects by none.
func (s *Snapshot) follows(q Query) func(slot int32) bool {
	if q.Preset == "" && !q.Drift {
		return nil
	}
	t := s.standing(q.Presets)
	wanted, known := t.presets[q.Preset]
	if q.Preset == NoPreset {
		wanted, known = 0, true
	}
	return func(slot int32) bool {
		st := t.slots[slot]
		return (q.Preset == "" || known && st.preset == wanted) && (!q.Drift || st.drift > 0)
	}
}
