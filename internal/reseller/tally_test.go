package reseller

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

func TestSnapshot_Tally(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*60*60)
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, tokyo)
	at := func(y int, m time.Month, d, hour int) time.Time { return time.Date(y, m, d, hour, 0, 0, 0, tokyo) }
	list := []wave.Reseller{
		{UserID: "never", Email: "1"},
		{UserID: "new", Email: "2", Registered: at(2025, 11, 25, 12), Updated: at(2026, 1, 1, 0)},
		{UserID: "middle", Email: "3", Registered: at(2025, 11, 25, 11), Updated: at(2025, 11, 25, 11)},
		{UserID: "old", Email: "4", Registered: at(2023, 11, 25, 11), Meta: flags("future").WithRaw("past", []byte("false"))},
		{UserID: "edge", Email: "5", Registered: at(2021, 1, 1, 0), Meta: flags("future").WithRaw("past", []byte("1"))},
		{UserID: "odd", Email: "6", Registered: at(2021, 1, 31, 23), Meta: flags().WithRaw("invoice", []byte(`"true"`))},
		{UserID: "double", Email: "7", Flaw: wave.DuplicateID, Registered: at(2030, 1, 1, 0)},
		{UserID: "double", Email: "8", Flaw: wave.DuplicateID},
		{Email: "9", Flaw: wave.MissingID, Meta: flags("")},
	}
	got := newSnapshot(list, now, i18n.Fold, nil).Tally(now, tokyo)
	month := func(y int, m time.Month, n int) MonthTally { return MonthTally{at(y, m, 1, 0), n} }
	want := Tally{
		Accounts: 9, Never: 3, ByAge: [3]int{2, 1, 3}, NoUpdate: 7, Stale: 1, Unusual: 6, Flawed: 3, Doubles: 2,
		ByMonth: []MonthTally{month(2021, 1, 2), month(2023, 11, 1), month(2025, 11, 2), month(2030, 1, 1)},
		Others:  []FlagTally{{Key: "future", On: 2, Unset: 7}, {Key: "past", Off: 1, Odd: 1, Unset: 7}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSnapshot_TallyOf(t *testing.T) {
	s := newSnapshot(sample, day(1), i18n.Fold, nil)
	added := wave.Reseller{UserID: "u9", Email: "zoe@example.com", BillingGroup: sample[1].BillingGroup, Meta: flags().With("invoice", false)}
	s = s.with(added)
	group := func(i, on, n int) GroupTally { return GroupTally{sample[i].BillingGroup, on, n} }
	for key, want := range map[wave.Key]FlagTally{
		// The largest first, then by name as it is ordered; without a name last.
		"invoice": {On: 2, Off: 1, Unset: 2, Odd: 1, Groups: []GroupTally{
			group(1, 1, 2), group(3, 0, 1), group(4, 0, 1), group(0, 1, 1), group(2, 0, 1),
		}},
		"new_in_2027": {On: 1, Unset: 5, Groups: []GroupTally{
			group(1, 0, 2), group(3, 1, 1), group(4, 0, 1), group(0, 0, 1), group(2, 0, 1),
		}},
	} {
		want.Key = key
		got := s.TallyOf(key)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", key, diff)
		}
		if !got.Known() {
			t.Errorf("%s is not known", key)
		}
	}
	if s.TallyOf("nobody_has_it").Known() {
		t.Error("a flag that nobody has is known")
	}
}

func BenchmarkSnapshot_Tally(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		s := newSnapshot(listOf(n), day(1), i18n.Fold, nil)
		tokyo, err := time.LoadLocation("Asia/Tokyo")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("all/%d", n), func(b *testing.B) {
			for b.Loop() {
				s.Tally(day(30), tokyo)
			}
		})
		b.Run(fmt.Sprintf("one/%d", n), func(b *testing.B) {
			for b.Loop() {
				s.TallyOf("invoice")
			}
		})
	}
}
