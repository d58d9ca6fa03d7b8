package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"waveadmin/internal/sandbox"
)

func TestControl_journal(t *testing.T) {
	a := start(t, sandbox.Options{})
	a.list()
	a.newToken()
	a.list()

	read := func(query string) []sandbox.Entry {
		got := a.send(a.request(http.MethodGet, "/_sandbox/journal"+query, ""))
		var entries []sandbox.Entry
		if err := json.Unmarshal([]byte(got.body), &entries); err != nil {
			t.Fatalf("%+v: %v", got, err)
		}
		return entries
	}
	if got := read(""); len(got) != 3 || got[1].Op != "token" || string(got[1].Body) != tokenForm {
		t.Errorf("journal = %+v, want list, token, list, and nothing of its own", got)
	}
	if got := read("?op=list"); len(got) != 2 {
		t.Errorf("lists = %+v, want 2", got)
	}
	if got := read("?op=list&after=2"); len(got) != 1 || got[0].Seq != 4 {
		t.Errorf("lists after 2 = %+v, want the one with 4", got)
	}
	if got := read("?after=4"); got == nil || len(got) != 0 {
		t.Errorf("after the end = %#v, want an empty array", got)
	}
}

func TestControl_faults(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1})
	a.wantStatus(a.control("faults", `{"op":"delete","nth":1,"when":"after","status":503,"header":{"Retry-After":["2"]},"body":"x","delay":"1ms"}`), 200, succeeded)

	got := a.call(http.MethodDelete, "reseller/"+string(a.account(0).UserID), "")
	a.wantStatus(got, 503, "x")
	if got.header.Get("Retry-After") != "2" || a.s.Len() != 0 {
		t.Errorf("header = %v with %d accounts, want Retry-After 2 and the account gone", got.header, a.s.Len())
	}

	a.wantStatus(a.control("faults", `{"status":500}`), 200, succeeded)
	a.wantStatus(a.control("faults", `{"clear":true,"op":"list","status":502}`), 200, succeeded)
	a.wantStatus(a.call(http.MethodPost, "reseller", ""), 502, "")
	a.wantStatus(a.control("faults", `{"clear":true}`), 200, succeeded)
	a.wantStatus(a.call(http.MethodPost, "reseller", ""), 200, "")
}

func TestControl_state(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 3})
	id, second := string(a.account(0).UserID), string(a.account(1).UserID)
	do := func(body string) {
		t.Helper()
		a.wantStatus(a.control("state", body), 200, succeeded)
	}

	do(`{"do":"set_flag","user_id":"` + id + `","key":"new_in_2027","value":{"a": 1}}`)
	if got, _ := a.s.Record(a.account(0).UserID); !strings.Contains(got, `"new_in_2027":{"a": 1}`) {
		t.Errorf("record = %s, want the flag", got)
	}
	do(`{"do":"set_flag","user_id":"` + id + `","key":"new_in_2027"}`)
	do(`{"do":"replace_record","user_id":"` + second + `","record":"{\"user_id\":null}"}`)
	do(`{"do":"add_record","record":"17"}`)
	do(`{"do":"remove_account","user_id":"` + id + `"}`)
	if got := a.list(); !strings.HasPrefix(got, `[{"user_id":null},{`) || !strings.HasSuffix(got, `},17]`) {
		t.Errorf("list = %s", got)
	}
	do(`{"do":"reset_journal"}`)
	if n := len(a.s.Journal()); n != 0 {
		t.Errorf("journal has %d entries, want none", n)
	}
	for _, act := range []string{"revoke_tokens", "expire_tokens"} {
		a.token = a.newToken()
		do(`{"do":"` + act + `"}`)
		a.wantStatus(a.call(http.MethodPost, "reseller", ""), 401, "")
	}
}

func TestControl_refusals(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1})
	for _, tt := range []struct{ path, body string }{
		{"faults", `{}`},
		{"faults", `{"op":"list"}`},
		{"faults", `{"status":100}`},
		{"faults", `{"status":500,"when":"sometime"}`},
		{"faults", `{"delay":"soon"}`},
		{"faults", `{"statuss":500}`},
		{"faults", `{`},
		{"state", `{}`},
		{"state", `{"do":"fly"}`},
		{"state", `{"do":"set_flag","user_id":"nobody","key":"invoice","value":true}`},
		{"state", `{"do":"remove_account","user_id":"nobody"}`},
		{"state", `{"do":"replace_record","user_id":"nobody"}`},
	} {
		got := a.control(tt.path, tt.body)
		if got.status != 400 || !strings.HasPrefix(got.body, `{"error":"`) {
			t.Errorf("%s %s = %d %s, want 400 with an error", tt.path, tt.body, got.status, got.body)
		}
	}
	form := a.send(a.request(http.MethodPost, "/_sandbox/state", `{"do":"revoke_tokens"}`, "Content-Type", "text/plain"))
	a.wantStatus(form, 400, "")
	a.wantStatus(a.send(a.request(http.MethodGet, "/_sandbox/else", "")), 404, "")
	a.wantStatus(a.call(http.MethodPost, "reseller", ""), 200, "")

	far := httptest.NewRequest(http.MethodGet, "/_sandbox/journal", nil) // from 192.0.2.1
	rec := httptest.NewRecorder()
	a.s.ServeHTTP(rec, far)
	if rec.Code != http.StatusForbidden {
		t.Errorf("from another machine = %d, want 403", rec.Code)
	}
}
