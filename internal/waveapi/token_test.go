package waveapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/fault"
	"waveadmin/internal/waveapi"
)

func TestToken_request(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{token: func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseMultipartForm(1 << 10); err != nil || r.Method != http.MethodPost {
				t.Errorf("%s with %v, want a POST of a multipart form", r.Method, err)
			}
			want := map[string][]string{
				"grant_type": {"client_credentials"}, "client_id": {"demo"},
				"client_secret": {clientSecret}, "scope": {"openid"},
			}
			if diff := cmp.Diff(want, r.MultipartForm.Value); diff != "" {
				t.Errorf("form (-want +got):\n%s", diff)
			}
			if r.Header.Get("Authorization") != "" || r.URL.RawQuery != "" {
				t.Error("the secret or a token stands outside the form")
			}
			io.WriteString(w, `{"token_type":"bearer","access_token":"abc","expires_in":60}`)
		}}
		if err := meta(t.Context(), v.start(t, nil)); err != nil {
			t.Fatal(err)
		}
		if got := v.seen()[0].header.Get("Authorization"); got != "bearer abc" {
			t.Errorf("Authorization = %q, want the type and the token as they came", got)
		}
	})
}

func TestToken_isSharedByAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{token: func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			io.WriteString(w, tokenAnswer(accessToken, 60))
		}}
		c := v.start(t, nil)
		first, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := meta(first, c); !fault.Is(err, fault.Unavailable) {
				t.Errorf("the one who gave up: %v, want Unavailable", err)
			}
		})
		synctest.Wait()
		for range 20 {
			wg.Go(func() {
				if err := meta(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := v.fetches(); got != 1 {
			t.Errorf("fetches = %d, want 1", got)
		}
	})
}

func TestToken_isRenewedInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n int
		v := &vendor{token: func(w http.ResponseWriter, _ *http.Request) {
			if n++; n > 1 {
				time.Sleep(5 * time.Second) // longer than anyone should wait
			}
			io.WriteString(w, tokenAnswer(fmt.Sprintf("token-%d", n), 100))
		}}
		c := v.start(t, nil)
		at := func(d time.Duration, wantToken string, wantFetches int) {
			t.Helper()
			time.Sleep(d)
			start := time.Now()
			if err := meta(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			seen := v.seen()
			if got := seen[len(seen)-1].header.Get("Authorization"); got != "Bearer "+wantToken {
				t.Errorf("Authorization = %q, want %s", got, wantToken)
			}
			synctest.Wait()
			if got := v.fetches(); got != wantFetches {
				t.Errorf("fetches = %d, want %d", got, wantFetches)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("the call waited %v", took)
			}
		}
		at(0, "token-1", 1)
		at(79*time.Second, "token-1", 1)
		at(2*time.Second, "token-1", 2) // past 80 %: fetched beside
		at(2*time.Second, "token-1", 2) // still under way
		at(6*time.Second, "token-2", 2)
		time.Sleep(200 * time.Second) // long expired
		if err := meta(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if got := v.fetches(); got != 3 {
			t.Errorf("fetches = %d, want 3", got)
		}
	})
}

func TestToken_keepsTheOldOneWhileRenewalFails(t *testing.T) {
	for code, want := range map[int]int{
		400: 1 + 5,         // at 800 s and every 30 s
		500: 1 + 4 + 4 + 3, // two fetches with all repetitions open the breaker, later ones are its probes
	} {
		synctest.Test(t, func(t *testing.T) {
			v := &vendor{token: answers(success(tokenAnswer("old", 1000)), status(code, ""))}
			c := v.start(t, nil)
			for range 190 { // 950 s of 1000
				if err := meta(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
			}
			if got := v.fetches(); got != want {
				t.Errorf("status %d: requests = %d, want %d: one fetch in 30 s from second 800 on", code, got, want)
			}
		})
	}
}

func TestUnauthorized_refreshesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n int
		v := &vendor{
			token: func(w http.ResponseWriter, _ *http.Request) {
				n++
				io.WriteString(w, tokenAnswer(fmt.Sprintf("token-%d", n), 1000))
			},
			api: func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Second) // so that all calls use the first token
				if r.Header.Get("Authorization") == "Bearer token-1" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				io.WriteString(w, `{"status":"success"}`)
			},
		}
		c := v.start(t, nil)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := create(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := v.fetches(); got != 2 {
			t.Errorf("fetches = %d, want one for the start and one for the eight 401s", got)
		}
		if got := len(v.seen()); got != 16 {
			t.Errorf("requests = %d, want 8 refused and 8 repeated", got)
		}
	})
}

// When brand-new tokens are refused too, another one does not help.
func TestUnauthorized_doesNotFetchForEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{api: status(401, "")}
		c := v.start(t, nil)
		for range 10 {
			if err := meta(t.Context(), c); !fault.Is(err, fault.Denied) {
				t.Errorf("error = %v, want Denied", err)
			}
		}
		if got := v.fetches(); got != 2 {
			t.Errorf("fetches = %d, want 2", got)
		}
		time.Sleep(31 * time.Second)
		meta(t.Context(), c)
		if got := v.fetches(); got != 3 {
			t.Errorf("fetches = %d half a minute later, want 3", got)
		}
	})
}

func TestTokenRefusal_isRememberedFor30Seconds(t *testing.T) {
	for _, code := range []int{400, 401, 403, 404, 302} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{token: answers(
					status(code, `{"error":"invalid_client"}`, "Location: /m/ripple/elsewhere"), success(tokenAnswer(accessToken, 60)),
				)}
				c := v.start(t, nil)
				for range 29 {
					if err := meta(t.Context(), c); !fault.Is(err, fault.Denied) {
						t.Fatalf("error = %v, want Denied", err)
					}
					time.Sleep(time.Second)
				}
				if got := v.fetches(); got != 1 {
					t.Errorf("fetches in 30 s = %d, want 1", got)
				}
				time.Sleep(2 * time.Second)
				if err := meta(t.Context(), c); err != nil {
					t.Error(err)
				}
				if got := len(v.seen()); got != 1 {
					t.Errorf("requests = %d, want 1: none without a token, none after a redirect", got)
				}
			})
		})
	}
}

func TestTokenFailure_isRepeated(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{
		"500": status(500, ""), "dropped": dropped, "429": status(429, "", "Retry-After: 2"), "a page": success("<html>"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{token: answers(bad, bad, success(tokenAnswer(accessToken, 60)))}
				if err := meta(t.Context(), v.start(t, nil)); err != nil {
					t.Fatal(err)
				}
				if got := v.fetches(); got != 3 {
					t.Errorf("fetches = %d, want 3", got)
				}
			})
		})
	}
}

func TestToken_refusesOddAnswers(t *testing.T) {
	tests := map[string]string{
		"no JSON":               `<html>`,
		"a list":                `[]`,
		"no token":              `{"token_type":"Bearer","expires_in":60}`,
		"no type":               `{"access_token":"abc","expires_in":60}`,
		"a line break":          `{"token_type":"Bearer","access_token":"abc\r\nX: y","expires_in":60}`,
		"a space":               `{"token_type":"Bearer","access_token":"a bc","expires_in":60}`,
		"Japanese":              `{"token_type":"Bearer","access_token":"値","expires_in":60}`,
		"a number":              `{"token_type":"Bearer","access_token":123456,"expires_in":60}`,
		"two tokens":            `{"token_type":"Bearer","access_token":"abc","access_token":"abd","expires_in":60}`,
		"another case":          `{"Token_type":"Bearer","Access_token":"abc","expires_in":60}`,
		"no life":               `{"token_type":"Bearer","access_token":"abc"}`,
		"a negative life":       `{"token_type":"Bearer","access_token":"abc","expires_in":-1}`,
		"a life in words":       `{"token_type":"Bearer","access_token":"abc","expires_in":"long"}`,
		"a token without end":   `{"token_type":"Bearer","access_token":"` + strings.Repeat("a", 20<<10) + `","expires_in":60}`,
		"an answer without end": `{"token_type":"Bearer","access_token":"abc","expires_in":60,"x":"` + strings.Repeat("a", 64<<10) + `"}`,
		"more after its end":    `{"token_type":"Bearer","access_token":"abc","expires_in":60} {}`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{token: success(body)}
				err := meta(t.Context(), v.start(t, nil))
				if !fault.Is(err, fault.Unavailable) {
					t.Errorf("error = %v, want Unavailable", err)
				}
				if err != nil && strings.Contains(err.Error(), "123456") {
					t.Errorf("error %q repeats the token", err)
				}
				if got := len(v.seen()); got != 0 {
					t.Errorf("requests = %d, want none", got)
				}
			})
		})
	}
}

func TestToken_believesInAWeekAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{token: success(`{"token_type":"Bearer","access_token":"abc","expires_in":1e300}`)}
		c := v.start(t, nil)
		for range 2 {
			if err := meta(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(8 * 24 * time.Hour)
		}
		if got := v.fetches(); got != 2 {
			t.Errorf("fetches = %d, want 2", got)
		}
	})
}

func TestClose_endsAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{token: silent}
		c := v.start(t, func(o *waveapi.Options) { o.Timeout = time.Hour })
		done := make(chan error)
		go func() { done <- meta(t.Context(), c) }()
		synctest.Wait()
		start := time.Now()
		c.Close()
		if err := <-done; !fault.Is(err, fault.Unavailable) {
			t.Errorf("error = %v, want Unavailable", err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %v", took)
		}
		if err := meta(t.Context(), c); !fault.Is(err, fault.Unavailable) {
			t.Errorf("after Close: %v, want Unavailable", err)
		}
	})
}
