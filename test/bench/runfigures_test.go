package bench

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"waveadmin/internal/sandbox"
)

// runFigures are what a run was seen to do.
type runFigures struct {
	runMeasure
	load    string  // of the machine, before it
	bare    float64 // calls a second of a client that has nothing else to do
	took    time.Duration
	journal []sandbox.Entry
	lists   int
	saves   []time.Duration
	locked  int
}

// wantedOver is how far over the rate a second may be that several servers share.
const wantedOver = 5

// runTable is the figures of some runs, one below the other.
type runTable struct{ rows []string }

// add reports f, and fails b when a call was refused or some second had too many.
func (t *runTable) add(b *testing.B, f runFigures) {
	b.Helper()
	calls, worst, refused := sustained(f.journal), worstSecond(f.journal), refusals(f.journal)
	p50, p95 := percentile(f.saves, 50), percentile(f.saves, 95)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(calls, "calls/s")
	b.ReportMetric(f.bare, "bare-calls/s")
	b.ReportMetric(calls/f.bare*100, "%bare")
	b.ReportMetric(float64(worst), "worst/s")
	b.ReportMetric(float64(refused), "429s")
	b.ReportMetric(float64(f.lists), "lists")
	b.ReportMetric(float64(p50.Milliseconds()), "save-p50-ms")
	b.ReportMetric(float64(p95.Milliseconds()), "save-p95-ms")
	t.rows = append(t.rows, fmt.Sprintf("%d\t%d\t%d\t%s\t%.0f s\t%.1f\t%.1f\t%.3f\t%d\t%d\t%d\t%v\t%v\t%d of %d\t",
		f.servers, f.runs, f.rate, f.load, f.took.Seconds(), f.bare, calls, calls/f.bare, worst, refused, f.lists,
		p50.Round(time.Millisecond), p95.Round(time.Millisecond), f.locked, len(f.saves)))
	if refused > 0 {
		b.Errorf("%d calls were refused as too many", refused)
	}
	if most := f.rate + wantedOver; f.servers > 1 && worst > most {
		b.Errorf("%d calls in one second, want at most %d", worst, most)
	}
}

func (t *runTable) print() {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "\n%d accounts; wanted: share at least 0.99, 429s 0, worst second at most rate + %d, p95 under 1s\n", *runAccounts, wantedOver)
	fmt.Fprintln(out, "servers\truns\trate\tload\ttook\tbare/s\tcalls/s\tshare\tworst/s\t429s\tlists\tsave p50\tp95\trefused\t")
	fmt.Fprintln(out, strings.Join(t.rows, "\n"))
	out.Flush()
}

// systemLoad is the load of the machine over the last minute, where it tells.
func systemLoad() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	load, _, _ := strings.Cut(string(text), " ")
	return load
}

// sustained returns the calls a second between a tenth and nine tenths of the time.
func sustained(journal []sandbox.Entry) float64 {
	first, last := journal[0].At, journal[len(journal)-1].At
	from, to := first.Add(last.Sub(first)/10), last.Add(-last.Sub(first)/10)
	n := 0
	for _, e := range journal {
		if !e.At.Before(from) && e.At.Before(to) {
			n++
		}
	}
	return float64(n) / to.Sub(from).Seconds()
}

func worstSecond(journal []sandbox.Entry) (worst int) {
	first := 0
	for i, e := range journal {
		for e.At.Sub(journal[first].At) >= time.Second {
			first++
		}
		worst = max(worst, i-first+1)
	}
	return worst
}

func refusals(journal []sandbox.Entry) (n int) {
	for _, e := range journal {
		if e.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

func percentile(of []time.Duration, p int) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}
