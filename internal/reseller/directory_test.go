package reseller_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

var (
	away  = fault.New(fault.Unavailable, errors.New("connection refused"))
	lost  = fault.New(fault.Uncertain, errors.New("no answer"))
	noTry = fault.New(fault.Denied, errors.New("role"))
)

func manyAccounts(n int) []wave.Reseller {
	list := make([]wave.Reseller, n)
	for i := range list {
		list[i] = account(wave.UserID(fmt.Sprintf("u%05d", i)))
	}
	return list
}

func must(t *testing.T, s *reseller.Snapshot, err error) *reseller.Snapshot {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDirectory_Current_answersFromTheSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave(account("u1"))
		d := newDirectory(t, w)
		s, err := d.Current(t.Context())
		first := must(t, s, err)
		time.Sleep(30 * time.Second)
		if s, err := d.Current(t.Context()); s != first || err != nil || w.count("list") != 1 {
			t.Errorf("a snapshot of the allowed age: asked Wave %d times (%v)", w.count("list"), err)
		}
		time.Sleep(time.Second)
		if s, err = d.Current(t.Context()); s == first || err != nil || w.count("list") != 2 {
			t.Errorf("an old snapshot: asked Wave %d times (%v), want a second", w.count("list"), err)
		}
	})
}

func TestDirectory_Current_waitsHalfASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave(account("u1"))
		d := newDirectory(t, w)
		first, err := d.Current(t.Context())
		must(t, first, err)
		w.gate = make(chan struct{})
		time.Sleep(time.Minute)
		start := time.Now()
		s, err := d.Current(t.Context())
		if s != first || err != nil || time.Since(start) != 500*time.Millisecond || !d.Status().Refreshing {
			t.Errorf("waited %v (%v), want 500ms and the old snapshot", time.Since(start), err)
		}
		w.gate <- struct{}{}
		synctest.Wait()
		if s, _ := d.Current(t.Context()); s == first {
			t.Error("the refresh ended with the wait")
		}
	})
}

func TestDirectory_whileWaveIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave(account("u1"))
		d := newDirectory(t, w)
		first, err := d.Current(t.Context())
		must(t, first, err)
		w.on("list", always(away, false))
		time.Sleep(time.Minute)
		for range 5 { // the first of them finds out, the others do not ask again at once
			start := time.Now()
			if s, err := d.Current(t.Context()); s != first || err != nil || time.Since(start) != 0 {
				t.Errorf("got %v after %v, want the old snapshot at once", err, time.Since(start))
			}
		}
		synctest.Wait()
		status := d.Status()
		if w.count("list") != 2 || !status.Failed || status.LastError != fault.Unavailable || !status.AsOf.Equal(first.AsOf()) {
			t.Errorf("after %d calls: %+v", w.count("list"), status)
		}
		if _, err := d.Refresh(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("Refresh: %v, want Unavailable", err)
		}
		delete(w.faults, "list")
		time.Sleep(10 * time.Second)
		_, _ = d.Current(t.Context())
		synctest.Wait()
		if s, err := d.Current(t.Context()); s == first || err != nil || d.Status().Failed {
			t.Errorf("when Wave is back: %+v (%v)", d.Status(), err)
		}
	})
}

func TestDirectory_Current_failsWithoutAnySnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave().on("list", always(noTry, false))
		d := newDirectory(t, w)
		for range 3 {
			if _, err := d.Current(t.Context()); !fault.Is(err, fault.Denied) {
				t.Errorf("error = %v, want that of the list", err)
			}
		}
		if w.count("list") != 1 {
			t.Errorf("asked %d times at once", w.count("list"))
		}
	})
}

func TestDirectory_NotBefore_sharesCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave(account("u1"))
		w.gate = make(chan struct{})
		d := newDirectory(t, w)
		results := make(chan error, 100)
		wait := func() {
			from := time.Now()
			go func() {
				s, err := d.NotBefore(t.Context(), from)
				if err == nil && s.AsOf().Before(from) {
					err = fmt.Errorf("as of %v, want %v or later", s.AsOf(), from)
				}
				results <- err
			}()
		}
		for range 10 { // together: one call
			wait()
		}
		synctest.Wait()
		time.Sleep(time.Millisecond)
		for range 10 { // while it runs: one more behind it
			wait()
		}
		leaving, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.NotBefore(leaving, time.Now()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("who leaves gets %v, want Unavailable", err)
		}
		w.gate <- struct{}{}
		w.gate <- struct{}{}
		for range 20 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if w.count("list") != 2 {
			t.Errorf("%d list calls, want 2", w.count("list"))
		}
	})
}

func TestDirectory_doubtsAListThatLostHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := manyAccounts(30)
		w := newWave(all...)
		d := newDirectory(t, w)
		s, err := d.Current(t.Context())
		must(t, s, err)
		cut := func(n int) func(int) reaction {
			return func(i int) reaction {
				return reaction{apply: true, first: func(w *fakeWave) {
					if i >= n {
						w.accounts = newWave(all...).accounts
					} else {
						w.accounts = newWave(all[:10]...).accounts
					}
				}}
			}
		}
		time.Sleep(time.Second)
		w.on("list", cut(3)) // the second list is short, the third is whole
		s, err = d.Refresh(t.Context())
		if must(t, s, err).Len() != 30 {
			t.Errorf("a short list that the next one denies: %d accounts, want 30", s.Len())
		}
		time.Sleep(time.Second)
		w.on("list", cut(99))
		s, err = d.Refresh(t.Context())
		if must(t, s, err).Len() != 10 {
			t.Errorf("a short list twice: %d accounts, want 10", s.Len())
		}
	})
}

func TestDirectory_Put(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave(account("u1"), account("u2"))
		d := newDirectory(t, w)
		s, err := d.Current(t.Context())
		must(t, s, err)

		time.Sleep(time.Second)
		w.gate = make(chan struct{})
		go func() { _, _ = d.Refresh(t.Context()) }()
		synctest.Wait()
		time.Sleep(time.Millisecond)
		d.Put(account("u1", "invoice")) // while a list is under way that was asked for before
		d.Remove("u2")
		check := func(when string, invoice bool, n int) {
			t.Helper()
			s, err := d.Current(t.Context())
			a, _ := must(t, s, err).Get("u1")
			if a.Meta.On("invoice") != invoice || s.Len() != n {
				t.Errorf("%s: invoice %v, %d accounts, want %v, %d", when, a.Meta.On("invoice"), s.Len(), invoice, n)
			}
		}
		check("at once", true, 1)
		w.gate <- struct{}{}
		synctest.Wait()
		check("after the older list", true, 1)
		close(w.gate)
		time.Sleep(time.Millisecond)
		s, err = d.Refresh(t.Context())
		must(t, s, err)
		check("after a newer list, which wins", false, 2)
	})
}

func TestDirectory_Run_keepsFreshWhilePeopleLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave(account("u1"))
		d := newDirectory(t, w)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { d.Run(ctx); close(done) }()
		synctest.Wait()
		if w.count("list") != 1 {
			t.Errorf("at start %d list calls, want 1", w.count("list"))
		}
		time.Sleep(time.Hour)
		if w.count("list") != 1 {
			t.Errorf("nobody looked, %d list calls, want 1", w.count("list"))
		}
		_, _ = d.Current(t.Context())
		time.Sleep(lookedFor)
		calls := w.count("list")
		if calls < 11 || calls > 15 {
			t.Errorf("somebody looked 5 minutes ago: %d list calls, want one each 24 s", calls)
		}
		time.Sleep(time.Hour)
		if got := w.count("list"); got > calls+1 {
			t.Errorf("%d more calls although nobody looks", got-calls)
		}
		cancel()
		<-done
	})
}

const lookedFor = 5 * time.Minute

func TestDirectory_Close_endsTheCallUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave(account("u1"))
		d := newDirectory(t, w)
		s, err := d.Current(t.Context())
		must(t, s, err)
		w.gate = make(chan struct{}) // Wave hangs
		time.Sleep(time.Second)
		asked := make(chan error, 1)
		go func() {
			_, err := d.Refresh(t.Context())
			asked <- err
		}()
		synctest.Wait()
		d.Close()
		if err := <-asked; !fault.Is(err, fault.Unavailable) {
			t.Errorf("the call under way = %v, want Unavailable", err)
		}
		if got, err := d.Current(t.Context()); got != s || err != nil {
			t.Errorf("the snapshot is gone (%v)", err)
		}
	})
}

func TestDirectory_BillingGroups(t *testing.T) {
	listed := []wave.BillingGroup{{CompanyID: "c2", ID: "b2", Name: "Beta"}, {CompanyID: "c1", ID: "b1", Name: "alpha"}, {Name: "no id"}}
	sorted := []wave.BillingGroup{listed[1], listed[0]}
	fromAccounts := []wave.BillingGroup{account("u1").BillingGroup, account("u2").BillingGroup}
	tests := []struct {
		name     string
		err      error
		want     []wave.BillingGroup
		complete bool
	}{
		{"listed", nil, sorted, true},
		{"the role forbids it", noTry, fromAccounts, false},
		{"there is no such call", fault.New(fault.NotFound, nil), fromAccounts, false},
		{"away", away, fromAccounts, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWave(account("u1"), account("u2"))
			w.groups = listed
			if tt.err != nil {
				w.on("groups", always(tt.err, false))
			}
			d := newDirectory(t, w)
			for range 3 {
				got, complete, err := d.BillingGroups(t.Context())
				if diff := cmp.Diff(tt.want, got); diff != "" || complete != tt.complete || err != nil {
					t.Errorf("complete %v, error %v, groups (-want +got):\n%s", complete, err, diff)
				}
			}
			if w.count("groups") != 1 {
				t.Errorf("asked %d times, want once", w.count("groups"))
			}
		})
	}
}
