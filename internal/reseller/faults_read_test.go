package reseller_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
)

// A readFault is what can go wrong with a call that changes nothing.
type readFault struct {
	name  string
	fault sandbox.Fault
	told  string // to the caller of a write that needs it, when it goes on
	firm  bool   // once is enough: it is not asked for again
}

var faultsOfReads = []readFault{
	{"403", sandbox.Fault{Status: 403}, "denied", true},
	{"404", sandbox.Fault{Status: 404}, "denied", false}, // the other way to list is tried
	{"302", sandbox.Fault{Status: 302}, "denied", true},
	{"429", sandbox.Fault{Status: 429}, "busy", false},
	{"500", sandbox.Fault{Status: 500}, "unavailable", false},
	{"502, a page", sandbox.Fault{Status: 502, Body: gateway}, "unavailable", false},
	{"503 with a pause", sandbox.Fault{Status: 503, Header: http.Header{"Retry-After": {"2"}}}, "unavailable", false},
	{"broken before the answer", sandbox.Fault{Reset: true}, "unavailable", false},
	{"broken in the header", sandbox.Fault{Reset: true, Cut: -1}, "unavailable", false},
	{"broken in the answer", sandbox.Fault{Reset: true, Cut: 300}, "unavailable", false},
	{"cut", sandbox.Fault{Cut: 300}, "unavailable", false},
	{"cut before its last byte", sandbox.Fault{Body: "[]", Cut: 1}, "unavailable", false},
	{"silence", sandbox.Fault{Hang: true}, "unavailable", false},
	{"silence in the answer", sandbox.Fault{Hang: true, Cut: 300}, "unavailable", false},
	{"a page", sandbox.Fault{Body: gateway}, "unavailable", false},
	{"an empty answer", sandbox.Fault{Status: 200}, "unavailable", false},
	{"null", sandbox.Fault{Body: "null"}, "unavailable", false},
	{"the JSON of something else", sandbox.Fault{Body: `{"status":"success"}`}, "unavailable", false},
}

// TestFaults_ofTheList lets the list fail that a write reads before: nothing is
// sent, and pages go on showing what was known.
func TestFaults_ofTheList(t *testing.T) {
	tests := append(slices.Clone(faultsOfReads),
		readFault{"401", sandbox.Fault{Status: 401}, "denied", false},
		readFault{"409", sandbox.Fault{Status: 409}, "rejected", true},
	)
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		url := e.Ready(t)
		for _, tt := range tests {
			for _, goesOn := range []bool{true, false} {
				f, want := tt.fault, refusedAs(tt.told, 0)
				f.Op = sandbox.OpList
				if !goesOn {
					f = once(f)
					if !tt.firm {
						want = saved
					}
				}
				t.Run(fmt.Sprintf("%s, goes on %v", tt.name, goesOn), func(t *testing.T) {
					onEachWrite(t, url, func(r *rig) {
						r.wave.Fail(f)
						err := r.do()
						if err != nil {
							if snap, err := r.dir.Current(r.t.Context()); err != nil || snap.Len() != r.accounts {
								r.errorf("pages do not show the %d accounts that were known (%v)", r.accounts, err)
							}
						}
						r.check(err, want)
					})
				})
			}
		}
	})
}

// TestFaults_ofTheToken lets the token endpoint fail when a new token is needed.
func TestFaults_ofTheToken(t *testing.T) {
	const useless = "a token that the API refuses"
	tests := append(slices.Clone(faultsOfReads),
		readFault{"refused", sandbox.Fault{Status: 401, Body: `{"error":"invalid_client"}`}, "denied", true},
		readFault{"refused as a bad request", sandbox.Fault{Status: 400}, "denied", true},
		readFault{"refused as a conflict", sandbox.Fault{Status: 409}, "denied", true},
		readFault{"a token without life", sandbox.Fault{Body: `{"token_type":"Bearer","access_token":"abc","expires_in":0}`}, "unavailable", false},
		readFault{useless, sandbox.Fault{Body: `{"token_type":"Bearer","access_token":"abc","expires_in":60}`}, "denied", false},
	)
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		url := e.Ready(t)
		for _, tt := range tests {
			f := tt.fault
			f.Op = sandbox.OpToken
			t.Run(tt.name+", before the list", func(t *testing.T) {
				onEachWrite(t, url, func(r *rig) {
					r.wave.RevokeTokens()
					r.wave.Fail(f)
					r.check(r.do(), refusedAs(tt.told, 0))
				})
			})
			t.Run(tt.name+", before the write", func(t *testing.T) {
				calls := 1 // which was refused with 401
				if tt.name == useless {
					calls = 2
				}
				onEachWrite(t, url, func(r *rig) {
					r.beforeWrite = r.wave.RevokeTokens
					r.wave.Fail(f)
					r.check(r.do(), refusedAs(tt.told, calls))
				})
			})
		}
	})
}

// TestFaults_tokensThatEnd: as long as a new token is to be had, nobody notices.
func TestFaults_tokensThatEnd(t *testing.T) {
	tests := []struct {
		name string
		end  func(*rig)
		want outcomes
	}{
		{"revoked before", func(r *rig) { r.wave.RevokeTokens() }, saved},
		{"expired before, by Wave's clock", func(r *rig) { r.wave.ExpireTokens() }, saved},
		{"expired before, by ours", func(*rig) { time.Sleep(25 * time.Hour) }, saved},
		{"revoked between list and write", func(r *rig) {
			r.beforeWrite = func() { r.beforeWrite = nil; r.wave.RevokeTokens() }
		}, after},
		{"expired between list and write", func(r *rig) {
			r.beforeWrite = func() { r.beforeWrite = nil; r.wave.ExpireTokens() }
		}, after},
		{"revoked, and the first try to get one fails", func(r *rig) {
			r.wave.RevokeTokens()
			r.wave.Fail(sandbox.Fault{Op: sandbox.OpToken, Nth: 1, Status: 500})
		}, saved},
		{"every new one revoked", func(r *rig) { r.beforeWrite = r.wave.RevokeTokens }, refusedAs("denied", 2)},
	}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		url := e.Ready(t)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				onEachWrite(t, url, func(r *rig) {
					tt.end(r)
					r.check(r.do(), tt.want)
				})
			})
		}
	})
}

// TestFaults_readingBack lets the list fail that tells what became of a write.
func TestFaults_readingBack(t *testing.T) {
	lists := map[string]sandbox.Fault{"500": {Status: 500}, "429": {Status: 429}, "cut": {Cut: 300}, "a page": {Body: gateway}, "silence": {Hang: true}}
	doubt := each(outcome{"uncertain", change.Done, 1, true})
	tests := []struct {
		name  string
		write *sandbox.Fault
		want  outcomes
	}{
		// The answer of a creation does not name the account.
		{"answered", nil, saved.but(doubt[change.Create], change.Create)},
		{"lost", &sandbox.Fault{Reset: true}, each(outcome{"uncertain", change.Failed, 1, false}).but(undoneUnheard[change.Password], change.Password)},
		{"lost, but done", &sandbox.Fault{Reset: true, When: sandbox.After}, doubt},
		{"refused", &sandbox.Fault{Status: 400}, refusedAs("rejected", 1)},
	}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		url := e.Ready(t)
		for _, tt := range tests {
			for name, list := range lists {
				t.Run(tt.name+", the list: "+name, func(t *testing.T) {
					onEachWrite(t, url, func(r *rig) {
						f := list
						f.Op, f.Nth, f.Times = sandbox.OpList, 2, 1<<20
						r.wave.Fail(f)
						if tt.write != nil {
							f := *tt.write
							f.Op = r.op
							r.wave.Fail(f)
						}
						r.check(r.do(), tt.want)
					})
				})
			}
		}
	})
}
