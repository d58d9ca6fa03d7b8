package waveapi_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/waveapi"
)

func TestPace_noSecondExceedsTheRate(t *testing.T) {
	for _, rate := range []int{1, 5, 80} {
		synctest.Test(t, func(t *testing.T) {
			v := &vendor{}
			c := v.start(t, func(o *waveapi.Options) { o.RatePerSecond = rate })
			calls := 10 * rate
			start := time.Now()
			var wg sync.WaitGroup
			work := make(chan int, calls)
			for i := range calls {
				work <- i
			}
			close(work)
			for range 12 {
				wg.Go(func() {
					for i := range work {
						if i == calls/2 {
							time.Sleep(1500 * time.Millisecond) // idle time must not save up
						}
						if err := remove(t.Context(), c); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			seen := v.seen()
			for i := rate; i < len(seen); i++ {
				if d := seen[i].at.Sub(seen[i-rate].at); d <= time.Second {
					t.Fatalf("rate %d: calls %d to %d within %v", rate, i-rate, i, d)
				}
			}
			if took := time.Since(start); took > 13*time.Second {
				t.Errorf("rate %d: %d calls took %v", rate, calls, took)
			}
		})
	}
}

func TestPace_waitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		c := v.start(t, func(o *waveapi.Options) { o.RatePerSecond = 2 })
		if err := meta(t.Context(), c); err != nil { // with the token, the rate of this second
			t.Fatal(err)
		}
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if err := meta(ctx, c); !fault.Is(err, fault.Unavailable) {
			t.Errorf("error = %v, want Unavailable", err)
		}
		if took := time.Since(start); took != 100*time.Millisecond {
			t.Errorf("took %v, want the 100 ms of the context", took)
		}
		if got := len(v.seen()); got != 1 {
			t.Errorf("requests = %d, want 1", got)
		}
	})
}

// slowFor holds up some calls between their start and their way to the API, as a busy
// machine does.
type slowFor struct {
	http.RoundTripper
	n atomic.Int32
}

func (s *slowFor) RoundTrip(r *http.Request) (*http.Response, error) {
	if n := s.n.Add(1); n%7 == 3 {
		time.Sleep(time.Duration(n%4+1) * 250 * time.Millisecond)
	}
	return s.RoundTripper.RoundTrip(r)
}

// A call counts when it leaves: one that is held up meets later ones.
func TestPace_countsWhatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, calls = 20, 200
		v := &vendor{}
		c := v.start(t, func(o *waveapi.Options) {
			o.RatePerSecond, o.Transport = rate, &slowFor{RoundTripper: o.Transport}
		})
		start := time.Now()
		var wg sync.WaitGroup
		for range calls {
			wg.Go(func() {
				if err := remove(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		seen := v.seen()
		for i := rate; i < len(seen); i++ {
			if d := seen[i].at.Sub(seen[i-rate].at); d <= time.Second {
				t.Fatalf("calls %d to %d arrive within %v", i-rate, i, d)
			}
		}
		if took := time.Since(start); took > 14*time.Second {
			t.Errorf("%d calls took %v", calls, took)
		}
	})
}
