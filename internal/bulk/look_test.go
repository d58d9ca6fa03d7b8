package bulk_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
)

// readings count how often a run is read, each time for a while.
type readings struct {
	takes           time.Duration
	progress, items atomic.Int64
}

func (r *readings) Progress(ctx context.Context, id string) (*bulk.Progress, error) {
	n := r.progress.Add(1)
	select {
	case <-time.After(r.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return &bulk.Progress{Plan: &bulk.Plan{ID: id}, Run: &bulk.Run{PlanID: id}, Counts: bulk.Counts{change.Done: int(n)}}, nil
}

func (r *readings) Items(_ context.Context, _ string, state change.State, limit, offset int) ([]bulk.Item, error) {
	r.items.Add(1)
	return []bulk.Item{{Place: offset + limit, State: state}}, nil
}

// TestLooks_areShared: however many look at a run, it is read once in the time for
// which they take the same.
func TestLooks_areShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &readings{takes: 20 * time.Millisecond}
		looks := bulk.NewLooks(r)
		var viewers sync.WaitGroup
		for n := range 100 {
			viewers.Go(func() {
				time.Sleep(time.Duration(n) * 10 * time.Millisecond)
				last := 0
				for range 60 {
					k, err := looks.Look(t.Context(), "a", 900*time.Millisecond)
					if err != nil {
						t.Error(err)
						return
					}
					items, err := k.Items(t.Context(), change.Done, 100, 100*(n%2))
					if err != nil || items[0].Place != 100+100*(n%2) {
						t.Errorf("%v, %v", items, err)
					}
					if now := k.Counts[change.Done]; now <= last {
						t.Errorf("viewer %d saw %d after %d", n, now, last)
					} else {
						last = now
					}
					time.Sleep(time.Second)
				}
			})
		}
		viewers.Wait()
		if n := r.progress.Load(); n < 60 || n > 75 {
			t.Errorf("in 61 seconds the run was read %d times", n)
		}
		if n := r.items.Load(); n < 120 || n > 150 {
			t.Errorf("in 61 seconds two pages were read %d times", n)
		}
		if _, err := looks.Look(t.Context(), "b", time.Hour); err != nil || r.progress.Load() > 76 {
			t.Errorf("another run was not read, %v", err)
		}
	})
}

// TestLooks_ofNow: who wants to see it as it is now shares a reading only with those who
// asked before it began.
func TestLooks_ofNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &readings{takes: time.Second}
		looks := bulk.NewLooks(r)
		seen := make(chan int, 10)
		look := func() {
			k, err := looks.Look(t.Context(), "a", 0)
			if err != nil {
				t.Error(err)
				return
			}
			seen <- k.Counts[change.Done]
		}
		go look()
		time.Sleep(500 * time.Millisecond)
		for range 5 {
			go look()
		}
		if got := <-seen; got != 1 {
			t.Errorf("the first sees reading %d", got)
		}
		for range 5 {
			if got := <-seen; got != 2 {
				t.Errorf("who came in the midst of the first reading sees reading %d", got)
			}
		}
	})
}

// TestLooks_failAlone: who leaves does not take the others along.
func TestLooks_failAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := bulk.NewLooks(&readings{takes: time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 2)
		go func() { _, err := looks.Look(ctx, "a", 0); errs <- err }()
		synctest.Wait()
		waiting, leave := context.WithCancel(t.Context())
		go func() { _, err := looks.Look(waiting, "a", 0); errs <- err }()
		synctest.Wait()
		leave()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("who waits and leaves gets %v", err)
		}
		go func() { _, err := looks.Look(t.Context(), "a", 0); errs <- err }()
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("who reads and leaves gets %v", err)
		}
		if err := <-errs; err != nil {
			t.Errorf("the other gets %v", err)
		}
	})
}
