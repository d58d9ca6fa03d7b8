package reseller

import (
	"context"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

const (
	manyMoved   = 5   // more other flags than this ask for a look
	historyRead = 100 // changes in which the author of a moved flag is looked for
)

// Others names who moved the flags that actor did not ask for. Those that actor
// moved here are left out: my own second save never conflicts with my first.
func (s *Service) Others(ctx context.Context, actor auth.Actor, id wave.UserID, moved []wave.Moved) []Other {
	return s.authors(ctx, id, moved, func(c change.Change) bool {
		return c.Actor.Issuer != actor.Issuer || c.Actor.Subject != actor.Subject
	})
}

// authors names who moved each flag, and leaves out those whose change does not
// count.
func (s *Service) authors(ctx context.Context, id wave.UserID, moved []wave.Moved, counts func(change.Change) bool) []Other {
	if len(moved) == 0 {
		return nil
	}
	history, err := s.ledger.ListByAccount(ctx, id, historyRead)
	if err != nil { // names are a courtesy; the flags count without them
		s.log.Warn("the history of an account could not be read", "account", id, "err", err)
	}
	var others []Other
	for _, m := range moved {
		author, ok := authorOf(m, history)
		switch {
		case !ok:
			others = append(others, Other{Moved: m})
		case author.Source == change.Outside:
			others = append(others, Other{Moved: m, At: author.Finished})
		case counts(author):
			others = append(others, Other{Moved: m, By: author.Actor.Display(), At: author.Finished})
		}
	}
	return others
}

// authorOf returns the newest done change that moved the flag of m, if it moved
// it to the value that the flag has now. Otherwise someone outside did.
func authorOf(m wave.Moved, newestFirst []change.Change) (change.Change, bool) {
	for _, c := range newestFirst {
		if c.Kind != change.Meta || c.State != change.Done {
			continue
		}
		for _, moved := range c.Moved() {
			if moved.Key == m.Key {
				return c, moved.To == m.To
			}
		}
	}
	return change.Change{}, false
}

// conflict returns why e must not be sent before a person has looked at it, or "".
// An edit that has nothing to apply does no harm.
func (s *Service) conflict(e edit) ConflictReason {
	if len(e.Apply) == 0 || len(e.others) == 0 {
		return ""
	}
	related := make(map[wave.Key]bool, len(e.Related))
	for _, key := range e.Related {
		related[key] = true
	}
	for _, o := range e.others {
		if related[o.Key] {
			return RelatedMoved
		}
	}
	switch {
	case len(e.others) > manyMoved:
		return ManyMoved
	case s.rules.StrictConflicts:
		return Strict
	}
	return ""
}

// asks returns the fault of e, which a person must look at before it is sent.
func asks(now wave.Reseller, e edit, why ConflictReason) error {
	return &fault.Error{
		Kind: fault.Conflict, Say: fault.Say("conflict." + string(why)),
		Err: &ConflictError{Account: now, Merged: e.Merged, Others: e.others, Why: why},
	}
}

// changedSince returns the flags of an undone change that have another value now
// than it gave them, with who did that: the actor too, as two saves by one person
// are two changes.
func (s *Service) changedSince(ctx context.Context, now wave.Reseller, moved []wave.Moved) []Other {
	var since []wave.Moved
	for _, m := range moved {
		if state := now.Meta.State(m.Key); state != m.To {
			since = append(since, wave.Moved{Key: m.Key, From: m.To, To: state})
		}
	}
	return s.authors(ctx, now.UserID, since, func(change.Change) bool { return true })
}
