package reseller_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
)

// An undo that meets a flag that was changed since asks, by whomever that was, and
// sends nothing before it is told to leave it. One that meets nothing, or has
// nothing left to take back, has nothing to ask.
func TestService_UndoMeta_meetsAChangedFlag(t *testing.T) {
	tests := []struct {
		name  string
		by    auth.Actor // who changed flags since; the zero Actor outside this program
		moved []wave.Key
		asks  bool
		left  int
	}{
		{"nothing changed since", auth.Actor{}, nil, false, 0},
		{"one flag, outside", auth.Actor{}, []wave.Key{"invoice"}, true, 1},
		{"one flag, by a colleague", suzuki, []wave.Key{"invoice"}, true, 1},
		{"one flag, by myself", tanaka, []wave.Key{"invoice"}, true, 1},
		{"all but one", suzuki, []wave.Key{"invoice", "usage_tag"}, true, 2},
		{"every flag", suzuki, []wave.Key{"invoice", "usage_tag", "open_api"}, false, 3},
		{"a flag that the change did not touch", suzuki, []wave.Key{"usage_group"}, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, account("u1"))
				saved, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice", "usage_tag", "open_api"))
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				var at time.Time
				switch {
				case tt.by == (auth.Actor{}):
					s.wave.set("u1", false, tt.moved...)
				default:
					on := tt.moved[0] == "usage_group"
					r, err := s.ChangeMeta(t.Context(), set(tt.by, "u1", on, tt.moved...))
					if err != nil {
						t.Fatal(err)
					}
					at = r.Change.Finished
				}
				sent := s.wave.count("meta")
				undo := reseller.Undo{Actor: tanaka, UserID: "u1", ChangeID: saved.Change.ID}
				r, err := s.UndoMeta(t.Context(), undo)
				e, asked := errors.AsType[*reseller.ConflictError](err)
				if asked != tt.asks || !asked && err != nil {
					t.Fatalf("asked: %v (%v), want %v", asked, err, tt.asks)
				}
				if asked {
					if e.Why != reseller.UndoMoved || !fault.Is(err, fault.Conflict) || len(e.Merged.Apply) != 3-tt.left || e.Account.UserID != "u1" {
						t.Errorf("asked with %+v", e)
					}
					var want []reseller.Other
					for _, m := range saved.Apply {
						if now := e.Account.Meta.State(m.Key); now != wave.On {
							want = append(want, reseller.Other{Moved: wave.Moved{Key: m.Key, From: wave.On, To: wave.Off}, By: tt.by.Name, At: at})
						}
					}
					if diff := cmp.Diff(want, e.Others); diff != "" || len(want) != tt.left {
						t.Errorf("changed since (-want +got):\n%s", diff)
					}
					if state, c := s.state(t); state != change.Conflict || c.UndoOf != saved.Change.ID || s.wave.count("meta") != sent {
						t.Errorf("recorded as %s with %d calls", state, s.wave.count("meta")-sent)
					}
					undo.LeaveMoved = true
					if r, err = s.UndoMeta(t.Context(), undo); err != nil {
						t.Fatal(err)
					}
				}
				if len(r.Left) != tt.left || len(r.Apply) != 3-tt.left {
					t.Errorf("took back %v, left %v; want %d left of 3", r.Apply, r.Left, tt.left)
				}
				now, _ := s.wave.get("u1")
				for _, key := range []wave.Key{"invoice", "usage_tag", "open_api"} {
					if now.Meta.On(key) {
						t.Errorf("%s is on: neither taken back nor left", key)
					}
				}
			})
		})
	}
}
