package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/sandbox"
)

func TestToken_refusals(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	tests := []struct {
		name, query, contentType, body string
		status                         int
	}{
		{"a wrong secret", "", form, strings.Replace(tokenForm, "demo-secret", "x", 1), 401},
		{"a wrong client", "", form, strings.Replace(tokenForm, "=demo&", "=x&", 1), 401},
		{"another grant", "", form, strings.Replace(tokenForm, "client_credentials", "password", 1), 400},
		{"a client in the address only", "?" + tokenForm, form, "grant_type=client_credentials", 401},
		{"JSON", "", "application/json", `{"grant_type":"client_credentials"}`, 400},
		{"no content type", "", "", tokenForm, 400},
		{"a broken form", "", "multipart/form-data; boundary=b", "--b\r\n", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := start(t, sandbox.Options{})
			got := a.send(a.request(http.MethodPost, sandbox.TokenPath+tt.query, tt.body, "Content-Type", tt.contentType))
			a.wantStatus(got, tt.status, "")
			if !strings.HasPrefix(got.body, `{"error":"`) {
				t.Errorf("body = %s, want an OAuth error", got.body)
			}
		})
	}
	t.Run("GET", func(t *testing.T) {
		a := start(t, sandbox.Options{})
		a.wantStatus(a.send(a.request(http.MethodGet, sandbox.TokenPath, "")), 405, "")
	})
}

func TestToken_clientOfTheOptions(t *testing.T) {
	a := start(t, sandbox.Options{ClientID: "demo", ClientSecret: "demo-secret"})
	ask := func(id, secret string) int {
		body := "grant_type=client_credentials&client_id=" + id + "&client_secret=" + secret
		return a.send(a.request(http.MethodPost, sandbox.TokenPath, body, "Content-Type", "application/x-www-form-urlencoded")).status
	}
	if got := ask("demo", "demo-secret"); got != 200 {
		t.Errorf("the client = %d, want 200", got)
	}
	if got := ask("%7Bclient_id%7D", "%7Bclient_secret%7D"); got != 401 {
		t.Errorf("the document's placeholders = %d, want 401 where a client is set", got)
	}
}

func TestToken_isCheckedOnEveryCall(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1, BillingGroups: true})
	id := string(a.account(0).UserID)
	other := start(t, sandbox.Options{})

	for name, auth := range map[string]string{
		"none": "", "another server's": "Bearer " + other.token, "another scheme": "Basic " + a.token, "cut": "Bearer " + a.token[:40],
	} {
		for _, c := range [][3]string{
			{"POST", "reseller", ""},
			{"POST", "reseller", `{"email":"a@x.example","company_id":"c","input_type":"Auto"}`},
			{"DELETE", "reseller/" + id, ""},
			{"PUT", "reseller/" + id + "/meta", `{"meta":{}}`},
			{"PUT", "reseller/" + id + "/password", `{"input_type":"Auto"}`},
			{"GET", "billinggroup", ""},
		} {
			got := a.send(a.request(c[0], sandbox.BasePath+c[1], c[2], "Authorization", auth, "Content-Type", "application/json"))
			if got.status != 401 || !strings.HasPrefix(got.body, `{"code":"1401",`) {
				t.Errorf("%s %s with the token %s = %d %s, want 401", c[0], c[1], name, got.status, got.body)
			}
		}
	}
	for _, e := range a.s.Journal() {
		if e.Applied {
			t.Errorf("applied without a token: %+v", e)
		}
	}
	if a.s.Len() != 1 {
		t.Errorf("accounts = %d, want 1", a.s.Len())
	}
}

func TestToken_ends(t *testing.T) {
	clock := time.Date(2026, 11, 22, 19, 0, 0, 0, japan)
	now := clock
	a := start(t, sandbox.Options{TokenLife: time.Hour, Now: func() time.Time { return now }})
	status := func() int { return a.call(http.MethodPost, "reseller", "").status }

	now = clock.Add(time.Hour - time.Second)
	if got := status(); got != 200 {
		t.Errorf("within its life = %d, want 200", got)
	}
	now = clock.Add(time.Hour)
	if got := status(); got != 401 {
		t.Errorf("after its life = %d, want 401", got)
	}
	for name, end := range map[string]func(){"revoked": a.s.RevokeTokens, "expired": a.s.ExpireTokens} {
		a.token = a.newToken()
		if got := status(); got != 200 {
			t.Errorf("a new token = %d, want 200", got)
		}
		end()
		if got := status(); got != 401 {
			t.Errorf("%s = %d, want 401", name, got)
		}
	}
}
