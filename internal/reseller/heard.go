package reseller

import (
	"time"

	"waveadmin/internal/change"
)

// clocksApart is how far the clock of another server may be from ours.
const clocksApart = 10 * time.Second

// Heard takes into the snapshot what another server has done, so that who is sent
// here for the next page sees it. A list that is newer knows better, and the next
// page asks for one: clocks differ, and more may have been done since. No change
// starts from what was only heard.
func (s *Service) Heard(c change.Change) {
	snap := s.dir.snap.Load()
	if snap == nil || snap.asOf.After(c.Finished.Add(clocksApart)) {
		return
	}
	s.dir.Outdate(s.now())
	if snap.asOf.After(c.Finished) || c.Decided.By.Subject != "" { // it was done long before
		return
	}
	switch c.Kind {
	case change.Meta:
		if account, ok := snap.Get(c.Account); ok && c.After != nil {
			account.Meta = *c.After
			s.dir.Put(account)
		}
	case change.Delete:
		s.dir.Remove(c.Account)
	}
}
