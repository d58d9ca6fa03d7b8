// Package sandbox is the Wave for Reseller API with state in memory, for the
// demo and for tests. It speaks what the API's document says, keeps a journal of
// every request, and fails on demand. Where the document is silent it does what
// hurts a careless client most: a meta that is written replaces the old one
// whole, and a retried write is done twice.
package sandbox

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"waveadmin/internal/wave"
)

// The addresses that a Sandbox serves. TokenPath stands for the vendor's login
// host, BasePath for its API host.
const (
	TokenPath = "/ripple/access_token"
	BasePath  = "/m/ripple/"
)

// The client that a Sandbox knows unless Options names another.
const (
	DemoClientID     = "demo"
	DemoClientSecret = "demo-secret"
)

// ListMethod is how the account list is asked for. The document says POST
// without a body; its sibling endpoints say GET.
type ListMethod string

const (
	ListByPost ListMethod = "post"
	ListByGet  ListMethod = "get"
	ListByBoth ListMethod = "both"
)

// Options describe a Sandbox. The zero Options is an API without accounts that
// answers at once, lists by POST, and refuses the billing groups.
type Options struct {
	Accounts      int              // to begin with
	Seed          uint64           // the same one gives the same accounts
	Latency       time.Duration    // of a request: half before it is applied, half after
	Rate          int              // calls in any second, over all endpoints; 0 for no limit, the API has 100
	ListMethod    ListMethod       // empty for ListByPost
	ClientID      string           // empty for DemoClientID
	ClientSecret  string           // empty for DemoClientSecret
	TokenLife     time.Duration    // 0 for the API's 24 hours
	Now           func() time.Time // for the times in records and the life of tokens; nil for time.Now
	BillingGroups bool             // the client's role allows listing billing groups; else 403
}

// Sandbox is the API. It is an http.Handler, and all its methods are safe for
// concurrent use.
type Sandbox struct {
	opt     Options
	tokens  tokens
	rate    window
	journal journal
	faults  faults

	mu        sync.RWMutex
	records   []*record // in the order of the list
	byID      map[wave.UserID]*record
	byEmail   map[string]*record // key: emailKey
	groups    []wave.BillingGroup
	byCompany map[string]wave.BillingGroup
	passwords map[wave.UserID][]wave.NewPassword
	rng       *rand.Rand // of new user ids
}

// record is one element of the list. It has an account behind it, or is only a
// text that AddRecord put there.
type record struct {
	account wave.Reseller
	json    []byte // with a comma in front; replaced, never written to
}

// New returns a Sandbox with the accounts that o asks for.
func New(o Options) *Sandbox {
	o.ListMethod = ListMethod(or(string(o.ListMethod), string(ListByPost)))
	if o.TokenLife == 0 {
		o.TokenLife = 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Sandbox{
		opt:       o,
		rate:      window{max: o.Rate},
		byID:      make(map[wave.UserID]*record, o.Accounts),
		byEmail:   make(map[string]*record, o.Accounts),
		byCompany: make(map[string]wave.BillingGroup),
		passwords: make(map[wave.UserID][]wave.NewPassword),
		rng:       rand.New(rand.NewPCG(o.Seed, 3)),
	}
	accounts, groups := seed(o.Seed, o.Accounts)
	s.records = make([]*record, 0, o.Accounts)
	for _, g := range groups {
		s.addGroup(g)
	}
	for _, a := range accounts {
		s.add(a)
	}
	return s
}

func or(v, fallback string) string {
	if v == "" {
		return fallback
	}
	return v
}

// A Sandbox stands where the Wave API stands.
var _ http.Handler = (*Sandbox)(nil)

// addGroup makes g known, unless its company is. The caller holds s.mu.
func (s *Sandbox) addGroup(g wave.BillingGroup) {
	if _, ok := s.byCompany[g.CompanyID]; ok {
		return
	}
	s.byCompany[g.CompanyID] = g
	s.groups = append(s.groups, g)
}

// add puts a at the end of the list. The caller holds s.mu.
func (s *Sandbox) add(a wave.Reseller) {
	rec := &record{account: a, json: encode(a)}
	s.records = append(s.records, rec)
	s.byID[a.UserID] = rec
	s.byEmail[emailKey(a.Email)] = rec
	s.addGroup(a.BillingGroup)
}

// remove takes rec from the list. The caller holds s.mu.
func (s *Sandbox) remove(rec *record) {
	i := slices.Index(s.records, rec)
	s.records = slices.Delete(s.records, i, i+1)
	delete(s.byID, rec.account.UserID)
	delete(s.byEmail, emailKey(rec.account.Email))
	delete(s.passwords, rec.account.UserID)
}

// update gives rec a new account with the same id and email. The caller holds
// s.mu.
func (rec *record) update(a wave.Reseller) {
	rec.account, rec.json = a, encode(a)
}

// now returns the API's time: whole seconds in Japan, as it writes them.
func (s *Sandbox) now() time.Time {
	return s.opt.Now().In(jst).Truncate(time.Second)
}

var jst = time.FixedZone("JST", 9*60*60)
