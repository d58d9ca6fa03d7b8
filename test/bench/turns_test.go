package bench

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// batch is how often a contender runs before it is the other's turn: long enough
// for the clock and for the garbage of each to be collected in its own time.
const batch = 20

// byTurns runs a and floor by turns, so that what else the machine does hits both
// alike, and reports the median CPU time of each, in microseconds, and their
// ratio.
func byTurns(b *testing.B, a, floor func()) {
	b.Helper()
	var ours, least []time.Duration
	for b.Loop() {
		ours = append(ours, cpu(a))
		least = append(least, cpu(floor))
	}
	b.ReportMetric(0, "ns/op") // of both together: says nothing
	b.ReportMetric(micros(ours), "µs")
	b.ReportMetric(micros(least), "floor-µs")
	b.ReportMetric(micros(ours)/micros(least), "x-floor")
}

// cpu returns the CPU time that the process spends on one call of f, the
// collection of its garbage included.
func cpu(f func()) time.Duration {
	start := used()
	for range batch {
		f()
	}
	return (used() - start) / batch
}

func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // cannot fail for the process itself
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func micros(d []time.Duration) float64 {
	return float64(median(d)) / float64(time.Microsecond)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
