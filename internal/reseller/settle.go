package reseller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"waveadmin/internal/change"
)

// readAfter are the ages at which a change in doubt is read back; while Wave is
// away, later ones come readEvery. From the last of them on, what is not there is
// not coming.
var readAfter = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, time.Minute}

const (
	readEvery  = 2 * time.Minute
	passwordIn = 10 * time.Minute // later, a newer password time says nothing
)

// Run settles changes in doubt by reading the list, and sees to it that no change
// of this process stays open for ever. It returns when ctx ends.
func (s *Service) Run(ctx context.Context) {
	read := make(map[string]time.Time) // change -> its last reading
	for {
		wait := s.tend(ctx)
		doubts, err := s.ledger.InDoubt(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("the changes in doubt could not be read", "err", err)
		}
		if next, any := s.settleDue(ctx, doubts, read); any {
			wait = min(wait, max(next.Sub(s.now()), 0))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// settleDue reads the list for the doubts whose time has come. It returns when
// the next one is due, if any is left.
func (s *Service) settleDue(ctx context.Context, doubts []change.Change, read map[string]time.Time) (next time.Time, any bool) {
	now := s.now()
	var snap *Snapshot
	for _, c := range doubts {
		due, ok := nextReading(c, read[c.ID])
		if !ok {
			continue // left to a person
		}
		if !due.After(now) {
			if snap == nil {
				var err error
				if snap, err = s.dir.NotBefore(ctx, now); err != nil {
					return now.Add(readAfter[1]), true // Wave is away: it is not asked for each
				}
			}
			read[c.ID] = now
			if s.settle(ctx, c, snap) {
				delete(read, c.ID)
				continue
			}
			if due, ok = nextReading(c, now); !ok {
				continue
			}
		}
		if !any || due.Before(next) {
			next, any = due, true
		}
	}
	return next, any
}

// settleCreations records the creations in doubt that the last list shows. What
// cannot be read or recorded is left to Run.
func (s *Service) settleCreations(ctx context.Context) {
	doubts, err := s.ledger.InDoubt(ctx)
	if err != nil {
		s.log.Error("the changes in doubt could not be read", "err", err)
		return
	}
	snap := s.dir.snap.Load()
	for _, c := range doubts {
		if c.Kind == change.Create && s.reading(ctx, &c, snap) == there {
			s.settle(context.WithoutCancel(ctx), c, snap)
		}
	}
}

// nextReading returns when c is to be read after last, or false when reading it
// is no use any more.
func nextReading(c change.Change, last time.Time) (time.Time, bool) {
	due := last.Add(readEvery)
	for _, age := range readAfter {
		if at := c.SentAt.Add(age); at.After(last) {
			due = at
			break
		}
	}
	if c.Kind == change.Password {
		return due, due.Sub(c.SentAt) <= passwordIn
	}
	return due, c.Holds
}

// settle records what snap says about c, and reports whether that was an answer:
// c is final, or left to a person and holds nothing any more.
//
// Nobody here writes to an account in doubt. So one that is just as before was
// not written to, and one that shows a part of what c sent was: a call sends all
// flags, and someone outside has moved the rest since. Of an account that shows
// nothing of c and yet differs, or that is gone, nobody can tell.
func (s *Service) settle(ctx context.Context, c change.Change, snap *Snapshot) bool {
	final := !snap.AsOf().Before(c.SentAt.Add(readAfter[len(readAfter)-1]))
	found := s.reading(ctx, &c, snap)
	in := "the list of " + snap.AsOf().UTC().Format(time.RFC3339) + "; " + c.Detail
	step := s.ledger.Settle
	switch {
	case found == there:
		c.State, c.Fault, c.Detail = change.Done, "", "seen in "+in
	case !final || c.Kind == change.Password:
		return false
	case found == unclear && len(traces(c, snap)) > 0:
		c.State, c.Fault = change.Done, ""
		c.Detail = fmt.Sprintf("%v seen as sent, the others moved since, in %s", traces(c, snap), in)
	case found == unclear:
		step = s.ledger.Release
		c.Detail = "left to a person: nothing of it, but not as before either, in " + in
	case c.Kind == change.Create && c.Status == answered:
		c.State, c.Fault, c.Detail = change.Done, "", "answered with success, but not in "+in
	default:
		c.State, c.Detail = change.Failed, "not in "+in
	}
	_, err := step(ctx, c)
	if _, settled := errors.AsType[*change.StateError](err); settled {
		return true // by another reading
	}
	if err != nil {
		s.log.Error("a change in doubt could not be settled", "change", c.ID, "err", err)
		return false
	}
	s.log.Info("a change in doubt was settled", "change", c.ID, "kind", c.Kind, "state", c.State)
	return true
}

// reading tells what snap says about c, and fills in the account of a creation.
func (s *Service) reading(ctx context.Context, c *change.Change, snap *Snapshot) reading {
	switch c.Kind {
	case change.Meta:
		return readMeta(*c, snap)
	case change.Delete:
		return readDelete(*c, snap)
	case change.Create:
		if account, ok := snap.findCreated(c.Email, c.Company); ok {
			c.Account = account.UserID
			return there
		}
	case change.Password:
		if account, ok := snap.Get(c.Account); ok && account.PasswordUpdated.After(c.PasswordBefore) && s.onlyPassword(ctx, *c) {
			return there
		}
	}
	return notThere
}

// onlyPassword reports whether no other change through this program can have
// moved the password time of the account since c was sent.
func (s *Service) onlyPassword(ctx context.Context, c change.Change) bool {
	history, err := s.ledger.ListByAccount(ctx, c.Account, historyRead)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(history, func(other change.Change) bool {
		switch {
		case other.Kind != change.Password || other.ID == c.ID || other.SentAt.IsZero() || other.State == change.Failed:
			return false
		case other.ID > c.ID:
			return true
		}
		return other.Finished.IsZero() || other.Finished.After(c.SentAt) // it may have arrived late
	})
}
