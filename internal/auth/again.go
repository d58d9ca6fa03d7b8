package auth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/oauth2"

	"waveadmin/internal/fault"
)

// again is why someone who is signed in goes through the provider again.
type again string

const (
	stepUp    again = "step_up"    // to prove who they are
	roleCheck again = "role_check" // the role is to be asked for
)

// againIn returns what the query of /auth/login asks for.
func (a *Auth) againIn(query url.Values) again {
	switch {
	case a.cfg.StepUp && query.Get("step_up") == "1":
		return stepUp
	case query.Get("check") == "1":
		return roleCheck
	}
	return ""
}

// options are what an attempt adds to the request to the provider.
func (l login) options() []oauth2.AuthCodeOption {
	if l.Again != stepUp {
		return nil
	}
	return []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(proofAsked.Seconds())))}
}

// personMark names a person in a login cookie.
func personMark(who Actor) string { return hashOf(who.Issuer + "\n" + who.Subject) }

// A ProofRefused is the failure of a Callback after which nothing has changed: the
// session is as it was, and the person may try again from the page Back.
type ProofRefused struct {
	Back string
	Err  error
}

func (e *ProofRefused) Error() string { return e.Err.Error() }

func (e *ProofRefused) Unwrap() error { return e.Err }

// refuseAttempt is refuse for an attempt that is known.
func (a *Auth) refuseAttempt(r *http.Request, l login, no *refusal) error {
	err := a.refuse(r, no)
	if l.Again == stepUp {
		return &ProofRefused{Back: l.ReturnTo, Err: err}
	}
	return err
}

// checkProof checks what an attempt demands of who comes back beyond every sign-in:
// that the provider says when they proved who they are, a short time ago, and that it
// is the same person.
func (a *Auth) checkProof(l login, c claims) *refusal {
	if l.Again != stepUp {
		return nil
	}
	who := Actor{Issuer: a.cfg.Issuer, Subject: c.Subject, Name: c.Name, Email: c.Email}
	switch {
	case l.Person != "" && l.Person != personMark(who):
		return otherPerson(who)
	case c.AuthTime.IsZero():
		return &refusal{code: "auth_time_missing", kind: fault.Forbidden, say: fault.Say("signin.no_auth_time"), who: who}
	case a.cfg.Now().Sub(c.AuthTime) > proofAge || c.AuthTime.Sub(a.cfg.Now()) > iatFuture:
		return &refusal{code: "auth_time", kind: fault.Forbidden, say: fault.Say("signin.proof_old"), who: who}
	}
	return nil
}

func otherPerson(who Actor) *refusal {
	return &refusal{code: "other_person", kind: fault.Forbidden, say: fault.Say("signin.other_person", "name", who.Display()), who: who}
}

// goOn makes who the same session as the one of r under a new id, if l was begun for
// that and it is still there. Someone else's session is not replaced by a proof.
func (a *Auth) goOn(r *http.Request, l login, who *record) *refusal {
	session, err := a.store.Get(r, a.store.name)
	if err != nil {
		return &refusal{code: "database", err: err}
	}
	old, ok := recordOf(session)
	switch {
	case l.Again == "" || !ok:
		return nil
	case old.Issuer == who.Issuer && old.Subject == who.Subject:
		who.again, who.started, who.ends = l.Again, old.started, old.ends
	case l.Again == stepUp:
		return otherPerson(who.Actor)
	}
	return nil
}

// proved returns when c says that the person proved who they are, or the zero time
// when it does not say or names a time to come: that would stay recent for good.
func (a *Auth) proved(c claims) time.Time {
	if c.AuthTime.Sub(a.cfg.Now()) > iatFuture {
		return time.Time{}
	}
	return c.AuthTime
}

// timeIn returns a claim that is a number of seconds since 1970, or the zero time.
func timeIn(raw json.RawMessage) time.Time {
	var seconds float64
	if raw == nil || json.Unmarshal(raw, &seconds) != nil || seconds < 1 || seconds > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}
