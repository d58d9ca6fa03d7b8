package reseller_test

import (
	"strings"
	"testing"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

// record returns the text that the list has for an account.
func (r *rig) record(id wave.UserID) string {
	r.t.Helper()
	text, ok := r.wave.Record(id)
	if !ok {
		r.t.Fatalf("no account %s", id)
	}
	return text
}

// others returns the first n accounts but u1.
func (r *rig) others(n int) []wave.UserID {
	var ids []wave.UserID
	for _, a := range r.wave.Accounts() {
		if a.UserID != "u1" && len(ids) < n {
			ids = append(ids, a.UserID)
		}
	}
	return ids
}

// list lets the nth list have but n of the accounts, and not u1.
func (r *rig) list(nth, n int) {
	var records []string
	for _, id := range r.others(n) {
		records = append(records, r.record(id))
	}
	r.wave.Fail(sandbox.Fault{Op: sandbox.OpList, Nth: nth, Body: "[" + strings.Join(records, ",") + "]"})
}

// TestFaults_whatTheListSays: a list that came whole may still be strange.
func TestFaults_whatTheListSays(t *testing.T) {
	flawed := refusedAs("invalid", 0).but(saved["create"], "create")
	gone := refusedAs("not_found", 0).but(saved["create"], "create").but(outcome{"conflict", change.Failed, 0, false}, change.Meta)
	replaced := func(record string) func(*rig) {
		return func(r *rig) { r.wave.ReplaceRecord("u1", record) }
	}
	tests := []struct {
		name  string
		first func(*rig)
		want  outcomes
	}{
		{"the account twice", func(r *rig) { r.wave.AddRecord(r.record("u1")) }, flawed},
		{"another account twice", func(r *rig) { r.wave.AddRecord(r.record(r.others(1)[0])) }, saved},
		{"a record without an id", func(r *rig) { r.wave.AddRecord(`{"email":"x@example.com"}`) }, saved},
		{"a record that is none", func(r *rig) { r.wave.AddRecord(`7`) }, saved},
		{"no flags", replaced(`{"user_id":"u1","email":"u1@example.com","company_id":"c-u1"}`), flawed},
		{"null for flags", replaced(`{"user_id":"u1","email":"u1@example.com","company_id":"c-u1","meta":null}`), flawed},
		{"a list of flags", replaced(`{"user_id":"u1","email":"u1@example.com","company_id":"c-u1","meta":[]}`), flawed},
		{"a flag twice", replaced(`{"user_id":"u1","email":"u1@example.com","meta":{"open_api":true,"open_api":false}}`), refusedAs("unavailable", 0)},
		{"most accounts gone, once", func(r *rig) { r.list(1, 3) }, saved},
		{"all accounts gone, once", func(r *rig) { r.list(1, 0) }, saved},
		{"most accounts gone, then other ones", func(r *rig) { r.list(1, 3); r.list(2, 4) }, refusedAs("unavailable", 0)},
		{"most accounts gone, twice", func(r *rig) { r.list(1, 3); r.list(2, 3) }, gone},
		{"more than half really gone", func(r *rig) {
			for _, id := range r.others(14) {
				r.wave.RemoveAccount(id)
			}
		}, saved},
		{"the account among them", func(r *rig) {
			for _, id := range append(r.others(13), "u1") {
				r.wave.RemoveAccount(id)
			}
			r.removed = true
		}, gone},
	}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		url := e.Ready(t)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				onEachWrite(t, url, func(r *rig) {
					tt.first(r)
					r.check(r.do(), tt.want)
				})
			})
		}
	})
}

// TestFaults_oddFlags: a save leaves what it does not understand as it came, and
// sets what it is asked to set whatever that was.
func TestFaults_oddFlags(t *testing.T) {
	tests := []struct {
		key wave.Key // invoice is the one that is set
		raw string   // "" for a flag that is missing
	}{
		{"open_api", `null`},
		{"open_api", `"true"`},
		{"open_api", `1`},
		{"open_api", `{"a":[1,null]}`},
		{"open_api", ``},
		{"new_in_2027", `true`},
		{"new_in_2027", `null`},
		{"invoice", `null`},
		{"invoice", `"true"`},
		{"invoice", ``},
	}
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		url := e.Ready(t)
		for _, tt := range tests {
			t.Run(string(tt.key)+" "+tt.raw, func(t *testing.T) {
				onEachWrite(t, url, func(r *rig) {
					if err := r.wave.SetFlag("u1", tt.key, tt.raw); err != nil {
						r.t.Fatal(err)
					}
					r.check(r.do(), saved)
					a, there := r.wave.Get("u1")
					if !there || tt.key == "invoice" {
						return
					}
					raw := ""
					for key, value := range a.Meta.All() {
						if key == tt.key {
							raw = value
						}
					}
					if raw != tt.raw {
						r.errorf("%s is %q, and was %q", tt.key, raw, tt.raw)
					}
				})
			})
		}
	})
}

// TestFaults_away: nobody waits for an API that is known to be away, and who comes
// when it is back gets through.
func TestFaults_away(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		onEachWrite(t, e.Ready(t), func(r *rig) {
			r.wave.Fail(sandbox.Fault{Status: 503})
			for range 2 { // lists, each with its repetitions
				time.Sleep(time.Second)
				_, _ = r.dir.Refresh(r.t.Context())
			}
			asked, before := time.Now(), len(r.wave.Journal())
			err := r.do()
			if left := retryAfter(err); left <= 0 || left > 5*time.Second {
				r.errorf("told to wait %v", left)
			}
			if took, sent := time.Since(asked), len(r.wave.Journal())-before; took > 0 || sent > 0 {
				r.errorf("it took %v and %d calls to say so", took, sent)
			}
			r.check(err, refusedAs("unavailable", 0))
			time.Sleep(5 * time.Second)
			if err := r.do(); err != nil || !r.has(r) {
				r.errorf("after it is back: %v", err)
			}
		})
	})
}
