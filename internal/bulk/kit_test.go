package bulk_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/db"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/i18n"
	"waveadmin/internal/reseller"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
	"waveadmin/internal/waveapi"
)

var (
	misaki = auth.Actor{Issuer: "idp", Subject: "1", Name: "Misaki", Role: auth.Editor}
	sam    = auth.Actor{Issuer: "idp", Subject: "3", Name: "Sam", Role: auth.Viewer}
)

// world is the real parts around plans, on the sandbox.
type world struct {
	t         testing.TB
	db        *db.DB
	wave      *sandbox.Sandbox
	api       *waveapi.Client
	directory *reseller.Directory
	ledger    *change.Ledger
	service   *reseller.Service
	plans     *bulk.Plans
	rate      int           // calls a second
	late      time.Duration // the clock of plans is ahead by that
}

func newWorld(t testing.TB, url string, accounts int) *world {
	t.Helper()
	return newWorldAt(t, url, accounts, 1000)
}

func newWorldAt(t testing.TB, url string, accounts, rate int) *world {
	t.Helper()
	w := &world{t: t, rate: rate, wave: sandbox.New(sandbox.Options{Accounts: accounts, ListMethod: sandbox.ListByBoth})}
	server := httptest.NewServer(w.wave)
	t.Cleanup(server.Close)
	w.open(url, server.URL)
	return w
}

// open builds the parts of one server.
func (w *world) open(url, waveURL string) {
	w.t.Helper()
	ctx := w.t.Context()
	w.db = dbtest.Open(w.t, url)
	var err error
	w.api, err = waveapi.New(waveapi.Options{
		BaseURL: waveURL + sandbox.BasePath, TokenURL: waveURL + sandbox.TokenPath,
		ClientID: sandbox.DemoClientID, ClientSecret: sandbox.DemoClientSecret, RatePerSecond: w.rate, Patient: reseller.IsPatient,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.api.Close)
	if w.ledger, err = change.NewLedger(ctx, w.db, change.Options{Fold: i18n.Fold}); err != nil {
		w.t.Fatal(err)
	}
	w.directory = reseller.NewDirectory(w.api, reseller.DirectoryOptions{MaxAge: time.Minute, Fold: i18n.Fold})
	w.t.Cleanup(w.directory.Close)
	w.service = reseller.NewService(w.api, w.directory, w.ledger, reseller.Rules{}, nil, nil)
	w.plans = bulk.NewPlans(w.db, w.directory, func() time.Time { return time.Now().Add(w.late) })
}

// add puts an account with the defaults, and these flags besides, into Wave.
func (w *world) add(id wave.UserID, flags wave.Wanted) {
	w.t.Helper()
	m := wave.Defaults()
	for key, on := range flags {
		m = m.With(key, on)
	}
	err := w.wave.AddAccount(wave.Reseller{
		UserID: id, Email: string(id) + "@example.co.jp", Meta: m,
		BillingGroup: wave.BillingGroup{CompanyID: "c-" + string(id), ID: "BG-" + string(id), Name: "テスト商事"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// make makes a plan, or ends the test.
func (w *world) make(items ...bulk.DraftItem) *bulk.Plan {
	w.t.Helper()
	plan, err := w.plans.Make(context.Background(), misaki, bulk.Draft{Source: "matrix", Items: items, Reason: "why"})
	if err != nil {
		w.t.Fatal(err)
	}
	return plan
}

func (w *world) get(id string) *bulk.Plan {
	w.t.Helper()
	plan, err := w.plans.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return plan
}
