package waveapi

import (
	"context"
	"io"
	"net/http"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// List returns all accounts, flawed records included and marked. It is the whole
// list or an error, never a part of it. Unavailable, Busy or Denied says that
// there is none just now.
//
//	GET reseller, or POST reseller without a body: see Options.ListMethod
func (c *Client) List(ctx context.Context) ([]wave.Reseller, error) {
	var err error
	for _, method := range c.listMethods() {
		var list []wave.Reseller
		if list, err = c.listBy(ctx, method); err == nil {
			c.listWith.Store(&method)
			c.listed.Store(int64(len(list)))
			return list, nil
		}
		if !noSuchCall(err) {
			return nil, err
		}
	}
	// The API has no other call that tells of accounts, so the address must be wrong.
	return nil, &fault.Error{Kind: fault.Denied, Say: fault.Say("wave.no_list"), Err: err}
}

// listMethods returns the HTTP methods to try, in order.
func (c *Client) listMethods() []string {
	worked := c.listWith.Load()
	switch {
	case c.list == ListGet:
		return []string{http.MethodGet}
	case c.list == ListPost:
		return []string{http.MethodPost}
	case worked != nil && *worked == http.MethodPost:
		return []string{http.MethodPost, http.MethodGet}
	}
	return []string{http.MethodGet, http.MethodPost}
}

// listBy asks for the list. It never sends a body: the same POST with one is Create.
func (c *Client) listBy(ctx context.Context, method string) (list []wave.Reseller, err error) {
	hint := int(c.listed.Load())
	err = c.do(ctx, call{
		op: "list", method: method, url: c.base.JoinPath("reseller"), read: true, limit: maxList,
		decode: func(_ int, body io.Reader) (err error) {
			list, err = readResellers(body, hint+hint/16)
			return err
		},
	})
	return list, err
}

// noSuchCall reports whether the API knows no call of that method and path.
func noSuchCall(err error) bool {
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}

// ListBillingGroups returns the customer records on which an account can hang;
// those without a company id are left out. The API user may lack the role for it:
// Denied or NotFound, and the groups of the accounts in the list must do.
//
//	GET billinggroup
func (c *Client) ListBillingGroups(ctx context.Context) (groups []wave.BillingGroup, err error) {
	err = c.do(ctx, call{
		op: "list billing groups", method: http.MethodGet, url: c.base.JoinPath("billinggroup"),
		read: true, named: true, limit: maxList, // there can be as many as accounts
		decode: func(_ int, body io.Reader) (err error) {
			groups, err = readBillingGroups(body)
			return err
		},
	})
	return groups, err
}
