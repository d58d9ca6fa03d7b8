package signin

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox/idp"
)

// lie is how the provider behaves in a case.
type lie func(w *world) idp.Script

// honest is no lie.
func honest(*world) idp.Script { return idp.Script{} }

// row is one case. Its name is that of the module of the conformance suite, if
// there is one.
type row struct {
	name string
	lie  lie
	want string // signedIn, or the reason of the refusal, after "down: " when it is an outage
}

const signedIn = "signed in"

// run plays rows in one world, each in both languages.
func (w *world) run(t *testing.T, rows []row) {
	for _, r := range rows {
		play(t, r.name, func(t *testing.T) {
			for _, lang := range i18n.Languages {
				w.clock.add(time.Hour) // so that no ration is used up
				w.IDP.Script(r.lie(w))
				begin, p := w.mark(t), w.person(t, lang)
				page := p.signIn()
				w.IDP.Script(idp.Script{})
				if r.want == signedIn {
					w.wantSignedIn(t, p, page, begin)
				} else {
					w.wantRefused(t, p, page, begin, r.want)
				}
			}
		})
	}
}

// wantSignedIn holds that p is in, with one event of it.
func (w *world) wantSignedIn(t *testing.T, p *person, page page, begin mark) {
	t.Helper()
	if page.status != 200 || !p.isSignedIn() {
		t.Errorf("got %d at %v: %s", page.status, page.url.Path, page.Find(".notice").Text())
	}
	if got := w.since(t, begin); len(got) != 1 || got[0].kind != "sign_in" || got[0].subject == "" {
		t.Errorf("events = %v, want one sign-in", got)
	}
}

// wantRefused holds all that is true of a refusal, whatever its reason.
func (w *world) wantRefused(t *testing.T, p *person, page page, begin mark, want string) {
	t.Helper()
	reason, down := strings.CutPrefix(want, "down: ")
	say, status := sayOf(reason, down)
	if page.status != status {
		t.Errorf("status = %d, want %d", page.status, status)
	}
	if n := w.sessions(t); n != 0 {
		t.Errorf("%d sessions", n)
	}
	if p.cookies()["waveadmin"] != "" || p.isSignedIn() {
		t.Error("the browser has a session")
	}
	if w.IDP.Counts()["/elsewhere"] != 0 {
		t.Error("a redirect was followed")
	}
	w.wantEvent(t, begin, event{kind: "sign_in_refused", reason: reason})
	wantPage(t, p, page, say)
}

// wantEvent holds that one thing was recorded since begin.
func (w *world) wantEvent(t *testing.T, begin mark, want event) {
	t.Helper()
	got := w.since(t, begin)
	if len(got) == 1 && want.subject == "" && (want.reason == "no_role" || want.kind == "sign_out") {
		want.subject = got[0].subject // then the provider's word for it is good
	}
	if diff := cmp.Diff([]event{want}, got, cmp.AllowUnexported(event{})); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// wantPage holds that the page says it in the person's language, leads on, and
// shows nothing of what came from the provider.
func wantPage(t *testing.T, p *person, page page, say string) {
	t.Helper()
	ctx := i18n.WithLang(t.Context(), p.lang)
	if got, want := page.Find(".notice h1").Text(), i18n.T(ctx, say+".title"); got != want {
		t.Errorf("heading = %q, want %q", got, want)
	}
	if got, want := page.Find(".notice p").First().Text(), i18n.T(ctx, say, "name", "田中 美咲"); got != want {
		t.Errorf("sentence = %q, want %q", got, want)
	}
	if got := page.Find("html").AttrOr("lang", ""); got != p.lang {
		t.Errorf("lang = %q, want %q", got, p.lang)
	}
	if page.Find(`.notice a[href^="/auth/login"]`).Length() == 0 && page.url.Path == "/auth/callback" {
		t.Error("no way to begin again")
	}
	if got := page.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q", got)
	}
	for i, secret := range []string{"eyJ", "evil", page.url.Query().Get("code"), page.url.Query().Get("state")} {
		if strings.Contains(page.body, secret) && (len(secret) >= 8 || i < 2) { // not "x", nor none
			t.Errorf("the page has %q", secret)
		}
	}
}

// sayOf returns the sentence and the status of a reason.
func sayOf(reason string, down bool) (say string, status int) {
	switch reason {
	case "login_cookie", "state", "state_used":
		return "signin.again", 422
	case "access_denied":
		return "signin.cancelled", 403
	case "no_role":
		return "signin.no_role", 403
	}
	if down {
		return "signin.provider_down", 503
	}
	return "signin.refused", 422
}

// tally counts cases by the test that they belong to.
var tally = struct {
	sync.Mutex
	run, passed map[string]int
}{run: map[string]int{}, passed: map[string]int{}}

// play runs a case and counts it.
func play(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	ok := t.Run(name, test)
	tally.Lock()
	defer tally.Unlock()
	tally.run[t.Name()]++
	if ok {
		tally.passed[t.Name()]++
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if testing.Verbose() {
		total, passed := 0, 0
		for _, group := range slices.Sorted(maps.Keys(tally.run)) {
			fmt.Printf("%-32s %3d of %3d cases passed\n", group, tally.passed[group], tally.run[group])
			total, passed = total+tally.run[group], passed+tally.passed[group]
		}
		fmt.Printf("%-32s %3d of %3d cases passed\n", "sign-in", passed, total)
	}
	os.Exit(code)
}
