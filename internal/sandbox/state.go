package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"waveadmin/internal/wave"
)

// Len returns how many records the list has.
func (s *Sandbox) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.records)
}

// Accounts returns all accounts in the order of the list, as they are, whatever
// ReplaceRecord lists in their place.
func (s *Sandbox) Accounts() []wave.Reseller {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]wave.Reseller, 0, len(s.records))
	for _, rec := range s.records {
		if s.byID[rec.account.UserID] == rec {
			out = append(out, rec.account)
		}
	}
	return out
}

// Get returns the account with that id.
func (s *Sandbox) Get(id wave.UserID) (wave.Reseller, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	rec, ok := s.byID[id]
	if !ok {
		return wave.Reseller{}, false
	}
	return rec.account, true
}

// Groups returns all billing groups in the order of their list.
func (s *Sandbox) Groups() []wave.BillingGroup {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.groups)
}

// SetFlag changes a flag as someone outside would: to a JSON value, or away when
// raw is empty. It fails if there is no such account or raw is not JSON.
func (s *Sandbox) SetFlag(id wave.UserID, key wave.Key, raw string) error {
	if raw != "" && !json.Valid([]byte(raw)) {
		return fmt.Errorf("sandbox: %q is no JSON value", raw)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, ok := s.byID[id]
	if !ok {
		return fmt.Errorf("sandbox: no account %q", id)
	}
	a := rec.account
	a.Updated = s.now()
	if raw != "" {
		a.Meta = a.Meta.WithRaw(key, []byte(raw))
	} else {
		a.Meta = without(a.Meta, key)
	}
	rec.update(a)
	return nil
}

func without(m wave.Meta, gone wave.Key) wave.Meta {
	var out wave.Meta
	for key, raw := range m.All() {
		if key != gone {
			out = out.WithRaw(key, []byte(raw))
		}
	}
	return out
}

// AddAccount puts a at the end of the list. It fails if its id is empty, or its
// id or email is taken.
func (s *Sandbox) AddAccount(a wave.Reseller) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, idTaken := s.byID[a.UserID]
	_, emailTaken := s.byEmail[emailKey(a.Email)]
	if a.UserID == "" || idTaken || emailTaken {
		return fmt.Errorf("sandbox: account %q with email %q: no id, or one of them is taken", a.UserID, a.Email)
	}
	s.add(a)
	return nil
}

// RemoveAccount deletes an account as someone outside would. It reports whether
// there was one.
func (s *Sandbox) RemoveAccount(id wave.UserID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, ok := s.byID[id]
	if ok {
		s.remove(rec)
	}
	return ok
}

// ReplaceRecord lists raw in the place of the account until the account is
// changed. Raw may be anything, valid JSON or not. It reports whether there is
// such an account.
func (s *Sandbox) ReplaceRecord(id wave.UserID, raw string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, ok := s.byID[id]
	if ok {
		rec.json = []byte("," + raw)
	}
	return ok
}

// AddRecord puts raw at the end of the list, with no account behind it: a second
// record of an id, one without an id, or none at all.
func (s *Sandbox) AddRecord(raw string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, &record{json: []byte("," + raw)})
}

// Record returns the JSON that the list has for the account.
func (s *Sandbox) Record(id wave.UserID) (string, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	rec, ok := s.byID[id]
	if !ok {
		return "", false
	}
	return string(bytes.TrimPrefix(rec.json, []byte(","))), true
}
