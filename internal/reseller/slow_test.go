package reseller_test

import (
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
)

// A save is read back where lists take long, as of very many accounts: it waits
// for two of them, one that was asked for too early and its own.
func TestService_readsBackSlowLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		s.wave.on("list", func(int) reaction {
			time.Sleep(3 * time.Second)
			return reaction{apply: true}
		})
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if _, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice")); err != nil {
			t.Fatal(err)
		}
		state, c := s.state(t)
		if state != change.Done || c.Detail != "" {
			t.Errorf("the save is %s: %q, want it read back", state, c.Detail)
		}
	})
}
