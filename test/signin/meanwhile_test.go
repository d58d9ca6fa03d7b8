package signin

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

// The moments of a sign-in at which a logout comes.
const (
	atCode     = "/authorize" // the browser is on its way back
	atToken    = "/token"
	atUserinfo = "/userinfo"
)

// meanwhile is a case of a logout that comes during a sign-in.
type meanwhile struct {
	name     string
	moment   string
	sub, sid string                 // of the logout token; the sid "this" is that of the sign-in
	alter    func(c map[string]any) // the ID token; nil for no change
	want     string                 // signedIn, or the reason of the refusal
}

// logouts returns how this world is told of logouts: on the server of w, and where the
// database lets more run, on another one.
func (w *world) logouts(t *testing.T, e dbtest.Engine) map[string]func(token string) int {
	here := func(token string) int { return w.sends(t, url.Values{"logout_token": {token}}).StatusCode }
	if e.Name != dbtest.Postgres.Name {
		return map[string]func(string) int{"one server": here}
	}
	beside := w.Beside(t)
	return map[string]func(string) int{"one server": here, "another server": func(token string) int {
		return beside.Client(t).Post(logoutURL, url.Values{"logout_token": {token}}).Status
	}}
}

func onDatabase(t *testing.T, e dbtest.Engine) func(*config.Config) {
	return func(c *config.Config) { c.Database.URL = config.DatabaseURL(e.Ready(t)) }
}

// TestLogoutMeanwhile: a session that the provider ends while the person is on the way
// to it does not begin, whichever server hears of it.
func TestLogoutMeanwhile(t *testing.T) {
	const refused = "logged_out_meanwhile"
	withoutSID := func(c map[string]any) { delete(c, "sid") }
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, onDatabase(t, e))
		for server, tell := range w.logouts(t, e) {
			for _, tt := range []meanwhile{
				{"of the session, before the code is exchanged", atCode, "", "this", nil, refused},
				{"of the session, while the code is exchanged", atToken, "", "this", nil, refused},
				{"of the session, while userinfo is asked", atUserinfo, "", "this", nil, refused},
				{"of the session and the person", atToken, testkit.Editor, "this", nil, refused},
				{"of the person", atToken, testkit.Editor, "", nil, refused},
				{"of the person, before the code is exchanged", atCode, testkit.Editor, "", nil, refused},
				{"of the person and a session, where the ID token names none", atToken, testkit.Editor, "other", withoutSID, refused},
				{"of the session, whose ID token was made 9 minutes ago", atToken, "", "this", func(c map[string]any) {
					c["iat"] = w.clock.now().Add(-9 * time.Minute).Unix()
				}, refused},
				{"of the session, before the provider makes the ID token", atCode, "", "this", func(c map[string]any) {
					c["iat"] = w.clock.now().Add(time.Minute).Unix()
				}, refused},
				{"of another session of the person", atToken, testkit.Editor, "other", nil, signedIn},
				{"of another session", atToken, "", "other", nil, signedIn},
				{"of another person", atToken, testkit.Viewer, "", nil, signedIn},
				{"of another person and the session", atToken, testkit.Viewer, "this", nil, signedIn},
			} {
				play(t, server+": "+tt.name, func(t *testing.T) {
					for _, lang := range i18n.Languages {
						w.clock.add(time.Hour)
						begin, p := w.mark(t), w.person(t, lang)
						page := w.signInWhile(t, p, tt, tell)
						w.wantMeanwhile(t, p, page, begin, tt.want)
					}
				})
			}
		}
	})
}

// signInWhile signs p in and sends the logout of tt at its moment.
func (w *world) signInWhile(t *testing.T, p *person, tt meanwhile, tell func(token string) int) page {
	t.Helper()
	sid := "of a session with no name"
	tells := func() {
		named := tt.sid
		if named == "this" {
			named = sid
		}
		if status := tell(must(w.IDP.NewLogoutToken(tt.sub, named))); status != 200 {
			t.Errorf("the logout is answered with %d", status)
		}
	}
	script := idp.Script{Claims: func(c map[string]any) {
		c["sid"] = sid
		if tt.alter != nil {
			tt.alter(c)
		}
		if tt.moment == atUserinfo {
			delete(c, "groups")
		}
	}}
	switch tt.moment {
	case atToken:
		script.Token = func(map[string]any) { tells() }
	case atUserinfo:
		script.UserInfo = func(map[string]any) { tells() }
	}
	w.IDP.Script(script)
	defer w.IDP.Script(idp.Script{})
	callback := p.stop("/auth/login?return_to=/presets")
	if tt.moment == atCode {
		w.clock.add(time.Second)
		tells()
	}
	w.clock.add(time.Second)
	return p.open(callback)
}

// wantMeanwhile holds what is true of a sign-in, and of one that a logout has overtaken.
func (w *world) wantMeanwhile(t *testing.T, p *person, page page, begin mark, want string) {
	t.Helper()
	if want == signedIn {
		w.wantSignedIn(t, p, page, begin)
		return
	}
	if page.status != 422 || p.isSignedIn() || w.sessions(t) != 0 {
		t.Errorf("got %d, signed in: %v, %d sessions; want 422 and none", page.status, p.isSignedIn(), w.sessions(t))
	}
	w.wantEvent(t, begin, event{kind: "sign_in_refused", subject: testkit.Editor, reason: want})
	wantPage(t, p, page, "signin.ended_meanwhile")
	w.clock.add(time.Second)
	if again := p.signIn(); again.status != 200 || !p.isSignedIn() { // on the same session of the provider, or another
		t.Errorf("the next sign-in ends with %d", again.status)
	}
}

// TestLogoutMeanwhile_rightAfter: who signs in again at once after a logout of all their
// sessions is let in. A session that was named is not, within the second that both
// tokens tell, and an ID token from before it is not at any time.
func TestLogoutMeanwhile_rightAfter(t *testing.T) {
	const sid = "of the provider"
	w := newWorld(t)
	for _, tt := range []struct {
		name, sub, sid string
		issued         time.Duration // the ID token, after the logout token
		want           string
	}{
		{"of the person", testkit.Editor, "", 0, signedIn},
		{"of the person, with an ID token from before", testkit.Editor, "", -time.Second, "logged_out_meanwhile"},
		{"of the session", "", sid, 0, "logged_out_meanwhile"},
		{"of the session, a second later", "", sid, time.Second, signedIn},
	} {
		play(t, tt.name, func(t *testing.T) {
			w.clock.add(time.Hour)
			w.sends(t, url.Values{"logout_token": {must(w.IDP.NewLogoutToken(tt.sub, tt.sid))}})
			w.clock.add(time.Millisecond)
			begin, p := w.mark(t), w.person(t, "ja")
			w.IDP.Script(idp.Script{Claims: func(c map[string]any) {
				c["sid"], c["iat"] = sid, w.clock.now().Add(tt.issued).Unix()
			}})
			page := p.signIn()
			w.IDP.Script(idp.Script{})
			w.wantMeanwhile(t, p, page, begin, tt.want)
		})
	}
}

// TestLogoutMeanwhile_isForgotten: what is kept of a logout goes when no ID token from
// before it would be believed any more.
func TestLogoutMeanwhile_isForgotten(t *testing.T) {
	w := newWorld(t)
	w.logout(t, "a session", nil)
	count := func() (n int) {
		if err := w.db.QueryRowContext(t.Context(), "SELECT count(*) FROM used_logins WHERE sid = 'a session'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	w.clock.add(12 * time.Minute)
	w.person(t, "ja").signIn()
	if n := count(); n != 1 {
		t.Errorf("%d logouts are known after 12 minutes, want 1", n)
	}
	w.clock.add(12 * time.Minute)
	w.person(t, "ja").signIn()
	if n := count(); n != 0 {
		t.Errorf("%d logouts are known after 24 minutes, want none", n)
	}
}

// TestLogoutMeanwhile_duringProof: a session that ends while its person proves who they
// are, or is asked for the role, does not go on under a new id.
func TestLogoutMeanwhile_duringProof(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, onDatabase(t, e))
		for server, tell := range w.logouts(t, e) {
			for _, way := range []string{"step_up=1", "check=1"} {
				play(t, server+": "+way, func(t *testing.T) {
					w.clock.add(time.Hour)
					sid := ""
					sidOnce := func(c map[string]any) {
						if sid == "" {
							sid, _ = c["sid"].(string)
						}
						c["sid"] = sid // the provider's session goes on, too
					}
					w.IDP.Script(idp.Script{Claims: sidOnce})
					p := w.person(t, "ja")
					p.signIn()
					callback := p.stop("/auth/login?return_to=/presets&" + way)
					w.IDP.Script(idp.Script{Claims: sidOnce, Token: func(map[string]any) { tell(must(w.IDP.NewLogoutToken("", sid))) }})
					begin := w.mark(t)
					page := p.open(callback)
					w.IDP.Script(idp.Script{})
					if page.status != 422 || p.isSignedIn() {
						t.Errorf("got %d, signed in: %v, want 422 and not", page.status, p.isSignedIn())
					}
					got := w.since(t, begin)
					if len(got) != 2 || got[0].kind != "sign_out" || got[1].reason != "logged_out_meanwhile" {
						t.Errorf("events = %v, want the sign-out and the refusal", got)
					}
				})
			}
		}
	})
}

// TestLogoutMeanwhile_atTheSameMoment: whichever of the two the database does first, no
// session is left.
func TestLogoutMeanwhile_atTheSameMoment(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		w := newWorld(t, onDatabase(t, e))
		for server, tell := range w.logouts(t, e) {
			play(t, server, func(t *testing.T) {
				statuses := make(map[int]int)
				for i := range 30 {
					w.clock.add(time.Minute)
					var sid string
					var sent sync.WaitGroup
					w.IDP.Script(idp.Script{
						Claims: func(c map[string]any) { sid, _ = c["sid"].(string) },
						Token: func(map[string]any) {
							token := must(w.IDP.NewLogoutToken("", sid))
							sent.Go(func() {
								time.Sleep(time.Duration(i) * 50 * time.Microsecond) // so that both orders happen
								tell(token)
							})
						},
					})
					p := w.person(t, "en")
					p.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
						if r.URL.Path == "/presets" {
							return http.ErrUseLastResponse
						}
						return nil
					}
					statuses[p.signIn().status]++
					w.IDP.Script(idp.Script{})
					sent.Wait()
					if p.isSignedIn() {
						t.Fatalf("round %d: a session goes on that the provider has ended", i)
					}
				}
				t.Logf("signed in for a moment, or refused: %v", statuses)
			})
		}
	})
}
