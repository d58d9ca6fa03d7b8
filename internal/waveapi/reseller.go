package waveapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// Create issues an account.
//
//	POST reseller
//
// The API does not tell the id of the new account: list again and look for the
// email. Doing it twice issues two accounts or is Rejected.
func (c *Client) Create(ctx context.Context, n wave.NewReseller) error {
	return c.write(ctx, call{op: "create", method: http.MethodPost, url: c.base.JoinPath("reseller")}, n.Password, struct {
		Email     string `json:"email"`
		CompanyID string `json:"company_id"`
		passwordIn
		Meta wave.Meta `json:"meta"`
	}{n.Email, n.CompanyID, newPasswordIn(n.Input, n.Notify, n.Password), n.Meta})
}

// ReplaceMeta sets all flags of an account to m.
//
//	PUT reseller/{user_id}/meta
//
// The API does not say whether it keeps flags that m lacks, so m must hold every
// flag that the account has. Doing it twice is the same as doing it once.
func (c *Client) ReplaceMeta(ctx context.Context, id wave.UserID, m wave.Meta) error {
	u, err := c.account(id, "meta")
	if err != nil {
		return err
	}
	return c.write(ctx, call{op: "replace meta", method: http.MethodPut, url: u, named: true}, "", struct {
		Meta wave.Meta `json:"meta"`
	}{m})
}

// ReplacePassword gives an account a new password.
//
//	PUT reseller/{user_id}/password
//
// With Auto, or when the customer is notified, doing it twice makes two passwords
// or two mails.
func (c *Client) ReplacePassword(ctx context.Context, id wave.UserID, p wave.NewPassword) error {
	u, err := c.account(id, "password")
	if err != nil {
		return err
	}
	return c.write(ctx, call{op: "replace password", method: http.MethodPut, url: u, named: true}, p.Password,
		newPasswordIn(p.Input, p.Notify, p.Password))
}

// Delete removes an account. One that is gone already is NotFound.
//
//	DELETE reseller/{user_id}
func (c *Client) Delete(ctx context.Context, id wave.UserID) error {
	u, err := c.account(id)
	if err != nil {
		return err
	}
	return c.write(ctx, call{op: "delete", method: http.MethodDelete, url: u, named: true}, "", nil)
}

// passwordIn is the part about the password, which two calls share.
type passwordIn struct {
	Input    wave.InputType `json:"input_type"`
	Notify   bool           `json:"notification"`
	Password *string        `json:"password"` // null for Auto
}

func newPasswordIn(input wave.InputType, notify bool, password string) passwordIn {
	in := passwordIn{Input: input, Notify: notify}
	if input != wave.Auto {
		in.Password = &password
	}
	return in
}

// account returns the address of what is under an account. An id that cannot be
// a segment of a path is NotFound: it would reach something else.
func (c *Client) account(id wave.UserID, below ...string) (*url.URL, error) {
	if !usableID(id) {
		return nil, fault.New(fault.NotFound, fmt.Errorf("user id %q cannot stand in a path", id))
	}
	return c.base.JoinPath(append([]string{"reseller", url.PathEscape(string(id))}, below...)...), nil
}

// usableID reports whether id can stand in a path, here and in our own addresses,
// which take nothing that is not seen.
func usableID(id wave.UserID) bool {
	s := string(id)
	return s != "" && s != "." && s != ".." && len(s) <= 200 && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return r == '/' || r == '\\' || !unicode.IsPrint(r) })
}

// write does a call that changes something. A nil in sends no body. The API says
// in the body whether it did it; anything but success leaves it open.
func (c *Client) write(ctx context.Context, k call, password string, in any) error {
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s: the input does not fit JSON", k.op) // err may repeat the password
		}
		k.body, k.contentType = b, "application/json"
	}
	k.secrets = []secret{hide(password)}
	k.limit = maxAnswer
	k.decode = func(status int, r io.Reader) error {
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		var answer struct {
			Status string `json:"status"`
		}
		if json.Unmarshal(b, &answer) != nil || answer.Status != "success" {
			code, _ := readError(b)
			return &StatusError{
				Op: k.op, Method: k.method, Status: status, Code: code,
				Body: clip(scrub(string(b), k.secrets...)),
			}
		}
		return nil
	}
	return c.do(ctx, k)
}
