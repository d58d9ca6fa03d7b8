package reseller

import (
	"context"
	"errors"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// hold opens c and returns the account as it is under the lock. Leave ends the turn of
// a patient write, once; see turn. When it fails the change is closed, if it was opened
// at all; else the caller must leave it, and leave the turn.
func (s *Service) hold(ctx context.Context, c change.Change) (_ change.Change, _ wave.Reseller, leave func(), err error) {
	var snap *Snapshot
	if IsPatient(ctx) {
		c, snap, leave, err = s.openLate(ctx, c)
	} else if c, err = s.open(ctx, c); err == nil {
		leave = func() {}
		snap, err = s.listUnder(ctx, c)
	}
	if err != nil && c.ID == "" {
		return c, wave.Reseller{}, nil, s.notOpened(ctx, c, err)
	}
	var account wave.Reseller
	if err == nil {
		account, err = s.getFrom(snap, c.Account)
	}
	if err == nil && account.Flaw != wave.NoFlaw {
		err = flawed()
	}
	if err != nil {
		leave()
		return c, wave.Reseller{}, nil, s.giveUp(ctx, c, change.Failed, err)
	}
	c.Listed, c.PasswordBefore = snap.asOf, account.PasswordUpdated
	return c, account, leave, nil
}

// listUnder returns a list that is not older than the lock, which c has just taken.
func (s *Service) listUnder(ctx context.Context, c change.Change) (*Snapshot, error) {
	return s.await(ctx, c.ID, s.lockedNow())
}

// lockedNow is the time from which a list says what is so under a lock that was just
// taken. The time in the row is no measure: it steps with the wall clock.
func (s *Service) lockedNow() time.Time { return s.now().Add(tick) }

// open takes the lock of c. Saves take a moment, so it waits for the one before.
func (s *Service) open(ctx context.Context, c change.Change) (change.Change, error) {
	opened := c
	err := s.whenFree(ctx, func() (err error) {
		opened, err = s.begin(ctx, c)
		return err
	})
	if err != nil {
		return c, err
	}
	return opened, nil
}

// whenFree calls try until it does not fail with a *change.LockedError any more, or for
// some seconds. A change in doubt that is in the way is read at once: it may be known by
// now what became of it. An item of a run is hurried, if it is a person who waits.
func (s *Service) whenFree(ctx context.Context, try func() error) error {
	end := s.now().Add(lockPatience + min(2*s.dir.tookLast(), lockPatience))
	if IsPatient(ctx) { // it may wait for one like it, and holds nothing meanwhile
		end = end.Add(2 * patientGap)
	}
	read := ""
	var hurry hurrying
	for pause := 5 * time.Millisecond; ; pause = min(pause*2, 100*time.Millisecond) {
		err := try()
		locked, ok := errors.AsType[*change.LockedError](err)
		if ok && locked.By.State == change.InDoubt && locked.By.ID != read {
			read = locked.By.ID
			if s.settleNow(ctx, locked.By) {
				continue
			}
		}
		if !ok || !s.now().Before(end) {
			return err
		}
		s.hurry(ctx, locked.By, &hurry)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// settleNow reads a change in doubt that is in the way of another, and reports
// whether it is out of the way.
func (s *Service) settleNow(ctx context.Context, doubt change.Change) bool {
	snap, err := s.readBack(ctx, "")
	return err == nil && s.settle(context.WithoutCancel(ctx), doubt, snap)
}

// notOpened is the fault of a change of an account that open refused.
func (s *Service) notOpened(ctx context.Context, c change.Change, err error) error {
	locked, ok := errors.AsType[*change.LockedError](err)
	if !ok {
		return err
	}
	account, _ := s.seen(ctx, c.Account)
	why, who := BeingChanged, locked.By.Actor.Display()
	say := fault.Say("conflict.locked", "name", who)
	if locked.By.State == change.InDoubt {
		why, say = BeingSettled, fault.Say("conflict.doubt", "name", who)
	}
	return &fault.Error{
		Kind: fault.Conflict, Say: say,
		Err: &ConflictError{Account: account, Why: why, Holder: who},
	}
}

func flawed() error {
	return &fault.Error{Kind: fault.Invalid, Say: fault.Say("change.flawed")}
}
