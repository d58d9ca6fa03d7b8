package pace_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/pace"
)

// slots are moments that were taken, by the clock of this machine.
type slots struct {
	mu sync.Mutex
	at []time.Time
}

func (s *slots) take(t *testing.T, row *pace.Row, n int, perSecond float64) time.Duration {
	t.Helper()
	first, gap, err := row.Take(t.Context(), n, perSecond)
	now := time.Now()
	if err != nil {
		t.Error(err)
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		s.at = append(s.at, now.Add(first+time.Duration(i)*gap))
	}
	return gap
}

func TestTake_serversNeverGetTheSameSlot(t *testing.T) {
	const servers, each, perSecond = 3, 40, 500.0
	url := dbtest.Postgres.Ready(t)
	var got slots
	var wg sync.WaitGroup
	start := time.Now()
	for range servers {
		row := pace.NewRow(dbtest.Open(t, url))
		wg.Go(func() {
			for range each {
				got.take(t, row, 5, perSecond)
			}
		})
	}
	wg.Wait()
	slices.SortFunc(got.at, time.Time.Compare)
	if len(got.at) != servers*each*5 {
		t.Fatalf("slots = %d, want %d", len(got.at), servers*each*5)
	}
	// The answer takes its time to arrive, so single distances say nothing; the last
	// slot does: taken twice, they would end earlier.
	span := got.at[len(got.at)-1].Sub(start)
	if want := time.Duration(float64(len(got.at)-5) / perSecond * float64(time.Second)); span < want {
		t.Errorf("all slots within %v, want no less than %v", span, want)
	}
}

func TestTake_unusedSlotsAreLost(t *testing.T) {
	row := pace.NewRow(dbtest.Open(t, dbtest.Postgres.Ready(t)))
	var got slots
	got.take(t, row, 1, 100)
	time.Sleep(300 * time.Millisecond) // 30 slots
	start := time.Now()
	got.take(t, row, 20, 100)
	if last := got.at[len(got.at)-1].Sub(start); last < 150*time.Millisecond {
		t.Errorf("20 slots of 10 ms end after %v: idle time was saved up", last)
	}
}

func TestSlow_halvesForAllAndRecovers(t *testing.T) {
	url := dbtest.Postgres.Ready(t)
	one, other := pace.NewRow(dbtest.Open(t, url)), pace.NewRow(dbtest.Open(t, url))
	var got slots
	if gap := got.take(t, other, 1, 100); gap != 10*time.Millisecond {
		t.Fatalf("gap = %v, want 10 ms", gap)
	}
	for range 3 { // refused together: one sign
		if err := one.Slow(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
	}
	gap := got.take(t, other, 1, 100)
	if gap < 15*time.Millisecond || gap > 20*time.Millisecond {
		t.Errorf("gap = %v, want nearly 20 ms", gap)
	}
	rewind(t, url, 5*time.Second)
	if gap := got.take(t, other, 1, 100); gap < 11*time.Millisecond || gap > 14*time.Millisecond {
		t.Errorf("gap after 5 s = %v, want about 13 ms", gap)
	}
	rewind(t, url, time.Minute)
	if gap := got.take(t, other, 1, 100); gap != 10*time.Millisecond {
		t.Errorf("gap after a minute = %v, want 10 ms", gap)
	}
}

// rewind makes the row as old as if time had passed.
func rewind(t *testing.T, url string, by time.Duration) {
	t.Helper()
	d := dbtest.Open(t, url)
	if _, err := d.Aside().ExecContext(t.Context(), "UPDATE wave_pace SET lowered_at = lowered_at - $1", by.Microseconds()); err != nil {
		t.Fatal(err)
	}
}

func TestTake_failsWithoutTheDatabase(t *testing.T) {
	d, err := db.Open(t.Context(), dbtest.Postgres.Ready(t))
	if err != nil {
		t.Fatal(err)
	}
	row := pace.NewRow(d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := row.Take(t.Context(), 1, 80); err == nil {
		t.Error("Take succeeded on a closed database")
	}
	if err := row.Slow(context.Background(), 80); err == nil {
		t.Error("Slow succeeded on a closed database")
	}
}

// The database may move to a host whose clock is behind.
func TestTake_outlastsAClockThatIsSetBack(t *testing.T) {
	url := dbtest.Postgres.Ready(t)
	row := pace.NewRow(dbtest.Open(t, url))
	var got slots
	got.take(t, row, 1, 100)
	d := dbtest.Open(t, url)
	const hour = int64(time.Hour / time.Microsecond)
	if _, err := d.Aside().ExecContext(t.Context(), "UPDATE wave_pace SET next_at = next_at + $1, low = 50, lowered_at = next_at + $1", hour); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if gap := got.take(t, row, 1, 100); gap < 10*time.Millisecond || gap > 20*time.Millisecond {
		t.Errorf("gap = %v", gap)
	}
	if wait := got.at[len(got.at)-1].Sub(start); wait > 3*time.Second {
		t.Errorf("the next slot is %v away", wait)
	}
}
