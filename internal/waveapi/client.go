// Package waveapi calls the Wave for Reseller API. A method is one call: it says
// in a fault what became of it, and repeats by itself only what cannot be done
// twice by that. It holds the API's token and keeps the API's rate.
//
// Its faults mean:
//
//   - Unavailable, Busy: surely not done. Reads and token fetches have been tried
//     again already, writes too as far as nothing of them had left, while the
//     budget for that lasted. After a run of failures nothing is sent for a while.
//   - Uncertain: a write left and may have been done.
//   - Denied: the API refuses our token or our role, or is not at the address
//     that is configured.
//   - Rejected, NotFound, Conflict: the API read the call and refused it.
package waveapi

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// The ways to ask for the list of accounts. The API's document says POST; every
// sibling call is a GET.
const (
	ListAuto = "auto" // GET, then POST if the API knows no GET; what worked is remembered
	ListGet  = "get"
	ListPost = "post"
)

// Options say where the API is and who we are there. It never prints the secret.
type Options struct {
	BaseURL       string // such as https://api.alphaus.cloud/m/ripple/
	TokenURL      string // such as https://login.alphaus.cloud/ripple/access_token
	ClientID      string
	ClientSecret  string
	ListMethod    string                     // ListAuto if empty
	RatePerSecond int                        // calls in any second; 80 if 0
	Slots         Slots                      // shares the rate with other servers; nil when there is none
	Patient       func(context.Context) bool // whether others go before a call with this context; nil for never
	Timeout       time.Duration              // from sending a call to its answer; 15 s if 0. A list may take four times as long, unless it stops coming
	Log           *slog.Logger               // nil for none
	Transport     http.RoundTripper          // nil for one of our own; see newTransport
}

// Format prints o without its secret, whatever the verb.
func (o Options) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "waveapi.Options{%s, client %s}", o.BaseURL, o.ClientID)
}

// LogValue keeps the secret from slog handlers, which do not ask Format.
func (o Options) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(o)) }

// Client calls the API. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	http    *http.Client
	tokens  *tokenSource
	pace    *pacer
	patient func(context.Context) bool
	budget  *budget
	api     breaker
	login   breaker // of the token endpoint
	timeout time.Duration
	log     *slog.Logger

	list     string                 // ListAuto, ListGet or ListPost
	listWith atomic.Pointer[string] // the HTTP method that worked last, under ListAuto
	listed   atomic.Int64           // accounts in the last list, to size the next one
}

// Format keeps a Client from printing its insides.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "waveapi.Client(%v)", c.base) }

// New returns a Client. It calls nothing yet. Close frees what the Client holds.
func New(o Options) (*Client, error) {
	base, err := endpoint("base URL", o.BaseURL)
	if err != nil {
		return nil, err
	}
	tokenURL, err := endpoint("token URL", o.TokenURL)
	if err != nil {
		return nil, err
	}
	list := cmp.Or(o.ListMethod, ListAuto)
	switch {
	case o.ClientID == "" || o.ClientSecret == "":
		return nil, fmt.Errorf("wave API: client id and client secret are required")
	case list != ListAuto && list != ListGet && list != ListPost:
		return nil, fmt.Errorf("wave API: list method %q: want auto, get or post", list)
	case o.RatePerSecond < 0 || o.Timeout < 0:
		return nil, fmt.Errorf("wave API: rate and timeout must not be negative")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Patient == nil {
		o.Patient = func(context.Context) bool { return false }
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	c := &Client{
		base: base,
		http: &http.Client{
			Transport: o.Transport,
			// Following a redirect would hand the secret or the token to its target.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		pace:    newPacer(cmp.Or(o.RatePerSecond, 80), o.Slots, o.Log),
		patient: o.Patient,
		budget:  newBudget(),
		timeout: cmp.Or(o.Timeout, 15*time.Second),
		log:     o.Log,
		list:    list,
	}
	form := tokenForm{url: tokenURL, id: o.ClientID, secret: hide(o.ClientSecret)}
	c.tokens = newTokenSource(func(ctx context.Context) (token, error) { return c.fetchToken(ctx, form) }, 3*c.timeout)
	return c, nil
}

// Close ends token fetches that are under way and waits for them, and closes idle
// connections. Calls after it fail as soon as they need a new token.
func (c *Client) Close() {
	c.tokens.close()
	c.http.CloseIdleConnections()
}
