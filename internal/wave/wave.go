// Package wave holds the vocabulary of Wave for Reseller: the words that the
// rest of the program, its URLs and its texts share, and the pure rules about
// them. It imports nothing of ours, so every other package may import it.
package wave

import "time"

// UserID names one reseller account in the Wave API (its user_id).
type UserID string

// A BillingGroup is the reseller's own record of a customer, on which an account
// hangs. CompanyID is the API's internal id; ID and Name are what people read.
type BillingGroup struct {
	CompanyID string
	ID        string
	Name      string
}

// A Reseller is one reseller account: a customer's login to WavePro. It is a
// value; nobody changes one in place.
type Reseller struct {
	UserID          UserID
	Email           string
	BillingGroup    BillingGroup
	Updated         time.Time // zero when the API says null
	PasswordUpdated time.Time // zero when the API says null
	Registered      time.Time // zero when the API gives none
	Meta            Meta
	Flaw            Flaw
}

// Flaw says what is wrong with a record as the API listed it. A flawed account is
// shown, marked, and refuses every change.
type Flaw uint8

const (
	NoFlaw      Flaw = iota
	MissingID        // no user_id, or one that cannot stand in a path
	DuplicateID      // another record has the same user_id
	Malformed        // a field has a type that the API does not document, or the flags are missing
)

// InputType says who chooses a password.
type InputType string

const (
	Auto   InputType = "Auto"   // WavePro makes one up
	Custom InputType = "Custom" // the admin types one
)

// A NewReseller is what creating an account takes. Password is empty for Auto;
// it is never stored and never logged.
type NewReseller struct {
	Email     string
	CompanyID string
	Notify    bool
	Input     InputType
	Password  string
	Meta      Meta
}

// A NewPassword is what replacing an account's password takes; see NewReseller.
type NewPassword struct {
	Notify   bool
	Input    InputType
	Password string
}
