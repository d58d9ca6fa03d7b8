package waveapi

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"waveadmin/internal/wave"
)

// readResellers reads the list of accounts as it comes, without holding the text
// of all. What is no JSON, has a key twice or bytes that are no UTF-8, is cut, or
// goes on after its end is an error as a whole. A record that is merely odd stays
// in the list with its Flaw. hint is how many accounts to expect.
func readResellers(r io.Reader, hint int) ([]wave.Reseller, error) {
	list := make([]wave.Reseller, 0, hint)
	err := readArray(r, func(rec *record) error {
		a, err := rec.reseller()
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	markDuplicates(list)
	return list, nil
}

// readBillingGroups reads the list of billing groups, as strictly.
func readBillingGroups(r io.Reader) ([]wave.BillingGroup, error) {
	var groups []wave.BillingGroup
	err := readArray(r, func(rec *record) error {
		g, err := rec.billingGroup()
		if g.CompanyID != "" {
			groups = append(groups, g)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return groups, nil
}

// readArray calls one at each element of the array that is all of r.
func readArray(r io.Reader, one func(*record) error) error {
	dec := jsontext.NewDecoder(r)
	if kind := dec.PeekKind(); kind != '[' {
		_, err := dec.ReadToken()
		return cmp.Or(err, fmt.Errorf("want a JSON array, not %v", kind))
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != ']' { // a syntax error is no kind; one stumbles over it
		if err := one(&record{dec: dec}); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	switch _, err := dec.ReadToken(); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("the answer goes on after its end")
	default:
		return err
	}
}

func markDuplicates(list []wave.Reseller) {
	first := make(map[wave.UserID]int, len(list))
	for i, a := range list {
		if a.Flaw == wave.MissingID || a.UserID == "" {
			continue
		}
		if j, twice := first[a.UserID]; twice {
			list[i].Flaw, list[j].Flaw = wave.DuplicateID, wave.DuplicateID
		} else {
			first[a.UserID] = i
		}
	}
}

// A record reads one element of a list. Its methods fail only on what is no JSON;
// a value of a type that the API does not document is skipped and noted.
type record struct {
	dec *jsontext.Decoder
	odd bool
}

func (r *record) reseller() (a wave.Reseller, err error) {
	flags := false
	err = r.fields(func(name []byte) error {
		switch string(name) {
		case "user_id":
			return r.text((*string)(&a.UserID))
		case "email":
			return r.text(&a.Email)
		case "company_id":
			return r.text(&a.BillingGroup.CompanyID)
		case "billinggroup_id":
			return r.text(&a.BillingGroup.ID)
		case "billinggroup_name":
			return r.text(&a.BillingGroup.Name)
		case "update_time":
			return r.time(&a.Updated)
		case "password_update_time":
			return r.time(&a.PasswordUpdated)
		case "wave_registered":
			return r.time(&a.Registered)
		case "meta":
			if flags = r.dec.PeekKind() == '{'; flags {
				return a.Meta.UnmarshalJSONFrom(r.dec)
			}
			return r.skip()
		}
		return r.dec.SkipValue() // new fields are no flaw
	})
	switch {
	case r.odd && a == (wave.Reseller{}): // no object, or nothing of it is readable
		a.Flaw = wave.Malformed
	case !usableID(a.UserID):
		a.Flaw = wave.MissingID
	case r.odd, !flags: // without the flags it has, a save of some would wipe the others
		a.Flaw = wave.Malformed
	}
	return a, err
}

func (r *record) billingGroup() (g wave.BillingGroup, err error) {
	var name string
	err = r.fields(func(field []byte) error {
		switch string(field) {
		case "company_id":
			return r.text(&g.CompanyID)
		case "billinggroup_id":
			return r.text(&g.ID)
		case "billinggroup_name":
			return r.text(&g.Name)
		case "name":
			return r.text(&name)
		}
		return r.dec.SkipValue()
	})
	g.Name = cmp.Or(g.Name, name)
	return g, err
}

// fields calls one with the name of each field, to read its value.
func (r *record) fields(one func(name []byte) error) error {
	if r.dec.PeekKind() != '{' {
		r.odd = true
		return r.dec.SkipValue()
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	for r.dec.PeekKind() != '}' {
		name, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		if err := one(unquote(name)); err != nil {
			return err
		}
	}
	_, err := r.dec.ReadToken()
	return err
}

// text reads a string; null is an empty one.
func (r *record) text(to *string) error {
	if r.dec.PeekKind() != '"' {
		return r.skip()
	}
	tok, err := r.dec.ReadToken()
	if err == nil {
		*to = tok.String()
	}
	return err
}

// time reads an RFC 3339 time into UTC. A string that is none, such as "", is no
// time, but no flaw either: times are only shown, and a mark would bar changes.
func (r *record) time(to *time.Time) error {
	if r.dec.PeekKind() != '"' {
		return r.skip()
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	var t time.Time
	if t.UnmarshalText(unquote(raw)) == nil {
		*to = t.UTC() // one zone for all: half the memory, and == works
	}
	return nil
}

// skip passes over a value of the wrong type. null is an absent value.
func (r *record) skip() error {
	if r.dec.PeekKind() != 'n' {
		r.odd = true
	}
	return r.dec.SkipValue()
}

// unquote returns what a JSON string says, without a copy if it has no escapes.
func unquote(raw jsontext.Value) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	b, _ := jsontext.AppendUnquote(nil, raw) // the decoder has checked it
	return b
}
