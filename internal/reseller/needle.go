package reseller

import (
	"cmp"
	"slices"
	"strings"
)

// A needle is a word to look for in many texts. It looks for the word's rarest
// byte: in Japanese the first one of a word is in nearly every text.
type needle struct {
	word string
	at   int // of the rarest byte
	rare int // how often that is in the texts
}

// needles returns the words of text, folded, the rarest first.
func (s *Snapshot) needles(text string) []needle {
	words := strings.Fields(s.fold(text))
	if len(words) == 0 {
		return nil
	}
	often := s.bytes()
	out := make([]needle, len(words))
	for i, w := range words {
		n := needle{word: w, rare: often[w[0]]}
		for at := 1; at < len(w); at++ {
			if often[w[at]] < n.rare {
				n.at, n.rare = at, often[w[at]]
			}
		}
		out[i] = n
	}
	slices.SortStableFunc(out, func(a, b needle) int { return cmp.Compare(a.rare, b.rare) })
	return out
}

// in reports whether text has the word.
func (n needle) in(text string) bool {
	b, rest := n.word[n.at], len(n.word)-n.at
	for from := n.at; from+rest <= len(text); from++ {
		i := strings.IndexByte(text[from:], b)
		if i < 0 {
			return false
		}
		from += i
		if from+rest <= len(text) && text[from-n.at:from+rest] == n.word {
			return true
		}
	}
	return false
}

// countBytes samples the texts: enough to tell rare bytes from common ones.
func (s *Snapshot) countBytes() *[256]int {
	const sample = 1000
	var often [256]int
	for slot := range int32(s.slots) {
		if step := max(1, int32(s.slots/sample)); slot%step != 0 {
			continue
		}
		for _, b := range []byte(s.at(slot).text) {
			often[b]++
		}
	}
	return &often
}
