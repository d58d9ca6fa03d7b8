package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/sandbox"
)

// ways are the ways in which a write can fail, with what its client sees.
var ways = []struct {
	name   string
	fault  sandbox.Fault
	status int // in the answer and in the journal
	body   string
	err    error
}{
	{"a status", sandbox.Fault{Status: 503}, 503, "", nil},
	{"a status with a body", sandbox.Fault{Status: 502, Body: "<html>"}, 502, "<html>", nil},
	{"a body with 200", sandbox.Fault{Body: "<html>"}, 200, "<html>", nil},
	{"a cut", sandbox.Fault{Cut: 9}, 200, succeeded[:9], io.ErrUnexpectedEOF},
	{"a cut after the header", sandbox.Fault{Cut: -1}, 200, "", io.ErrUnexpectedEOF},
	{"a cut with a status", sandbox.Fault{Status: 500, Body: "oops", Cut: 2}, 500, "oo", io.ErrUnexpectedEOF},
	{"a reset", sandbox.Fault{Reset: true}, 0, "", syscall.ECONNRESET},
	{"a reset in the body", sandbox.Fault{Reset: true, Cut: 9}, 200, "", syscall.ECONNRESET},
}

func TestFail_writeBeforeAndAfterItIsApplied(t *testing.T) {
	for _, when := range []sandbox.When{"", sandbox.Before, sandbox.After} {
		for _, way := range ways {
			t.Run(string(when)+" "+way.name, func(t *testing.T) {
				a := start(t, sandbox.Options{Accounts: 1})
				f := way.fault
				f.Op, f.When, f.Nth = sandbox.OpDelete, when, 1
				a.s.Fail(f)

				got := a.call(http.MethodDelete, "reseller/"+string(a.account(0).UserID), "")
				if !errors.Is(got.err, way.err) || got.err != nil && way.err == nil {
					t.Errorf("error = %v, want %v", got.err, way.err)
				}
				// What a reset leaves of the body is a matter of luck.
				if !f.Reset && (got.status != way.status || got.body != way.body) {
					t.Errorf("answer = %d %q, want %d %q", got.status, got.body, way.status, way.body)
				}
				applied := when == sandbox.After
				if left := a.s.Len() == 1; left == applied {
					t.Errorf("account left = %t, want %t", left, !applied)
				}
				if e := a.journal(sandbox.OpDelete); e.Applied != applied || e.Status != way.status || !e.Fault {
					t.Errorf("journal = %+v, want applied %t, status %d, fault", e, applied, way.status)
				}
			})
		}
	}
}

func TestFail_hangsUntilTheClientLeaves(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1})
	a.s.Fail(sandbox.Fault{Op: sandbox.OpDelete, When: sandbox.After, Hang: true})

	ctx, leave := context.WithCancel(t.Context())
	req := a.request(http.MethodDelete, sandbox.BasePath+"reseller/"+string(a.account(0).UserID), "", "Authorization", "Bearer "+a.token)
	answered := make(chan reply)
	go func() { answered <- a.send(req.WithContext(ctx)) }()
	for a.s.Len() == 1 {
		time.Sleep(time.Millisecond) // until the call is applied
	}
	leave()
	if got := <-answered; !errors.Is(got.err, context.Canceled) {
		t.Errorf("answer = %+v, want none", got)
	}
}

func TestFail_cancelLetsHangingCallsGo(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1})
	cancel := a.s.Fail(sandbox.Fault{Op: sandbox.OpList, Hang: true, Cut: 5})

	resp, err := http.DefaultClient.Do(a.request(http.MethodPost, sandbox.BasePath+"reseller", "", "Authorization", "Bearer "+a.token))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != `[{"us` {
		t.Errorf("start = %q (%v), want what Cut lets through", first, err)
	}
	cancel()
	cancel() // again is no harm
	if rest, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("rest = %q (%v), want a broken connection", rest, err)
	}
	a.wantStatus(a.call(http.MethodPost, "reseller", ""), 200, "")
}

func TestFail_whichCalls(t *testing.T) {
	tests := []struct {
		name       string
		nth, times int
		want       string // one character a call: x where it strikes
	}{
		{"every one", 0, 0, "xxxxx"},
		{"the next", 1, 0, "x...."},
		{"the third", 3, 0, "..x.."},
		{"the second and third", 2, 2, ".xx.."},
		{"the next two", 0, 2, "xx..."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := start(t, sandbox.Options{})
			a.s.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: tt.nth, Times: tt.times, Status: 500})
			var got strings.Builder
			for range tt.want {
				a.call(http.MethodDelete, "reseller/other", "") // does not count
				if a.call(http.MethodPost, "reseller", "").status == 500 {
					got.WriteByte('x')
				} else {
					got.WriteByte('.')
				}
			}
			if got.String() != tt.want {
				t.Errorf("struck %s, want %s", got.String(), tt.want)
			}
		})
	}
}

func TestFail_oneAccountOnly(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 2})
	a.s.Fail(sandbox.Fault{UserID: a.account(1).UserID, Status: 500})
	for i, want := range []int{200, 500} {
		if got := a.call(http.MethodPut, "reseller/"+string(a.account(i).UserID)+"/meta", `{"meta":{}}`).status; got != want {
			t.Errorf("account %d = %d, want %d", i, got, want)
		}
	}
}

func TestFail_everyOperation(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1, BillingGroups: true})
	a.s.Fail(sandbox.Fault{Status: 418})
	for _, path := range []string{sandbox.TokenPath, sandbox.BasePath + "reseller", sandbox.BasePath + "billinggroup", "/elsewhere"} {
		if got := a.send(a.request(http.MethodPost, path, "")).status; got != 418 {
			t.Errorf("%s = %d, want 418", path, got)
		}
	}
	a.s.ClearFaults()
	a.wantStatus(a.call(http.MethodPost, "reseller", ""), 200, "")
}

func TestFail_listIsCut(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 50})
	whole := a.list()
	a.s.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 1, Cut: 10_000})
	got := a.call(http.MethodPost, "reseller", "")
	if !errors.Is(got.err, io.ErrUnexpectedEOF) || got.body != whole[:10_000] {
		t.Errorf("%d bytes (%v), want the first 10,000 and a broken connection", len(got.body), got.err)
	}
}

func TestFail_severalAtOnce(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1})
	header := func(name, value string) sandbox.Fault {
		return sandbox.Fault{Op: sandbox.OpList, Header: http.Header{name: {value}}}
	}
	a.s.Fail(header("X-First", "1"))
	a.s.Fail(header("x-second", "2"))
	a.s.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Status: 503, Header: http.Header{"Retry-After": {"7"}}})
	a.s.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: 2, Status: 500, Times: 2})

	for i, want := range []int{200, 503, 500, 200} {
		got := a.call(http.MethodPost, "reseller", "")
		if got.status != want || got.header.Get("X-First") != "1" || got.header.Get("X-Second") != "2" {
			t.Errorf("call %d = %d %v, want %d with both headers", i+1, got.status, got.header, want)
		}
		if after := got.header.Get("Retry-After"); (after == "7") != (want == 503) {
			t.Errorf("call %d: Retry-After = %q", i+1, after)
		}
	}
}

// Times in a bubble: the handler is called without a network, and the clock
// moves only when everything waits.
func TestServe_latencyAndDelays(t *testing.T) {
	ask := func(t *testing.T, s *sandbox.Sandbox) time.Duration {
		began := time.Now()
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, sandbox.TokenPath, strings.NewReader(tokenForm))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		s.ServeHTTP(httptest.NewRecorder(), req)
		return time.Since(began)
	}
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New(sandbox.Options{Latency: 31 * time.Millisecond})
		if got := ask(t, s); got != 31*time.Millisecond {
			t.Errorf("a call took %v, want the latency of 31ms", got)
		}
		s.Fail(sandbox.Fault{Delay: time.Second, Times: 1})
		s.Fail(sandbox.Fault{Delay: time.Minute, When: sandbox.After, Times: 1})
		if got := ask(t, s); got != time.Minute+time.Second+31*time.Millisecond {
			t.Errorf("a call with two delays took %v, want their sum and the latency", got)
		}
		if got := ask(t, s); got != 31*time.Millisecond {
			t.Errorf("the call after them took %v, want the latency", got)
		}
	})
}

func TestServe_clientLeavesDuringTheLatency(t *testing.T) {
	tests := []struct {
		name    string
		after   time.Duration
		applied bool
	}{
		{"first half", 20 * time.Millisecond, false},
		{"second half", 80 * time.Millisecond, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := sandbox.New(sandbox.Options{Accounts: 1, Latency: 100 * time.Millisecond})
				token := tokenOf(t, s)
				ctx, cancel := context.WithTimeout(t.Context(), tt.after)
				defer cancel()
				req := httptest.NewRequestWithContext(ctx, http.MethodDelete, sandbox.BasePath+"reseller/"+string(s.Accounts()[0].UserID), nil)
				req.Header.Set("Authorization", "Bearer "+token)
				func() {
					defer func() {
						if p := recover(); p != http.ErrAbortHandler {
							t.Errorf("panic = %v, want ErrAbortHandler", p)
						}
					}()
					s.ServeHTTP(httptest.NewRecorder(), req)
				}()
				e := s.Journal()[1]
				if e.Applied != tt.applied || e.Status != 0 || (s.Len() == 0) != tt.applied {
					t.Errorf("journal = %+v with %d accounts, want applied %t and no status", e, s.Len(), tt.applied)
				}
			})
		})
	}
}
