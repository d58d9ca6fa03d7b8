// Package savedview keeps what people save of the reseller table under a name: its
// filters, order and columns, as the parameters of its address. A view is its owner's
// alone or shared with everyone. All servers have the same, as each reads them where
// they are kept.
package savedview

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
)

const (
	MaxName  = 60   // runes
	MaxQuery = 4000 // bytes
	MaxEach  = 50   // views that one person may have, own and shared together
)

// A View is a state of the table with a name.
type View struct {
	ID      string
	Name    string
	Query   string // opaque here
	Shared  bool
	Owner   auth.Actor // who made it, without Role and Email
	Created time.Time
	Changed time.Time
}

// Draft is what a person says of a view.
type Draft struct {
	Name   string
	Query  string
	Shared bool
}

// newView returns a view of who as d says. It fails as Store.Create does.
func newView(who auth.Actor, d Draft, now time.Time) (View, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return View{}, err
	}
	v := View{
		ID: id.String(), Name: tidy(d.Name), Query: d.Query, Shared: d.Shared,
		Owner: auth.Actor{Issuer: who.Issuer, Subject: who.Subject, Name: who.Display()}, Created: now, Changed: now,
	}
	if err := v.check(); err != nil {
		return View{}, err
	}
	if v.Shared && !who.MayModify() {
		return View{}, forbidden("view.may_not_share")
	}
	return v, nil
}

// tidy returns a name in one line, without what nobody sees and not every database
// takes.
func tidy(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(name, ""), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// MayEdit reports whether who may change or delete v: its owner may, and of a shared
// one everyone who may change accounts.
func (v View) MayEdit(who auth.Actor) bool {
	return v.isOf(who) || v.Shared && who.MayModify()
}

// sees reports whether v is there for who.
func (v View) sees(who auth.Actor) bool { return v.Shared || v.isOf(who) }

func (v View) isOf(who auth.Actor) bool {
	return who.Subject != "" && v.Owner.Issuer == who.Issuer && v.Owner.Subject == who.Subject
}

// check returns what is wrong with the texts of v, or nil.
func (v View) check() error {
	switch {
	case v.Name == "":
		return fault.Field("name", "view.no_name")
	case utf8.RuneCountInString(v.Name) > MaxName:
		return fault.Field("name", "view.long_name", "max", MaxName)
	case len(v.Query) > MaxQuery:
		return &fault.Error{Kind: fault.Invalid, Say: fault.Say("view.long_query")}
	}
	return nil
}

func forbidden(key string) error { return &fault.Error{Kind: fault.Forbidden, Say: fault.Say(key)} }

func gone() error { return &fault.Error{Kind: fault.NotFound, Say: fault.Say("view.gone")} }

func taken(v View) error {
	if v.Shared {
		return fault.Field("name", "view.taken_shared", "name", v.Name)
	}
	return fault.Field("name", "view.taken", "name", v.Name)
}
