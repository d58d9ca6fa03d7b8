package signin

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

const logoutURL = "/auth/backchannel-logout"

// withoutKeys publishes none.
func withoutKeys(set *jose.JSONWebKeySet) { set.Keys = []jose.JSONWebKey{} }

// sends posts to the address of back-channel logout as the provider does, which
// is no browser, and returns the answer.
func (w *world) sends(t *testing.T, form url.Values) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+logoutURL, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

// logout sends a logout token for all sessions of the editor, or for the one with
// sid, and returns the status of the answer.
func (w *world) logout(t *testing.T, sid string, alter func(s *idp.Script)) int {
	t.Helper()
	w.IDP.Script(altered(alter))
	defer w.IDP.Script(idp.Script{})
	token, err := w.IDP.NewLogoutToken(testkit.Editor, sid)
	if err != nil {
		t.Fatal(err)
	}
	return w.sends(t, url.Values{"logout_token": {token}}).StatusCode
}

func altered(alter func(s *idp.Script)) (s idp.Script) {
	if alter != nil {
		alter(&s)
	}
	return s
}

// logoutRow is a case of back-channel logout.
type logoutRow struct {
	name  string
	alter func(s *idp.Script)
	want  string // "" when the session ends, else the reason of the refusal
}

func logoutClaim(name string, value any) func(*idp.Script) {
	return logoutClaims(func(c map[string]any) { c[name] = value })
}

func logoutWithout(names ...string) func(*idp.Script) {
	return logoutClaims(func(c map[string]any) {
		maps.DeleteFunc(c, func(k string, _ any) bool { return slices.Contains(names, k) })
	})
}

func logoutClaims(alter func(map[string]any)) func(*idp.Script) {
	return func(s *idp.Script) { s.LogoutClaims = alter }
}

func logoutHeader(name string, value any) func(*idp.Script) {
	return func(s *idp.Script) { s.LogoutSign = func(s *idp.Signing) { s.Header[name] = value } }
}

func logoutToken(alter func(string) string) func(*idp.Script) {
	return func(s *idp.Script) { s.LogoutToken = alter }
}

func events(value any) func(*idp.Script) { return logoutClaim("events", value) }

// runLogouts plays rows twice each: the provider sends its token while the person
// is here, and as part of a sign-out that began here.
func (w *world) runLogouts(t *testing.T, rows []logoutRow) {
	for _, r := range rows {
		play(t, r.name, func(t *testing.T) {
			w.clock.add(time.Hour)
			w.opInitiated(t, r)
			w.clock.add(time.Second) // a sign-in of the same second could be from before
			w.rpInitiated(t, r)
		})
	}
}

// opInitiated holds that the session ends, or that it goes on and one event says
// why.
func (w *world) opInitiated(t *testing.T, r logoutRow) {
	t.Helper()
	p := w.person(t, "ja")
	p.signIn()
	begin := w.mark(t)
	status := w.logout(t, "", r.alter)
	if r.want == "" {
		if status != 200 || p.isSignedIn() {
			t.Errorf("got %d, signed in: %v, want the session to end", status, p.isSignedIn())
		}
		w.wantEvent(t, begin, event{kind: "sign_out", reason: "provider"})
		return
	}
	if status != 400 || !p.isSignedIn() {
		t.Errorf("got %d, signed in: %v, want 400 and the session to go on", status, p.isSignedIn())
	}
	w.wantEvent(t, begin, event{kind: "logout_refused", reason: r.want})
}

// rpInitiated signs out here, then at the provider, which sends its token and the
// browser back.
func (w *world) rpInitiated(t *testing.T, r logoutRow) {
	t.Helper()
	p := w.person(t, "en")
	p.signIn()
	done := p.do("POST", "/auth/logout", url.Values{})
	next, ok := done.Find(`.notice a[href^="` + w.issuer() + `/end_session"]`).Attr("href")
	if done.status != 200 || !ok || p.isSignedIn() {
		t.Fatalf("signing out answers %d: %s", done.status, done.Text())
	}
	told := len(w.IDP.Told())
	w.IDP.Script(altered(r.alter))
	back := p.open(next)
	w.IDP.Script(idp.Script{})
	want := []int{200}
	if r.want != "" {
		want[0] = 400
	}
	if got := w.IDP.Told()[told:]; !slices.Equal(got, want) {
		t.Errorf("the provider was told %v, want %v", got, want)
	}
	if back.status != 200 || back.url.Path != "/auth/signed-out" || p.isSignedIn() {
		t.Errorf("back from the provider: %d at %v", back.status, back.url)
	}
}
