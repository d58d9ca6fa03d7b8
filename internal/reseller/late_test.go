package reseller_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// twoServers returns two services on one ledger and one Wave, which has so many accounts.
func twoServers(t *testing.T, accounts int) (ours, theirs *site, all []wave.Reseller) {
	t.Helper()
	all = manyAccounts(accounts)
	ours = newSite(t, reseller.Rules{}, all...)
	theirs = &site{wave: ours.wave, dir: newDirectory(t, ours.wave), db: ours.db}
	theirs.start(t, ours.db, reseller.Rules{})
	for _, s := range []*site{ours, theirs} {
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return ours, theirs, all
}

// item is what a run asks for.
func item(id wave.UserID, keys ...wave.Key) reseller.MetaChange {
	c := set(tanaka, id, true, keys...)
	c.RunID = "run-1"
	return c
}

// busyTurns lets as many items as may be sent at a time begin, each of which takes so
// long. Calls after them take no time.
func busyTurns(t *testing.T, s *site, accounts []wave.Reseller, long time.Duration) (wait func()) {
	var run sync.WaitGroup
	s.wave.setSlow(map[string]time.Duration{"meta": long})
	for _, a := range accounts[:16] {
		run.Go(func() {
			if _, err := s.ChangeMeta(reseller.Patiently(t.Context()), item(a.UserID, "invoice")); err != nil {
				t.Errorf("%s: %v", a.UserID, err)
			}
		})
	}
	time.Sleep(2600 * time.Millisecond) // for the list, which is of 2.5 s
	s.wave.setSlow(nil)
	return run.Wait
}

// wantFlags fails t unless these flags of an account are on.
func (s *site) wantFlags(t *testing.T, id wave.UserID, keys ...wave.Key) {
	t.Helper()
	now, _ := s.wave.get(id)
	for _, key := range keys {
		if !now.Meta.On(key) {
			t.Errorf("%s of %s was lost", key, id)
		}
	}
}

// holder returns the change that has an account, nil for none.
func (s *site) holder(t *testing.T, id wave.UserID) *change.Change {
	t.Helper()
	m, err := s.ledger.Mark(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return m.By
}

// An item has a list and waits for its turn when a person saves the same account, on
// another server, of whose lists it knows nothing.
func TestLate_keepsWhatWasSavedWhileItWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, other, all := twoServers(t, 17)
		wait := busyTurns(t, s, all, 4*time.Second) // until 6.5 s
		last := all[16].UserID
		var run sync.WaitGroup
		run.Go(func() {
			if _, err := s.ChangeMeta(reseller.Patiently(t.Context()), item(last, "invoice")); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(3 * time.Second) // it has its list since 5 s
		if by := s.holder(t, last); by != nil {
			t.Errorf("the account is held by a change that is %s while that waits", by.State)
		}
		start := time.Now()
		if _, err := other.ChangeMeta(t.Context(), set(suzuki, last, true, "open_api")); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("the person waited %v", took)
		}
		wait()
		run.Wait()
		s.wantFlags(t, last, "invoice", "open_api")
	})
}

// What a person saves in the last moment is found under the lock.
func TestLate_keepsWhatWasSavedAsItOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, other, _ := twoServers(t, 1)
		const id = wave.UserID("u00000")
		saved := false
		s.beforeOpen = func(c change.Change) {
			if c.RunID == "" || saved {
				return
			}
			saved = true
			if _, err := other.ChangeMeta(t.Context(), set(suzuki, id, true, "open_api")); err != nil {
				t.Error(err)
			}
		}
		r, err := s.ChangeMeta(reseller.Patiently(t.Context()), item(id, "invoice"))
		if err != nil || !saved {
			t.Fatalf("saved: %v (%v)", saved, err)
		}
		s.wantFlags(t, id, "invoice", "open_api")
		if r.Change.Listed.Before(r.Change.Created) {
			t.Error("it rests on a list of before the lock")
		}
	})
}

// A run waits until a person's save is over, with nothing opened.
func TestLate_waitsForWhoHasTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, other, _ := twoServers(t, 1)
		const id = wave.UserID("u00000")
		s.wave.slow = map[string]time.Duration{"meta": 5 * time.Second} // longer than a person would wait
		var people sync.WaitGroup
		people.Go(func() {
			if _, err := other.ChangeMeta(t.Context(), set(suzuki, id, true, "open_api")); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if _, err := s.ChangeMeta(reseller.Patiently(t.Context()), item(id, "invoice")); err != nil {
			t.Error(err)
		}
		people.Wait()
		s.wantFlags(t, id, "invoice", "open_api")
	})
}

// Someone has the account as the item comes, and is done by the time of its turn: the
// list that it waited for does not have that yet.
func TestLate_keepsWhatWasUnderWayAsItCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, other, all := twoServers(t, 17)
		last := all[16].UserID
		var run sync.WaitGroup
		run.Go(func() {
			time.Sleep(2 * time.Second)
			if _, err := other.ChangeMeta(t.Context(), set(suzuki, last, true, "open_api")); err != nil { // done at 6 s
				t.Error(err)
			}
		})
		wait := busyTurns(t, s, all, 4*time.Second) // until 6.5 s, and with a list at 2.5 and at 5 s
		run.Go(func() {
			if _, err := s.ChangeMeta(reseller.Patiently(t.Context()), item(last, "invoice")); err != nil {
				t.Error(err)
			}
		})
		wait()
		run.Wait()
		s.wantFlags(t, last, "invoice", "open_api")
	})
}

// Two runs that meet at each account finish both, and take no turns from each other.
func TestLate_runsMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, other, all := twoServers(t, 60)
		var runs sync.WaitGroup
		for i, server := range []*site{s, other} {
			for _, a := range all {
				runs.Go(func() {
					if _, err := server.ChangeMeta(reseller.Patiently(t.Context()), item(a.UserID, []wave.Key{"invoice", "open_api"}[i])); err != nil {
						t.Errorf("%s: %v", a.UserID, err)
					}
				})
			}
		}
		runs.Wait()
		for _, a := range all {
			s.wantFlags(t, a.UserID, "invoice", "open_api")
		}
	})
}

// A list that has got too old by the time of the turn is no ground for a write: what was
// changed outside meanwhile is kept.
func TestLate_listsAgainWhenItsTurnComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, all := twoServers(t, 17)
		wait := busyTurns(t, s, all, 9*time.Second) // until 11.5 s
		last := all[16].UserID
		var run sync.WaitGroup
		run.Go(func() {
			r, err := s.ChangeMeta(reseller.Patiently(t.Context()), item(last, "invoice"))
			if age, known := r.Change.ListAge(); err != nil || !known || age > 5*time.Second {
				t.Errorf("the list was %v old (%v, %v)", age, known, err)
			}
		})
		time.Sleep(4 * time.Second) // it has its list since 5 s
		s.wave.set(last, true, "open_api")
		wait()
		run.Wait()
		s.wantFlags(t, last, "invoice", "open_api")
	})
}

// A click rests on a list of after its lock, and its age is recorded too.
func TestService_ChangeMeta_recordsTheAgeOfItsList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		s.wave.slow = map[string]time.Duration{"list": 200 * time.Millisecond}
		if _, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice")); err != nil {
			t.Fatal(err)
		}
		_, c := s.state(t)
		if age, known := c.ListAge(); !known || age != 200*time.Millisecond || c.Listed.Before(c.Created) {
			t.Errorf("the list was %v old (%v), of %v, the lock is of %v", age, known, c.Listed, c.Created)
		}
	})
}
