package reseller

import (
	"context"
	"errors"
	"time"

	"waveadmin/internal/change"
)

// lateTries is how often a patient write lists anew because others were at its account
// meanwhile. After that it reads under the lock what they did.
const lateTries = 5

// openLate opens c, a patient write, with a list at hand from which it may start: the
// account is not held while it waits for that and for its turn. The list began when
// nobody held the account, and none of our writes has begun since; where that is not so
// it is read under the lock. A failed c without an ID was not opened; one with an ID is
// for the caller to close, and leave to be called.
func (s *Service) openLate(ctx context.Context, c change.Change) (_ change.Change, _ *Snapshot, leave func(), err error) {
	var mark change.Mark
	var snap *Snapshot
	for try := 1; ; try++ {
		if mark, snap, leave, err = s.markAndList(ctx, c); err != nil {
			return c, nil, nil, err
		}
		opened, err := s.openMarked(ctx, c, mark, try < lateTries)
		if err == nil {
			c = opened
			break
		}
		leave()
		_, locked := errors.AsType[*change.LockedError](err)
		if !errors.Is(err, errMoved) && !(locked && try < lateTries) {
			return c, nil, nil, err
		}
	}
	now, err := s.ledger.Mark(ctx, c.Account)
	if err == nil && now.Changes != mark.Changes+1 { // c is one more
		snap, err = s.listUnder(ctx, c)
	}
	return c, snap, leave, err
}

// errMoved says that others were at an account since it was marked.
var errMoved = errors.New("the account was changed meanwhile")

// openMarked opens c, which waits for nobody: others have the turn then. While it may
// try again it fails with errMoved when the mark is not as it was.
func (s *Service) openMarked(ctx context.Context, c change.Change, mark change.Mark, again bool) (change.Change, error) {
	if again {
		now, err := s.ledger.Mark(ctx, c.Account)
		switch {
		case err != nil:
			return c, err
		case now.By != nil:
			return c, &change.LockedError{By: *now.By}
		case now.Changes != mark.Changes:
			return c, errMoved
		}
	}
	return s.begin(change.Ahead(ctx), c) // who has the turn holds up the calls
}

// markAndList marks the account of c while nobody holds it, and returns with a list that
// began after that and is not too old, and with the turn.
func (s *Service) markAndList(ctx context.Context, c change.Change) (mark change.Mark, snap *Snapshot, leave func(), err error) {
	for snap == nil {
		err = s.whenFree(ctx, func() (err error) {
			if mark, err = s.ledger.Mark(ctx, c.Account); err == nil && mark.By != nil {
				err = &change.LockedError{By: *mark.By}
			}
			return err
		})
		if err != nil {
			return mark, nil, nil, err
		}
		if snap, leave, err = s.listAndTurn(ctx, ""); err != nil {
			return mark, nil, nil, err
		}
	}
	return mark, snap, leave, nil
}

// listAndTurn returns a list that began after now, and has waited for the turn then. Of
// a patient write the list is the newest that there is when the turn comes; when even
// that is too old, there is neither list nor turn, and the caller begins anew. Holder is
// the change that has its account meanwhile, empty for none.
func (s *Service) listAndTurn(ctx context.Context, holder string) (snap *Snapshot, leave func(), err error) {
	if snap, err = s.await(ctx, holder, s.lockedNow()); err != nil {
		return nil, nil, err
	}
	if leave, err = s.turn(ctx); err != nil {
		return nil, nil, err
	}
	if IsPatient(ctx) {
		snap = s.dir.listed.Load()
		if snap.asOf.Add(s.dir.tookLast() + patientAge).Before(s.now()) {
			leave()
			return nil, nil, nil
		}
	}
	return snap, leave, nil
}

// await returns a list that was asked for at t or later; see Directory.NotBefore. While
// holder, a change that has its account, waits for it patiently, a person may hurry it.
func (s *Service) await(ctx context.Context, holder string, t time.Time) (*Snapshot, error) {
	if holder != "" && IsPatient(ctx) {
		defer s.work.waits(holder, t)()
	}
	return s.dir.NotBefore(ctx, t)
}

// hurrying is when another server was last told to hurry, for one who waits.
type hurrying struct{ told time.Time }

// hurry has the list come now that by waits for, an item of a run that is in the way of
// a person: then it lets go. It may be called as often as the person looks.
func (s *Service) hurry(ctx context.Context, by change.Change, h *hurrying) {
	if IsPatient(ctx) || by.Source != change.Bulk || !by.State.Open() {
		return
	}
	switch list, here := s.work.waitsFor(by.ID); {
	case !list.IsZero():
		s.dir.hurry(list)
	case !here && s.now().Sub(h.told) >= hurriedGap:
		h.told = s.now()
		if err := s.ledger.Hurry(ctx); err != nil { // it only takes longer then
			s.log.Warn("another server could not be told that someone waits", "err", err)
		}
	}
}

// Hurried has the list come now that items of runs of this server wait for, if any do:
// on another one a person waits for one of them.
func (s *Service) Hurried() {
	if list := s.work.lastWait(); !list.IsZero() {
		s.dir.hurry(list)
	}
}
