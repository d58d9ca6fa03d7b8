package reseller_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// Many people who each turn other flags of one account lose none of them.
func TestService_manyAtOnceLoseNothing(t *testing.T) {
	s := newSite(t, reseller.Rules{}, account("u1"))
	keys := make([]wave.Key, 0, len(wave.Flags))
	for _, f := range wave.Flags {
		if f.Parent == "" && len(wave.Children(f.Key)) == 0 {
			keys = append(keys, f.Key)
		}
	}
	var wg sync.WaitGroup
	for i, key := range keys {
		wg.Go(func() {
			actor := auth.Actor{Issuer: "idp", Subject: fmt.Sprint(i), Name: fmt.Sprint("person ", i), Role: auth.Editor}
			on := true
			for round := 0; round < 3; { // on, off, on
				_, err := s.ChangeMeta(t.Context(), set(actor, "u1", on, key))
				if e, ok := errors.AsType[*reseller.ConflictError](err); ok && e.Why == reseller.BeingChanged {
					continue // a person would press Save again
				}
				if err != nil {
					t.Errorf("%s: %v", key, err)
					return
				}
				on = !on
				round++
			}
		})
	}
	wg.Wait()
	now, _ := s.wave.get("u1")
	for _, key := range keys {
		if !now.Meta.On(key) {
			t.Errorf("%s was lost", key)
		}
	}
	list, err := s.History(t.Context(), "u1", 1000)
	if err != nil {
		t.Fatal(err)
	}
	done := slices.DeleteFunc(list, func(c change.Change) bool { return c.State != change.Done })
	if len(done) != 3*len(keys) || s.wave.count("meta") != len(done) {
		t.Errorf("%d changes done with %d calls, want %d", len(done), s.wave.count("meta"), 3*len(keys))
	}
}

// Whatever goes wrong, each flag has the value of its last writer, and each
// outcome that was told is true: what is done is there, what failed is not.
func TestService_toldOutcomesAreTrue(t *testing.T) {
	keys := []wave.Key{"usage_tag", "usage_group", "invoice", "new_in_2027"}
	outer := t
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(outer, func(t *testing.T) {
			start := account("u1")
			start.Meta = start.Meta.With("new_in_2027", false)
			s := newSite(t, reseller.Rules{}, start)
			random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
			trouble := func(int) reaction {
				switch random.IntN(6) {
				case 0:
					return reaction{err: lost, apply: true}
				case 1:
					return reaction{err: lost}
				case 2:
					return reaction{err: rejected}
				}
				return reaction{apply: true}
			}
			s.wave.on("meta", trouble)
			s.wave.on("list", func(int) reaction {
				if random.IntN(8) == 0 {
					return reaction{err: away}
				}
				return reaction{apply: true}
			})
			model := start.Meta
			for range rapid.IntRange(1, 8).Draw(rt, "steps") {
				time.Sleep(time.Minute)
				key := rapid.SampledFrom(keys).Draw(rt, "key")
				on := rapid.Bool().Draw(rt, "on")
				if rapid.IntRange(0, 4).Draw(rt, "outside") == 0 {
					s.wave.set("u1", on, key)
					model = model.With(key, on)
					continue
				}
				_, err := s.ChangeMeta(t.Context(), reseller.MetaChange{Actor: tanaka, UserID: "u1", Want: wave.Wanted{key: on}})
				now, _ := s.wave.get("u1")
				switch {
				case err == nil:
					model = model.With(key, on)
				case fault.Is(err, fault.Uncertain): // either is true
					if now.Meta.On(key) == on {
						model = model.With(key, on)
					}
				}
				if moved := wave.Diff(model, now.Meta); len(moved) > 0 {
					rt.Fatalf("after %v of %s to %v, Wave differs from what was told: %v", err, key, on, moved)
				}
			}
		})
	})
}
