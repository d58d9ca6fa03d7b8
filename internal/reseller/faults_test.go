package reseller_test

import (
	"net/http"
	"testing"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
)

// These tests go through everything that the API can do wrong, for each of the four
// writes: what the caller is told, what is recorded in the end, how often the API
// was asked, and what it has. Elsewhere are
//
//   - which faults the client makes of which answers: TestFaults, TestRetryAfter and
//     TestToken_refusesOddAnswers of waveapi; how often it repeats what: TestRepetition,
//     TestBudget_busy and TestBreaker
//   - what a page says: TestAccount_faults of handlers
//   - connections that were used before: TestReusedConnection and TestStaleConnection
//     of waveapi
//   - an API that says success and did nothing, and others who write meanwhile:
//     TestService_ChangeMeta, TestService_Run_believesTheAnswerOfACreation and
//     TestService_Run_tellsFailedFromUnclear
//   - two people at once, crashes and a ledger that fails: the other tests here

const gateway = "<html><body>502 Bad Gateway</body></html>"

var (
	saved = each(outcome{"", change.Done, 1, true})
	after = saved.again(2) // the first call surely did nothing

	// The answer was lost, again and again, and nothing was done.
	undoneUnheard = each(outcome{"uncertain", change.Failed, 1, false}).
			but(outcome{"uncertain", change.Failed, 3, false}, change.Meta, change.Delete).
			but(outcome{"uncertain", change.InDoubt, 1, false}, change.Password) // left to a person

	// The same, once: what may be done twice is, after a look.
	lostOnce = undoneUnheard.but(outcome{"", change.Done, 2, true}, change.Meta, change.Delete)

	// It was done, and the answer was lost.
	doneUnheard = saved.but(outcome{"uncertain", change.Done, 1, true}, change.Password)
)

// again is os with another number of calls.
func (os outcomes) again(calls int) outcomes {
	other := outcomes{}
	for kind, o := range os {
		o.calls = calls
		other[kind] = o
	}
	return other
}

func refusedAs(kind string, calls int) outcomes {
	return each(outcome{kind, change.Failed, calls, false})
}

func once(f sandbox.Fault) sandbox.Fault {
	f.Nth, f.Times = 1, 1
	return f
}

func afterwards(f sandbox.Fault) sandbox.Fault {
	f.When = sandbox.After
	return f
}

// TestFaults_ofTheWrite lets the write itself fail.
func TestFaults_ofTheWrite(t *testing.T) {
	type fault = sandbox.Fault
	tests := []struct {
		name  string
		fault fault
		want  outcomes
	}{
		{"nothing", fault{Header: http.Header{"X": {"y"}}}, saved},
		{"400", fault{Status: 400}, refusedAs("rejected", 1)},
		{"401", fault{Status: 401}, refusedAs("denied", 2)},
		{"401 once", once(fault{Status: 401}), after},
		{"403", fault{Status: 403}, refusedAs("denied", 1)},
		{"404", fault{Status: 404}, refusedAs("not_found", 1).but(outcome{"rejected", change.Failed, 1, false}, change.Create)},
		{"409", fault{Status: 409}, refusedAs("conflict", 1)},
		{"413", fault{Status: 413, Body: gateway}, refusedAs("rejected", 1)},
		{"302", fault{Status: 302, Header: http.Header{"Location": {sandbox.BasePath + "reseller"}}}, refusedAs("denied", 1)},
		{"429, again and again", fault{Status: 429}, refusedAs("busy", 4)},
		{"429 twice", fault{Status: 429, Nth: 1, Times: 2}, saved.again(3)},
		{"500", fault{Status: 500}, undoneUnheard},
		{"500 once", once(fault{Status: 500}), lostOnce},
		{"500, but done", afterwards(fault{Status: 500}), doneUnheard},
		{"501", fault{Status: 501}, undoneUnheard},
		{"502, a page", fault{Status: 502, Body: gateway}, undoneUnheard},
		{"502, a page, but done", afterwards(fault{Status: 502, Body: gateway}), doneUnheard},
		{"503 with a pause", fault{Status: 503, Header: http.Header{"Retry-After": {"30"}}}, undoneUnheard},
		{"504, but done", afterwards(fault{Status: 504}), doneUnheard},
		{"broken before the answer", fault{Reset: true}, undoneUnheard},
		{"broken before the answer, once", once(fault{Reset: true}), lostOnce},
		{"broken before the answer, but done", afterwards(fault{Reset: true}), doneUnheard},
		{"broken in the header", afterwards(fault{Reset: true, Cut: -1}), doneUnheard},
		{"broken in the answer", fault{Reset: true, Cut: 9}, undoneUnheard},
		{"broken in the answer, but done", afterwards(fault{Reset: true, Cut: 9}), doneUnheard},
		{"broken after the answer", afterwards(fault{Reset: true, Cut: 1 << 10}), saved},
		{"broken after a refusal", fault{Status: 400, Body: gateway, Reset: true, Cut: 5}, refusedAs("rejected", 1)},
		{"cut", fault{Cut: 9}, undoneUnheard},
		{"cut, but done", afterwards(fault{Cut: 9}), doneUnheard},
		{"silence, once", once(fault{Hang: true}), lostOnce.but(outcome{"uncertain", change.Failed, 1, false}, change.Meta, change.Delete)},
		{"silence, but done", afterwards(fault{Hang: true}), doneUnheard},
		{"silence in the answer, but done", afterwards(fault{Hang: true, Cut: 9}), doneUnheard},
		{"a page", fault{Body: gateway}, undoneUnheard},
		{"a page, but done", afterwards(fault{Body: gateway}), doneUnheard},
		{"an empty answer", fault{Status: 200}, undoneUnheard},
		{"an empty answer, but done", afterwards(fault{Status: 200}), doneUnheard},
		{"204, but done", afterwards(fault{Status: 204}), doneUnheard},
		{"null", fault{Body: "null"}, undoneUnheard},
		{"no success", fault{Body: `{"status":"error"}`}, undoneUnheard},
		{"success twice, but done", afterwards(fault{Body: `{"status":"success","status":"success"}`}), doneUnheard},
	}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		url := e.Ready(t)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				onEachWrite(t, url, func(r *rig) {
					f := tt.fault
					f.Op = r.op
					r.wave.Fail(f)
					r.check(r.do(), tt.want)
				})
			})
		}
	})
}

// TestFaults_pauses: for how long Wave wants to be left alone.
func TestFaults_pauses(t *testing.T) {
	date := func(d time.Duration) func() string {
		return func() string { return time.Now().Add(d).UTC().Truncate(time.Second).Format(http.TimeFormat) }
	}
	text := func(s string) func() string { return func() string { return s } }
	tests := []struct {
		name       string
		retryAfter func() string // nil for none
		pause      time.Duration // until the write is done, but for a second
		left       time.Duration // told to the caller at once, instead
	}{
		{"none named", nil, 0, 0},
		{"0", text("0"), 0, 0},
		{"seconds", text("7"), 7 * time.Second, 0},
		{"a date", date(10 * time.Second), 9 * time.Second, 0},
		{"a date of the past", date(-time.Hour), 0, 0},
		{"nonsense", text("soon"), 0, 0},
		{"a fraction", text("1.5"), 0, 0},
		{"less than nothing", text("-7"), 0, 0},
		{"longer than a person waits", text("30"), 0, 30 * time.Second},
		{"huge", text("99999999999999999999"), 0, time.Minute},
		{"a date of another year", date(365 * 24 * time.Hour), 0, time.Minute},
	}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		url := e.Ready(t)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				onEachWrite(t, url, func(r *rig) {
					f := sandbox.Fault{Op: r.op, Nth: 1, Status: 429, Body: gateway}
					if tt.retryAfter != nil {
						f.Header = http.Header{"Retry-After": {tt.retryAfter()}}
					}
					r.wave.Fail(f)
					asked := time.Now()
					err := r.do()
					if took := time.Since(asked); took < tt.pause || took > tt.pause+1500*time.Millisecond {
						r.errorf("it took %v, want %v and a little", took, tt.pause)
					}
					if left := retryAfter(err); left != tt.left {
						r.errorf("told to wait %v, want %v", left, tt.left)
					}
					want := after
					if tt.left > 0 {
						want = refusedAs("busy", 1)
					}
					r.check(err, want)
				})
			})
		}
	})
}
