package signin

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

// proofRow is a case of a person who is signed in and proves again who they are.
type proofRow struct {
	name   string
	person string // who comes back; empty for the same
	lie    lie
	want   string // signedIn, or the reason of the refusal
}

// TestStepUp: only a proof that is recent, and of the same person, counts. Whatever
// else comes back, the session is as it was.
func TestStepUp(t *testing.T) {
	w := newWorld(t)
	denied := callback(func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") })
	for _, r := range []proofRow{
		{"now", "", honest, signedIn},
		{"auth_time: 9 minutes ago", "", at("auth_time", -9*time.Minute), signedIn},
		{"auth_time: 11 minutes ago", "", at("auth_time", -11*time.Minute), "auth_time"},
		{"auth_time: a year ago", "", at("auth_time", -365*24*time.Hour), "auth_time"},
		{"auth_time: in a minute", "", at("auth_time", time.Minute), signedIn},
		{"auth_time: in 3 minutes", "", at("auth_time", 3*time.Minute), "auth_time"},
		{"auth_time: in milliseconds", "", func(w *world) idp.Script { return claim("auth_time", w.clock.now().UnixMilli())(w) }, "auth_time_missing"},
		{"auth_time: none", "", without("auth_time"), "auth_time_missing"},
		{"auth_time: null", "", claim("auth_time", nil), "auth_time_missing"},
		{"auth_time: a word", "", claim("auth_time", "now"), "auth_time_missing"},
		{"auth_time: a number in quotes", "", claim("auth_time", "1775034000"), "auth_time_missing"},
		{"auth_time: a list", "", claim("auth_time", []int{1}), "auth_time_missing"},
		{"auth_time: zero", "", claim("auth_time", 0), "auth_time_missing"},
		{"auth_time: before all time", "", claim("auth_time", -1e300), "auth_time_missing"},
		{"auth_time: after all time", "", claim("auth_time", 1e300), "auth_time_missing"},
		{"auth_time: two", "", claim("Auth_Time", 1), "claim_names"},
		{"another person", testkit.Viewer, honest, "other_person"},
		{"another editor", testkit.Second, honest, "other_person"},
		{"a wrong nonce", "", claim("nonce", "x"), "nonce"},
		{"cancelled", "", denied, "access_denied"},
		{"the provider is down", "", answer("/token", 500, asJSON, ``), "down: exchange"},
	} {
		play(t, r.name, func(t *testing.T) {
			for _, lang := range i18n.Languages {
				w.clock.add(time.Hour)
				w.stepUp(t, lang, r)
			}
		})
	}
	play(t, "the provider is asked for it", func(t *testing.T) {
		var maxAge string
		w.IDP.Script(idp.Script{Respond: func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/authorize" {
				maxAge = r.URL.Query().Get("max_age")
			}
			return false
		}})
		defer w.IDP.Script(idp.Script{})
		p := w.person(t, "ja")
		if p.signIn(); maxAge != "" {
			t.Errorf("a sign-in asks for max_age=%s", maxAge)
		}
		if p.open("/auth/login?step_up=1"); maxAge != "300" {
			t.Errorf("max_age = %q, want 300", maxAge)
		}
	})
	play(t, "by nobody it is a sign-in, whose proof counts as one", func(t *testing.T) {
		w.clock.add(time.Hour)
		begin, p := w.mark(t), w.person(t, "ja")
		w.wantSignedIn(t, p, p.open("/auth/login?step_up=1&return_to=/presets"), begin)
	})
}

// stepUp signs a person in, lets them prove who they are as r says, and holds what
// must be true.
func (w *world) stepUp(t *testing.T, lang string, r proofRow) {
	t.Helper()
	p := w.person(t, lang)
	p.signIn()
	before, begin := p.cookies()["waveadmin"], w.mark(t)
	if r.person != "" {
		w.IDP.AutoChoose(r.person)
		defer w.IDP.AutoChoose(testkit.Editor)
	}
	w.IDP.Script(r.lie(w))
	page := p.open("/auth/login?step_up=1&return_to=/presets")
	w.IDP.Script(idp.Script{})
	got := w.since(t, begin)
	if r.want == signedIn {
		if page.status != 200 || p.cookies()["waveadmin"] == before || !p.isSignedIn() {
			t.Errorf("got %d at %v, want the session to go on under a new id", page.status, page.url.Path)
		}
		if len(got) != 1 || got[0].kind != "sign_in_again" {
			t.Errorf("events = %v, want one of it", got)
		}
		return
	}
	w.wantNoProof(t, p, page, got, before, r.want)
}

// wantNoProof holds that nothing has changed, that one event says why, and that the
// page leads to another try.
func (w *world) wantNoProof(t *testing.T, p *person, page page, got []event, before, want string) {
	t.Helper()
	reason, say, status := want, "signin.refused", 422
	switch want {
	case "auth_time":
		say, status = "signin.proof_old", 403
	case "auth_time_missing":
		say, status = "signin.no_auth_time", 403
	case "other_person":
		say, status = "signin.other_person", 403
	case "access_denied":
		say, status = "signin.cancelled", 403
	case "down: exchange":
		reason, say, status = "exchange", "signin.provider_down", 503
	}
	if page.status != status {
		t.Errorf("status = %d, want %d", page.status, status)
	}
	if p.cookies()["waveadmin"] != before || !p.isSignedIn() {
		t.Error("the session is not what it was")
	}
	if len(got) != 1 || got[0].kind != "sign_in_refused" || got[0].reason != reason {
		t.Errorf("events = %v, want one refusal for %s", got, reason)
	}
	if heading, title := page.Find(".notice h1").Text(), i18n.T(i18n.WithLang(t.Context(), p.lang), say+".title"); heading != title {
		t.Errorf("heading = %q, want %q", heading, title)
	}
	if page.Find(`.notice a[href*="step_up=1"]`).Length() == 0 {
		t.Error("no way to try again")
	}
}
