package auth_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/auth"
	"waveadmin/internal/sandbox/idp"
)

// auditor keeps what it is told, or fails.
type auditor struct {
	broken error
	mu     sync.Mutex
	told   []string
}

func (a *auditor) tell(what string, who auth.Actor) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = append(a.told, what+" "+who.Name)
}

func (a *auditor) SignedIn(_ context.Context, _ *sql.Tx, who auth.Actor) error {
	a.tell("in as "+who.Role.String(), who)
	return a.broken
}
func (a *auditor) SignedOut(_ context.Context, who auth.Actor) { a.tell("out", who) }

func (a *auditor) SignedInAgain(_ context.Context, _ *sql.Tx, who auth.Actor, why string) error {
	a.tell("again for "+why+" as "+who.Role.String(), who)
	return a.broken
}

func (a *auditor) SessionsEnded(_ context.Context, _ *sql.Tx, who auth.Actor, e auth.Ending) error {
	a.tell(fmt.Sprintf("%d ended: %s %s", e.Count, e.Why, e.By), who)
	return a.broken
}

func (a *auditor) SignInRefused(_ context.Context, who auth.Actor, reason string) {
	a.tell("refused: "+reason, who)
}

func (a *auditor) EndedByProvider(_ context.Context, _ *sql.Tx, who auth.Actor) error {
	a.tell("ended", who)
	return a.broken
}

func (a *auditor) LogoutRefused(_ context.Context, reason string) {
	a.tell("logout refused: "+reason, auth.Actor{})
}

func (a *auditor) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	told := a.told
	a.told = nil
	return told
}

func TestAudit_tellsWhoCameAndWent(t *testing.T) {
	a := new(auditor)
	s := newSite(t, func(c *auth.Config) { c.Audit = a })
	b := s.browser(t)
	misaki := idp.People[slices.IndexFunc(idp.People, func(p idp.Person) bool { return p.Key == "misaki" })].Name
	check := func(when string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, a.take()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	b.open("/auth/login")
	check("signed in", "in as editor "+misaki)
	b.open("/page")
	check("a page")
	b.open("/auth/logout")
	check("signed out", "out "+misaki)
	b.open("/auth/logout")
	check("signed out again")
	b.open("/auth/callback?" + url.Values{"state": {"x"}, "code": {"y"}}.Encode())
	check("a made-up callback", "refused: login_cookie ")
	s.idp.AutoChoose("ken")
	b.open("/auth/login")
	if told := a.take(); len(told) != 1 || told[0] == "refused: no_role " {
		t.Errorf("without a role: %q, want the name too", told)
	}
}

func TestAudit_noSessionWithoutItsRecord(t *testing.T) {
	a := &auditor{broken: errors.New("disk full")}
	s := newSite(t, func(c *auth.Config) { c.Audit = a })
	b := s.browser(t)
	if status, body := b.open("/auth/login"); status != http.StatusInternalServerError {
		t.Errorf("got %d %s", status, body)
	}
	if n := s.rows(t, "sessions"); n != 0 {
		t.Errorf("%d sessions", n)
	}
}
