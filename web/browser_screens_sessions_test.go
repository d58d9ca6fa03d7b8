package web_test

import (
	"time"

	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

func init() { screens = append(screens, sessionScreens...) }

// sessionScreens are the list of one's sessions, and what stands between a press and what
// needs a recent sign-in.
var sessionScreens = []screen{
	{"sessions", "", `[data-testid="sessions"]`, func(v *visit) {
		v.s.SignedIn(v.t, v.person)
		v.open("/sessions")
	}},
	{"sessions ended", "", `.notice-line.success`, func(v *visit) {
		v.prove()
		v.s.SignedIn(v.t, v.person)
		v.open("/sessions")
		v.b.Click(`[data-testid="end-others"]`)
	}},
	{"sign-out asked", "", `#sign-out-ask[open]`, func(v *visit) {
		v.open("/sessions")
		v.b.Until(`(document.querySelector("#sign-out-ask").showModal(), true)`)
	}},
	{"proof", testkit.Editor, `[data-testid="proof"]`, func(v *visit) {
		v.s.IDP.Script(idp.Script{Claims: func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }})
		v.b.SignIn(v.person, "/auth/login?check=1&return_to=/presets")
		v.s.IDP.Script(idp.Script{})
		plan := manyTargets(v.s)
		plan["user"] = plan["user"][:25]
		v.open(planOf(v, plan))
		v.b.Type(`#reason`, "FY2026 の機能見直し")
		v.b.Click(`[data-testid="bulk-run"]`)
		v.leave = v.prove
	}},
}

// prove lets the person of the visit prove again who they are: a visit takes longer than
// that lasts.
func (v *visit) prove() { v.b.SignIn(v.person, "/auth/login?step_up=1&return_to=/presets") }
