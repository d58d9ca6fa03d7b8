package pace_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/pace"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/waveapi"
)

// BenchmarkServers measures how much of the rate one and three servers reach that
// share it, and the most calls that fell into one second. An iteration is a call.
func BenchmarkServers(b *testing.B) {
	const perSecond = 80
	for _, servers := range []int{1, 3} {
		b.Run(fmt.Sprintf("servers=%d", servers), func(b *testing.B) {
			api := sandbox.New(sandbox.Options{Accounts: 200, Rate: 100, Latency: 5 * time.Millisecond})
			at := httptest.NewServer(api)
			defer at.Close()
			url := dbtest.Postgres.Ready(b)
			ctx, cancel := context.WithTimeout(b.Context(), 8*time.Second)
			defer cancel()
			var load sync.WaitGroup
			for range servers {
				client, err := waveapi.New(waveapi.Options{
					BaseURL: at.URL + sandbox.BasePath, TokenURL: at.URL + sandbox.TokenPath,
					ClientID: sandbox.DemoClientID, ClientSecret: sandbox.DemoClientSecret,
					RatePerSecond: perSecond, Slots: pace.NewRow(dbtest.Open(b, url)),
				})
				if err != nil {
					b.Fatal(err)
				}
				defer client.Close()
				list, err := client.List(ctx)
				if err != nil {
					b.Fatal(err)
				}
				for _, account := range list[:12] {
					load.Go(func() {
						for client.ReplaceMeta(ctx, account.UserID, account.Meta) == nil {
							continue
						}
					})
				}
			}
			load.Wait()
			report(b, api.Journal(), perSecond)
		})
	}
}

func report(b *testing.B, journal []sandbox.Entry, perSecond int) {
	var refused, worst, first int
	for i, e := range journal {
		if e.Status == 429 {
			refused++
		}
		for e.At.Sub(journal[first].At) >= time.Second {
			first++
		}
		worst = max(worst, i-first+1)
	}
	span := journal[len(journal)-1].At.Sub(journal[0].At).Seconds()
	b.ReportMetric(float64(len(journal))/span/float64(perSecond)*100, "%rate")
	b.ReportMetric(float64(worst), "worst/s")
	b.ReportMetric(float64(refused), "429s")
	b.ReportMetric(0, "ns/op")
}
