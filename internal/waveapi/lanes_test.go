package waveapi_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/waveapi"
)

type patientKey struct{}

func patient(ctx context.Context) context.Context { return context.WithValue(ctx, patientKey{}, true) }

func isPatient(ctx context.Context) bool { return ctx.Value(patientKey{}) != nil }

func TestPace_aPersonIsNotBehindARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		c := v.start(t, func(o *waveapi.Options) { o.RatePerSecond, o.Patient = 80, isPatient })
		var run sync.WaitGroup
		for range 800 {
			run.Go(func() {
				if err := meta(patient(t.Context()), c); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(2 * time.Second)
		for range 5 {
			start := time.Now()
			if err := meta(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 200*time.Millisecond { // a burst and two slots
				t.Errorf("a person waited %v of the 10 s that the run takes", took)
			}
		}
		start := time.Now()
		run.Wait()
		if got, took := len(v.seen()), time.Since(start); got != 805 || took > 9*time.Second {
			t.Errorf("%d calls, the rest took %v: the run lost rate", got, took)
		}
	})
}

func TestPace_patientCallsLeaveWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		c := v.start(t, func(o *waveapi.Options) { o.RatePerSecond, o.Patient = 1, isPatient })
		if err := meta(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		var calls sync.WaitGroup
		ctx, cancel := context.WithCancel(patient(t.Context()))
		for range 3 {
			calls.Go(func() {
				if err := meta(ctx, c); !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.Canceled) {
					t.Errorf("error = %v, want Unavailable by the context", err)
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
		cancel()
		calls.Wait()
		if err := meta(patient(t.Context()), c); err != nil {
			t.Errorf("the next one: %v", err)
		}
	})
}

func TestPace_halvesWhenTheAPISaysTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		v.api = answers(status(http.StatusTooManyRequests, ""), success(`{"status":"success"}`))
		c := v.start(t, func(o *waveapi.Options) { o.RatePerSecond = 40 })
		second := func() int { return load(t, v, c, time.Second) }
		if err := meta(t.Context(), c); err != nil { // refused once and repeated
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := second(); got < 18 || got > 30 {
			t.Errorf("calls in the second after it = %d, want little more than half of 40", got)
		}
		time.Sleep(10 * time.Second)
		second() // what was saved up
		if got := second(); got < 38 || got > 40 {
			t.Errorf("calls in a second after 12 = %d, want 40", got)
		}
	})
}

func TestPace_aRunWaitsWhilePeopleDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		c := v.start(t, func(o *waveapi.Options) { o.RatePerSecond, o.Patient = 80, isPatient })
		ctx, cancel := context.WithCancel(patient(t.Context()))
		var run sync.WaitGroup
		var ofRun atomic.Int32
		for range 200 {
			run.Go(func() {
				if meta(ctx, c) == nil {
					ofRun.Add(1)
				}
			})
		}
		synctest.Wait()
		before := ofRun.Load()
		people := load(t, v, c, 5*time.Second)
		if got := ofRun.Load() - before; int(got)*33 > people {
			t.Errorf("%d calls of the run were made while people waited with %d", got, people-int(got))
		}
		cancel()
		run.Wait()
	})
}
