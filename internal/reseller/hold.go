package reseller

import (
	"context"
	"errors"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// hold opens c and returns the account as it is under the lock, and since when that is
// known. When it fails the change is closed, if it was opened at all; else the caller
// must leave it.
func (s *Service) hold(ctx context.Context, c change.Change) (change.Change, wave.Reseller, time.Time, error) {
	c, err := s.open(ctx, c)
	if err != nil {
		return c, wave.Reseller{}, time.Time{}, s.notOpened(ctx, c, err)
	}
	account, asOf, err := s.readUnder(ctx, c, s.lockedNow())
	if err != nil {
		return c, wave.Reseller{}, time.Time{}, s.giveUp(ctx, c, change.Failed, err)
	}
	c.PasswordBefore = account.PasswordUpdated
	return c, account, asOf, nil
}

// readUnder returns the account of c from a list that was asked for at t or later, and
// when that was.
func (s *Service) readUnder(ctx context.Context, c change.Change, t time.Time) (wave.Reseller, time.Time, error) {
	snap, err := s.dir.NotBefore(ctx, t)
	if err != nil {
		return wave.Reseller{}, time.Time{}, err
	}
	account, err := s.getFrom(snap, c.Account)
	if err == nil && account.Flaw != wave.NoFlaw {
		err = flawed()
	}
	return account, snap.asOf, err
}

// listUnder returns a list that is not older than the lock, which the caller has
// just taken.
func (s *Service) listUnder(ctx context.Context) (*Snapshot, error) {
	return s.dir.NotBefore(ctx, s.lockedNow())
}

// lockedNow is the time from which a list says what is so under a lock that was just
// taken. The time in the row is no measure: it steps with the wall clock.
func (s *Service) lockedNow() time.Time { return s.now().Add(tick) }

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
