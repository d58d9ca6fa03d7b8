package signin

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"waveadmin/internal/config"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

// TestBackChannelLogoutRP has the modules of oidcc-client-back-channel-logout-rp-basic.
func TestBackChannelLogoutRP(t *testing.T) {
	const module = "oidcc-client-test-rp-backchannel-rpinitlogout"
	w := newWorld(t, func(c *config.Config) { c.Auth.SigningAlgs = []string{"ES256"} })
	w.runLogouts(t, []logoutRow{
		{module, nil, ""},
		{module + "-alg-none", logoutToken(unsigned("none")), "alg"},
		{module + "-no-event", logoutWithout("events"), "events"},
		{module + "-with-nonce", logoutClaim("nonce", "x"), "nonce"},
		{module + "-wrong-alg", func(s *idp.Script) {
			s.LogoutSign = func(s *idp.Signing) { s.Alg, s.Key = jose.RS256, rsaKey() }
		}, "alg"},
		{module + "-wrong-aud", logoutClaim("aud", "someone-else"), "verify"},
		{module + "-wrong-event", events(map[string]any{"http://schemas.openid.net/event/other": map[string]any{}}), "events"},
		{module + "-wrong-iss", logoutClaim("iss", "https://evil.example"), "verify"},
	})
}

// TestLogoutToken: what else is wrong with a logout token.
func TestLogoutToken(t *testing.T) {
	const logout = "http://schemas.openid.net/event/backchannel-logout"
	w := newWorld(t)
	from := func(name string, d time.Duration) func(*idp.Script) {
		return logoutClaims(func(c map[string]any) { c[name] = w.clock.now().Add(d).Unix() })
	}
	w.runLogouts(t, []logoutRow{
		{"of no type", func(s *idp.Script) { s.LogoutSign = func(s *idp.Signing) { delete(s.Header, "typ") } }, ""},
		{"of the type JWT", logoutHeader("typ", "JWT"), ""},
		{"of the type of an access token", logoutHeader("typ", "at+jwt"), "typ"},
		{"of another key", func(s *idp.Script) { s.LogoutSign = func(s *idp.Signing) { s.Key = strangerKey() } }, "verify"},
		{"changed after signing", logoutToken(func(c string) string { return strings.Replace(c, ".ey", ".eyA", 1) }), "verify"},
		{"in the JSON form", logoutToken(inJSON), "logout_token_not_compact"},
		{"encrypted", logoutToken(func(string) string { return b64(`{"alg":"dir"}`) + "....x" }), "logout_token_not_compact"},
		{"of 16 KiB and more", logoutClaim("x", strings.Repeat("x", 16<<10)), "logout_token_too_large"},
		{"empty", logoutToken(func(string) string { return "" }), "logout_token_missing"},
		{"without an end", logoutWithout("exp"), "expired"},
		{"expired", from("exp", -time.Second), "expired"},
		{"without a time", logoutWithout("iat"), "iat"},
		{"made 11 minutes ago", from("iat", -11*time.Minute), "iat"},
		{"made in 3 minutes", from("iat", 3*time.Minute), "iat"},
		{"without a jti", logoutWithout("jti"), "jti"},
		{"with an empty jti", logoutClaim("jti", ""), "jti"},
		{"with a jti that is a number", logoutClaim("jti", 7), "jti"},
		{"of nobody", logoutWithout("sub", "sid"), "sub"},
		{"of an empty subject", logoutClaim("sub", ""), "sub"},
		{"of a session that is a number", logoutClaim("sid", 7), "sub"},
		{"of a session that is empty", logoutClaim("sid", ""), "sub"},
		{"of a Sub beside sub", logoutClaim("Sub", "sam"), "claim_names"},
		{"for us and another", func(s *idp.Script) {
			s.LogoutClaims = func(c map[string]any) { c["aud"] = []string{w.clientID(), "other"} }
		}, "audience"},
		{"made for another", logoutClaim("azp", "other"), "audience"},
		{"with a nonce that is null", logoutClaim("nonce", nil), "nonce"},
		{"with events that are null", events(nil), "events"},
		{"with events that are a list", events([]string{logout}), "events"},
		{"with an event that is a word", events(map[string]any{logout: "x"}), "events"},
		{"with an event that is null", events(map[string]any{logout: nil}), "events"},
		{"with more in the event", events(map[string]any{logout: map[string]any{"x": 1}}), ""},
		{"with another event beside", events(map[string]any{logout: map[string]any{}, "other": map[string]any{}}), ""},
		{"with a claim that we do not know", logoutClaim("x", "y"), ""},
	})
	play(t, "an ID token", func(t *testing.T) {
		w.clock.add(time.Hour)
		var id string
		w.IDP.Script(idp.Script{IDToken: func(c string) string { id = c; return c }})
		p := w.person(t, "en")
		p.signIn()
		w.IDP.Script(idp.Script{})
		begin := w.mark(t)
		if got := w.sends(t, url.Values{"logout_token": {id}}).StatusCode; got != 400 || !p.isSignedIn() {
			t.Errorf("got %d, want 400 and the session to go on", got)
		}
		w.wantEvent(t, begin, event{kind: "logout_refused", reason: "nonce"})
	})
	play(t, "the same one again", func(t *testing.T) {
		w.clock.add(time.Hour)
		token := must(w.IDP.NewLogoutToken(testkit.Editor, ""))
		w.sends(t, url.Values{"logout_token": {token}})
		w.clock.add(time.Second)
		p := w.person(t, "en")
		p.signIn()
		begin := w.mark(t)
		if got := w.sends(t, url.Values{"logout_token": {token}}).StatusCode; got != 400 || !p.isSignedIn() {
			t.Errorf("got %d, want 400 and the new session to go on", got)
		}
		w.wantEvent(t, begin, event{kind: "logout_refused", reason: "jti_used"})
	})
	play(t, "one as an ID token", func(t *testing.T) {
		w.clock.add(time.Hour)
		token := must(w.IDP.NewLogoutToken(testkit.Editor, ""))
		for _, lang := range i18n.Languages {
			w.IDP.Script(idp.Script{IDToken: func(string) string { return token }})
			begin, p := w.mark(t), w.person(t, lang)
			w.wantRefused(t, p, p.signIn(), begin, "typ")
		}
	})
	play(t, "of one session of two", func(t *testing.T) {
		w.clock.add(time.Hour)
		sids := make(map[*person]string)
		for range 2 {
			p := w.person(t, "en")
			w.IDP.Script(idp.Script{Claims: func(c map[string]any) { sids[p], _ = c["sid"].(string) }})
			p.signIn()
		}
		people := slices.Collect(maps.Keys(sids))
		if got := w.logout(t, sids[people[0]], nil); got != 200 || people[0].isSignedIn() || !people[1].isSignedIn() {
			t.Errorf("got %d, signed in: %v and %v, want the second one alone", got, people[0].isSignedIn(), people[1].isSignedIn())
		}
	})
}

// TestLogoutRequest: the address takes one token in one form, of nobody in
// particular, and answers no one else's questions.
func TestLogoutRequest(t *testing.T) {
	w := newWorld(t)
	good := func() string { return must(w.IDP.NewLogoutToken(testkit.Editor, "")) }
	for _, tt := range []struct {
		name   string
		form   url.Values
		status int
	}{
		{"no token", url.Values{}, 400},
		{"two tokens", url.Values{"logout_token": {good(), good()}}, 400},
		{"another name", url.Values{"token": {good()}}, 400},
		{"100 KiB", url.Values{"logout_token": {strings.Repeat("x", 100<<10)}}, 413},
		{"a good token", url.Values{"logout_token": {good()}}, 200},
		{"a good token and other fields", url.Values{"logout_token": {good()}, "x": {"y"}}, 200},
	} {
		play(t, tt.name, func(t *testing.T) {
			resp := w.sends(t, tt.form)
			if resp.StatusCode != tt.status || resp.Header.Get("Cache-Control") != "no-store" || len(resp.Cookies()) != 0 {
				t.Errorf("got %d %v, want %d, no-store and no cookie", resp.StatusCode, resp.Header, tt.status)
			}
		})
	}
	play(t, "GET", func(t *testing.T) {
		w.clock.add(time.Second) // later than the good tokens
		p := w.person(t, "ja")
		p.signIn()
		if got := p.open(logoutURL + "?logout_token=" + good()).status; got != 405 || !p.isSignedIn() {
			t.Errorf("got %d, want 405 and the session to go on", got)
		}
	})
}

// TestRPInitiatedLogoutRP has the modules of oidcc-client-rp-initiated-logout-rp-basic.
// We send no state, so that none or another one coming back changes nothing.
func TestRPInitiatedLogoutRP(t *testing.T) {
	w := newWorld(t)
	for name, query := range map[string]string{
		"oidcc-client-test-rp-init-logout":             "",
		"oidcc-client-test-rp-init-logout-other-state": "?state=made-up",
		"oidcc-client-test-rp-init-logout-no-state":    "?",
	} {
		play(t, name, func(t *testing.T) {
			w.rpInitiated(t, logoutRow{})
			for _, lang := range i18n.Languages {
				p := w.person(t, lang)
				page := p.open("/auth/signed-out" + query)
				if want := i18n.T(i18n.WithLang(t.Context(), lang), "signed_out.title"); page.status != 200 || page.Find("h1").Text() != want {
					t.Errorf("got %d %q, want %q", page.status, page.Find("h1").Text(), want)
				}
				if strings.Contains(page.body, "made-up") {
					t.Error("the page shows what is in its address")
				}
			}
		})
	}
}
