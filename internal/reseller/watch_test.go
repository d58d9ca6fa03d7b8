package reseller_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// watching runs the watcher of a site until the test or stop ends it.
func (s *site) watching(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { reseller.NewWatcher(s.dir, s.ledger, slog.New(slog.DiscardHandler)).Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

// look reads a list, lets the watcher judge it, and returns what came from outside
// so far, oldest first.
func (s *site) look(t *testing.T) []string {
	t.Helper()
	if _, err := s.dir.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	list, _, err := s.ledger.List(t.Context(), change.Filter{Outside: true}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range list {
		text := string(c.Kind) + " " + string(c.Account)
		for _, m := range c.Moved() {
			text += fmt.Sprintf(" %s:%v", m.Key, m.To)
		}
		out = append(out, text)
	}
	slices.Reverse(out)
	return out
}

func wantRows(t *testing.T, when string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: from outside came %q, want %q", when, got, want)
	}
}

func TestWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"), account("u2"), account("u3"))
		stop := s.watching(t)
		wantRows(t, "at first", s.look(t))

		time.Sleep(time.Minute)
		s.wave.set("u1", true, "invoice", "open_api")
		wantRows(t, "flags", s.look(t), "meta u1 invoice:on open_api:on")
		wantRows(t, "the same once more", s.look(t), "meta u1 invoice:on open_api:on")

		time.Sleep(time.Minute)
		if _, err := s.ChangeMeta(t.Context(), set(tanaka, "u2", true, "invoice")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		rows := s.look(t)
		wantRows(t, "a save of ours", rows, "meta u1 invoice:on open_api:on")

		stop() // while nobody looks
		time.Sleep(time.Hour)
		s.wave.set("u2", false, "invoice")
		s.wave.mu.Lock()
		delete(s.wave.accounts, "u3")
		moved := account("u1", "invoice", "open_api")
		moved.Email = "other@example.com"
		s.wave.accounts["u1"], s.wave.accounts["u4"] = moved, account("u4")
		s.wave.mu.Unlock()
		s.watching(t)
		got := s.look(t)
		slices.Sort(got)
		wantRows(t, "after a restart", got, "create u4", "delete u3", "email u1", "meta u1 invoice:on open_api:on", "meta u2 invoice:off")
	})
}

// A record that cannot be told apart, or not be read, says nothing about its account.
func TestWatcher_leavesFlawedRecordsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"), account("u2"))
		s.watching(t)
		s.look(t)
		time.Sleep(time.Minute)
		flawed := account("u1", "invoice")
		flawed.Flaw = wave.DuplicateID
		s.wave.mu.Lock()
		s.wave.accounts["u1"], s.wave.accounts["u1 again"] = flawed, flawed // listed twice
		s.wave.mu.Unlock()
		wantRows(t, "twice in the list", s.look(t))
		time.Sleep(time.Minute)
		s.wave.mu.Lock()
		delete(s.wave.accounts, "u1 again")
		s.wave.accounts["u1"] = account("u1", "open_api")
		s.wave.mu.Unlock()
		wantRows(t, "whole again", s.look(t), "meta u1 open_api:on")
	})
}

// TestWatcher_historyAccountsForEverything: whatever we and others do, told in the
// order of the history it leads from the first state of each flag to the last.
func TestWatcher_historyAccountsForEverything(t *testing.T) {
	keys := []wave.Key{"usage_tag", "usage_group", "invoice", "open_api"}
	outer := t
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(outer, func(t *testing.T) {
			start := account("u1")
			s := newSite(t, reseller.Rules{}, start)
			s.watching(t)
			s.look(t)
			random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 2))
			s.wave.on("meta", func(int) reaction {
				switch random.IntN(6) {
				case 0:
					return reaction{err: lost, apply: true}
				case 1:
					return reaction{err: rejected}
				case 2: // someone slips in just before the call
					return reaction{apply: true, first: func(w *fakeWave) { w.setLocked("u1", random.IntN(2) == 0, keys[random.IntN(4)]) }}
				}
				return reaction{apply: true}
			})
			for range rapid.IntRange(1, 10).Draw(rt, "steps") {
				time.Sleep(time.Millisecond) // nothing takes no time
				key, on := rapid.SampledFrom(keys).Draw(rt, "key"), rapid.Bool().Draw(rt, "on")
				switch rapid.IntRange(0, 3).Draw(rt, "what") {
				case 0:
					s.wave.set("u1", on, key)
				case 1:
					time.Sleep(time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds")) * time.Second)
					s.look(t)
				default:
					_, _ = s.ChangeMeta(t.Context(), reseller.MetaChange{Actor: tanaka, UserID: "u1", Want: wave.Wanted{key: on}})
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { s.Run(ctx) })
			time.Sleep(2 * time.Minute) // doubts are settled
			s.look(t)
			time.Sleep(time.Minute)
			s.look(t)
			cancel()
			wg.Wait()

			history, err := s.History(t.Context(), "u1", 1000)
			if err != nil {
				t.Fatal(err)
			}
			told := start.Meta
			var rows []string
			for _, c := range slices.Backward(history) {
				if c.State != change.Done {
					continue
				}
				for _, m := range c.Moved() {
					told = told.With(m.Key, m.To == wave.On)
				}
				rows = append(rows, fmt.Sprintf("%s %v", c.Source, c.Moved()))
			}
			now, _ := s.wave.get("u1")
			if moved := wave.Diff(told, now.Meta); len(moved) > 0 {
				rt.Fatalf("the history leads to another state than Wave's: %v\n%s", moved, strings.Join(rows, "\n"))
			}
		})
	})
}

// Two servers that see the same change outside record it once.
func TestPostgres_watchersRecordOnce(t *testing.T) {
	url := dbtest.Postgres.Ready(t)
	api := newWave(account("u1"), account("u2"))
	var servers []*site
	for range 2 {
		s := &site{wave: api, dir: newDirectory(t, api)}
		s.start(t, dbtest.Open(t, url), reseller.Rules{})
		servers = append(servers, s)
	}
	now := time.Now()
	judge := func(s *site, later time.Duration, id wave.UserID) (outside []change.Change, left []wave.UserID) {
		t.Helper()
		a, _ := api.get(id)
		at := now.Add(later)
		outside, left, err := s.ledger.Observe(t.Context(), at, at.Add(time.Second), []change.Seen{{Account: id, Email: a.Email, Meta: a.Meta}})
		if err != nil {
			t.Fatal(err)
		}
		return outside, left
	}
	for _, s := range servers {
		if err := s.ledger.Adopt(t.Context(), now, []change.Seen{{Account: "u1", Email: "u1@example.com", Meta: account("u1").Meta}}); err != nil {
			t.Fatal(err)
		}
	}
	api.set("u1", true, "invoice")
	if outside, _ := judge(servers[0], time.Minute, "u1"); len(outside) != 1 {
		t.Errorf("the first recorded %v", outside)
	}
	if outside, left := judge(servers[1], time.Minute+5*time.Second, "u1"); len(outside)+len(left) != 0 {
		t.Errorf("the second recorded %v and left %v of what is known just so", outside, left)
	}
	// The clock of the other may be ahead: it waits before it trusts its list, which may
	// be from before that change.
	api.set("u1", false, "invoice")
	if outside, left := judge(servers[1], time.Minute+5*time.Second, "u1"); len(outside) != 0 || len(left) != 1 {
		t.Errorf("the second recorded %v and left %v, want it left for later", outside, left)
	}
	api.set("u1", true, "invoice")
	if outside, left := judge(servers[1], 2*time.Minute, "u1"); len(outside)+len(left) != 0 {
		t.Errorf("the second recorded %v and left %v, want nothing", outside, left)
	}
}

// What one server saved is on the pages of the other at once, without a new list.
func TestPostgres_serversHearOfEachOther(t *testing.T) {
	url := dbtest.Postgres.Ready(t)
	api := newWave(account("u1"), account("u2"))
	var servers []*site
	for range 2 {
		s := &site{wave: api, dir: newDirectory(t, api)}
		s.start(t, dbtest.Open(t, url), reseller.Rules{})
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		servers = append(servers, s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { servers[1].ledger.Follow(ctx, slog.New(slog.DiscardHandler), servers[1].Heard) })
	defer wg.Wait()
	defer cancel()
	if _, err := servers[0].ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice")); err != nil {
		t.Fatal(err)
	}
	if _, err := servers[0].Delete(t.Context(), reseller.Deletion{Actor: tanaka, UserID: "u2", Confirm: "u2@example.com"}); err != nil {
		t.Fatal(err)
	}
	api.on("list", always(away, false)) // no list can tell it
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		snap, err := servers[1].dir.Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		account, _ := snap.Get("u1")
		_, there := snap.Get("u2")
		if account.Meta.On("invoice") && !there {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("invoice %v, u2 there: %v", account.Meta.State("invoice"), there)
		}
	}
}
