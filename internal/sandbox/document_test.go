package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

// sampleToken is the body that Python's requests makes of the document's
// files=params: every parameter is a file, its name the parameter's.
const sampleToken = "--6a7cc81266064ee9e3e05226ef2f4356\r\n" +
	"Content-Disposition: form-data; name=\"grant_type\"; filename=\"grant_type\"\r\n\r\nclient_credentials\r\n" +
	"--6a7cc81266064ee9e3e05226ef2f4356\r\n" +
	"Content-Disposition: form-data; name=\"client_id\"; filename=\"client_id\"\r\n\r\nCLIENT_ID\r\n" +
	"--6a7cc81266064ee9e3e05226ef2f4356\r\n" +
	"Content-Disposition: form-data; name=\"client_secret\"; filename=\"client_secret\"\r\n\r\nCLIENT_SECRET\r\n" +
	"--6a7cc81266064ee9e3e05226ef2f4356\r\n" +
	"Content-Disposition: form-data; name=\"scope\"; filename=\"scope\"\r\n\r\nopenid\r\n" +
	"--6a7cc81266064ee9e3e05226ef2f4356--\r\n"

// sampleAccount is the body of the document's sample as json.dumps writes it.
const sampleAccount = `{"email": "reseller@waveresellersample.cloud", "notification": true, "meta": {` +
	`"usage_report_download": true, "usage_account_menu_fees_fee": false, "ri_utilization": false, ` +
	`"usage_account_menu_account_edit": false, "usage_account": true, "usage_account_graph": true, ` +
	`"usage_tag_graph": true, "usage_account_menu_fees_refund": false, "invoice_download_csv_merged": false, ` +
	`"invoice_download_csv_discount": false, "usage_account_menu_fees_other_fees": false, ` +
	`"usage_account_menu_fees_credit": false, "ri_purchased": false, "open_api": false, "dashboard_graph": true, ` +
	`"usage_group": true, "report_filters": false, "usage_tag": true, "ri_recommendation": false, "invoice": false, ` +
	`"usage_crosstag_graph": true, "users_management": false, "usage_account_menu_budget": false, ` +
	`"usage_account_menu_budget_edit": false, "usage_group_graph": true, "usage_crosstag": true, ` +
	`"aq_coverage_ratio": false, "aq_sp_management": false, "aq_right_sizing": false, "aq_ri_sp_instances": false, ` +
	`"aq_ri_management": false, "sp_purchased": false, "aq_scheduling": false, "aqua_link": false}, ` +
	`"company_id": "{company_id}", "input_type": "Auto"}`

// The Python sample of the API's document, byte for byte, against the sandbox.
func TestDocument_samplesCreateAnAccount(t *testing.T) {
	clients := []struct{ name, id, secret, query string }{
		{"as it is printed", "{client_id}", "{client_secret}", "client_id=%7Bclient_id%7D&client_secret=%7Bclient_secret%7D"},
		{"with the client filled in", "demo", "demo-secret", "client_id=demo&client_secret=demo-secret"},
	}
	for _, tt := range clients {
		t.Run(tt.name, func(t *testing.T) {
			a := start(t, sandbox.Options{Accounts: 3})

			form := strings.NewReplacer("CLIENT_ID", tt.id, "CLIENT_SECRET", tt.secret).Replace(sampleToken)
			token := a.send(a.request(http.MethodPost,
				sandbox.TokenPath+"?grant_type=client_credentials&"+tt.query+"&scope=openid", form,
				"Content-Type", "multipart/form-data; boundary=6a7cc81266064ee9e3e05226ef2f4356",
				"User-Agent", "python-requests/2.34.2", "Accept", "*/*"))
			a.wantStatus(token, http.StatusOK, "")
			var r map[string]any
			if err := json.Unmarshal([]byte(token.body), &r); err != nil {
				t.Fatal(err)
			}

			created := a.send(a.request(http.MethodPost, sandbox.BasePath+"reseller", sampleAccount,
				"Content-Type", "application/json;",
				"Authorization", r["token_type"].(string)+" "+r["access_token"].(string)))
			a.wantStatus(created, http.StatusOK, succeeded)

			if a.s.Len() != 4 {
				t.Fatalf("accounts = %d, want one more than 3", a.s.Len())
			}
			got := a.account(3)
			if got.Email != "reseller@waveresellersample.cloud" || got.BillingGroup.CompanyID != "{company_id}" {
				t.Errorf("created %+v", got)
			}
			if got.Meta.State("aqua_link") != wave.Off || got.Meta.State("budgetalerts") != wave.Unset {
				t.Errorf("aqua_link = %v, budgetalerts = %v, want off as sent and unset as not sent",
					got.Meta.State("aqua_link"), got.Meta.State("budgetalerts"))
			}
		})
	}
}

func TestDocument_listHasTheFieldsInOrder(t *testing.T) {
	meta := wave.Defaults()
	for _, key := range []wave.Key{"aqua_link", "budgetalerts"} { // not in the document's list
		raw := map[wave.Key]json.RawMessage{}
		b, _ := json.Marshal(meta)
		json.Unmarshal(b, &raw)
		delete(raw, key)
		b, _ = json.Marshal(raw)
		json.Unmarshal(b, &meta)
	}
	a := start(t, sandbox.Options{})
	err := a.s.AddAccount(wave.Reseller{
		UserID: "userid1", Email: "alphaus-cloud@alphaus.cloud",
		BillingGroup: wave.BillingGroup{CompanyID: "company1", ID: "billing1", Name: "billingname1"},
		Registered:   time.Date(2020, 1, 1, 1, 0, 0, 0, time.UTC),
		Meta:         meta,
	})
	if err != nil {
		t.Fatal(err)
	}
	const documented = `[
{
"user_id":"userid1",
"billinggroup_id":"billing1",
"billinggroup_name":"billingname1",
"email":"alphaus-cloud@alphaus.cloud",
"company_id":"company1",
"update_time":null,
"password_update_time":null,
"wave_registered":"2020-01-01T10:00:00+09:00",
"meta": {
"aq_coverage_ratio":false,
"aq_ri_management":false,
"aq_ri_sp_instances":false,
"aq_right_sizing":false,
"aq_scheduling":false,
"aq_sp_management":false,
"dashboard_graph":true,
"usage_account":true,
"usage_account_graph":true,
"usage_account_menu_account_edit":false,
"usage_account_menu_budget":false,
"usage_account_menu_budget_edit":false,
"usage_account_menu_fees_fee":false,
"usage_account_menu_fees_credit":false,
"usage_account_menu_fees_refund":false,
"usage_account_menu_fees_other_fees":false,
"usage_report_download":true,
"usage_group":true,
"usage_group_graph":true,
"usage_tag":true,
"usage_tag_graph":true,
"usage_crosstag":true,
"usage_crosstag_graph":true,
"ri_purchased":true,
"ri_utilization":false,
"ri_recommendation":false,
"sp_purchased":false,
"invoice":false,
"invoice_download_csv_discount":false,
"invoice_download_csv_merged":false,
"open_api":false,
"users_management":false,
"report_filters":false
}
}
]`
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(documented)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), a.list()); diff != "" {
		t.Errorf("list (-document +sandbox):\n%s", diff)
	}
}

func TestDocument_tokenAnswer(t *testing.T) {
	a := start(t, sandbox.Options{})
	got := a.send(a.request(http.MethodPost, sandbox.TokenPath, tokenForm, "Content-Type", "application/x-www-form-urlencoded"))
	a.wantStatus(got, http.StatusOK, "")
	var body struct {
		IDToken      string `json:"id_token"`
		TokenType    string `json:"token_type"`
		ExpiresIn    int    `json:"expires_in"`
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
	}
	dec := json.NewDecoder(strings.NewReader(got.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&body); err != nil {
		t.Fatal(err)
	}
	if body.TokenType != "Bearer" || body.ExpiresIn != 86400 {
		t.Errorf("type %q for %d s, want Bearer for a day", body.TokenType, body.ExpiresIn)
	}
	for name, token := range map[string]string{"id": body.IDToken, "access": body.AccessToken, "refresh": body.RefreshToken} {
		if strings.Count(token, ".") != 2 {
			t.Errorf("%s token %q is not of the form of a JWT", name, token)
		}
	}
}
