package sheet_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"waveadmin/internal/sheet"
	"waveadmin/internal/wave"
)

// largeFiles are files at the limit, each made to cost as much as it can.
func largeFiles() map[string]io.Reader {
	const head = "email,company_id"
	var keys, wrong []string
	for _, f := range wave.Flags {
		keys, wrong = append(keys, string(f.Key)), append(wrong, "x")
	}
	fill := func(s string) io.Reader { // that much of it, and no more
		return io.LimitReader(strings.NewReader(s+strings.Repeat("x", max(0, sheet.MaxBytes-len(s)))), sheet.MaxBytes)
	}
	rows := func(cells string) string {
		var b strings.Builder
		for i := range sheet.MaxRows {
			fmt.Fprintf(&b, "\n%d@x.jp,C%s", i, cells)
		}
		return b.String()
	}
	wide := head + "," + strings.Join(keys, ",")
	return map[string]io.Reader{
		"a field of 8 MB":          strings.NewReader(head + "\n" + strings.Repeat("x", 8<<20) + ",C1"),
		"a quoted field of 8 MB":   strings.NewReader(head + "\n\"" + strings.Repeat("\"\"", 4<<20) + "\",C1"),
		"a field of 2 MB":          fill(head + "\n"),
		"a field of quotes":        fill(head + "\n\"" + strings.Repeat("\"\"", sheet.MaxBytes)),
		"a row of commas":          fill(head + "\n" + strings.Repeat(",", sheet.MaxBytes)),
		"a row of quoted lines":    fill(head + "\n" + strings.Repeat("\"\n\",", sheet.MaxBytes)),
		"a head of commas":         fill(strings.Repeat(",", sheet.MaxBytes)),
		"rows of nothing":          fill(head + strings.Repeat("\n", sheet.MaxBytes)),
		"10,000 rows":              strings.NewReader(head + rows("")),
		"10,000 rows, all wrong":   io.LimitReader(strings.NewReader(wide+rows(","+strings.Join(wrong, ","))), sheet.MaxBytes),
		"10,000 rows of functions": io.LimitReader(strings.NewReader(wide+rows(strings.Repeat(",on", len(keys)))), sheet.MaxBytes),
		"Shift_JIS":                fill(head + ",preset\na@x.jp,C1," + strings.Repeat("\x95\x57", 500) + strings.Repeat("\nb@x.jp,C1,\x95\x57", 9000)),
		"without end":              endless{},
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, "email,company_id\n"), nil }

// TestRead_memory counts all that is allocated, also what is free again meanwhile.
func TestRead_memory(t *testing.T) {
	const limit = 64 << 20
	for name, file := range largeFiles() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s, err := sheet.Read(file, names)
			runtime.ReadMemStats(&after)
			used := after.TotalAlloc - before.TotalAlloc
			t.Logf("%.1f MB, %d rows, %v", float64(used)/(1<<20), len(s.Rows), err)
			if used > limit {
				t.Errorf("%d bytes", used)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	var text strings.Builder
	text.WriteString("email,company_id,preset,notification\n")
	for i := range sheet.MaxRows {
		fmt.Fprintf(&text, "someone-%d@customer.example.co.jp,C%d,Standard,on\n", i, i)
	}
	b.ReportAllocs()
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, err := sheet.Read(strings.NewReader(text.String()), names); err != nil {
			b.Fatal(err)
		}
	}
}
