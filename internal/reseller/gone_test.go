package reseller_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// remove deletes an account outside the program.
func (w *fakeWave) remove(id wave.UserID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.accounts, id)
}

// A save or an undo of an account that is gone says so, with who deleted it if that
// was done here. Of an account that never was, there is nothing to say.
func TestService_ChangeMeta_accountIsGone(t *testing.T) {
	remove := func(t *testing.T, s *site) { s.wave.remove("u1") }
	noticed := func(t *testing.T, s *site) {
		s.wave.remove("u1")
		time.Sleep(time.Second)
		if _, err := s.dir.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	deleted := func(t *testing.T, s *site) {
		if _, err := s.Delete(t.Context(), reseller.Deletion{Actor: suzuki, UserID: "u1", Confirm: "u1@example.com"}); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		gone func(*testing.T, *site)
		by   string
	}{
		{"deleted outside since the last list", remove, ""},
		{"deleted outside, and a list has shown it", noticed, ""},
		{"deleted here", deleted, "Suzuki"},
		{"deleted here, and a list has shown it", func(t *testing.T, s *site) { deleted(t, s); noticed(t, s) }, "Suzuki"},
		{"deleted here, the answer lost", func(t *testing.T, s *site) {
			held := s.wave.count("list") + 1 // the list under the lock still comes
			s.wave.on("list", func(n int) reaction {
				if n > held {
					return reaction{err: fault.New(fault.Unavailable, errors.New("away"))}
				}
				return reaction{apply: true}
			})
			s.wave.on("delete", always(fault.New(fault.Uncertain, errors.New("cut")), true))
			_, err := s.Delete(t.Context(), reseller.Deletion{Actor: suzuki, UserID: "u1", Confirm: "u1@example.com"})
			if !fault.Is(err, fault.Uncertain) {
				t.Fatalf("the deletion ended with %v", err)
			}
			s.wave.on("list", nil)
			noticed(t, s)
		}, "Suzuki"},
		{"between the list and the call", func(t *testing.T, s *site) {
			s.wave.on("meta", func(int) reaction {
				return reaction{apply: true, first: func(w *fakeWave) { delete(w.accounts, "u1") }}
			})
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"), account("u2"))
				if _, err := s.dir.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				tt.gone(t, s)
				time.Sleep(time.Second)

				_, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
				e, ok := errors.AsType[*reseller.GoneError](err)
				if !ok || !fault.Is(err, fault.Conflict) {
					t.Fatalf("error = %v, want a GoneError", err)
				}
				if e.Account.UserID != "u1" || e.Account.Email != "u1@example.com" || e.By != tt.by || e.At.IsZero() != (tt.by == "") {
					t.Errorf("gone = %+v, want by %q", e, tt.by)
				}
				if state, _ := s.state(t); state.Open() {
					t.Errorf("the change is left %s", state)
				}
				if _, err := s.ChangeMeta(t.Context(), set(tanaka, "never", true, "invoice")); !fault.Is(err, fault.NotFound) {
					t.Errorf("an account that never was: %v, want not found", err)
				}
			})
		})
	}
}

func TestService_UndoMeta_accountIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		saved, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
		if err != nil {
			t.Fatal(err)
		}
		s.wave.remove("u1")
		_, err = s.UndoMeta(t.Context(), reseller.Undo{Actor: tanaka, UserID: "u1", ChangeID: saved.Change.ID})
		if e, ok := errors.AsType[*reseller.GoneError](err); !ok || e.Account.Email != "u1@example.com" {
			t.Errorf("error = %v, want a GoneError", err)
		}
		if state, c := s.state(t); state != change.Failed || c.UndoOf != saved.Change.ID {
			t.Errorf("recorded as %s", state)
		}
	})
}

// A directory remembers what left the list, but no longer than it is away, and not
// without bound.
func TestDirectory_Gone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWave(account("stays"), account("leaves"), account("z-leaves too"))
		d := newDirectory(t, w)
		list := func() {
			t.Helper()
			time.Sleep(time.Second)
			if _, err := d.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		gone := func(id wave.UserID) bool {
			a, ok := d.Gone(id)
			if ok && (a.UserID != id || a.Email == "") {
				t.Errorf("remembers %+v of %s", a, id)
			}
			return ok
		}
		list()
		w.remove("leaves")
		w.remove("z-leaves too")
		list()
		if gone("stays") || gone("never") || !gone("leaves") || !gone("z-leaves too") {
			t.Error("does not remember just what left")
		}
		w.put(account("leaves"))
		list()
		if gone("leaves") {
			t.Error("an account that came back counts as gone")
		}

		for i := range 1500 {
			w.put(account(wave.UserID(fmt.Sprintf("many-%04d", i))))
		}
		list()
		for i := range 1500 {
			w.remove(wave.UserID(fmt.Sprintf("many-%04d", i)))
		}
		list()
		if gone("many-0000") || !gone("many-1499") || !gone("many-0500") {
			t.Error("does not remember the last thousand")
		}
	})
}

// put adds an account outside the program.
func (w *fakeWave) put(a wave.Reseller) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accounts[a.UserID] = a
}
