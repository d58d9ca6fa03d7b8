package reseller

import (
	"slices"
	"strings"

	"waveadmin/internal/wave"
)

// flagSort is how a SortKey by a flag begins.
const flagSort = "flag."

// ByFlag returns the SortKey that puts accounts without the flag before those that
// have it on; descending it is the other way round. Within each they are by email.
func ByFlag(key wave.Key) SortKey { return SortKey(flagSort + string(key)) }

// SortFlag returns the flag that k sorts by, or false when it is no ByFlag.
func (k SortKey) SortFlag() (wave.Key, bool) {
	key, ok := strings.CutPrefix(string(k), flagSort)
	return wave.Key(key), ok && key != ""
}

// byFlag is not kept as other orders are: it is two passes, and there would be one
// for each flag.
func (s *Snapshot) byFlag(key wave.Key, desc bool) []int32 {
	byEmail := s.order(order{key: ByEmail})
	mask, _ := split([]wave.Key{key})
	first := make([]int32, 0, len(byEmail))
	var second []int32
	for _, slot := range byEmail {
		meta := &s.at(slot).meta
		if on := meta.Bits()&mask != 0 || mask == 0 && meta.On(key); on == desc {
			first = append(first, slot)
		} else {
			second = append(second, slot)
		}
	}
	return append(first, second...)
}

// Unknown returns the flags that some account has and the catalogue lacks, by key,
// at most limit of them.
func (s *Snapshot) Unknown(limit int) []wave.Key {
	var keys []wave.Key
	for _, slot := range s.order(order{key: ByEmail}) {
		e := s.at(slot)
		if !e.unusual {
			continue
		}
		for _, key := range e.meta.Unknown() {
			if key != "" && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
		if len(keys) > 4*limit { // a list gone wild; one of many thousands would take long
			break
		}
	}
	slices.Sort(keys)
	return keys[:min(limit, len(keys))]
}
