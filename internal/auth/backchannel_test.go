package auth_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/sandbox/idp"
)

// TestEndByProvider: exactly the sessions that the token names are over. Misaki
// is signed in twice, and once more from when the provider named no session.
func TestEndByProvider(t *testing.T) {
	tests := []struct {
		name, subject string
		sid           string // of which sign-in
		ended         string
	}{
		{"a person", "misaki", "", "first second unnamed"},
		{"a session", "", "first", "first"},
		{"a session of a person", "misaki", "second", "second unnamed"},
		{"a session of someone else", "sam", "first", ""},
		{"a person who is not here", "ken", "", ""},
		{"a session that is not here", "", "other", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := new(auditor)
			s := newSite(t, func(c *auth.Config) { c.Audit = a })
			browsers, sids := map[string]*browser{}, map[string]string{"other": "other"}
			for _, name := range []string{"first", "second", "unnamed", "of sam"} {
				person := "misaki"
				if name == "of sam" {
					person = "sam"
				}
				s.idp.AutoChoose(person)
				s.idp.Script(idp.Script{Claims: func(c map[string]any) {
					if sids[name], _ = c["sid"].(string); name == "unnamed" {
						delete(c, "sid")
					}
				}})
				browsers[name] = s.signedIn(t)
			}
			a.take()

			token, err := s.idp.NewLogoutToken(tt.subject, sids[tt.sid])
			if err != nil {
				t.Fatal(err)
			}
			if err := s.EndByProvider(t.Context(), token); err != nil {
				t.Fatal(err)
			}

			var ended []string
			for name, b := range browsers {
				if _, body := b.open("/"); strings.HasSuffix(body, " is none") {
					ended = append(ended, name)
				}
			}
			slices.Sort(ended)
			if got := strings.Join(ended, " "); got != tt.ended {
				t.Errorf("ended %q, want %q", got, tt.ended)
			}
			if got := len(a.take()); got != len(ended) {
				t.Errorf("%d events, want one for each session that ended", got)
			}
		})
	}
}

func TestEndByProvider_worksOnce(t *testing.T) {
	a := new(auditor)
	s := newSite(t, func(c *auth.Config) { c.Audit = a })
	s.signedIn(t)
	token, err := s.idp.NewLogoutToken("misaki", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EndByProvider(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	s.clock.Add(time.Second)
	b := s.signedIn(t)
	a.take()
	if err := s.EndByProvider(t.Context(), token); !fault.Is(err, fault.Invalid) || !b.isSignedIn() {
		t.Errorf("the second time: %v, want it refused", err)
	}
	if diff := cmp.Diff([]string{"logout refused: jti_used "}, a.take()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestEndByProvider_allOrNothing: a session does not end without its record, and
// the token can be sent again.
func TestEndByProvider_allOrNothing(t *testing.T) {
	a := new(auditor)
	s := newSite(t, func(c *auth.Config) { c.Audit = a })
	b := s.signedIn(t)
	token, err := s.idp.NewLogoutToken("misaki", "")
	if err != nil {
		t.Fatal(err)
	}
	a.broken = errors.New("disk full")
	if err := s.EndByProvider(t.Context(), token); !fault.Is(err, fault.Internal) || !b.isSignedIn() {
		t.Errorf("without a record: %v, want the session to go on", err)
	}
	a.broken = nil
	if err := s.EndByProvider(t.Context(), token); err != nil || b.isSignedIn() {
		t.Errorf("again: %v, want the session to end", err)
	}
}

// TestEndByProvider_floodDoesNotStopSignIns: whoever sends tokens with made-up
// keys makes us call the provider a few times, and uses up only what is for
// logout tokens.
func TestEndByProvider_floodDoesNotStopSignIns(t *testing.T) {
	s := newSite(t)
	s.signedIn(t)
	s.idp.Script(idp.Script{LogoutSign: func(sign *idp.Signing) { sign.Header["kid"] = fmt.Sprint(len(sign.Header), "made up") }})
	before := s.idp.Counts()["/keys"]
	for range 50 {
		token, err := s.idp.NewLogoutToken("misaki", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.EndByProvider(t.Context(), token); !fault.Is(err, fault.Invalid) {
			t.Fatalf("err = %v, want it refused", err)
		}
	}
	if got := s.idp.Counts()["/keys"] - before; got != 5 {
		t.Errorf("50 tokens fetched the keys %d times, want 5", got)
	}
	s.idp.RotateKey()
	s.signedIn(t) // fails the test if it does not work
}
