package sheet

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// FuzzScanner: what encoding/csv takes, the scanner cuts in the same way.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{"a,b\nc,d\n", "a,\"b\"\"c\nd\",\r\n,\n\n\"\"\n", `"a"x,b`, `"a`, ",", "a,b,c\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(strings.ReplaceAll(text, "\r\n", ""), '\r') || strings.Contains(text, " ") {
			return // a line end of its own, and space around quotes, are ours alone
		}
		r := csv.NewReader(strings.NewReader(text))
		r.FieldsPerRecord = -1
		s := &scanner{rest: text, comma: ','}
		for {
			want, err := r.Read()
			if _, broken := errors.AsType[*csv.ParseError](err); broken {
				return
			}
			more := s.next()
			for more && slices.Equal(s.cells, []string{""}) && (err == io.EOF || !slices.Equal(want, []string{""})) {
				more = s.next() // encoding/csv skips rows of nothing
			}
			if err == io.EOF {
				if more {
					t.Errorf("%q: %q is too much", text, s.cells)
				}
				return
			}
			if len(want) > maxColumns {
				return
			}
			for i := range s.cells {
				s.cells[i] = strings.ReplaceAll(s.cells[i], "\r\n", "\n")
			}
			if !more || s.flaw != sound || !slices.Equal(s.cells, want) {
				t.Fatalf("%q: %q %q, want %q", text, s.cells, s.flaw, want)
			}
		}
	})
}

func TestLetters(t *testing.T) {
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA"} {
		if got := letters(i); got != want {
			t.Errorf("letters(%d) = %s, want %s", i, got, want)
		}
	}
}

// TestKeys_areTold fails when two columns could be called the same.
func TestKeys_areTold(t *testing.T) {
	met := make(map[string]string)
	for _, c := range append(functions(), Names{}.all()...) {
		for _, name := range []string{c.key, c.name.EN, c.name.JA} {
			if key, again := met[plain(name)]; name != "" && again && key != c.key {
				t.Errorf("%q is %s and %s", name, key, c.key)
			}
			met[plain(name)] = c.key
		}
	}
}
