package wave

// A Copied is a flag in which an account differs from one that it is to be made like.
type Copied struct {
	Key         Key
	There, Here State // of the other account, and of the one that is to change
	Left        CopyLeft
}

// CopyLeft says why a flag of a Copied stays as it is; empty when it is copied.
type CopyLeft string

const (
	// LeftMissing is of a flag outside the catalogue that only one of the two has: that
	// the other lacks it says nothing about what it would be there.
	LeftMissing CopyLeft = "missing"
	// LeftOdd is of a flag whose value over there is no boolean.
	LeftOdd CopyLeft = "odd"
)

// Copy returns the flags that make here see what there sees, in the order of Diff. A
// flag of the catalogue that is not set counts as off.
func Copy(there, here Meta) []Copied {
	var out []Copied
	for _, m := range Diff(there, here) {
		c := Copied{Key: m.Key, There: m.From, Here: m.To}
		_, known := index[m.Key]
		switch {
		case (m.From == On) == (m.To == On):
			continue
		case m.From == Odd:
			c.Left = LeftOdd
		case !known && (m.From == Unset || m.To == Unset || m.Key == ""):
			c.Left = LeftMissing
		}
		out = append(out, c)
	}
	return out
}
