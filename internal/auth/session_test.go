package auth_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/sandbox/idp"
)

// signedIn returns a browser with a session.
func (s *site) signedIn(t testing.TB) *browser {
	t.Helper()
	b := s.browser(t)
	if status, body := b.open("/auth/login"); status != 200 {
		t.Fatalf("sign-in answers %d %q", status, body)
	}
	return b
}

func (b *browser) isSignedIn() bool {
	b.t.Helper()
	status, body := b.open("/")
	if status != 200 {
		b.t.Fatalf("got %d %q, want a page in any case", status, body)
	}
	return strings.HasSuffix(body, "is editor")
}

func TestSession_endsWhenIdle(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	for range 4 {
		s.clock.Add(29 * time.Minute)
		if !b.isSignedIn() {
			t.Fatal("an active session ended")
		}
	}
	s.clock.Add(30 * time.Minute)
	if b.isSignedIn() {
		t.Error("still signed in after 30 idle minutes")
	}
}

func TestSession_endsForGood(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	for range 23 { // 7:40
		s.clock.Add(20 * time.Minute)
		if !b.isSignedIn() {
			t.Fatal("an active session ended")
		}
	}
	s.clock.Add(20 * time.Minute)
	if b.isSignedIn() {
		t.Error("still signed in after 8 hours")
	}
}

func TestSession_pollingIsNoActivity(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	for range 6 {
		s.clock.Add(5 * time.Minute)
		b.open("/", auth.PollHeader)
	}
	if b.isSignedIn() {
		t.Error("polling kept the session alive")
	}
}

// TestSession_writesOnceAMinute: reading pages must not write to the database.
func TestSession_writesOnceAMinute(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	seen := func() (at int64) {
		if err := s.db.Read().QueryRowContext(t.Context(), "SELECT seen_at FROM sessions").Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	start := seen()
	s.clock.Add(59 * time.Second)
	b.open("/")
	if seen() != start {
		t.Error("written within a minute")
	}
	s.clock.Add(time.Second)
	b.open("/")
	if got := time.Duration(seen()-start) * time.Microsecond; got != time.Minute {
		t.Errorf("after a minute seen_at moved by %v", got)
	}
}

func otherLetter(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func TestSession_cookieThatIsNotOurs(t *testing.T) {
	s := newSite(t)
	good := s.signedIn(t).cookies()["waveadmin"]
	other := newSite(t, func(c *auth.Config) { c.SessionSecret = bytes.Repeat([]byte{8}, 32) })
	for name, value := range map[string]string{
		"empty":               "",
		"not base64":          "%%%",
		"short":               good[:20],
		"long":                good + good,
		"very long":           strings.Repeat(good, 40),
		"another id":          otherLetter(good[0]) + good[1:],
		"another signature":   good[:len(good)-6] + "AAAAAA",
		"with another secret": other.signedIn(t).cookies()["waveadmin"],
		"a login cookie":      loginCookie(t, s),
	} {
		t.Run(name, func(t *testing.T) {
			b := s.browser(t)
			b.setCookie("waveadmin", value)
			if b.isSignedIn() {
				t.Error("signed in")
			}
		})
	}
}

func loginCookie(t *testing.T, s *site) string {
	b := s.browser(t)
	b.stop("/auth/login")
	for name, value := range b.cookies() {
		if strings.HasPrefix(name, "waveadmin-l-") {
			return value
		}
	}
	t.Fatal("no login cookie")
	return ""
}

func TestSession_secretsRotate(t *testing.T) {
	s := newSite(t)
	old := s.signedIn(t)
	waiting := s.browser(t)
	callback := waiting.stop("/auth/login")
	first, second := s.cfg.SessionSecret, bytes.Repeat([]byte{9}, 32)

	s.cfg.SessionSecret, s.cfg.PreviousSecrets = second, [][]byte{first}
	s.restart(t)
	if !old.isSignedIn() {
		t.Error("the session ended although its secret is still accepted")
	}
	if status, _ := waiting.open(callback); status != 200 {
		t.Errorf("the attempt that had begun answers %d", status)
	}

	s.cfg.PreviousSecrets = nil
	s.restart(t)
	if old.isSignedIn() {
		t.Error("the session outlives its secret")
	}
	if !waiting.isSignedIn() {
		t.Error("the session of the new secret ended")
	}
}

// TestSession_ofAnotherProvider: after the issuer was changed in the settings,
// what the former one vouched for is void.
func TestSession_ofAnotherProvider(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	s.cfg.Issuer = "https://new.example.co.jp"
	s.restart(t)
	if b.isSignedIn() {
		t.Error("still signed in")
	}
}

// TestSecretsStayOut: the database holds neither the id of the cookie nor a
// token of the provider.
func TestSecretsStayOut(t *testing.T) {
	s := newSite(t)
	var access string
	s.idp.Script(idp.Script{Token: func(a map[string]any) { access = a["access_token"].(string) }})
	cookie := s.signedIn(t).cookies()["waveadmin"]
	files, err := filepath.Glob(strings.TrimPrefix(s.at, "sqlite:") + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{cookie, cookie[:40], access, "eyJ", clientSecret} {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s has %q", file, secret)
			}
		}
	}
}

// TestLoad_withoutADatabase: not knowing is not the same as nobody.
func TestLoad_withoutADatabase(t *testing.T) {
	var failed error
	s := newSite(t, func(c *auth.Config) {
		c.Fail = func(w http.ResponseWriter, _ *http.Request, err error) {
			failed = err
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	b := s.signedIn(t)
	s.db.Close()
	if status, body := b.open("/"); status != 503 || failed == nil {
		t.Errorf("got %d %q, want 503", status, body)
	}
	if status, _ := s.browser(t).open("/"); status != 200 {
		t.Errorf("without a cookie: got %d, want 200", status)
	}
}

// BenchmarkLoad is what every request of a signed-in person pays.
func BenchmarkLoad(b *testing.B) {
	s := newSite(b)
	cookie := s.signedIn(b).cookies()["waveadmin"]
	load := s.Load(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: "waveadmin", Value: cookie})
		load.ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestSession_rowsOfTheDeadAreDeleted(t *testing.T) {
	s := newSite(t)
	s.signedIn(t)
	s.signedIn(t)
	s.clock.Add(8*time.Hour + time.Second)
	s.signedIn(t)
	if got, used := s.rows(t, "sessions"), s.rows(t, "used_logins"); got != 1 || used != 1 {
		t.Errorf("%d sessions and %d used attempts are left, want the last of each", got, used)
	}
}

// TestSession_whileAStreamIsOpen: a stream keeps no session alive, and hears of its end.
func TestSession_whileAStreamIsOpen(t *testing.T) {
	s := newSite(t)
	cookie := s.signedIn(t).cookies()["waveadmin"]
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: "waveadmin", Value: cookie})
	r.Header.Set("Accept", "text/event-stream")
	s.Load(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for range 6 {
			s.clock.Add(4 * time.Minute)
			s.Load(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(httptest.NewRecorder(), r) // it is opened again
			if actor, err := s.ActorNow(r); err != nil || actor.Role != auth.Editor {
				t.Fatalf("the session is of %v, %v", actor.Role, err)
			}
		}
		s.clock.Add(6 * time.Minute)
		if actor, err := s.ActorNow(r); err != nil || actor != (auth.Actor{}) {
			t.Errorf("after 30 idle minutes the session is of %+v, %v", actor, err)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}
