package reseller

import (
	"context"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// rememberGone is how many accounts that left the list a Directory remembers.
const rememberGone = 1000

// noteGone remembers which accounts of old a newer list lacks. The caller holds mu.
func (d *Directory) noteGone(old, fresh *Snapshot) {
	if old == nil {
		return
	}
	rest := fresh.byID // both are in the order of ids
	for _, slot := range old.byID {
		e := old.at(slot)
		for len(rest) > 0 && fresh.at(rest[0]).id < e.id {
			rest = rest[1:]
		}
		if len(rest) == 0 || fresh.at(rest[0]).id != e.id {
			d.gone = append(d.gone, e.reseller())
		}
	}
	if more := len(d.gone) - rememberGone; more > 0 {
		d.gone = append([]wave.Reseller(nil), d.gone[more:]...)
	}
}

// Gone returns an account as it was in the last list of this process that had it,
// or false when it is there or never was. It remembers some hundred.
func (d *Directory) Gone(id wave.UserID) (wave.Reseller, bool) {
	if snap := d.snap.Load(); snap != nil {
		if _, there := snap.Get(id); there {
			return wave.Reseller{}, false
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := len(d.gone) - 1; i >= 0; i-- {
		if d.gone[i].UserID == id {
			return d.gone[i], true
		}
	}
	return wave.Reseller{}, false
}

// orGone returns err, or if that says that there is no such account though there
// was one, a fault.Conflict with a *GoneError. That there was one is known from
// the ledger, or from an earlier list of this process.
func (s *Service) orGone(ctx context.Context, id wave.UserID, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	if _, unknown := s.seen(ctx, id); unknown == nil { // Wave does not know it: is it in a newer list?
		snap, unread := s.readBack(ctx, "")
		if unread != nil {
			return err
		}
		if _, there := snap.Get(id); there {
			return err
		}
	}
	e := &GoneError{}
	e.Account, _ = s.dir.Gone(id)
	history, unread := s.ledger.ListByAccount(ctx, id, historyRead)
	if unread != nil {
		s.log.Warn("the history of an account could not be read", "account", id, "err", unread)
	}
	for _, c := range history {
		if e.Account.UserID == "" { // a change of an account is recorded only if it was there
			e.Account = wave.Reseller{UserID: id, Email: c.Email, BillingGroup: wave.BillingGroup{CompanyID: c.Company}}
			if c.Before != nil {
				e.Account.Meta = *c.Before
			}
		}
		if c.Kind == change.Delete && !c.SentAt.IsZero() && c.State != change.Failed {
			e.By, e.At = c.Actor.Display(), c.Finished
			if e.At.IsZero() { // in doubt only because nobody has looked yet
				e.At = c.SentAt
			}
			break
		}
	}
	if e.Account.UserID == "" {
		return err
	}
	return &fault.Error{Kind: fault.Conflict, Say: fault.Say("conflict.gone"), Err: e}
}
