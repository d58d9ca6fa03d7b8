package reseller

import (
	"context"
	"errors"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// hold opens c and returns the account as it is under the lock. When it fails the
// change is closed, if it was opened at all; else the caller must leave it.
func (s *Service) hold(ctx context.Context, c change.Change) (change.Change, wave.Reseller, error) {
	c, err := s.open(ctx, c)
	if err != nil {
		return c, wave.Reseller{}, s.notOpened(ctx, c, err)
	}
	snap, err := s.listUnder(ctx)
	if err != nil {
		return c, wave.Reseller{}, s.giveUp(ctx, c, change.Failed, err)
	}
	account, err := s.getFrom(snap, c.Account)
	if err == nil && account.Flaw != wave.NoFlaw {
		err = flawed()
	}
	if err != nil {
		return c, wave.Reseller{}, s.giveUp(ctx, c, change.Failed, err)
	}
	c.PasswordBefore = account.PasswordUpdated
	return c, account, nil
}

// listUnder returns a list that is not older than the lock, which the caller has
// just taken. The time in the row is no measure: it steps with the wall clock.
func (s *Service) listUnder(ctx context.Context) (*Snapshot, error) {
	return s.dir.NotBefore(ctx, s.now().Add(tick))
}

// open takes the lock of c. Saves take a moment, so it waits for the one before.
// One in doubt is read at once: it may be known by now what became of it.
func (s *Service) open(ctx context.Context, c change.Change) (change.Change, error) {
	end := s.now().Add(lockPatience)
	read := ""
	for pause := 5 * time.Millisecond; ; pause = min(pause*2, 100*time.Millisecond) {
		opened, err := s.begin(ctx, c)
		if err == nil {
			return opened, nil
		}
		locked, ok := errors.AsType[*change.LockedError](err)
		if ok && locked.By.State == change.InDoubt && locked.By.ID != read {
			read = locked.By.ID
			if s.settleNow(ctx, locked.By) {
				continue
			}
		}
		if !ok || !s.now().Before(end) {
			return c, err
		}
		select {
		case <-ctx.Done():
			return c, err
		case <-time.After(pause):
		}
	}
}

// settleNow reads a change in doubt that is in the way of another, and reports
// whether it is out of the way.
func (s *Service) settleNow(ctx context.Context, doubt change.Change) bool {
	snap, err := s.readBack(ctx)
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
