package reseller_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
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
