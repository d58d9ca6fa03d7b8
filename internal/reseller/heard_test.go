package reseller_test

import (
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/fault"
	"waveadmin/internal/reseller"
)

// heard is a change of u1 that another server has done.
func heard(finished time.Time) change.Change {
	after := account("u1", "usage_tag").Meta
	return change.Change{ID: "heard", Kind: change.Meta, State: change.Done, Account: "u1", After: &after, Finished: finished}
}

// TestService_Heard_duringASave: what another server did before is heard of while a
// save waits for its list. The save starts from the list, which knows what came since.
func TestService_Heard_duringASave(t *testing.T) {
	s := newSite(t, reseller.Rules{}, account("u1", "usage_tag"))
	if _, err := s.dir.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wave.set("u1", true, "open_api") // since
	s.wave.gate = make(chan struct{})
	saved := make(chan error, 1)
	go func() {
		_, err := s.ChangeMeta(t.Context(), set(tanaka, "u1", true, "invoice"))
		saved <- err
	}()
	for end := time.Now().Add(20 * time.Second); !s.dir.Status().Refreshing; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the save asks for no list")
		}
	}
	s.Heard(heard(time.Now()))
	close(s.wave.gate)
	if err := <-saved; err != nil {
		t.Fatal(err)
	}
	if now, _ := s.wave.get("u1"); !now.Meta.On("open_api") || !now.Meta.On("usage_tag") || !now.Meta.On("invoice") {
		t.Errorf("after the save there is %v", now.Meta)
	}
}

// TestService_Heard_clocks: whatever the clock of the other server says, pages show
// what is so no later than two seconds after it was heard of.
func TestService_Heard_clocks(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"right": 0, "ahead": 5 * time.Second, "behind": -5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWave(account("u1"))
				s := &site{wave: w, dir: newDirectory(t, w)}
				s.Service = reseller.NewService(w, s.dir, nil, reseller.Rules{}, nil, nil)
				if _, err := s.dir.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				w.set("u1", true, "usage_tag") // the other's, which its clock says was done
				c := heard(time.Now().Add(ahead))
				time.Sleep(time.Second)
				w.set("u1", true, "open_api")
				if ahead > 0 { // a list has both
					if _, err := s.dir.Refresh(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Second)
				s.Heard(c)
				time.Sleep(2*time.Second + time.Millisecond)
				snap, err := s.dir.Current(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if a, _ := snap.Get("u1"); !a.Meta.On("usage_tag") || !a.Meta.On("open_api") {
					t.Errorf("the page shows %v", a.Meta)
				}
			})
		})
	}
}

// TestPostgres_aNewAccountIsThereOnEveryServer: who is sent to another server right
// after an account was created finds it there, for a page and for the first save.
func TestPostgres_aNewAccountIsThereOnEveryServer(t *testing.T) {
	url := dbtest.Postgres.Ready(t)
	synctest.Test(t, func(t *testing.T) {
		api := newWave(account("u1"))
		var servers []*site
		for range 2 {
			s := &site{wave: api, dir: newDirectory(t, api)}
			s.start(t, dbtest.Open(t, url), reseller.Rules{})
			if _, err := s.dir.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			servers = append(servers, s)
		}
		time.Sleep(3 * time.Second) // the list of the other is no longer new, and not old
		_, made, err := servers[0].Create(t.Context(), creationOf("new@example.com", "submission-1"))
		if err != nil {
			t.Fatal(err)
		}
		snap, err := servers[1].dir.CurrentWith(t.Context(), made.UserID)
		if err != nil {
			t.Fatal(err)
		}
		if _, there := snap.Get(made.UserID); !there {
			t.Error("its page is not there")
		}
		time.Sleep(3 * time.Second)
		_, second, err := servers[0].Create(t.Context(), creationOf("newer@example.com", "submission-2"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := servers[1].ChangeMeta(t.Context(), set(tanaka, second.UserID, true, "invoice")); err != nil {
			t.Errorf("its first save: %v", err)
		}

		// One that is nowhere does not make every page ask.
		lists := api.count("list")
		for range 10 {
			if _, err := servers[1].Get(t.Context(), "nowhere"); !fault.Is(err, fault.NotFound) {
				t.Fatalf("error %v, want that there is none", err)
			}
		}
		if n := api.count("list") - lists; n > 1 {
			t.Errorf("%d lists were read for ten pages", n)
		}
		time.Sleep(time.Minute)
		api.on("list", always(away, false))
		_, _ = servers[1].dir.Refresh(t.Context())
		lists = api.count("list")
		for range 10 {
			if _, err := servers[1].Get(t.Context(), "nowhere"); !fault.Is(err, fault.NotFound) {
				t.Fatalf("while Wave is away: %v", err)
			}
		}
		if n := api.count("list") - lists; n > 1 {
			t.Errorf("%d lists were asked for while Wave is away", n)
		}
	})
}

func creationOf(email, submitID string) reseller.Creation {
	c := creation()
	c.Email, c.SubmitID = email, submitID
	return c
}
