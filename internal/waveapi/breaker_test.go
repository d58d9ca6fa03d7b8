package waveapi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/waveapi"
)

const run = 8 // failures that open a breaker

// after serves n calls by first, and all later ones by then.
func after(n int, first, then http.HandlerFunc) http.HandlerFunc {
	return answers(append(slices.Repeat([]http.HandlerFunc{first}, n), then)...)
}

// wantAway asserts that do fails at once, without sending anything, and says for how long.
func wantAway(t *testing.T, v *vendor, c *waveapi.Client, do does, atMost time.Duration) {
	t.Helper()
	start, before, tokens := time.Now(), len(v.seen()), v.fetches()
	err := do(t.Context(), c)
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Unavailable || f.RetryAfter <= 0 || f.RetryAfter > atMost {
		t.Errorf("error = %v, want Unavailable for %v at most", err, atMost)
	}
	if took := time.Since(start); took != 0 {
		t.Errorf("it took %v to say so", took)
	}
	if sent := len(v.seen()) - before + v.fetches() - tokens; sent != 0 {
		t.Errorf("requests = %d, want none", sent)
	}
}

func TestBreaker(t *testing.T) {
	tests := []struct {
		name string
		bad  http.HandlerFunc // nil for a connection that is refused
		want fault.Kind       // of a write, the one that opens the breaker included
	}{
		{"500", status(500, ""), fault.Uncertain},
		{"503 that names a pause", status(503, "", "Retry-After: 30"), fault.Uncertain},
		{"broken off", dropped, fault.Uncertain},
		{"cut", cut, fault.Uncertain},
		{"timed out", silent, fault.Uncertain},
		{"not reached", nil, fault.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good := success(`{"status":"success"}`)
				v := &vendor{token: lastToken, api: good}
				tried := func() int { return len(v.seen()) }
				if tt.bad != nil {
					v.api = after(run+1, tt.bad, good)
				} else {
					v.dial = func(n int) error {
						if n > 1 && n <= 1+run+1 { // 1 is for the token
							return errRefused
						}
						return nil
					}
					tried = func() int { return v.dials - 1 }
				}
				c := v.start(t, nil)
				for range run {
					if tried() == run {
						break // what never left was repeated
					}
					if err := meta(t.Context(), c); !fault.Is(err, tt.want) {
						t.Fatalf("error = %v, want %v", err, tt.want)
					}
				}
				for _, do := range merged(reads, writes) {
					wantAway(t, v, c, do, 5*time.Second)
				}
				time.Sleep(5 * time.Second)
				if err := meta(t.Context(), c); !fault.Is(err, tt.want) {
					t.Errorf("the probe: %v, want %v", err, tt.want)
				}
				wantAway(t, v, c, list, 5*time.Second)
				if got := tried(); got != run+1 {
					t.Errorf("requests = %d, want %d and one probe", got, run)
				}
				time.Sleep(5 * time.Second)
				for range 3 {
					if err := meta(t.Context(), c); err != nil {
						t.Errorf("after it is back: %v", err)
					}
				}
			})
		})
	}
}

// A caller is not sent into a pause at whose end nothing would be sent.
func TestBreaker_endsRepetition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{token: lastToken, api: dropped}
		c := v.start(t, func(o *waveapi.Options) { o.RatePerSecond = 1000 })
		for range run - 1 {
			_ = meta(t.Context(), c)
		}
		start := time.Now()
		err := list(t.Context(), c)
		if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "not sent") {
			t.Errorf("error = %v, want the call's own", err)
		}
		if took, got := time.Since(start), len(v.seen()); took > 5*time.Millisecond || got != run {
			t.Errorf("took %v with %d requests, want %d", took, got, run)
		}
	})
}

// What says nothing of the other end's health, or that it is well, opens nothing.
func TestBreaker_countsNoOtherFailure(t *testing.T) {
	for name, api := range map[string]http.HandlerFunc{
		"400": status(400, ""), "401": status(401, ""), "403": status(403, ""), "404": status(404, ""), "409": status(409, ""),
		"429": status(429, ""), "501": status(501, ""), "a redirect": status(302, ""),
		"no JSON": success("<html>"), "an empty answer": success(""), "a success now and then": after(run-1, dropped, after(1, success(`{"status":"success"}`), after(run-1, dropped, status(400, "")))),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{api: api}
				c := v.start(t, nil)
				for range 2 * run {
					_ = meta(t.Context(), c)
				}
				if got := len(v.seen()); got < 2*run {
					t.Errorf("requests = %d, want %d at least", got, 2*run)
				}
			})
		})
	}
	t.Run("the caller left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := &vendor{api: silent}
			c := v.start(t, nil)
			for range 2 * run {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				if err := meta(ctx, c); !fault.Is(err, fault.Uncertain) {
					t.Errorf("error = %v, want Uncertain: it left", err)
				}
				cancel()
			}
			if got := len(v.seen()); got != 2*run {
				t.Errorf("requests = %d, want %d", got, 2*run)
			}
		})
	})
	t.Run("no time left to wait for the rate", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := &vendor{}
			c := v.start(t, func(o *waveapi.Options) { o.RatePerSecond = 1 })
			if err := meta(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			for range 2 * run {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				_ = meta(ctx, c)
				cancel()
			}
			if err := meta(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	})
}

// Of many who wait for the API one finds out whether it is back.
func TestBreaker_oneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{token: lastToken, api: after(run, dropped, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(10 * time.Second) // longer than the breaker's own pause
			io.WriteString(w, `{"status":"success"}`)
		})}
		c := v.start(t, nil)
		for range run {
			_ = meta(t.Context(), c)
		}
		time.Sleep(5 * time.Second)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := meta(t.Context(), c); err != nil {
				t.Errorf("the probe: %v", err)
			}
		})
		synctest.Wait()
		for range 3 {
			wantAway(t, v, c, meta, 5*time.Second)
			time.Sleep(3 * time.Second)
		}
		wg.Wait()
		if err := meta(t.Context(), c); err != nil {
			t.Error(err)
		}
	})
}

// A probe whose caller leaves has found out nothing: the next call is one.
func TestBreaker_probeIsHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		v := &vendor{token: lastToken, api: after(run, dropped, answers(silent, success(`{"status":"success"}`)))}
		c := v.start(t, func(o *waveapi.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		for range run {
			_ = meta(t.Context(), c)
		}
		time.Sleep(5 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := meta(ctx, c); !fault.Is(err, fault.Uncertain) {
			t.Errorf("the probe: %v, want Uncertain", err)
		}
		if err := meta(t.Context(), c); err != nil {
			t.Error(err)
		}
		for _, line := range []string{"wave is away", "wave is back"} {
			if got := strings.Count(log.String(), line); got != 1 {
				t.Errorf("%q is in the log %d times", line, got)
			}
		}
	})
}

// What was sent before the breaker opened and fails after it says nothing new.
func TestBreaker_lateFailuresAreOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{token: lastToken, api: after(1, silent, after(run, dropped, success(`{"status":"success"}`)))}
		c := v.start(t, nil)
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := meta(t.Context(), c); !fault.Is(err, fault.Uncertain) {
				t.Errorf("error = %v, want Uncertain", err)
			}
		})
		synctest.Wait()
		for range run {
			_ = meta(t.Context(), c)
		}
		wantAway(t, v, c, meta, 5*time.Second)
		wg.Wait()
		if took := time.Since(start); took != 15*time.Second {
			t.Errorf("the old call took %v", took)
		}
		if err := meta(t.Context(), c); err != nil {
			t.Errorf("the probe was due: %v", err)
		}
	})
}

// The host that issues tokens and the API can each be away alone.
func TestBreaker_tokensApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{token: answers(success(tokenAnswer(accessToken, 100)), status(503, ""))}
		c := v.start(t, nil)
		for range 95 { // renewal fails from second 80 on
			if err := meta(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(5 * time.Second) // the token is over
		_ = meta(t.Context(), c)
		wantAway(t, v, c, meta, 5*time.Second)
		if got := v.fetches(); got != 1+run {
			t.Errorf("fetches = %d, want %d", got, 1+run)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{token: success(tokenAnswer(accessToken, 10)), api: dropped}
		c := v.start(t, nil)
		for range run {
			_ = meta(t.Context(), c)
		}
		time.Sleep(time.Minute) // the token is over
		_ = meta(t.Context(), c)
		if got := v.fetches(); got != 2 {
			t.Errorf("fetches = %d, want 2: the token endpoint is well", got)
		}
	})
}
