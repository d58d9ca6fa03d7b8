package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/sandbox/idp"
)

func withStepUp(c *auth.Config) { c.StepUp = true }

// is reports whether the session of b says so: "Recent", "Due" or "Over".
func (b *browser) is(what string) bool {
	b.t.Helper()
	_, body := b.open("/standing", auth.PollHeader)
	return strings.Contains(body, what+":true")
}

func TestStanding_recent(t *testing.T) {
	authTime := func(value any) idp.Script {
		return idp.Script{Claims: func(c map[string]any) {
			if c["auth_time"] = value; value == nil {
				delete(c, "auth_time")
			}
		}}
	}
	at := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC) // where the clock begins
	tests := []struct {
		name   string
		script idp.Script
		off    bool // the setting
		later  time.Duration
		want   bool
	}{
		{"just signed in", idp.Script{}, false, 0, true},
		{"ten minutes ago", idp.Script{}, false, 10 * time.Minute, true},
		{"longer ago", idp.Script{}, false, 10*time.Minute + time.Second, false},
		{"longer ago, but nobody minds", idp.Script{}, true, time.Hour, true},
		{"at the provider earlier than here", authTime(at.Add(-11 * time.Minute).Unix()), false, 0, false},
		{"the provider does not say", authTime(nil), false, 0, false},
		{"it says so in words", authTime("now"), false, 0, false},
		{"it says zero", authTime(0), false, 0, false},
		{"it counts milliseconds", authTime(at.UnixMilli()), false, 0, false},
		{"its clock is a little ahead", authTime(at.Add(time.Minute).Unix()), false, 0, true},
		{"it says next year", authTime(at.AddDate(1, 0, 0).Unix()), false, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, func(c *auth.Config) { c.StepUp, c.Idle = !tt.off, 2*time.Hour })
			s.idp.Script(tt.script)
			b := s.signedIn(t)
			s.clock.Add(tt.later)
			if got := b.is("Recent"); got != tt.want {
				t.Errorf("recent = %v, want %v", got, tt.want)
			}
		})
	}
}

// times are those of the only session: when it began and when it ends.
func (s *site) times(t *testing.T) (started, ends int64) {
	t.Helper()
	if err := s.db.Read().QueryRowContext(t.Context(), "SELECT created_at, expires_at FROM sessions").Scan(&started, &ends); err != nil {
		t.Fatal(err)
	}
	return started, ends
}

func TestStepUp_goesOnUnderANewID(t *testing.T) {
	a := new(auditor)
	s := newSite(t, withStepUp, func(c *auth.Config) { c.Audit = a })
	b := s.signedIn(t)
	cookie := b.cookies()["waveadmin"]
	started, ends := s.times(t)
	s.clock.Add(20 * time.Minute)
	var asked url.Values
	s.idp.Script(idp.Script{Respond: func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/authorize" {
			asked = r.URL.Query()
		}
		return false
	}})
	a.take()

	status, body := b.open("/auth/login?step_up=1&return_to=" + url.QueryEscape("/x/delete?a=b"))

	if status != 200 || !strings.HasPrefix(body, "/x/delete?a=b: ") || !strings.HasSuffix(body, " is editor") {
		t.Errorf("got %d %q, want to be back as the same person", status, body)
	}
	if asked.Get("max_age") != "300" {
		t.Errorf("max_age = %q, want 300", asked.Get("max_age"))
	}
	if !b.is("Recent") {
		t.Error("the proof does not count")
	}
	if b.cookies()["waveadmin"] == cookie || s.rows(t, "sessions") != 1 {
		t.Error("the session has the id that it had")
	}
	if again, last := s.times(t); again != started || last != ends {
		t.Errorf("began at %d and ends at %d, want %d and %d as before", again, last, started, ends)
	}
	if diff := cmp.Diff([]string{"again for step_up as editor 田中 美咲"}, a.take()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	b.setCookie("waveadmin", cookie)
	if b.isSignedIn() {
		t.Error("the former id still works")
	}
}

// TestStepUp_doesNotUndoAnEnd: a session that ends while the provider is asked about its
// person does not go on under the new id.
func TestStepUp_doesNotUndoAnEnd(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *site, *browser){
		"by an operator": func(t *testing.T, s *site, _ *browser) {
			if _, err := s.EndNamed(t.Context(), "misaki", "root"); err != nil {
				t.Error(err)
			}
		},
		"by themselves, in another browser": func(t *testing.T, s *site, _ *browser) {
			if _, err := s.EndOthers(t.Context(), s.person("misaki"), "of the other browser"); err != nil {
				t.Error(err)
			}
		},
		"by a sign-out in another tab": func(t *testing.T, s *site, b *browser) {
			tab := s.browser(t)
			tab.setCookie("waveadmin", b.cookies()["waveadmin"])
			tab.open("/auth/logout")
		},
	} {
		for _, way := range []string{"step_up=1", "check=1"} {
			t.Run(name+", "+way, func(t *testing.T) {
				a := new(auditor)
				s := newSite(t, withStepUp, func(c *auth.Config) { c.Audit = a })
				b := s.signedIn(t)
				s.idp.Script(idp.Script{Token: func(map[string]any) { end(t, s, b); a.take() }})
				if status, body := b.open("/auth/login?" + way); status != 400 || body != "signin.ended_meanwhile" {
					t.Errorf("got %d %q, want a refusal", status, body)
				}
				if b.isSignedIn() || s.rows(t, "sessions") != 0 {
					t.Error("the session goes on")
				}
				if diff := cmp.Diff([]string{"refused: session_gone 田中 美咲"}, a.take()); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestStepUp_inManyTabsAtOnce: pages that are opened together when the role is due go
// through the provider together, and all of them get there.
func TestStepUp_inManyTabsAtOnce(t *testing.T) {
	for _, way := range []string{"step_up=1", "check=1"} {
		t.Run(way, func(t *testing.T) {
			s := newSite(t, withStepUp)
			b := s.signedIn(t)
			s.clock.Add(time.Minute)
			callbacks := make([]string, 4)
			for i := range callbacks {
				callbacks[i] = b.stop("/auth/login?" + way)
			}
			var together sync.WaitGroup
			together.Add(len(callbacks))
			s.idp.Script(idp.Script{Token: func(map[string]any) { together.Done(); together.Wait() }})
			var opened sync.WaitGroup
			for _, callback := range callbacks {
				opened.Go(func() {
					if status, body := b.open(callback); status != 200 || !strings.HasSuffix(body, "is editor") {
						t.Errorf("got %d %q", status, body)
					}
				})
			}
			opened.Wait()
			if !b.isSignedIn() {
				t.Error("signed out")
			}
		})
	}
}

// TestStepUp_refuses: whoever or whatever comes back, the session is as it was.
func TestStepUp_refuses(t *testing.T) {
	ago := func(s *site, d time.Duration) func(map[string]any) {
		return func(c map[string]any) { c["auth_time"] = s.clock.Now().Add(-d).Unix() }
	}
	claims := func(change func(s *site) func(map[string]any)) func(*testing.T, *site, *browser) {
		return func(_ *testing.T, s *site, _ *browser) { s.idp.Script(idp.Script{Claims: change(s)}) }
	}
	choose := func(person string) func(*testing.T, *site, *browser) {
		return func(_ *testing.T, s *site, _ *browser) { s.idp.AutoChoose(person) }
	}
	tests := []struct {
		name   string
		script func(*testing.T, *site, *browser)
		want   string // reason
		status int
	}{
		{"the provider does not say when", claims(func(*site) func(map[string]any) {
			return func(c map[string]any) { delete(c, "auth_time") }
		}), "auth_time_missing", 403},
		{"it says so in words", claims(func(*site) func(map[string]any) {
			return func(c map[string]any) { c["auth_time"] = "now" }
		}), "auth_time_missing", 403},
		{"it did not ask again", claims(func(s *site) func(map[string]any) { return ago(s, 10*time.Minute+time.Second) }), "auth_time", 403},
		{"it names a time to come", claims(func(s *site) func(map[string]any) { return ago(s, -3*time.Minute) }), "auth_time", 403},
		{"another person", choose("sam"), "other_person", 403},
		{"another person without a role", choose("ken"), "other_person", 403},
		{"the person declined", func(_ *testing.T, s *site, _ *browser) {
			s.idp.Script(callback(func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }))
		}, "access_denied", 403},
		{"the provider fails", func(_ *testing.T, s *site, _ *browser) { s.idp.Script(at("/token", 500, "oops")) }, "exchange", 503},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, withStepUp)
			b := s.signedIn(t)
			cookie := b.cookies()["waveadmin"]
			s.clock.Add(20 * time.Minute)
			tt.script(t, s, b)

			status, _ := b.open("/auth/login?step_up=1&return_to=/x/delete")

			if got := strings.Join(s.log.reasons(), " "); status != tt.status || got != tt.want {
				t.Errorf("got %d for %q, want %d for %s", status, got, tt.status, tt.want)
			}
			if refused, ok := errors.AsType[*auth.ProofRefused](s.fault); !ok || refused.Back != "/x/delete" {
				t.Errorf("error = %#v, want a ProofRefused that leads back", s.fault)
			}
			if b.cookies()["waveadmin"] != cookie || !b.isSignedIn() || b.is("Recent") || s.rows(t, "sessions") != 1 {
				t.Error("the session is not as it was")
			}
		})
	}
}

// TestStepUp_whileSomeoneElseSignsIn: the proof of one person does not replace the
// session that another one has begun in the same browser meanwhile.
func TestStepUp_whileSomeoneElseSignsIn(t *testing.T) {
	s := newSite(t, withStepUp)
	b := s.signedIn(t)
	callback := b.stop("/auth/login?step_up=1")
	s.idp.AutoChoose("sam")
	b.open("/auth/login")
	cookie := b.cookies()["waveadmin"]

	status, body := b.open(callback)

	if status != 403 || body != "signin.other_person" || b.cookies()["waveadmin"] != cookie {
		t.Errorf("got %d %q, want to be refused with the session of sam as it was", status, body)
	}
}

// TestStepUp_afterTheSession: who comes back late is signed in anew.
func TestStepUp_afterTheSession(t *testing.T) {
	s := newSite(t, withStepUp)
	b := s.signedIn(t)
	s.clock.Add(29*time.Minute + 40*time.Second)
	callback := b.stop("/auth/login?step_up=1&return_to=/x")
	s.clock.Add(30 * time.Second) // idle for too long
	if status, body := b.open(callback); status != 200 || !b.is("Recent") {
		t.Errorf("got %d %q", status, body)
	}
}

func TestStepUp_switchedOff(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	s.idp.Script(idp.Script{
		Claims: func(c map[string]any) { delete(c, "auth_time") },
		Respond: func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Has("max_age") {
				t.Error("max_age is asked for")
			}
			return false
		},
	})
	if status, body := b.open("/auth/login?step_up=1"); status != 200 {
		t.Errorf("got %d %q", status, body)
	}
}

// TestAgain_doesNotOutliveTheDay: going through the provider again makes a session no
// longer than it was to be.
func TestAgain_doesNotOutliveTheDay(t *testing.T) {
	s := newSite(t, withStepUp)
	b := s.signedIn(t)
	for n := range 24 { // 7:59
		s.clock.Add(20*time.Minute - time.Second*3)
		if status, body := b.open("/auth/login?" + []string{"check=1", "step_up=1"}[n%2]); status != 200 {
			t.Fatalf("got %d %q", status, body)
		}
	}
	s.clock.Add(2 * time.Minute)
	if b.isSignedIn() {
		t.Error("still signed in after 8 hours")
	}
}

// TestStanding_left: how long a session goes on is told without putting it off.
func TestStanding_left(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	for _, tt := range []struct {
		after      time.Duration // beside what was before
		poll       bool
		left, most string
	}{
		{0, true, "30m0s", "8h0m0s"},
		{10 * time.Minute, true, "20m0s", "7h50m0s"},
		{5 * time.Minute, true, "15m0s", "7h45m0s"},
		{5 * time.Minute, false, "30m0s", "7h40m0s"},
		{30 * time.Second, false, "29m30s", "7h39m30s"}, // written once a minute
		{29 * time.Minute, true, "30s", "7h10m30s"},
		{30 * time.Second, true, "0s", "0s"},
	} {
		s.clock.Add(tt.after)
		var header []string
		if tt.poll {
			header = append(header, auth.PollHeader)
		}
		if _, got := b.open("/standing", header...); !strings.Contains(got, " Left:"+tt.left+" Most:"+tt.most+" ") {
			t.Errorf("%v later: %s, want %s and %s", tt.after, got, tt.left, tt.most)
		}
	}
}

func TestStanding_due(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	for _, tt := range []struct {
		after     time.Duration
		due, over bool
	}{
		{time.Hour - time.Second, false, false},
		{time.Hour, true, false},
		{90*time.Minute - time.Second, true, false},
		{90 * time.Minute, true, true},
	} {
		for start := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC); s.clock.Now().Before(start.Add(tt.after)); { // active meanwhile
			s.clock.Add(min(20*time.Minute, start.Add(tt.after).Sub(s.clock.Now())))
			b.open("/")
		}
		if b.is("Due") != tt.due || b.is("Over") != tt.over {
			t.Errorf("after %v: due %v, over %v, want %v and %v", tt.after, b.is("Due"), b.is("Over"), tt.due, tt.over)
		}
	}
	b.open("/auth/login?check=1")
	if b.is("Due") {
		t.Error("still due after the provider was asked")
	}
}

// groups is a provider that says that everyone is in these.
func groups(all ...string) idp.Script {
	return idp.Script{Claims: func(c map[string]any) { c["groups"] = append([]string{}, all...) }}
}

func TestRoleCheck(t *testing.T) {
	misaki := func(s *site) auth.Actor { return auth.Actor{Issuer: s.cfg.Issuer, Subject: "misaki"} }
	roleOf := func(t *testing.T, s *site) (auth.Role, bool) {
		t.Helper()
		role, known, err := s.RoleOf(t.Context(), misaki(s))
		if err != nil {
			t.Fatal(err)
		}
		return role, known
	}
	t.Run("as before", func(t *testing.T) {
		s := newSite(t)
		b, other := s.signedIn(t), s.signedIn(t)
		if status, body := b.open("/auth/login?check=1&return_to=/x?y=z"); status != 200 || body != "/x?y=z: 田中 美咲 is editor" {
			t.Errorf("got %d %q", status, body)
		}
		if !other.isSignedIn() || s.rows(t, "sessions") != 2 {
			t.Error("another session ended")
		}
	})
	t.Run("lower", func(t *testing.T) {
		a := new(auditor)
		s := newSite(t, func(c *auth.Config) { c.Audit = a })
		b, other := s.signedIn(t), s.signedIn(t)
		s.idp.AutoChoose("sam")
		sam := s.signedIn(t)
		s.idp.AutoChoose("misaki")
		s.idp.Script(groups(idp.ViewerGroup))
		a.take()

		if _, body := b.open("/auth/login?check=1"); body != "/: 田中 美咲 is viewer" {
			t.Errorf("got %q", body)
		}

		if _, body := other.open("/"); !strings.HasSuffix(body, " is none") {
			t.Errorf("another session with the former role goes on: %q", body)
		}
		if _, body := sam.open("/"); !strings.HasSuffix(body, " is viewer") {
			t.Errorf("the session of someone else ended: %q", body)
		}
		if role, known := roleOf(t, s); role != auth.Viewer || !known {
			t.Errorf("role = %v, %v", role, known)
		}
		if diff := cmp.Diff([]string{"1 ended: role  田中 美咲", "again for role_check as viewer 田中 美咲"}, a.take()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	t.Run("gone", func(t *testing.T) {
		s := newSite(t)
		b, other := s.signedIn(t), s.signedIn(t)
		s.idp.Script(groups("staff"))

		if status, body := b.open("/auth/login?check=1"); status != 403 || body != "signin.no_role" || !fault.Is(s.fault, fault.Forbidden) {
			t.Errorf("got %d %q", status, body)
		}

		for _, b := range []*browser{b, other} {
			if b.isSignedIn() {
				t.Error("a session goes on without a role")
			}
		}
		if role, known := roleOf(t, s); role != auth.NoRole || !known {
			t.Errorf("role = %v, %v, want it to be known that there is none", role, known)
		}
	})
	t.Run("of another person", func(t *testing.T) {
		s := newSite(t)
		b := s.signedIn(t)
		s.idp.AutoChoose("sam")
		if _, body := b.open("/auth/login?check=1"); body != "/: Sam Carter is viewer" || s.rows(t, "sessions") != 1 {
			t.Errorf("got %q, want the other person in place of the first", body)
		}
	})
}
