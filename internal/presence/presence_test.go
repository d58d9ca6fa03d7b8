package presence_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/presence"
	"waveadmin/internal/wave"
)

var (
	tanaka = auth.Actor{Issuer: "idp", Subject: "1", Name: "Tanaka", Role: auth.Editor}
	suzuki = auth.Actor{Issuer: "idp", Subject: "2", Name: "Suzuki", Role: auth.Editor}
	// namesake is called the same and has the same subject, of another provider.
	namesake = auth.Actor{Issuer: "other", Subject: "1", Name: "Tanaka", Role: auth.Editor}

	start = time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)
)

// clock is a time that only the test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func (c *clock) after(d time.Duration) { c.t = c.t.Add(d) }

// others is who else edits u1 as text: "Tanaka 14:02:00, Suzuki 14:03:10".
func others(t *testing.T, s *presence.Store, who auth.Actor) string {
	t.Helper()
	list, err := s.Others(t.Context(), "u1", who)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.Name+" "+e.Since.Format("15:04:05"))
	}
	return strings.Join(out, ", ")
}

func TestStore(t *testing.T) {
	type step struct {
		name  string
		after time.Duration // since the step before
		do    func(t *testing.T, s *presence.Store) error
		see   map[string]string // who looks -> whom they see
	}
	editing := func(who auth.Actor) func(*testing.T, *presence.Store) error {
		return func(t *testing.T, s *presence.Store) error { return s.Editing(t.Context(), "u1", who) }
	}
	done := func(who auth.Actor) func(*testing.T, *presence.Store) error {
		return func(t *testing.T, s *presence.Store) error { return s.Done(t.Context(), "u1", who) }
	}
	elsewhere := func(t *testing.T, s *presence.Store) error { return s.Editing(t.Context(), "u2", suzuki) }
	look := func(*testing.T, *presence.Store) error { return nil }
	steps := []step{
		{"nobody yet", 0, look, map[string]string{"tanaka": "", "suzuki": ""}},
		{"one begins; never sees oneself", 0, editing(tanaka), map[string]string{"tanaka": "", "suzuki": "Tanaka 14:02:00"}},
		{"of another account", 0, elsewhere, map[string]string{"tanaka": "", "suzuki": "Tanaka 14:02:00"}},
		{"goes on: since when stays", 20 * time.Second, editing(tanaka), map[string]string{"suzuki": "Tanaka 14:02:00"}},
		{"another begins later", 10 * time.Second, editing(suzuki), map[string]string{"tanaka": "Suzuki 14:02:30", "suzuki": "Tanaka 14:02:00", "viewer": "Tanaka 14:02:00, Suzuki 14:02:30"}},
		{"a namesake of another provider is someone else", 0, editing(namesake), map[string]string{"tanaka": "Suzuki 14:02:30, Tanaka 14:02:30"}},
		{"that one is done", 0, done(namesake), map[string]string{"tanaka": "Suzuki 14:02:30"}},
		{"done twice is done", 0, done(namesake), map[string]string{"tanaka": "Suzuki 14:02:30"}},
		{"just under a minute after the last sign of Tanaka's", 50*time.Second - time.Microsecond, look, map[string]string{"suzuki": "Tanaka 14:02:00"}},
		{"a minute after it", time.Microsecond, look, map[string]string{"suzuki": "", "tanaka": "Suzuki 14:02:30"}},
		{"back again: since now", 0, editing(tanaka), map[string]string{"suzuki": "Tanaka 14:03:20"}},
		{"saved", 5 * time.Second, done(tanaka), map[string]string{"suzuki": "", "tanaka": "Suzuki 14:02:30"}},
	}
	people := map[string]auth.Actor{"tanaka": tanaka, "suzuki": suzuki, "viewer": {Issuer: "idp", Subject: "3"}}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		c := &clock{start}
		s := presence.NewStore(e.New(t), c.now)
		for _, step := range steps {
			c.after(step.after)
			if err := step.do(t, s); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			for name, want := range step.see {
				if got := others(t, s, people[name]); got != want {
					t.Errorf("%s: %s sees %q, want %q", step.name, name, got, want)
				}
			}
		}
	})
}

// A person whose name changed at the provider is shown by the new one.
func TestStore_name(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		s := presence.NewStore(e.New(t), (&clock{start}).now)
		for _, name := range []string{"Tanaka", "Tanaka-Ito", "田中 \" ' <b>"} {
			tanaka := tanaka
			tanaka.Name = name
			if err := s.Editing(t.Context(), "u1", tanaka); err != nil {
				t.Fatal(err)
			}
			if got, want := others(t, s, suzuki), name+" 14:02:00"; got != want {
				t.Errorf("sees %q, want %q", got, want)
			}
		}
	})
}

// Rows that mean nothing any more are deleted now and then, and no others.
func TestStore_sweep(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		d := e.New(t)
		c := &clock{start}
		s := presence.NewStore(d, c.now)
		for i := range 5 {
			left := auth.Actor{Issuer: "idp", Subject: fmt.Sprint("left-", i)}
			if err := s.Editing(t.Context(), "u1", left); err != nil {
				t.Fatal(err)
			}
		}
		c.after(10*time.Minute - 30*time.Second)
		if err := s.Editing(t.Context(), "u1", tanaka); err != nil {
			t.Fatal(err)
		}
		if got := subjects(t, d); len(got) != 6 {
			t.Errorf("before it is time there are %v, want all 6", got)
		}
		c.after(30 * time.Second)
		if err := s.Editing(t.Context(), "u2", suzuki); err != nil {
			t.Fatal(err)
		}
		if got, want := subjects(t, d), []string{"1", "2"}; !slices.Equal(got, want) {
			t.Errorf("after the sweep there are %v, want %v", got, want)
		}
	})
}

func subjects(t *testing.T, d *db.DB) []string {
	t.Helper()
	rows, err := d.Read().QueryContext(t.Context(), "SELECT subject FROM presence ORDER BY subject")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// People on two servers see each other.
func TestStore_twoServers(t *testing.T) {
	url := dbtest.Postgres.Ready(t)
	c := &clock{start}
	a, b := presence.NewStore(dbtest.Open(t, url), c.now), presence.NewStore(dbtest.Open(t, url), c.now)
	if err := a.Editing(t.Context(), "u1", tanaka); err != nil {
		t.Fatal(err)
	}
	if got, want := others(t, b, suzuki), "Tanaka 14:02:00"; got != want {
		t.Errorf("the other server sees %q, want %q", got, want)
	}
	if err := b.Done(t.Context(), "u1", tanaka); err != nil {
		t.Fatal(err)
	}
	if got := others(t, a, suzuki); got != "" {
		t.Errorf("the first server still sees %q", got)
	}
}

// Many pages that speak at once lose nobody.
func TestStore_manyAtOnce(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		s := presence.NewStore(e.New(t), (&clock{start}).now)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				who := auth.Actor{Issuer: "idp", Subject: fmt.Sprint(i % 10), Name: fmt.Sprint("editor ", i%10)}
				if err := s.Editing(t.Context(), "u1", who); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list, err := s.Others(t.Context(), "u1", auth.Actor{})
		if err != nil || len(list) != 10 {
			t.Errorf("%d editors, %v; want 10", len(list), err)
		}
	})
}

func TestEveryone(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		c := &clock{start}
		s := presence.NewStore(e.New(t), c.now)
		edit := func(account wave.UserID, who auth.Actor) {
			if err := s.Editing(t.Context(), account, who); err != nil {
				t.Fatal(err)
			}
		}
		edit("old", suzuki)
		c.after(presence.Life)
		edit("u1", suzuki)
		edit("u1", namesake)
		edit("u2", suzuki)
		edit("u3", tanaka)
		got, err := s.Everyone(t.Context(), tanaka)
		if err != nil {
			t.Fatal(err)
		}
		want := map[wave.UserID][]presence.Editor{
			"u1": {{Name: "Suzuki", Since: c.t}, {Name: "Tanaka", Since: c.t}},
			"u2": {{Name: "Suzuki", Since: c.t}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
