package reseller

import (
	"context"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/wave"
)

const (
	manyMoved   = 5   // more other flags than this ask for a look
	historyRead = 100 // changes in which the author of a moved flag is looked for
)

// Others names who moved the flags that actor did not ask for. Those that actor
// moved here are left out: my own second save never conflicts with my first.
func (s *Service) Others(ctx context.Context, actor auth.Actor, id wave.UserID, moved []wave.Moved) []Other {
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
		case author.Actor.Issuer != actor.Issuer || author.Actor.Subject != actor.Subject:
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
