package waveapi_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/waveapi"
)

// ledSlots are shared slots that a test leads.
type ledSlots struct {
	mu     sync.Mutex
	next   time.Time
	away   bool
	taken  []int // slots of each Take
	slowed int
}

func (s *ledSlots) Take(_ context.Context, n int, perSecond float64) (first, gap time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return 0, 0, errors.New("the database is away")
	}
	s.taken = append(s.taken, n)
	now := time.Now()
	gap = time.Duration(float64(time.Second) / perSecond)
	if s.next.Before(now) {
		s.next = now
	}
	first = s.next.Sub(now)
	s.next = s.next.Add(time.Duration(n) * gap)
	return first, gap, nil
}

func (s *ledSlots) Slow(context.Context, float64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slowed++
	return nil
}

// load makes calls for a while, and returns how many arrived.
func load(t *testing.T, v *vendor, c *waveapi.Client, d time.Duration) int {
	t.Helper()
	before := len(v.seen())
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var workers sync.WaitGroup
	for range 12 {
		workers.Go(func() {
			for meta(ctx, c) == nil {
				continue
			}
		})
	}
	workers.Wait()
	return len(v.seen()) - before
}

func TestSlots_callsKeepToWhatIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := &ledSlots{}
		a, b := &vendor{}, &vendor{}
		one := a.start(t, func(o *waveapi.Options) { o.RatePerSecond, o.Slots = 50, slots })
		two := b.start(t, func(o *waveapi.Options) { o.RatePerSecond, o.Slots = 50, slots })
		var wg sync.WaitGroup
		var first, second int
		wg.Go(func() { first = load(t, a, one, 10*time.Second) })
		wg.Go(func() { second = load(t, b, two, 10*time.Second) })
		wg.Wait()
		if sum := first + second; sum > 495 || sum < 480 { // as one server does, with a few kept back
			t.Errorf("two servers made %d + %d calls in 10 s, want about 488 in all", first, second)
		}
		if min(first, second) < 150 {
			t.Errorf("one server got little: %d and %d", first, second)
		}
		if len(slots.taken) > 300 {
			t.Errorf("the database was asked %d times for 500 calls", len(slots.taken))
		}
	})
}

func TestSlots_aSingleCallTakesOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := &ledSlots{}
		v := &vendor{}
		c := v.start(t, func(o *waveapi.Options) { o.Slots = slots })
		for range 3 {
			if err := meta(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		for _, n := range slots.taken {
			if n != 1 {
				t.Errorf("taken = %v, want one at a time", slots.taken)
			}
		}
	})
}

func TestSlots_withoutTheDatabaseAThirdIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := &ledSlots{away: true}
		v := &vendor{}
		c := v.start(t, func(o *waveapi.Options) { o.RatePerSecond, o.Slots = 60, slots })
		if got := load(t, v, c, 10*time.Second); got < 190 || got > 205 {
			t.Errorf("calls in 10 s = %d, want about 200", got)
		}
		slots.mu.Lock()
		slots.away = false
		slots.mu.Unlock()
		if got := load(t, v, c, 10*time.Second); got < 570 || got > 605 {
			t.Errorf("calls in 10 s after that = %d, want about 600", got)
		}
	})
}

func TestSlots_tooMuchIsToldToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := &ledSlots{}
		v := &vendor{api: answers(status(http.StatusTooManyRequests, ""), success(`{"status":"success"}`))}
		c := v.start(t, func(o *waveapi.Options) { o.Slots = slots })
		if err := meta(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if slots.slowed != 1 {
			t.Errorf("the others were told %d times, want once", slots.slowed)
		}
	})
}
