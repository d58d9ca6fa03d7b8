package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"waveadmin/internal/auth"
	"waveadmin/internal/change"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/wave"
	"waveadmin/views"
)

// CreateService is the part of reseller.Service that creation needs.
type CreateService interface {
	ChangeGetter
	Create(ctx context.Context, c reseller.Creation) (change.Change, wave.Reseller, error)
}

// Groups lists billing groups: all of them, or what could be had.
type Groups interface {
	BillingGroups(ctx context.Context) (groups []wave.BillingGroup, complete bool, err error)
}

// Creation serves the form for a new account.
type Creation struct {
	Directory      Directory
	Groups         Groups
	Service        CreateService
	ReasonRequired bool
	Min, Max       int // length of a password
}

// New answers GET /resellers/new. With from_change=… the form is filled in with the
// account as that change left it, or as it was before its deletion.
func (h *Creation) New(w http.ResponseWriter, r *http.Request) error {
	if err := mayModify(r); err != nil {
		return err
	}
	p := views.CreateProps{
		Input: wave.Auto, Notify: true, SubmitID: newSubmitID(), Min: h.Min, Max: h.Max,
		NeedReason: h.ReasonRequired, Groups: views.Grid(r.Context(), wave.Defaults(), nil),
	}
	if id := r.URL.Query().Get("from_change"); id != "" {
		c, err := h.Service.Change(r.Context(), id)
		if err != nil {
			return err
		}
		if err := seed(r.Context(), &p, c); err != nil {
			return err
		}
	}
	h.companies(r.Context(), &p)
	return views.Render(w, r, http.StatusOK, views.CreatePage(p))
}

// seed fills in the form with the account of c. What the catalogue lacks cannot be
// asked for of a new account, and a password is never known.
func seed(ctx context.Context, p *views.CreateProps, c change.Change) error {
	had := seedOf(c)
	if had == nil {
		return &fault.Error{Kind: fault.Invalid, Say: fault.Say("restore.no_flags")}
	}
	var m wave.Meta
	for _, f := range wave.Flags {
		m = m.With(f.Key, had.On(f.Key))
	}
	p.Email, p.CompanyID, p.Groups = c.Email, c.Company, views.Grid(ctx, m, nil)
	p.From = &views.SeedProps{Email: c.Email, At: c.Created, URL: views.ChangeURL(c.ID, "")}
	for _, key := range had.Unknown() {
		if had.On(key) {
			p.From.Left = append(p.From.Left, string(key))
		}
	}
	return nil
}

// Create answers POST /resellers.
func (h *Creation) Create(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	meta, err := createMeta(r.PostForm)
	if err != nil {
		return err
	}
	input, notify := readInput(r)
	c := reseller.Creation{
		Actor: auth.ActorFrom(r.Context()), SubmitID: r.PostFormValue("submit_id"), Reason: trimmed(r, "reason"),
		NewReseller: wave.NewReseller{
			Email: trimmed(r, "email"), CompanyID: trimmed(r, "company_id"),
			Input: input, Notify: notify, Password: passwordOf(r, input), Meta: meta,
		},
	}
	done, account, err := h.Service.Create(r.Context(), c)
	if doubt, ok := errors.AsType[*reseller.DoubtError](err); ok {
		return h.checking(w, r, c, doubt.Change)
	}
	if err != nil {
		return h.notCreated(w, r, c, err)
	}
	setFlash(w, r, flash{changeID: done.ID})
	if account.UserID == "" { // done, but the list does not name it yet
		hx.Redirect(w, r, views.ResellersURL)
		return nil
	}
	hx.Redirect(w, r, views.AccountURL(account.UserID, ""))
	return nil
}

// createMeta reads the boxes: the form brings each flag as off, and once more as
// on if its box is checked. A flag that it does not bring is as by default; one
// that the catalogue lacks, or another value, is refused.
func createMeta(form url.Values) (wave.Meta, error) {
	m := wave.Defaults()
	for name, values := range form {
		flag, ok := strings.CutPrefix(name, "flag.")
		if !ok {
			continue
		}
		state := stateNames[values[len(values)-1]]
		if _, known := wave.Lookup(wave.Key(flag)); !known || state == wave.Unset {
			return m, fault.New(fault.Invalid, fmt.Errorf("%q is %q", name, values))
		}
		m = m.With(wave.Key(flag), state == wave.On)
	}
	return m, nil
}

// notCreated shows the form as it was sent. It gets a new submit id: the next
// press is a new submission, as this one created nothing.
func (h *Creation) notCreated(_ http.ResponseWriter, r *http.Request, c reseller.Creation, err error) error {
	ctx := r.Context()
	p := h.filledIn(ctx, c)
	p.SubmitID = newSubmitID()
	if f, ok := errors.AsType[*fault.Error](err); ok {
		p.Errors = fieldErrors(ctx, f)
	}
	return &FormError{Err: err, Form: func(f *views.FailureProps) templ.Component {
		if len(p.Errors) == 0 {
			p.Failure = f
		}
		if hx.WantsFragment(r) {
			return views.CreateForm(p)
		}
		return views.CreatePage(p)
	}}
}

// checking shows the form with the submit id that is being settled: sending it
// again asks for the same account, not for a second one.
func (h *Creation) checking(w http.ResponseWriter, r *http.Request, c reseller.Creation, doubt change.Change) error {
	p := h.filledIn(r.Context(), c)
	p.SubmitID = c.SubmitID
	p.Checking = checking(r.Context(), doubt)
	if hx.WantsFragment(r) {
		return views.Render(w, r, http.StatusAccepted, views.CreateForm(p))
	}
	return views.Render(w, r, http.StatusAccepted, views.CreatePage(p))
}

func (h *Creation) filledIn(ctx context.Context, c reseller.Creation) views.CreateProps {
	p := views.CreateProps{
		Email: c.Email, CompanyID: c.CompanyID, Input: c.Input, Notify: c.Notify, Reason: c.Reason,
		NeedReason: h.ReasonRequired, Min: h.Min, Max: h.Max, Groups: views.Grid(ctx, c.Meta, nil),
	}
	h.companies(ctx, &p)
	return p
}

// CheckEmail answers GET /resellers/check?email=…: the line under the field that
// warns before anything is sent.
func (h *Creation) CheckEmail(w http.ResponseWriter, r *http.Request) error {
	used := false
	email := strings.TrimSpace(r.URL.Query().Get("email"))
	if snapshot, err := h.Directory.Current(r.Context()); err == nil && email != "" {
		_, used = snapshot.ByEmail(email)
	}
	return views.Render(w, r, http.StatusOK, views.EmailHint(used))
}

// SearchGroups answers GET /billing-groups?company_id=…: what the field offers
// for what is typed in it.
func (h *Creation) SearchGroups(w http.ResponseWriter, r *http.Request) error {
	p := views.CreateProps{CompanyID: strings.TrimSpace(r.URL.Query().Get("company_id"))}
	h.companies(r.Context(), &p)
	return views.Render(w, r, http.StatusOK, views.CompanySearch(p))
}

// maxCompanies is how many billing groups the field offers at once.
const maxCompanies = 30

// companies fills in the billing groups that match the typed company id, by name
// or id, and whom it means. Without any list the field takes what is typed.
func (h *Creation) companies(ctx context.Context, p *views.CreateProps) {
	groups, complete, err := h.Groups.BillingGroups(ctx)
	p.Complete = complete && err == nil
	p.Hint.Typed = p.CompanyID != ""
	typed := i18n.Fold(p.CompanyID)
	for _, g := range groups {
		if g.CompanyID == p.CompanyID {
			p.Hint.Found = &g
		}
		if len(p.Companies) < maxCompanies && strings.Contains(i18n.Fold(g.Name+" "+g.ID+" "+g.CompanyID), typed) {
			p.Companies = append(p.Companies, g)
		}
	}
}

// newSubmitID returns the mark of one submission.
func newSubmitID() string { return uuid.NewString() }
