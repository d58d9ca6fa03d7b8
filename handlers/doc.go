// Package handlers answers requests. A handler reads the request, calls one
// service and renders one component; it returns its error, and package web
// turns that into a response. There is one file for each page.
package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// Directory is the part of reseller.Directory that pages need.
type Directory interface {
	Current(ctx context.Context) (*reseller.Snapshot, error)
	CurrentWith(ctx context.Context, id wave.UserID) (*reseller.Snapshot, error)
	Last() *reseller.Snapshot
	Refresh(ctx context.Context) (*reseller.Snapshot, error)
	Status() reseller.Status
}

// Ledger is the part of change.Ledger that pages read.
type Ledger interface {
	LastOf(id wave.UserID) (change.Last, bool)
}

// A FormError is an error that is answered with the form that the person sent,
// as they sent it, and what is wrong beside the button. Web logs Err once and
// answers with the status of its kind.
type FormError struct {
	Err  error
	Form func(f *views.FailureProps) templ.Component // the fragment or the page
}

func (e *FormError) Error() string { return e.Err.Error() }

func (e *FormError) Unwrap() error { return e.Err }

// oldAfter is the age from which data is marked as old.
const oldAfter = 5 * time.Minute

// fresh describes the snapshot's age for the page at r.
func fresh(dir Directory, s *reseller.Snapshot, page *url.URL) views.FreshProps {
	status := dir.Status()
	p := views.FreshProps{Away: status.Failed, ReturnTo: page.RequestURI()}
	if s != nil {
		p.AsOf = s.AsOf()
		p.Old = time.Since(p.AsOf) > oldAfter
	}
	return p
}

// userID returns the account that the address names, decoded by web.
func userID(r *http.Request) wave.UserID { return wave.UserID(r.PathValue("userID")) }

// find returns the account that the address names, with its snapshot. It fails
// with fault.NotFound if the newest list lacks it.
func find(r *http.Request, dir Directory) (wave.Reseller, *reseller.Snapshot, error) {
	snapshot, err := dir.CurrentWith(r.Context(), userID(r))
	if err != nil {
		return wave.Reseller{}, nil, err
	}
	account, ok := snapshot.Get(userID(r))
	if !ok {
		return wave.Reseller{}, nil, &fault.Error{Kind: fault.NotFound, Say: fault.Say("error.no_account")}
	}
	return account, snapshot, nil
}

// sentence returns t in the language of ctx.
func sentence(ctx context.Context, t fault.Text) string { return i18n.T(ctx, t.Key, t.Args...) }

// fieldErrors returns what is wrong with each field, or nothing if err is not
// about fields.
func fieldErrors(ctx context.Context, err *fault.Error) map[string]string {
	out := make(map[string]string, len(err.Fields))
	for field, text := range err.Fields {
		out[field] = sentence(ctx, text)
	}
	return out
}

// parseForm reads the form of a post. Forms are small; web caps the body. It fails
// with fault.Conflict when the form was given to someone else than who sends it:
// another person has signed in here since.
func parseForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		if tooLarge, ok := asTooLarge(err); ok {
			return tooLarge
		}
		return fault.New(fault.Invalid, err)
	}
	return sentBy(r.Context(), r.PostForm.Get(views.AsField))
}

// sentBy fails with fault.Conflict when a form was given to someone else than who sends
// it. Given is its field views.AsField, which it may lack.
func sentBy(ctx context.Context, given string) error {
	if given != "" && given != views.UserMark(ctx) {
		return &fault.Error{Kind: fault.Conflict, Say: fault.Say("error.other_person", "name", auth.ActorFrom(ctx).Display())}
	}
	return nil
}

// oddField is the fault of a field that no form of ours sends so. It quotes little,
// as it goes to the log.
func oddField(name string, values []string) error {
	return fault.New(fault.Invalid, fmt.Errorf("%.100q is %.100q, %d times", name, values[0], len(values)))
}

// trimmed returns a field without the space around it.
func trimmed(r *http.Request, name string) string {
	return strings.TrimSpace(r.PostFormValue(name))
}

// same reports whether c was asked for by actor.
func same(c change.Change, actor auth.Actor) bool {
	return c.Actor.Issuer == actor.Issuer && c.Actor.Subject == actor.Subject
}
