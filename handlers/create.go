package handlers

import (
	"context"
	"errors"
	"log/slog"
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
	"waveadmin/internal/preset"
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

// Promises is the part of preset.Store that creation needs.
type Promises interface {
	Book
	Promise(ctx context.Context, by auth.Actor, submitID, id string) error
	Redeem(ctx context.Context, submitID string, account wave.UserID) error
}

// Creation serves the form for a new account.
type Creation struct {
	Directory      Directory
	Groups         Groups
	Service        CreateService
	Presets        Promises
	Log            *slog.Logger
	ReasonRequired bool
	Min, Max       int // length of a password
}

// New answers GET /resellers/new. The functions are filled in from the preset for new
// accounts, or from what preset=… or copy=… names; with from_change=… the form is
// filled in with the account as that change left it, or as it was before its deletion.
func (h *Creation) New(w http.ResponseWriter, r *http.Request) error {
	if err := mayModify(r); err != nil {
		return err
	}
	query := r.URL.Query()
	f := createForm{
		Creation: reseller.Creation{SubmitID: newSubmitID(), NewReseller: wave.NewReseller{Input: wave.Auto, Notify: true}},
		change:   query.Get("from_change"),
		preset:   query.Get("preset"),
		copyOf:   cut(strings.TrimSpace(query.Get("copy")), maxText),
	}
	// The defaults of the API are filled in all the same, but who did not choose them
	// does not mean the account to follow them.
	if first := h.Presets.Book().ForNew().ID; f.change == "" && first != preset.Defaults && !query.Has("preset") {
		f.preset = first
	}
	if f.change != "" {
		c, err := h.Service.Change(r.Context(), f.change)
		if err != nil {
			return err
		}
		f.Email, f.CompanyID = c.Email, c.Company
	}
	p, err := h.fill(r, f)
	if err != nil {
		return err
	}
	return views.Render(w, r, http.StatusOK, views.CreatePage(p))
}

// Fill answers POST /resellers/new: the form as it was sent, with the functions of the
// preset or the account that it names now. Those that the person had set otherwise stay
// so. Nothing is created, and the password never comes back.
func (h *Creation) Fill(w http.ResponseWriter, r *http.Request) error {
	f, err := readCreateForm(r)
	if err != nil {
		return err
	}
	p, err := h.fill(r, f)
	if err != nil {
		return err
	}
	if hx.WantsFragment(r) {
		return views.Render(w, r, http.StatusOK, views.CreateForm(p))
	}
	return views.Render(w, r, http.StatusOK, views.CreatePage(p))
}

// Create answers POST /resellers.
func (h *Creation) Create(w http.ResponseWriter, r *http.Request) error {
	f, err := readCreateForm(r)
	if err != nil {
		return err
	}
	if f.stale() { // without scripts, nobody has seen these functions yet
		return h.unseen(r, f)
	}
	if f.preset != "" {
		if err := h.Presets.Promise(r.Context(), f.Actor, f.SubmitID, f.preset); fault.Is(err, fault.NotFound) {
			return h.notCreated(r, f, fault.Field("preset", "stage.no_preset"))
		} else if err != nil {
			h.Log.WarnContext(r.Context(), "a preset could not be promised to a new account", "err", err)
		}
	}
	done, account, err := h.Service.Create(r.Context(), f.Creation)
	if doubt, ok := errors.AsType[*reseller.DoubtError](err); ok {
		return h.checking(w, r, f, doubt.Change)
	}
	if err != nil {
		return h.notCreated(r, f, err)
	}
	said := flash{changeID: done.ID}
	if account.UserID != "" && f.preset != "" {
		said.unassigned = h.assign(r.Context(), f, account.UserID) != nil
	}
	setFlash(w, r, said)
	if account.UserID == "" { // done, but the list does not name it yet
		hx.Redirect(w, r, views.ResellersURL)
		return nil
	}
	hx.Redirect(w, r, views.AccountURL(account.UserID, ""))
	return nil
}

// assign makes the new account follow the chosen preset. That it fails says nothing
// about the account, which is there: the store tries again later.
func (h *Creation) assign(ctx context.Context, f createForm, account wave.UserID) error {
	err := h.Presets.Redeem(context.WithoutCancel(ctx), f.SubmitID, account)
	if err != nil {
		h.Log.WarnContext(ctx, "a preset could not be assigned to a new account", "account", account, "err", err)
	}
	return err
}

// createMeta reads the boxes: the form brings each flag as off, and once more as
// on if its box is checked. A flag that it does not bring is as by default; one
// that the catalogue lacks, or other values, are refused.
func createMeta(form url.Values) (wave.Meta, error) {
	m := wave.Defaults()
	for name, values := range form {
		flag, ok := strings.CutPrefix(name, "flag.")
		if !ok {
			continue
		}
		box := values
		if len(box) == 2 && box[0] == "off" && box[1] == "on" {
			box = box[1:]
		}
		state := stateNames[box[0]]
		if _, known := wave.Lookup(wave.Key(flag)); !known || len(box) > 1 || state != wave.On && state != wave.Off {
			return m, oddField(name, values)
		}
		m = m.With(wave.Key(flag), state == wave.On)
	}
	return m, nil
}

// notCreated shows the form as it was sent. It gets a new submit id: the next
// press is a new submission, as this one created nothing.
func (h *Creation) notCreated(r *http.Request, f createForm, err error) error {
	p := h.filledIn(r.Context(), f)
	p.SubmitID = newSubmitID()
	if invalid, ok := errors.AsType[*fault.Error](err); ok {
		p.Errors = fieldErrors(r.Context(), invalid)
	}
	return formAgain(r, p, err)
}

// unseen shows the form with the functions that were chosen and not filled in.
func (h *Creation) unseen(r *http.Request, f createForm) error {
	p, err := h.fill(r, f)
	if err != nil {
		return err
	}
	err = fault.Field("preset", "create.filled_now")
	if len(p.Errors) == 0 {
		p.Errors = map[string]string{"preset": i18n.T(r.Context(), "create.filled_now")}
	}
	return formAgain(r, p, err)
}

func formAgain(r *http.Request, p views.CreateProps, err error) error {
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
func (h *Creation) checking(w http.ResponseWriter, r *http.Request, f createForm, doubt change.Change) error {
	p := h.filledIn(r.Context(), f)
	p.Checking = checking(r.Context(), doubt)
	if hx.WantsFragment(r) {
		return views.Render(w, r, http.StatusAccepted, views.CreateForm(p))
	}
	return views.Render(w, r, http.StatusAccepted, views.CreatePage(p))
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
