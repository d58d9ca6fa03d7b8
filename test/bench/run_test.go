package bench

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
	"waveadmin/internal/waveapi"
)

// runAccounts is how many accounts BenchmarkRun changes.
var runAccounts = flag.Int("accounts", 2000, "accounts of a bulk run in BenchmarkRun")

const (
	runFlag  wave.Key = "open_api"
	saveFlag wave.Key = "aqua_link"
)

// BenchmarkRun runs a bulk change against a sandbox that refuses more than 100 calls
// a second, with people's saves in the midst of it. It gives the sustained rate of all
// calls as a share of what a bare client with the same pacing reaches before it, the
// most calls in a second, refusals, and how long a save took. Iterations say nothing.
func BenchmarkRun(b *testing.B) {
	for _, rate := range []int{80, 99} {
		b.Run(fmt.Sprintf("rate=%d", rate), func(b *testing.B) {
			s := testkit.Start(b, testkit.Options{
				Accounts: *runAccounts, Rate: 100, Latency: 30 * time.Millisecond,
				Config: func(c *config.Config) { c.Wave.RatePerSecond = rate },
			})
			bare := barePace(b, rate)
			editor := s.SignedIn(b, testkit.Editor)
			s.Wave.ResetJournal()
			before := s.Wave.Accounts()
			id := startRun(b, editor, before)
			saves := saveMeanwhile(b, s, before, func() bool { return runOver(editor, id) })
			checkRun(b, s, before)
			journal := s.Wave.Journal()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(sustained(journal), "calls/s")
			b.ReportMetric(bare, "bare-calls/s")
			b.ReportMetric(sustained(journal)/bare*100, "%bare")
			b.ReportMetric(float64(worstSecond(journal)), "worst/s")
			b.ReportMetric(float64(refusals(journal)), "429s")
			b.ReportMetric(float64(s.Wave.Count(sandbox.OpList)), "lists")
			b.ReportMetric(float64(percentile(saves, 50).Milliseconds()), "save-p50-ms")
			b.ReportMetric(float64(percentile(saves, 95).Milliseconds()), "save-p95-ms")
		})
	}
}

// barePace returns how many calls a second a client makes that has nothing else to do.
func barePace(b *testing.B, rate int) float64 {
	b.Helper()
	api := sandbox.New(sandbox.Options{Accounts: 400, Rate: 100, Latency: 30 * time.Millisecond})
	at := httptest.NewServer(api)
	defer at.Close()
	client, err := waveapi.New(waveapi.Options{
		BaseURL: at.URL + sandbox.BasePath, TokenURL: at.URL + sandbox.TokenPath,
		ClientID: sandbox.DemoClientID, ClientSecret: sandbox.DemoClientSecret, RatePerSecond: rate,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(b.Context(), 15*time.Second)
	defer cancel()
	var load sync.WaitGroup
	for _, a := range api.Accounts()[:12] {
		load.Go(func() {
			for client.ReplaceMeta(ctx, a.UserID, a.Meta) == nil {
				continue
			}
		})
	}
	load.Wait()
	return sustained(api.Journal())
}

// startRun turns one flag of all accounts and returns the address of the run.
func startRun(b *testing.B, c *testkit.Client, accounts []wave.Reseller) string {
	b.Helper()
	var items []string
	for _, a := range accounts {
		items = append(items, fmt.Sprintf(`{"user":%q,"want":{%q:%q}}`, a.UserID, runFlag, wave.StateOf(!a.Meta.On(runFlag))))
	}
	c = c.Unredirected()
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

// saveMeanwhile saves one account after the other until over says so, and returns how
// long each save took. It asks over every few seconds.
func saveMeanwhile(b *testing.B, s *testkit.Site, accounts []wave.Reseller, over func() bool) (took []time.Duration) {
	b.Helper()
	c := s.SignedIn(b, testkit.Editor).Unredirected()
	for n := 0; n%4 != 3 || !over(); n++ {
		time.Sleep(400 * time.Millisecond)
		a := accounts[(n*7)%len(accounts)]
		form := url.Values{"was." + string(saveFlag): {wave.StateOf(a.Meta.On(saveFlag)).String()}}
		if !a.Meta.On(saveFlag) {
			form.Set("is."+string(saveFlag), "on")
		}
		start := time.Now()
		saved := c.Post("/resellers/"+url.PathEscape(string(a.UserID))+"/meta", form)
		took = append(took, time.Since(start))
		if saved.Status != http.StatusSeeOther && saved.Status != http.StatusConflict { // the run has just that account
			b.Fatalf("a save is answered with %d: %s", saved.Status, saved.Text())
		}
	}
	return took
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

// sustained returns the calls a second between a tenth and nine tenths of the time.
func sustained(journal []sandbox.Entry) float64 {
	first, last := journal[0].At, journal[len(journal)-1].At
	from, to := first.Add(last.Sub(first)/10), last.Add(-last.Sub(first)/10)
	n := 0
	for _, e := range journal {
		if !e.At.Before(from) && e.At.Before(to) {
			n++
		}
	}
	return float64(n) / to.Sub(from).Seconds()
}

func worstSecond(journal []sandbox.Entry) (worst int) {
	first := 0
	for i, e := range journal {
		for e.At.Sub(journal[first].At) >= time.Second {
			first++
		}
		worst = max(worst, i-first+1)
	}
	return worst
}

func refusals(journal []sandbox.Entry) (n int) {
	for _, e := range journal {
		if e.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

func percentile(of []time.Duration, p int) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}
