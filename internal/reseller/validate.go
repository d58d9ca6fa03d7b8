package reseller

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// Limits of what a form may bring, in characters.
const (
	maxEmail     = 254
	maxCompanyID = 255
	maxReason    = 500
	minSubmitID  = 8
	maxSubmitID  = 64
)

// problems collects what is wrong with the fields of a form.
type problems map[string]fault.Text

func (p problems) add(field, key string, args ...any) { p[field] = fault.Say(key, args...) }

// err returns a fault.Invalid about all of p, or nil.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return &fault.Error{Kind: fault.Invalid, Fields: p}
}

// CleanReason returns reason as it is recorded. It fails with fault.Invalid about the
// field reason.
func CleanReason(reason string, required bool) (string, error) {
	p := problems{}
	reason = p.reason(reason, required)
	return reason, p.err()
}

// CheckNew returns what is wrong with the email and the company id of an account that is
// to be issued, by the fields email and company_id. Whether there are such it does not
// know.
func CheckNew(email, companyID string) map[string]fault.Text {
	p := problems{}
	p.checkEmail(email)
	p.checkCompanyID(companyID)
	return p
}

func (s *Service) checkReason(reason string) (string, error) {
	return CleanReason(reason, s.rules.ReasonRequired)
}

func (p problems) reason(reason string, required bool) string {
	reason = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(reason, ""), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	switch n := utf8.RuneCountInString(reason); {
	case n == 0 && required:
		p.add("reason", "invalid.reason")
	case n > maxReason:
		p.add("reason", "invalid.reason_long", "max", maxReason)
	}
	return reason
}

func (p problems) checkEmail(email string) {
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email || address.Name != "" || len(email) > maxEmail || !printable(email) {
		p.add("email", "invalid.email")
	}
}

func (p problems) checkCompanyID(id string) {
	if n := utf8.RuneCountInString(id); n < 1 || n > maxCompanyID || !printable(id) {
		p.add("company_id", "invalid.company_id", "max", maxCompanyID)
	}
}

func (p problems) checkSubmitID(id string) {
	if n := utf8.RuneCountInString(id); n < minSubmitID || n > maxSubmitID || !printable(id) {
		p.add("submit_id", "invalid.submit_id")
	}
}

// password checks an own password, and returns none for Auto.
func (s *Service) password(p problems, input wave.InputType, password string) string {
	switch input {
	case wave.Auto:
		return ""
	case wave.Custom:
	default:
		p.add("input_type", "invalid.input_type")
		return ""
	}
	n := utf8.RuneCountInString(password)
	if n < s.rules.PasswordMin || n > s.rules.PasswordMax {
		p.add("password", "invalid.password_length", "min", s.rules.PasswordMin, "max", s.rules.PasswordMax)
	} else if strings.ContainsFunc(password, func(r rune) bool { return r <= ' ' || r > '~' }) {
		p.add("password", "invalid.password_characters")
	}
	return password
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
