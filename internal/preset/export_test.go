package preset

import "time"

// LookEvery lets KeepPromises look by itself only so often.
func (s *Store) LookEvery(d time.Duration) { s.every = d }
