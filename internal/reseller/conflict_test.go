package reseller_test

import (
	"errors"
	"slices"
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

// seeing is a change whose form showed the whole account.
func seeing(a wave.Reseller, actor auth.Actor, on bool, keys ...wave.Key) reseller.MetaChange {
	c := set(actor, a.UserID, on, keys...)
	c.Seen = wave.SeenIn(a.Meta)
	return c
}

func TestService_ChangeMeta_meetsOthers(t *testing.T) {
	six := []wave.Key{"usage_tag", "usage_group", "usage_crosstag", "ri_purchased", "sp_purchased", "open_api"}
	tests := []struct {
		name   string
		strict bool
		moved  []wave.Key // by others since the form was shown
		by     auth.Actor // who moved them; the zero Actor outside this program
		want   []wave.Key
		why    reseller.ConflictReason
		others int
	}{
		{"nobody else", false, nil, auth.Actor{}, []wave.Key{"invoice"}, "", 0},
		{"another flag, outside", false, six[:1], auth.Actor{}, []wave.Key{"invoice"}, "", 1},
		{"another flag, by a colleague", false, six[:1], suzuki, []wave.Key{"invoice"}, "", 1},
		{"five other flags", false, six[:5], suzuki, []wave.Key{"invoice"}, "", 5},
		{"six other flags", false, six, suzuki, []wave.Key{"invoice"}, reseller.ManyMoved, 6},
		{"six other flags by myself", false, six, tanaka, []wave.Key{"invoice"}, "", 0},
		{"the parent", false, []wave.Key{"invoice"}, suzuki, []wave.Key{"invoice_download_csv_merged"}, reseller.RelatedMoved, 1},
		{"a child", false, []wave.Key{"invoice_download_csv_merged"}, auth.Actor{}, []wave.Key{"invoice"}, reseller.RelatedMoved, 1},
		{"the parent, by myself", false, []wave.Key{"invoice"}, tanaka, []wave.Key{"invoice_download_csv_merged"}, "", 0},
		{"strict", true, six[:1], suzuki, []wave.Key{"invoice"}, reseller.Strict, 1},
		{"strict, but by myself", true, six[:1], tanaka, []wave.Key{"invoice"}, "", 0},
		{"the same flag to the same value", true, []wave.Key{"invoice"}, suzuki, []wave.Key{"invoice"}, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shown := account("u1")
				s := newSite(t, reseller.Rules{StrictConflicts: tt.strict}, shown)
				var at time.Time
				if tt.by == (auth.Actor{}) {
					s.wave.set("u1", true, tt.moved...)
				} else {
					r, err := s.ChangeMeta(t.Context(), set(tt.by, "u1", true, tt.moved...))
					if err != nil {
						t.Fatal(err)
					}
					at = r.Change.Finished
				}
				sent := s.wave.count("meta")
				time.Sleep(time.Second)

				r, err := s.ChangeMeta(t.Context(), seeing(shown, tanaka, true, tt.want...))
				others := r.Others
				if e, ok := errors.AsType[*reseller.ConflictError](err); ok {
					others = e.Others
					if e.Why != tt.why || !fault.Is(err, fault.Conflict) || e.Account.UserID != "u1" || len(e.Merged.Apply) != len(tt.want) {
						t.Errorf("conflict %+v, want %q", e, tt.why)
					}
					if state, _ := s.state(t); state != change.Conflict || s.wave.count("meta") != sent {
						t.Errorf("recorded as %s, %d calls", state, s.wave.count("meta")-sent)
					}
				} else if err != nil || tt.why != "" {
					t.Errorf("error = %v, want conflict %q", err, tt.why)
				}
				if len(others) != tt.others {
					t.Fatalf("others = %v, want %d", others, tt.others)
				}
				for _, o := range others {
					if o.By != tt.by.Name || !o.At.Equal(at) || o.To != wave.On {
						t.Errorf("%+v, want by %q at %v", o, tt.by.Name, at)
					}
				}
				if now, _ := s.wave.get("u1"); tt.why == "" {
					for _, key := range slices.Concat(tt.moved, tt.want) {
						if !now.Meta.On(key) {
							t.Errorf("%s was lost", key)
						}
					}
				}
			})
		})
	}
}

func TestService_UndoMeta(t *testing.T) {
	unset := account("u1", "usage_tag")
	unset.Meta = wave.Meta{}.With("usage_tag", true).With("invoice", false) // open_api is not there at all
	first := reseller.MetaChange{Actor: tanaka, UserID: "u1", Want: wave.Wanted{"usage_tag": false, "invoice": true, "open_api": true}}
	tests := []struct {
		name  string
		moved []wave.Key // turned over by others since
		want  []wave.Moved
		left  []wave.Key
		state change.State
	}{
		{"all of it; what was not set becomes off", nil, []wave.Moved{
			{Key: "usage_tag", From: wave.Off, To: wave.On}, {Key: "invoice", From: wave.On, To: wave.Off}, {Key: "open_api", From: wave.On, To: wave.Off},
		}, nil, change.Done},
		{"but not what others changed since", []wave.Key{"invoice"}, []wave.Moved{
			{Key: "usage_tag", From: wave.Off, To: wave.On}, {Key: "open_api", From: wave.On, To: wave.Off},
		}, []wave.Key{"invoice"}, change.Done},
		{"nothing is left of it", []wave.Key{"invoice", "usage_tag", "open_api"}, nil, []wave.Key{"usage_tag", "invoice", "open_api"}, change.NoChange},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, reseller.Rules{}, unset)
				saved, err := s.ChangeMeta(t.Context(), first)
				if err != nil {
					t.Fatal(err)
				}
				for _, key := range tt.moved {
					s.wave.set("u1", !saved.Account.Meta.On(key), key)
				}
				undo := reseller.Undo{Actor: suzuki, UserID: "u1", ChangeID: saved.Change.ID, LeaveMoved: true}
				r, err := s.UndoMeta(t.Context(), undo)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, r.Apply); diff != "" {
					t.Errorf("set back (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(sorted(tt.left), sorted(r.Left)); diff != "" {
					t.Errorf("left (-want +got):\n%s", diff)
				}
				if state, c := s.state(t); state != tt.state || c.UndoOf != saved.Change.ID || c.Actor.Name != "Suzuki" {
					t.Errorf("recorded as %s, undo of %q by %s", state, c.UndoOf, c.Actor.Name)
				}
			})
		})
	}
}

func sorted(keys []wave.Key) map[wave.Key]bool {
	m := make(map[wave.Key]bool)
	for _, key := range keys {
		m[key] = true
	}
	return m
}

func TestService_UndoMeta_refuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"), account("u2"))
		saved, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
		if err != nil {
			t.Fatal(err)
		}
		nothing, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
		if err != nil {
			t.Fatal(err)
		}
		password, err := s.ReplacePassword(t.Context(), reseller.PasswordChange{Actor: tanaka, UserID: "u1", NewPassword: wave.NewPassword{Input: wave.Auto}})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			undo reseller.Undo
			want fault.Kind
		}{
			{"by a viewer", reseller.Undo{Actor: viewer, UserID: "u1", ChangeID: saved.Change.ID}, fault.Forbidden},
			{"of no change", reseller.Undo{Actor: tanaka, UserID: "u1", ChangeID: "none"}, fault.NotFound},
			{"of another account's change", reseller.Undo{Actor: tanaka, UserID: "u2", ChangeID: saved.Change.ID}, fault.NotFound},
			{"of a password", reseller.Undo{Actor: tanaka, UserID: "u1", ChangeID: password.ID}, fault.NotFound},
			{"of what was not done", reseller.Undo{Actor: tanaka, UserID: "u1", ChangeID: nothing.Change.ID}, fault.Invalid},
		} {
			if _, err := s.UndoMeta(t.Context(), tt.undo); !fault.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
		}
		if got := s.wave.count("meta"); got != 1 {
			t.Errorf("%d calls, want 1", got)
		}
	})
}

// A flag that was moved here and then moved back elsewhere has no author here.
func TestService_ChangeMeta_namesNobodyForWhatHappenedOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, reseller.Rules{}, account("u1"))
		r, err := s.ChangeMeta(t.Context(), set(suzuki, "u1", true, "usage_tag"))
		if err != nil {
			t.Fatal(err)
		}
		s.wave.set("u1", false, "usage_tag")
		r, err = s.ChangeMeta(t.Context(), seeing(r.Account, tanaka, true, "invoice"))
		if err != nil {
			t.Fatal(err)
		}
		want := []reseller.Other{{Moved: wave.Moved{Key: "usage_tag", From: wave.On, To: wave.Off}}}
		if diff := cmp.Diff(want, r.Others); diff != "" {
			t.Errorf("others (-want +got):\n%s", diff)
		}
	})
}
