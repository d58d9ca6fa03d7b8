package reseller_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waveadmin/internal/change"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// In each step a person and an item of a run, mostly of another server, are at the same
// account: neither loses what the other did.
func TestService_historiesOfRunsAreTrue(t *testing.T) {
	checkHistories(t, rapid.Map(steps(), func(history []step) []step {
		for i := range history {
			s := &history[i]
			s.Account, s.Run, s.Dies = accounts[0], change.Meta, lives
			if strings.HasPrefix(s.What, "outside") || s.What == "delete" {
				s.What, s.Elsewhere = "meta", true
			}
		}
		return history
	}))
}

// meanwhile does what a step's item of a run wants, and what its person does beside.
// What happens outside at the same moment may be written over, so it happens alone.
func (m *model) meanwhile(s step, person func()) {
	if s.Run == "" || strings.HasPrefix(s.What, "outside") {
		person()
		return
	}
	var run sync.WaitGroup
	run.Go(func() { m.runItem(s) })
	time.Sleep(s.Ahead)
	person()
	run.Wait()
}

// runItem does an item of a run as a worker of it does.
func (m *model) runItem(s step) {
	service := m.life.Service
	if s.Elsewhere {
		service = m.life.runs
	}
	ctx := reseller.Patiently(m.t.Context())
	var c change.Change
	var err error
	switch s.Run {
	case change.Meta:
		want := wave.Wanted{}
		for _, key := range s.RunKeys {
			want[key] = s.On
		}
		var r reseller.MetaResult
		r, err = service.ChangeMeta(ctx, reseller.MetaChange{Actor: suzuki, UserID: s.Account, Want: want, RunID: "run"})
		c = r.Change
	case change.Password:
		c, err = service.ReplacePassword(ctx, reseller.PasswordChange{
			Actor: suzuki, UserID: s.Account, NewPassword: wave.NewPassword{Input: wave.Auto}, RunID: "run",
		})
	case change.Delete:
		a, _ := m.wave.get(s.Account)
		c, err = service.Delete(ctx, reseller.Deletion{Actor: suzuki, UserID: s.Account, Confirm: a.Email, RunID: "run"})
	}
	m.checkTold(true, c.ID, c.State, err)
}
