package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"waveadmin/internal/fault"
)

// refusal is why nobody was signed in. Code is for the log and for alerts, and
// does not change.
type refusal struct {
	code string
	kind fault.Kind
	say  fault.Text
	err  error
	who  Actor // when the provider's word for it was good
}

// Reasons of a refusal that are not the provider's fault.
var (
	sayAgain   = fault.Say("signin.again")
	sayRefused = fault.Say("signin.refused")
	sayDown    = fault.Say("signin.provider_down")
)

// lapsed: the attempt is unknown, too old or used. Starting again helps.
func lapsed(code string) *refusal { return &refusal{code: code, kind: fault.Invalid, say: sayAgain} }

// untrusted: what came back is not what an honest provider answers to us.
func untrusted(code string, err error) *refusal {
	return &refusal{code: code, kind: fault.Invalid, say: sayRefused, err: err}
}

// down: the provider could not be asked.
func down(code string, err error) *refusal {
	return &refusal{code: code, kind: fault.Unavailable, say: sayDown, err: err}
}

// refuse records why nobody was signed in and returns the fault to show.
func (a *Auth) refuse(r *http.Request, no *refusal) error {
	a.cfg.Audit.SignInRefused(r.Context(), no.who, no.code)
	return a.tell(r.Context(), "sign-in refused", no)
}

// tell logs a refusal and returns it as a fault. An error of a library may quote
// a whole answer of the provider: its start must do.
func (a *Auth) tell(ctx context.Context, what string, no *refusal) error {
	err := fmt.Errorf("%s: %s", what, no.code)
	attrs := []slog.Attr{slog.String("reason", no.code)}
	if no.who.Subject != "" {
		attrs = append(attrs, slog.String("issuer", no.who.Issuer), slog.String("subject", no.who.Subject))
	}
	if no.err != nil {
		cause := fmt.Sprintf("%.300s", no.err)
		attrs = append(attrs, slog.String("err", cause))
		err = fmt.Errorf("%w: %s", err, cause)
	}
	a.cfg.Log.LogAttrs(ctx, slog.LevelWarn, what, attrs...)
	return &fault.Error{Kind: no.kind, Say: no.say, Err: err}
}
