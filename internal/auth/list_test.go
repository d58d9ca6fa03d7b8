package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox/idp"
)

// person returns the one with this key at the provider.
func (s *site) person(key string) auth.Actor {
	return auth.Actor{Issuer: s.cfg.Issuer, Subject: key}
}

// signedInAs returns a browser in which someone has signed in.
func (s *site) signedInAs(t *testing.T, person string) *browser {
	t.Helper()
	s.idp.AutoChoose(person)
	defer s.idp.AutoChoose("misaki")
	b := s.browser(t)
	b.open("/auth/login")
	return b
}

// key is that of the session of b.
func (b *browser) key() string {
	b.t.Helper()
	_, body := b.open("/standing", auth.PollHeader)
	_, rest, _ := strings.Cut(body, "Key:")
	key, _, _ := strings.Cut(rest, " ")
	return key
}

func (b *browser) signedOut() bool {
	b.t.Helper()
	_, body := b.open("/", auth.PollHeader)
	return strings.HasSuffix(body, " is none")
}

func TestSessions_areOnesOwn(t *testing.T) {
	s := newSite(t)
	first, sam := s.signedIn(t), s.signedInAs(t, "sam")
	s.clock.Add(5 * time.Minute)
	second := s.signedIn(t)
	third := s.signedIn(t)

	list, err := s.Sessions(t.Context(), s.person("misaki"))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 || list[2].Key != first.key() {
		t.Fatalf("sessions = %+v, want the three of misaki with the last seen first", list)
	}
	for _, one := range list {
		if len(one.Key) != 16 || one.Address != "127.0.0.1" || one.Agent != "Go-http-client/1.1" || one.Who.Subject != "misaki" || one.Ends.Sub(one.Started) != 8*time.Hour {
			t.Errorf("session = %+v", one)
		}
	}

	if n, err := s.EndSession(t.Context(), s.person("misaki"), sam.key()); n != 0 || err != nil || sam.signedOut() {
		t.Errorf("the session of someone else was ended: %d, %v", n, err)
	}
	if n, err := s.EndSession(t.Context(), s.person("misaki"), second.key()); n != 1 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	if !second.signedOut() || first.signedOut() || third.signedOut() {
		t.Error("not exactly the second one ended")
	}
	if n, err := s.EndOthers(t.Context(), s.person("misaki"), third.key()); n != 1 || err != nil {
		t.Errorf("ended %d others, %v", n, err)
	}
	if !first.signedOut() || third.signedOut() || sam.signedOut() {
		t.Error("not exactly the others of misaki ended")
	}
	s.clock.Add(30 * time.Minute) // idle
	if list, err := s.Sessions(t.Context(), s.person("misaki")); len(list) != 0 || err != nil {
		t.Errorf("sessions = %+v, %v, want none that is over", list, err)
	}
}

// TestSessions_oddBrowsers: what a browser calls itself is kept short and printable.
func TestSessions_oddBrowsers(t *testing.T) {
	s := newSite(t)
	for name, want := range map[string]string{
		"Netscape\x01 \x7f\xff4": "Netscape 4", strings.Repeat("あ", 100): strings.Repeat("あ", 83), "": "",
	} {
		b := s.browser(t)
		callback := b.stop("/auth/login")
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+callback, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range b.cookies() {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		r.Header.Set("User-Agent", name)
		s.serve(httptest.NewRecorder(), r)
		list, err := s.Sessions(t.Context(), s.person("misaki"))
		if err != nil || len(list) != 1 || list[0].Agent != want {
			t.Errorf("%q: sessions = %+v, %v, want %q", name, list, err, want)
		}
		if _, err := s.EndOthers(t.Context(), s.person("misaki"), ""); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEndNamed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		named func(first *browser) string
		ended int
	}{
		{"a session", func(b *browser) string { return b.key() }, 1},
		{"an email, in whatever letters", func(*browser) string { return "Misaki.Tanaka@example.co.jp" }, 2},
		{"a subject", func(*browser) string { return "misaki" }, 2},
		{"nobody", func(*browser) string { return "misak" }, 0},
		{"nothing", func(*browser) string { return "" }, 0},
		{"everything", func(*browser) string { return "%" }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := new(auditor)
			s := newSite(t, func(c *auth.Config) { c.Audit = a })
			first, second, sam := s.signedIn(t), s.signedIn(t), s.signedInAs(t, "sam")
			a.take()
			ended, err := s.EndNamed(t.Context(), tt.named(first), "root")
			if err != nil || len(ended) != tt.ended {
				t.Fatalf("ended %+v, %v, want %d", ended, err, tt.ended)
			}
			if first.signedOut() != (tt.ended > 0) || second.signedOut() != (tt.ended > 1) || sam.signedOut() {
				t.Error("others than these are over")
			}
			want := map[int][]string{1: {"1 ended: command root 田中 美咲"}, 2: {"2 ended: command root 田中 美咲"}}[tt.ended]
			if diff := cmp.Diff(want, a.take()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRoleOf is what a bulk run goes by: it pauses when the role is known and too low.
func TestRoleOf(t *testing.T) {
	end := func(t *testing.T, s *site, name string) {
		t.Helper()
		if _, err := s.EndNamed(t.Context(), name, "root"); err != nil {
			t.Fatal(err)
		}
	}
	byProvider := func(t *testing.T, s *site, sid string) {
		t.Helper()
		token, err := s.idp.NewLogoutToken("misaki", sid)
		if err == nil {
			err = s.EndByProvider(t.Context(), token)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name  string
		do    func(*testing.T, *site)
		role  auth.Role
		known bool
	}{
		{"never here", func(*testing.T, *site) {}, auth.NoRole, false},
		{"signed in", func(t *testing.T, s *site) { s.signedIn(t) }, auth.Editor, true},
		{"signed out by themselves", func(t *testing.T, s *site) { s.signedIn(t).open("/auth/logout") }, auth.NoRole, false},
		{"ended by themselves from another browser", func(t *testing.T, s *site) {
			if n, err := s.EndOthers(t.Context(), s.person("misaki"), s.signedIn(t).key()[:8]); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}, auth.NoRole, false},
		{"over by itself", func(t *testing.T, s *site) { s.signedIn(t); s.clock.Add(9 * time.Hour) }, auth.NoRole, false},
		{"signed out by the provider", func(t *testing.T, s *site) { s.signedIn(t); byProvider(t, s, "") }, auth.NoRole, true},
		{"signed out by the provider while they were away", func(t *testing.T, s *site) {
			s.signedIn(t)
			s.clock.Add(2 * time.Hour)
			byProvider(t, s, "")
		}, auth.NoRole, true},
		{"away, and still who they were", func(t *testing.T, s *site) { s.signedIn(t); s.clock.Add(2 * time.Hour) }, auth.Editor, true},
		{"told of by the provider after they signed out", func(t *testing.T, s *site) {
			s.signedIn(t).open("/auth/logout")
			byProvider(t, s, "")
		}, auth.NoRole, false},
		{"ended by an operator", func(t *testing.T, s *site) { s.signedIn(t); end(t, s, "misaki") }, auth.NoRole, true},
		{"one of two ended by an operator", func(t *testing.T, s *site) { s.signedIn(t); end(t, s, s.signedIn(t).key()) }, auth.Editor, true},
		{"one of two ended, and the other one left", func(t *testing.T, s *site) {
			b := s.signedIn(t)
			end(t, s, s.signedIn(t).key())
			b.open("/auth/logout")
		}, auth.NoRole, true},
		{"ended by an operator, and signed in again", func(t *testing.T, s *site) { s.signedIn(t); end(t, s, "misaki"); s.signedIn(t) }, auth.Editor, true},
		{"and signed out again", func(t *testing.T, s *site) {
			s.signedIn(t)
			end(t, s, "misaki")
			s.signedIn(t).open("/auth/logout")
		}, auth.NoRole, false},
		{"someone else was ended", func(t *testing.T, s *site) { s.signedInAs(t, "sam"); end(t, s, "sam") }, auth.NoRole, false},
		{"tried to sign in without a role", func(t *testing.T, s *site) {
			s.signedIn(t)
			s.idp.Script(groups())
			s.browser(t).open("/auth/login")
		}, auth.NoRole, true},
		{"tried to sign in without a role after they had signed out", func(t *testing.T, s *site) {
			s.signedIn(t).open("/auth/logout")
			s.idp.Script(groups())
			s.browser(t).open("/auth/login")
		}, auth.NoRole, true},
		{"came back with a lower role, and left", func(t *testing.T, s *site) {
			s.signedIn(t).open("/auth/logout")
			s.idp.Script(groups(idp.ViewerGroup))
			s.signedIn(t).open("/auth/logout")
		}, auth.NoRole, true},
		{"has the role again since", func(t *testing.T, s *site) {
			s.idp.Script(groups(idp.ViewerGroup))
			s.signedIn(t).open("/auth/logout")
			s.idp.Script(groups())
			s.browser(t).open("/auth/login")
			s.idp.Script(idp.Script{})
			s.signedIn(t).open("/auth/logout")
		}, auth.NoRole, false},
		{"before a run began that was scheduled as far ahead as can be", func(t *testing.T, s *site) {
			s.signedIn(t)
			end(t, s, "misaki")
			s.clock.Add(bulk.MaxAhead)
			s.signedInAs(t, "sam")
		}, auth.NoRole, true},
		{"long ago", func(t *testing.T, s *site) {
			s.signedIn(t)
			end(t, s, "misaki")
			s.clock.Add(181 * 24 * time.Hour)
			s.signedInAs(t, "sam")
		}, auth.NoRole, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			tt.do(t, s)
			role, known, err := s.RoleOf(t.Context(), s.person("misaki"))
			if err != nil || role != tt.role || known != tt.known {
				t.Errorf("role = %v, %v (%v), want %v, %v", role, known, err, tt.role, tt.known)
			}
		})
	}
}

// TestSeveralServers: what ends a session on one server ends it on the others with the
// next request, and so does the step-up of one.
func TestSeveralServers(t *testing.T) {
	engine = dbtest.Postgres
	defer func() { engine = dbtest.SQLite }()
	s := newSite(t, withStepUp)
	other, err := auth.New(s.cfg, dbtest.Open(t, s.at))
	if err != nil {
		t.Fatal(err)
	}
	here := s.Auth
	on := func(a *auth.Auth) { s.Auth = a }
	for name, end := range map[string]func(b *browser) error{
		"by an operator": func(*browser) error { _, err := other.EndNamed(t.Context(), "misaki", "root"); return err },
		"by the provider": func(*browser) error {
			token, err := s.idp.NewLogoutToken("misaki", "")
			if err != nil {
				return err
			}
			return other.EndByProvider(t.Context(), token)
		},
		"by themselves": func(*browser) error { _, err := other.EndOthers(t.Context(), s.person("misaki"), ""); return err },
		"by a sign-out": func(b *browser) error { on(other); defer on(here); b.open("/auth/logout"); return nil },
		"by a lost role": func(*browser) error {
			on(other)
			defer on(here)
			s.idp.Script(groups())
			defer s.idp.Script(idp.Script{})
			s.browser(t).open("/auth/login")
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.clock.Add(time.Second) // later than what ended the one before
			b := s.signedIn(t)
			cookie := b.cookies()["waveadmin"]
			if err := end(b); err != nil {
				t.Fatal(err)
			}
			b.setCookie("waveadmin", cookie)
			if !b.signedOut() {
				t.Error("the session goes on")
			}
		})
	}
	t.Run("step-up", func(t *testing.T) {
		s.clock.Add(time.Second)
		b := s.signedIn(t)
		s.clock.Add(20 * time.Minute)
		callback := b.stop("/auth/login?step_up=1")
		on(other)
		status, body := b.open(callback)
		on(here)
		if status != 200 || !b.is("Recent") {
			t.Errorf("got %d %q, want the proof that another server took to count here", status, body)
		}
	})
}

func TestKeptForm(t *testing.T) {
	s := newSite(t)
	request := func(who, path string) *http.Request {
		r := httptest.NewRequest("GET", path, nil)
		return r.WithContext(auth.WithActor(r.Context(), s.person(who)))
	}
	form := url.Values{"reason": {"<チケット> 41"}, "count": {"5040302010"}}
	w := httptest.NewRecorder()
	s.KeepForm(w, request("misaki", "/bulk/p-1/run"), "/bulk/p-1", form)
	cookie := w.Result().Cookies()[0]
	if strings.Contains(cookie.Value, "5040302010") || !cookie.HttpOnly || cookie.MaxAge != 15*60 {
		t.Errorf("cookie = %v", cookie)
	}
	for _, tt := range []struct {
		who, path string
		want      url.Values
	}{
		{"sam", "/bulk/p-1", nil},
		{"misaki", "/bulk/p-2", nil},
		{"misaki", "/bulk/p-1?page=2", form},
	} {
		r, w := request(tt.who, tt.path), httptest.NewRecorder()
		r.AddCookie(cookie)
		if diff := cmp.Diff(tt.want, s.TakeForm(w, r)); diff != "" {
			t.Errorf("%s at %s (-want +got):\n%s", tt.who, tt.path, diff)
		}
		if gone := len(w.Result().Cookies()) == 1; gone != (tt.want != nil) {
			t.Errorf("%s at %s: the cookie is gone: %v", tt.who, tt.path, gone)
		}
	}
	w = httptest.NewRecorder()
	if s.KeepForm(w, request("misaki", "/x"), "/x", url.Values{"a": {strings.Repeat("x", 4000)}}); len(w.Result().Cookies()) != 0 {
		t.Error("a cookie that browsers would not take")
	}
}
