package waveapi_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/waveapi"
)

// TestBudget_quiet: who calls seldom may repeat a few calls, and a few more later.
func TestBudget_quiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		v := &vendor{api: status(429, "")}
		c := v.start(t, func(o *waveapi.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		repeated := func(calls int) int {
			before := len(v.seen())
			for range calls {
				start := time.Now()
				if err := meta(t.Context(), c); !fault.Is(err, fault.Busy) {
					t.Errorf("error = %v, want its own, Busy", err)
				}
				if took := time.Since(start); took > 1500*time.Millisecond {
					t.Errorf("took %v", took)
				}
			}
			return len(v.seen()) - before - calls
		}
		if got := repeated(4); got < 10 || got > 11 {
			t.Errorf("repetitions = %d, want the 10 that were saved up", got)
		}
		start := time.Now()
		if got := repeated(5); got > 1 {
			t.Errorf("repetitions = %d, want none", got)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("five calls took %v: they waited for nothing", took)
		}
		if !strings.Contains(log.String(), "not repeated") {
			t.Error("the log does not say why")
		}
		time.Sleep(20 * time.Second)
		if got := repeated(5); got < 2 || got > 3 {
			t.Errorf("repetitions = %d after 20 s, want 2", got)
		}
	})
}

// TestBudget_busy: under load there is one repetition to ten calls, whatever they
// are for.
func TestBudget_busy(t *testing.T) {
	for name, do := range map[string]does{"list": list, "create": create} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var tenth atomic.Int64
				v := &vendor{api: func(w http.ResponseWriter, r *http.Request) {
					if tenth.Add(1)%2 == 0 { // every second request fails
						w.WriteHeader(http.StatusTooManyRequests)
						return
					}
					if r.Method == http.MethodGet {
						_, _ = w.Write([]byte("[]"))
						return
					}
					_, _ = w.Write([]byte(`{"status":"success"}`))
				}}
				c := v.start(t, nil)
				const calls = 2000
				start, failed := time.Now(), 0
				for range calls {
					if err := do(t.Context(), c); fault.Is(err, fault.Busy) {
						failed++
					} else if err != nil {
						t.Fatal(err)
					}
				}
				most := 10 + calls/10 + int(time.Since(start).Seconds()/10) + 1
				if got := len(v.seen()) - calls; got > most || got < most-3 {
					t.Errorf("repetitions = %d, want %d", got, most)
				}
				if failed == 0 {
					t.Error("no call failed: the budget was not reached")
				}
			})
		})
	}
}

// TestBudget_sharedWithTokens: fetches of a token draw on the same budget.
func TestBudget_sharedWithTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{token: status(429, "")}
		c := v.start(t, nil)
		const calls = 6
		for range calls {
			if err := meta(t.Context(), c); !fault.Is(err, fault.Busy) {
				t.Errorf("error = %v, want Busy", err)
			}
		}
		if got := v.fetches(); got < calls+10 || got > calls+12 {
			t.Errorf("fetches = %d, want %d and the 10 repetitions that were saved up", got, calls)
		}
	})
}
