package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

func TestSetFlag_isSomeoneOutside(t *testing.T) {
	clock := time.Date(2026, 11, 22, 19, 0, 0, 0, japan)
	a := start(t, sandbox.Options{Accounts: 1, Now: at(clock)})
	id := a.account(0).UserID
	for _, tt := range []struct {
		raw  string
		want wave.State
	}{{"true", wave.On}, {"false", wave.Off}, {`"true"`, wave.Odd}, {"null", wave.Odd}, {"true", wave.On}, {"", wave.Unset}} {
		if err := a.s.SetFlag(id, "invoice", tt.raw); err != nil {
			t.Fatal(err)
		}
		got, _ := a.s.Get(id)
		if state := got.Meta.State("invoice"); state != tt.want || !got.Updated.Equal(clock) {
			t.Errorf("after %q: invoice = %v, updated = %v, want %v now", tt.raw, state, got.Updated, tt.want)
		}
		record, _ := a.s.Record(id)
		if listed := strings.Contains(a.list(), record); !listed || strings.Contains(record, `"invoice":`+tt.raw) != (tt.raw != "") {
			t.Errorf("after %q: record = %s", tt.raw, record)
		}
	}
	if len(a.s.Journal()) != 6 {
		t.Errorf("journal = %d entries, want only the 6 lists", len(a.s.Journal()))
	}
	if err := a.s.SetFlag(id, "invoice", "yes"); err == nil {
		t.Error("a value that is no JSON is taken")
	}
	if err := a.s.SetFlag("nobody", "invoice", "true"); err == nil {
		t.Error("an unknown account is taken")
	}
}

func TestAddAccount_keepsHostileTexts(t *testing.T) {
	a := start(t, sandbox.Options{})
	hostile := wave.Reseller{
		UserID: `"><script>alert(1)</script>`, Email: "'\"\x00\u2028\\@x.example",
		BillingGroup: wave.BillingGroup{CompanyID: "c\n", ID: "=1+1", Name: "\u202e\xffa"},
		Meta:         wave.Meta{}.WithRaw(`</script>"`, []byte(`"\u0000"`)),
	}
	if err := a.s.AddAccount(hostile); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal([]byte(a.list()), &got); err != nil {
		t.Fatal(err)
	}
	if got[0]["user_id"] != string(hostile.UserID) || got[0]["email"] != hostile.Email ||
		got[0]["billinggroup_name"] != "\u202e\uFFFDa" || got[0]["meta"].(map[string]any)[`</script>"`] != "\x00" {
		t.Errorf("listed %q", got)
	}
	for name, again := range map[string]wave.Reseller{
		"the same id": {UserID: hostile.UserID, Email: "b@x.example"}, "the same email": {UserID: "b", Email: hostile.Email}, "no id": {Email: "c@x.example"},
	} {
		if err := a.s.AddAccount(again); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestRecords_standInTheListOnly(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 2})
	first, second := a.account(0), a.account(1)
	own, _ := a.s.Record(second.UserID)

	a.s.ReplaceRecord(first.UserID, `{"email":null}`)
	a.s.AddRecord(own)      // a duplicate
	a.s.AddRecord(`{"a":}`) // no JSON at all
	if got, want := a.list(), `[{"email":null},`+own+`,`+own+`,{"a":}]`; got != want {
		t.Errorf("list = %s, want %s", got, want)
	}
	if a.s.Len() != 4 || len(a.s.Accounts()) != 2 {
		t.Errorf("%d records and %d accounts, want 4 and 2", a.s.Len(), len(a.s.Accounts()))
	}

	a.wantStatus(a.call(http.MethodPut, "reseller/"+string(first.UserID)+"/meta", `{"meta":{"invoice":true}}`), 200, succeeded)
	if got := a.list(); !strings.HasPrefix(got, `[{"user_id":"`+string(first.UserID)+`",`) {
		t.Errorf("list = %s, want the account again once it was changed", got)
	}
	if !a.s.RemoveAccount(first.UserID) || a.s.RemoveAccount(first.UserID) || a.s.ReplaceRecord(first.UserID, "{}") {
		t.Error("an account is removed once, and then unknown")
	}
	if _, ok := a.s.Record(first.UserID); ok {
		t.Error("a removed account has a record")
	}
}
