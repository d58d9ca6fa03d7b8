package reseller

import "waveadmin/internal/change"

// Heard takes into the snapshot what another server has done, so that who is sent
// here for the next page sees it. A list that is newer knows better.
func (s *Service) Heard(c change.Change) {
	snap := s.dir.snap.Load()
	if snap == nil || snap.asOf.After(c.Finished) {
		return
	}
	s.dir.Outdate(c.Finished)
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
