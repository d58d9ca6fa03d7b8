package reseller

import (
	"context"
	"fmt"
	"math/bits"
	"runtime"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// listOf makes n accounts whose texts are letters of their own, as a decoder
// leaves them.
func listOf(n int) []wave.Reseller {
	list := make([]wave.Reseller, n)
	for i := range list {
		m := wave.Defaults()
		for j, f := range wave.Flags {
			m = m.With(f.Key, (i>>(j%8)+j)%3 == 0)
		}
		list[i] = wave.Reseller{
			UserID: wave.UserID(fmt.Sprintf("user-%08d", i*7919%n)), Email: fmt.Sprintf("admin%d@customer%d.example.co.jp", i, i/3), Meta: m,
			BillingGroup: wave.BillingGroup{CompanyID: fmt.Sprintf("company%06d", i/3), ID: fmt.Sprintf("bg-%06d", i/3), Name: fmt.Sprintf("株式会社サンプル%d商事", i/3)},
			Registered:   day(1).Add(time.Duration(i) * time.Minute), Updated: day(2).Add(time.Duration(i*7919%n) * time.Minute),
		}
	}
	return list
}

func BenchmarkSnapshot_Find(b *testing.B) {
	last := func(id wave.UserID) (change.Last, bool) { return change.Last{At: day(3)}, id[len(id)-1] == '7' }
	queries := []struct {
		name string
		q    Query
	}{
		{"plain", Query{}},
		{"search", Query{Text: "サンプル12 admin"}},
		{"rare", Query{Text: "nobody"}},
		{"flags", Query{On: []wave.Key{"invoice"}, Off: []wave.Key{"open_api"}}},
		{"by_group", Query{Sort: ByBillingGroup}},
		{"by_updated", Query{Sort: ByUpdated, Desc: true}},
		{"by_changed", Query{Sort: ByChanged, Desc: true}},
		{"by_flags", Query{Sort: ByFlagsOn, Desc: true}},
		{"drift", Query{Drift: true, Preset: "gold", Presets: gold{}}},
		{"by_drift", Query{Sort: ByDrift, Desc: true, Presets: gold{}}},
	}
	for _, n := range []int{10_000, 100_000} {
		s := newSnapshot(listOf(n), day(1), i18n.Fold, nil)
		for _, q := range queries {
			b.Run(fmt.Sprintf("%s/%d", q.name, n), func(b *testing.B) {
				q.q.Size = 100
				for b.Loop() {
					s.Find(q.q, last)
				}
			})
		}
	}
}

// gold is a Presets in which a third of the accounts follows one preset.
type gold struct{}

func (gold) Standing(id wave.UserID, m wave.Meta) (string, int) {
	if id[len(id)-1]%3 != 0 {
		return "", 0
	}
	return "gold", bits.OnesCount64(m.Bits() & 0xff)
}

// BenchmarkSnapshot_standing is what the first page by drift costs after a list.
func BenchmarkSnapshot_standing(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		s := newSnapshot(listOf(n), day(1), i18n.Fold, nil)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				s.ask(gold{})
			}
		})
	}
}

func BenchmarkSnapshot_build(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		list := listOf(n)
		first := newSnapshot(list, day(1), i18n.Fold, nil)
		b.Run(fmt.Sprint("first/", n), func(b *testing.B) {
			for b.Loop() {
				newSnapshot(list, day(1), i18n.Fold, nil)
			}
		})
		b.Run(fmt.Sprint("again/", n), func(b *testing.B) {
			for b.Loop() {
				newSnapshot(list, day(1), i18n.Fold, first)
			}
		})
		b.Run(fmt.Sprint("sort/", n), func(b *testing.B) {
			for b.Loop() {
				s := newSnapshot(nil, day(1), i18n.Fold, nil)
				*s = *first
				s.orders = newOrders(n)
				s.order(order{ByBillingGroup, true})
			}
		})
		for _, key := range []SortKey{ByBillingGroup, ByUpdated, ByFlagsOn} {
			first.order(order{key, true})
		}
		one := list[n/2]
		one.Meta = wave.Meta{}
		b.Run(fmt.Sprint("replace/", n), func(b *testing.B) {
			for b.Loop() {
				first.with(one)
			}
		})
	}
}

// An account costs at most 450 bytes of heap with its search text.
func TestSnapshot_size(t *testing.T) {
	const n = 20_000
	heap := func() float64 {
		runtime.GC()
		runtime.GC() // what the first one only marked: pools, and what tests before this one left
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	heap()
	before := heap()
	s := newSnapshot(copyOf(listOf(n)), day(1), i18n.Fold, nil)
	each := (heap() - before) / n
	if each > 450 || each < 100 { // so little would be a slip of the measurement
		t.Errorf("%.0f bytes an account, want at most 450", each)
	}
	t.Logf("%.0f bytes an account", each)
	runtime.KeepAlive(s)
}

// copyOf gives every account letters of its own.
func copyOf(list []wave.Reseller) []wave.Reseller {
	for i := range list {
		r := &list[i]
		r.Email, r.UserID = strings.Clone(r.Email), wave.UserID(strings.Clone(string(r.UserID)))
	}
	return list
}

// nobodyElse is a ledger to which nothing was ever done outside.
type nobodyElse struct{ asked int }

func (*nobodyElse) Known(context.Context, func(change.Seen)) (bool, error) { return false, nil }

func (*nobodyElse) Adopt(context.Context, time.Time, []change.Seen) error { return nil }

func (n *nobodyElse) Observe(_ context.Context, _, _ time.Time, seen []change.Seen) ([]change.Change, []wave.UserID, error) {
	n.asked += len(seen)
	return nil, nil, nil
}

// BenchmarkWatcher judges a list in which ten accounts differ: the others cost
// nobody a query.
func BenchmarkWatcher(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			lists := make([]*Snapshot, 2)
			for i := range lists {
				list := listOf(n)
				for j := range 10 {
					list[j*n/10].Meta = list[j*n/10].Meta.With("invoice", i == 0)
				}
				lists[i] = newSnapshot(list, day(1), i18n.Fold, nil)
			}
			ledger := new(nobodyElse)
			w := NewWatcher(NewDirectory(nil, DirectoryOptions{}), ledger, nil)
			if err := w.judge(b.Context(), lists[0]); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			judged := 0
			for b.Loop() {
				judged++
				if err := w.judge(b.Context(), lists[judged%2]); err != nil {
					b.Fatal(err)
				}
			}
			if ledger.asked != 10*judged {
				b.Fatalf("%d accounts were asked about in %d lists, want 10 each", ledger.asked, judged)
			}
		})
	}
}
