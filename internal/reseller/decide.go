package reseller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
)

// decideAfter is the age at which a person may say what became of a change in
// doubt, though readings go on: a call does not take longer to arrive.
const decideAfter = time.Minute

// MayDecide reports whether a person may say what became of c: it is in doubt, and
// no reading will tell, or none has for a minute.
func (s *Service) MayDecide(c change.Change) bool {
	return c.State == change.InDoubt && (!c.Holds && c.Kind != change.Password || s.now().Sub(c.SentAt) >= decideAfter)
}

// Decide ends the doubt about a change by the word of a person, with a reason. A
// creation that was applied is looked for in the list; one that it does not show
// yet is recorded without its account. It fails with fault.Forbidden, NotFound,
// Invalid on the field reason, and Conflict when the change is not in doubt, or not
// yet for a person to decide.
func (s *Service) Decide(ctx context.Context, d Decision) (change.Change, error) {
	if err := mayModify(d.Actor); err != nil {
		return change.Change{}, err
	}
	p := problems{}
	reason := p.reason(d.Reason, true)
	if err := p.err(); err != nil {
		return change.Change{}, err
	}
	c, err := s.ledger.Get(ctx, d.ChangeID)
	if err != nil {
		return c, err
	}
	if !s.MayDecide(c) {
		return c, undecidable(c)
	}
	c.State, c.Fault = change.Failed, fault.Uncertain.String()
	if d.Applied {
		c.State, c.Fault = change.Done, ""
	}
	if d.Applied && c.Kind == change.Create {
		s.findIssued(ctx, &c)
	}
	c.Decided = change.Decision{By: d.Actor, Reason: reason}
	c.Detail = "decided by a person; " + c.Detail
	settled, err := s.ledger.Settle(ctx, c)
	if _, moved := errors.AsType[*change.StateError](err); moved {
		if now, err := s.ledger.Get(ctx, c.ID); err == nil {
			return now, undecidable(now)
		}
	}
	if err != nil {
		return c, fmt.Errorf("record a decision: %w", err)
	}
	s.log.Info("a person decided about a change in doubt", "change", c.ID, "kind", c.Kind, "state", c.State)
	return settled, nil
}

// findIssued fills in the account that c created, if a list shows it: a new one, or
// while Wave is away the last.
func (s *Service) findIssued(ctx context.Context, c *change.Change) {
	snap, err := s.readBack(ctx, "")
	if err != nil {
		snap = s.dir.snap.Load()
	}
	if snap == nil {
		return
	}
	if account, ok := snap.findCreated(c.Email, c.Company); ok {
		c.Account = account.UserID
	}
}

// undecidable says why nobody can decide about c.
func undecidable(c change.Change) error {
	say := fault.Say("decide.not_in_doubt")
	switch {
	case c.Decided.By.Subject != "":
		say = fault.Say("decide.by_other", "name", c.Decided.By.Display())
	case c.State.Open() || c.State == change.InDoubt:
		say = fault.Say("decide.too_early")
	}
	return &fault.Error{Kind: fault.Conflict, Say: say, Err: fmt.Errorf("change %s is %s", c.ID, c.State)}
}
