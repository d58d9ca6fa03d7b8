package reseller_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// sentItems starts an item of a run for each account and returns when all are sent and
// wait to be read back, each holding its account. Lists take 100 ms.
func sentItems(t *testing.T, s *site, accounts []wave.Reseller) (wait func()) {
	t.Helper()
	s.wave.setSlow(map[string]time.Duration{"list": 100 * time.Millisecond})
	var run sync.WaitGroup
	for _, a := range accounts {
		run.Go(func() {
			r, err := s.ChangeMeta(reseller.Patiently(t.Context()), item(a.UserID, "invoice"))
			if err != nil || r.Change.Detail != "" {
				t.Errorf("%s: %v, %q, want it read back", a.UserID, err, r.Change.Detail)
			}
		})
	}
	time.Sleep(3 * time.Second) // the first list is of 2.5 s, and the next would be of 5 s
	for _, a := range accounts {
		if by := s.holder(t, a.UserID); by == nil || by.State != change.Sent {
			t.Fatalf("%s is not held by a change that was sent: %+v", a.UserID, by)
		}
	}
	return run.Wait
}

// People who meet items that wait to be read back get one list for all of these.
func TestHurry_peopleDoNotWaitForTheNextList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, all := twoServers(t, 10)
		wait := sentItems(t, s, all)
		before := s.wave.count("list")
		start := time.Now()
		var people sync.WaitGroup
		for _, a := range all {
			people.Go(func() {
				if _, err := s.ChangeMeta(t.Context(), set(suzuki, a.UserID, true, "open_api")); err != nil {
					t.Errorf("%s: %v", a.UserID, err)
				}
			})
		}
		wait()
		if took := time.Since(start); took > 150*time.Millisecond { // one list
			t.Errorf("the items let go after %v", took)
		}
		people.Wait()
		if took := time.Since(start); took > 700*time.Millisecond {
			t.Errorf("people waited %v", took)
		}
		// One for the items; for the people two at most each before and after the call, as
		// not all begin at the same moment.
		if lists := s.wave.count("list") - before; lists > 5 {
			t.Errorf("%d lists for ten people", lists)
		}
		for _, a := range all {
			s.wantFlags(t, a.UserID, "invoice", "open_api")
		}
	})
}

// However long a person insists, an item whose call hangs makes no lists come sooner.
func TestHurry_notForWhatIsStillSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, all := twoServers(t, 3)
		s.wave.setSlow(map[string]time.Duration{"meta": 10 * time.Second})
		var run sync.WaitGroup
		for i, a := range all {
			run.Go(func() {
				time.Sleep([]time.Duration{0, 2800, 4400}[i] * time.Millisecond) // the others wait for the list of 5 s as the person does
				if _, err := s.ChangeMeta(reseller.Patiently(t.Context()), item(a.UserID, "invoice")); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(3 * time.Second)
		before := s.wave.count("list")
		if _, err := s.ChangeMeta(t.Context(), set(suzuki, all[0].UserID, true, "open_api")); err == nil {
			t.Error("the account was free")
		}
		if lists := s.wave.count("list") - before; lists > 1 {
			t.Errorf("%d lists, none of which could help", lists)
		}
		run.Wait()
	})
}

// The list is on its way that an item waits for: others that need a later one do not
// get it sooner for that, and the person's own comes next.
func TestHurry_notWhenTheListIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, all := twoServers(t, 2)
		s.wave.setSlow(map[string]time.Duration{"list": time.Second, "password": 2 * time.Second})
		var run sync.WaitGroup
		for i, kind := range []change.Kind{change.Meta, change.Password} { // sent at 3.5 s, the second until 5.5 s
			run.Go(func() {
				if err := lateWrites[kind](reseller.Patiently(t.Context()), s, all[i].UserID); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(5600 * time.Millisecond) // the list of 5 s is there in 0.4 s
		start := time.Now()
		if _, err := s.ChangeMeta(t.Context(), set(suzuki, all[0].UserID, true, "open_api")); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 2600*time.Millisecond { // that list and two more
			t.Errorf("the person waited %v", took)
		}
		run.Wait()
	})
}

// told is a ledger whose word that someone waits reaches another server.
type told struct {
	reseller.Ledger
	other *site
	words int
}

func (l *told) Hurry(context.Context) error {
	l.words++
	l.other.Hurried()
	return nil
}

// The item is one of another server.
func TestHurry_reachesOtherServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, other, all := twoServers(t, 1)
		ledger := &told{Ledger: other.ledger, other: s}
		other.Service = reseller.NewService(other.wave, other.dir, ledger, reseller.Rules{}, nil, nil)
		wait := sentItems(t, s, all)
		start := time.Now()
		if _, err := other.ChangeMeta(t.Context(), set(suzuki, all[0].UserID, true, "open_api")); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 700*time.Millisecond || ledger.words == 0 {
			t.Errorf("the person waited %v, and said so %d times", took, ledger.words)
		}
		wait()
		var next sync.WaitGroup
		next.Go(func() {
			if _, err := s.ChangeMeta(reseller.Patiently(t.Context()), item(all[0].UserID, "usage_tag")); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		before := s.wave.count("list")
		s.Hurried() // it waits, but has no account that anyone waits for
		time.Sleep(time.Second)
		if lists := s.wave.count("list") - before; lists > 0 {
			t.Errorf("%d lists for nobody", lists)
		}
		next.Wait()
		s.wantFlags(t, all[0].UserID, "invoice", "open_api")
	})
}
