package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"waveadmin/internal/wave"
)

// password is what the calls that set one share.
type password struct {
	InputType    wave.InputType `json:"input_type"`
	Notification bool           `json:"notification"`
	Password     *string        `json:"password"` // the document's sample leaves it out
}

// check refuses what the vendor's console would: it asks for 8 to 18 characters.
func (p password) check() error {
	switch {
	case p.InputType == wave.Auto && p.Password != nil:
		return errors.New("the password must be null for the input type Auto")
	case p.InputType == wave.Auto:
		return nil
	case p.InputType != wave.Custom:
		return errors.New("the input type must be Auto or Custom")
	case p.Password == nil:
		return errors.New("the password is required for the input type Custom")
	}
	if n := utf8.RuneCountInString(*p.Password); n < 8 || n > 18 {
		return errors.New("the password must have 8 to 18 characters")
	}
	return nil
}

func (s *Sandbox) list() answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	body := make([][]byte, 0, len(s.records)+2)
	body = append(body, []byte("["))
	for i, rec := range s.records {
		piece := rec.json
		if i == 0 {
			piece = piece[1:] // its comma
		}
		body = append(body, piece)
	}
	body = append(body, []byte("]"))
	return answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

// create answers without the id of the new account, as the API does. A company
// that is not known becomes one, with its id for a name.
func (s *Sandbox) create(c call) answer {
	var in struct {
		password
		Email     string     `json:"email"`
		CompanyID string     `json:"company_id"`
		Meta      *wave.Meta `json:"meta"`
	}
	if err := decode(c, &in); err != nil {
		return invalid(err)
	}
	if addr, err := mail.ParseAddress(in.Email); err != nil || addr.Address != in.Email || len(in.Email) > 254 {
		return invalid(errors.New("the email is not valid"))
	}
	if in.CompanyID == "" {
		return invalid(errors.New("the company id is required"))
	}
	if err := in.check(); err != nil {
		return invalid(err)
	}
	if in.Meta == nil {
		in.Meta = new(wave.Defaults())
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.byEmail[emailKey(in.Email)]; ok {
		return apiError(http.StatusBadRequest, "5005", "account function exception", "Customer id already exists.")
	}
	group, ok := s.byCompany[in.CompanyID]
	if !ok {
		group = wave.BillingGroup{CompanyID: in.CompanyID, ID: in.CompanyID, Name: in.CompanyID}
	}
	s.add(wave.Reseller{
		UserID: s.freeID(), Email: in.Email, BillingGroup: group, Registered: s.now(), Meta: *in.Meta,
	})
	return applied()
}

func (s *Sandbox) delete(c call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, ok := s.byID[c.id]
	if !ok {
		return noSuchAccount()
	}
	s.remove(rec)
	return applied()
}

func (s *Sandbox) replacePassword(c call) answer {
	var in password
	if err := decode(c, &in); err != nil {
		return invalid(err)
	}
	if err := in.check(); err != nil {
		return invalid(err)
	}
	p := wave.NewPassword{Notify: in.Notification, Input: in.InputType}
	if in.Password != nil {
		p.Password = *in.Password
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	rec, ok := s.byID[c.id]
	if !ok {
		return noSuchAccount()
	}
	a := rec.account
	a.PasswordUpdated = s.now()
	rec.update(a)
	s.passwords[c.id] = append(s.passwords[c.id], p)
	return applied()
}

// replaceMeta takes what was sent for the whole: a flag that is not there is
// gone. The document does not say so; a client must stand it.
func (s *Sandbox) replaceMeta(c call) answer {
	var in struct {
		Meta *wave.Meta `json:"meta"`
	}
	if err := decode(c, &in); err != nil {
		return invalid(err)
	}
	if in.Meta == nil {
		return invalid(errors.New("the meta is required"))
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	rec, ok := s.byID[c.id]
	if !ok {
		return noSuchAccount()
	}
	a := rec.account
	a.Meta, a.Updated = *in.Meta, s.now()
	rec.update(a)
	return applied()
}

func (s *Sandbox) listBillingGroups() answer {
	if !s.opt.BillingGroups {
		return apiError(http.StatusForbidden, "1403", "authorization exception", "The role action ReadBillingGroup is required.")
	}
	type group struct {
		CompanyID string `json:"company_id"`
		ID        string `json:"billinggroup_id"`
		LongName  string `json:"billinggroup_name"`
		Name      string `json:"name"`
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]group, 0, len(s.groups))
	for _, g := range s.groups {
		out = append(out, group{g.CompanyID, g.ID, g.Name, g.Name})
	}
	return jsonAnswer(http.StatusOK, out)
}

// freeID returns a user id that no account has. The caller holds s.mu.
func (s *Sandbox) freeID() wave.UserID {
	for {
		id := wave.UserID(alnum(s.rng, 16))
		if _, taken := s.byID[id]; !taken {
			return id
		}
	}
}

// decode reads the body of c, which must be one JSON object.
func decode(c call, into any) error {
	kind, _, err := mime.ParseMediaType(c.header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return errors.New("the content type must be application/json")
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return fmt.Errorf("the request body is not valid: %w", err)
	}
	return nil
}

func applied() answer {
	a := success()
	a.applied = true
	return a
}

func invalid(err error) answer {
	return apiError(http.StatusBadRequest, "5001", "account function exception", "Bad request: "+err.Error()+".")
}

func noSuchAccount() answer {
	return apiError(http.StatusNotFound, "5004", "account function exception", "Customer id does not exist.")
}

// emailKey is equal for emails that are one login.
func emailKey(email string) string { return strings.ToLower(email) }

// Passwords returns what password calls set for the account, in their order.
// The password that an account was created with is not among them.
func (s *Sandbox) Passwords(id wave.UserID) []wave.NewPassword {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.passwords[id])
}
