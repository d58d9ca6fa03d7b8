package auth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/db/dbtest"
)

func (b *browser) kept() string {
	b.t.Helper()
	_, key := b.open("/kept", auth.PollHeader)
	return key
}

// TestKeptKey: a person has one key in all sessions, after them, and under other secrets
// of the server. Nobody else has it.
func TestKeptKey(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	key := b.kept()
	if raw, err := base64.StdEncoding.DecodeString(key); err != nil || len(raw) != 32 {
		t.Fatalf("%d bytes, %v, want 32", len(raw), err)
	}
	if other := s.signedInAs(t, "sam").kept(); other == key || len(other) != len(key) {
		t.Error("someone else has no key, or the same")
	}
	if got := s.browser(t).kept(); got != "" {
		t.Error("nobody has a key")
	}
	if got := s.signedIn(t).kept(); got != key {
		t.Error("another key in a second session")
	}
	s.clock.Add(30 * time.Minute)
	if got := b.kept(); got != "" {
		t.Error("a session that is over still gives the key")
	}
	s.cfg.SessionSecret = bytes.Repeat([]byte{9}, 32)
	s.restart(t)
	s.clock.Add(100 * 24 * time.Hour) // what is over was swept away
	if got := s.signedIn(t).kept(); got != key {
		t.Error("another key after that session, under another secret")
	}
}

// TestKeptKey_manyAtOnce: first requests on several servers get one key.
func TestKeptKey_manyAtOnce(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error { // with the session, and before its first page
		if r.URL.Path == "/" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	b.open("/auth/login")
	cookie := b.cookies()["waveadmin"]
	servers := []*auth.Auth{s.Auth}
	if engine.Name == dbtest.Postgres.Name {
		other, err := auth.New(s.cfg, dbtest.Open(t, s.at))
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, other)
	}
	var all sync.Map
	var wait sync.WaitGroup
	for n := range 16 {
		wait.Go(func() {
			r := httptest.NewRequest("GET", "/", nil)
			r.AddCookie(&http.Cookie{Name: "waveadmin", Value: cookie})
			servers[n%len(servers)].Load(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				all.Store(auth.StandingOf(r.Context()).Kept.Reveal(), true)
			})).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	wait.Wait()
	var keys []string
	all.Range(func(key, _ any) bool { keys = append(keys, key.(string)); return true })
	if len(keys) != 1 || keys[0] == "" {
		t.Errorf("%d keys, want one", len(keys))
	}
}

func TestKeptKey_printsInNoFormat(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	key := b.kept()
	if _, printed := b.open("/standing"); strings.Contains(printed, key) || !strings.Contains(printed, "Kept:[redacted]") {
		t.Errorf("printed in what holds it: %s", printed)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: "waveadmin", Value: b.cookies()["waveadmin"]})
	s.Load(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		standing := auth.StandingOf(r.Context())
		asJSON, _ := json.Marshal(standing)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "kept", standing.Kept, "standing", standing)
		for _, text := range []string{
			fmt.Sprintf("%v %s %q %x %#v %d", standing.Kept, standing.Kept, standing.Kept, standing.Kept, standing.Kept, standing.Kept),
			fmt.Sprintf("%v %#v %v", standing, standing, struct{ kept auth.KeptKey }{standing.Kept}),
			fmt.Sprint(r.Context()), string(asJSON), log.String(),
		} {
			if strings.Contains(text, key) || strings.Contains(text, fmt.Sprintf("%x", key)) {
				t.Errorf("printed: %s", text)
			}
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
	if strings.Contains(s.log.String(), key) {
		t.Error("logged")
	}
}
