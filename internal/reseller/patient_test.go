package reseller_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

func TestPatiently_manyWritesShareTheirLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		accounts := manyAccounts(50)
		s := newSite(t, reseller.Rules{}, accounts...)
		s.wave.on("list", func(int) reaction {
			time.Sleep(20 * time.Millisecond)
			return reaction{apply: true}
		})
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := s.wave.count("list")
		var run sync.WaitGroup
		for i, a := range accounts {
			run.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Millisecond) // 5 s in all
				result, err := s.ChangeMeta(reseller.Patiently(t.Context()), set(tanaka, a.UserID, true, "invoice"))
				if err != nil || result.Change.Detail != "" {
					t.Errorf("%s: %v, %q, want it read back", a.UserID, err, result.Change.Detail)
				}
			})
		}
		start := time.Now()
		run.Wait()
		if got, most := s.wave.count("list")-before, int(time.Since(start)/(2500*time.Millisecond))+1; got > most {
			t.Errorf("lists = %d in %v, want %d at most", got, time.Since(start), most)
		}
		for _, a := range accounts {
			if now, _ := s.wave.get(a.UserID); !now.Meta.On("invoice") {
				t.Errorf("%s was not written", a.UserID)
			}
		}
	})
}

func TestPatiently_peopleDoNotWaitForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"), account("u2"))
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		var run sync.WaitGroup
		run.Go(func() {
			if _, err := s.ChangeMeta(reseller.Patiently(t.Context()), set(tanaka, "u1", true, "invoice")); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		start := time.Now()
		if _, err := s.ChangeMeta(t.Context(), set(tanaka, "u2", true, "invoice")); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("a person waited %v", took)
		}
		run.Wait()
	})
}

func TestPatiently_endsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave(account("u1"))
		d := newDirectory(t, w)
		if _, err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(reseller.Patiently(t.Context()), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := d.NotBefore(ctx, start.Add(time.Microsecond)); !fault.Is(err, fault.Unavailable) || time.Since(start) != time.Second {
			t.Errorf("err = %v after %v, want Unavailable after a second", err, time.Since(start))
		}
		if w.count("list") != 1 {
			t.Errorf("lists = %d, want none for who left", w.count("list"))
		}
	})
}

// People who save more often than the lists of a run come must not hold it up: it takes
// their lists.
func TestPatiently_takesTheListsOfPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"), account("u2"))
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		people, stop := context.WithCancel(t.Context())
		var saving sync.WaitGroup
		saving.Go(func() {
			for on := true; people.Err() == nil; on = !on {
				time.Sleep(time.Second)
				if _, err := s.ChangeMeta(t.Context(), set(tanaka, "u2", on, "invoice")); err != nil {
					t.Error(err)
				}
			}
		})
		start := time.Now()
		if _, err := s.ChangeMeta(reseller.Patiently(t.Context()), set(tanaka, "u1", true, "invoice")); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("a patient write took %v", took)
		}
		stop()
		saving.Wait()
	})
}

// Nor may they while Wave is away: it is away for the write of a run too.
func TestPatiently_failsWithTheListsOfPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave(account("u1"))
		d := newDirectory(t, w)
		if _, err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.on("list", always(away, false))
		people, stop := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		asking.Go(func() {
			for people.Err() == nil {
				time.Sleep(time.Second)
				if _, err := d.Refresh(t.Context()); !fault.Is(err, fault.Unavailable) {
					t.Errorf("err = %v while Wave is away", err)
				}
			}
		})
		ctx, cancel := context.WithTimeout(reseller.Patiently(t.Context()), time.Minute)
		defer cancel()
		if _, err := d.NotBefore(ctx, time.Now().Add(time.Microsecond)); !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			t.Errorf("err = %v, %v; want that of the lists of others, within a minute", err, ctx.Err())
		}
		stop()
		asking.Wait()
	})
}

// A run whose calls take long keeps what is changed outside while its accounts wait.
func TestPatiently_readsAgainWhatGotOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		accounts := manyAccounts(60)
		s := newSite(t, reseller.Rules{}, accounts...)
		s.wave.slow = map[string]time.Duration{"meta": 3 * time.Second}
		var run sync.WaitGroup
		for _, a := range accounts {
			run.Go(func() {
				if _, err := s.ChangeMeta(reseller.Patiently(t.Context()), set(tanaka, a.UserID, true, "invoice")); err != nil {
					t.Errorf("%s: %v", a.UserID, err)
				}
			})
		}
		time.Sleep(5 * time.Second) // some were written, many are read and wait
		var waiting []wave.UserID
		for _, a := range accounts {
			if now, _ := s.wave.get(a.UserID); !now.Meta.On("invoice") {
				waiting = append(waiting, a.UserID)
			}
		}
		if len(waiting) < 30 {
			t.Fatalf("only %d accounts wait", len(waiting))
		}
		last := waiting // all but those whose call is under way
		for _, id := range last {
			s.wave.set(id, true, "open_api")
		}
		run.Wait()
		lost := 0
		for _, id := range last {
			now, _ := s.wave.get(id)
			if !now.Meta.On("invoice") {
				t.Errorf("%s was not written", id)
			}
			if !now.Meta.On("open_api") {
				lost++
			}
		}
		if lost > 2*16 { // those that were being sent, and those read within five seconds
			t.Errorf("%d of %d changes from outside were overwritten", lost, len(last))
		}
	})
}
