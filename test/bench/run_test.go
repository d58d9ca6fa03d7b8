package bench

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/pace"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
	"waveadmin/internal/waveapi"
)

// runAccounts is how many accounts the benchmarks of runs change.
var runAccounts = flag.Int("accounts", 2000, "accounts of the bulk runs in BenchmarkRun and BenchmarkRunServers")

const (
	runFlag  wave.Key = "open_api"
	saveFlag wave.Key = "aqua_link"

	waveRate    = 100 // calls a second that Wave takes
	waveLatency = 30 * time.Millisecond

	saveEvery = time.Second // of one person after the other, over all servers
)

// BenchmarkRun runs a bulk change against a sandbox that refuses more than 100 calls
// a second, with people's saves in the midst of it. It gives the sustained rate of all
// calls as a share of what a bare client with the same pacing reaches before it, the
// most calls in a second, refusals, and how long a save took. It fails when one was
// refused or an account is not as planned. Iterations say nothing.
func BenchmarkRun(b *testing.B) {
	var table runTable
	defer table.print()
	for _, rate := range []int{80, 99} {
		b.Run(fmt.Sprintf("rate=%d", rate), func(b *testing.B) {
			table.add(b, measureRun(b, runMeasure{rate: rate, servers: 1, runs: 1}))
		})
	}
}

// BenchmarkRunServers is BenchmarkRun with three servers on one database, that share
// the rate: people save through all of them, and each run begins at another one.
func BenchmarkRunServers(b *testing.B) {
	var table runTable
	defer table.print()
	for _, m := range []runMeasure{{80, 3, 1}, {80, 3, 2}, {95, 3, 2}} {
		b.Run(fmt.Sprintf("rate=%d/runs=%d", m.rate, m.runs), func(b *testing.B) { table.add(b, measureRun(b, m)) })
	}
}

// runMeasure is what a benchmark of runs does.
type runMeasure struct{ rate, servers, runs int }

func measureRun(b *testing.B, m runMeasure) runFigures {
	b.Helper()
	database := ""
	if m.servers > 1 {
		dbtest.Durable()
		database = dbtest.Postgres.Ready(b)
	}
	f := runFigures{runMeasure: m, load: systemLoad(), bare: barePace(b, m)}
	first := testkit.Start(b, testkit.Options{
		Accounts: *runAccounts, Rate: waveRate, Latency: waveLatency,
		Config: func(c *config.Config) {
			c.Wave.RatePerSecond = m.rate
			if database != "" {
				c.Database.URL = config.DatabaseURL(database)
			}
		},
	})
	servers := []*testkit.Site{first}
	for len(servers) < m.servers {
		servers = append(servers, first.Beside(b))
	}
	var editors []*testkit.Client
	for _, s := range servers {
		editors = append(editors, s.SignedIn(b, testkit.Editor).Unredirected())
	}
	before := first.Wave.Accounts()
	first.Wave.ResetJournal()
	began := time.Now()
	var runs []string
	for part := range slices.Chunk(before, (len(before)+m.runs-1)/m.runs) {
		runs = append(runs, startRun(b, editors[len(runs)%len(editors)], part))
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for _, id := range runs {
			for !runOver(editors[0], id) {
				time.Sleep(3 * time.Second)
			}
		}
	}()
	f.saves, f.locked = saveMeanwhile(b, editors, before, over)
	f.took = time.Since(began)
	checkRun(b, first, before)
	f.journal = first.Wave.Journal()
	f.lists = first.Wave.Count(sandbox.OpList)
	return f
}

// barePace returns how many calls a second clients make that have nothing else to do,
// one for each server.
func barePace(b *testing.B, m runMeasure) float64 {
	b.Helper()
	api := sandbox.New(sandbox.Options{Accounts: 400, Rate: waveRate, Latency: waveLatency})
	at := httptest.NewServer(api)
	defer at.Close()
	o := waveapi.Options{
		BaseURL: at.URL + sandbox.BasePath, TokenURL: at.URL + sandbox.TokenPath,
		ClientID: sandbox.DemoClientID, ClientSecret: sandbox.DemoClientSecret, RatePerSecond: m.rate,
	}
	if m.servers > 1 {
		o.Slots = pace.NewRow(dbtest.Postgres.New(b))
	}
	ctx, cancel := context.WithTimeout(b.Context(), 15*time.Second)
	defer cancel()
	var load sync.WaitGroup
	for range m.servers {
		client, err := waveapi.New(o)
		if err != nil {
			b.Fatal(err)
		}
		defer client.Close()
		for _, a := range api.Accounts()[:12] {
			load.Go(func() {
				for client.ReplaceMeta(ctx, a.UserID, a.Meta) == nil {
					continue
				}
			})
		}
	}
	load.Wait()
	return sustained(api.Journal())
}

// startRun turns one flag of the accounts and returns the address of the run.
func startRun(b *testing.B, c *testkit.Client, accounts []wave.Reseller) string {
	b.Helper()
	var items []string
	for _, a := range accounts {
		items = append(items, fmt.Sprintf(`{"user":%q,"want":{%q:%q}}`, a.UserID, runFlag, wave.StateOf(!a.Meta.On(runFlag))))
	}
	plan := c.Post("/bulk", url.Values{"plan": {`{"source":"flag","items":[` + strings.Join(items, ",") + `]}`}})
	if plan.Status != http.StatusSeeOther {
		b.Fatalf("the plan is answered with %d: %s", plan.Status, plan.Text())
	}
	at := plan.Header.Get("Location")
	mark, _ := c.Get(at).Find(`input[name="mark"]`).Attr("value")
	run := c.Post(at+"/run", url.Values{"reason": {"measure"}, "count": {fmt.Sprint(len(accounts))}, "mark": {mark}})
	if run.Status != http.StatusSeeOther {
		b.Fatalf("the run is answered with %d: %s", run.Status, run.Text())
	}
	return at
}

func runOver(c *testkit.Client, at string) bool {
	state, _ := c.Get(at).Find(`[data-testid="bulk-progress"]`).Attr("data-state")
	return state != "running" && state != "queued"
}

// saveMeanwhile lets people save accounts, any of all, until over is closed. It
// returns how long each save took, and how many of them were refused because the run,
// or another person, had just that account.
func saveMeanwhile(b *testing.B, people []*testkit.Client, accounts []wave.Reseller, over <-chan struct{}) (took []time.Duration, locked int) {
	b.Helper()
	dice := rand.New(rand.NewPCG(1, 2)) // the same accounts each time
	on := make(map[wave.UserID]bool)
	for _, a := range accounts {
		on[a.UserID] = a.Meta.On(saveFlag)
	}
	for n := 0; ; n++ {
		select {
		case <-over:
			return took, locked
		case <-time.After(saveEvery):
		}
		id := accounts[dice.IntN(len(accounts))].UserID
		form := url.Values{"was." + string(saveFlag): {wave.StateOf(on[id]).String()}}
		if !on[id] {
			form.Set("is."+string(saveFlag), "on")
		}
		start := time.Now()
		saved := people[n%len(people)].Post("/resellers/"+url.PathEscape(string(id))+"/meta", form)
		took = append(took, time.Since(start))
		switch saved.Status {
		case http.StatusSeeOther:
			on[id] = !on[id]
		case http.StatusConflict:
			locked++
		default:
			b.Fatalf("a save is answered with %d: %s", saved.Status, saved.Text())
		}
	}
}

// checkRun fails b unless each account is as the plan wants it.
func checkRun(b *testing.B, s *testkit.Site, before []wave.Reseller) {
	b.Helper()
	for _, a := range before {
		if now, _ := s.Wave.Get(a.UserID); now.Meta.On(runFlag) == a.Meta.On(runFlag) {
			b.Fatalf("%s was not changed", a.UserID)
		}
	}
}
