package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

func TestList_methods(t *testing.T) {
	tests := []struct {
		method    sandbox.ListMethod
		get, post int
	}{
		{"", 405, 200},
		{sandbox.ListByPost, 405, 200},
		{sandbox.ListByGet, 200, 400}, // a POST is then a creation without a body
		{sandbox.ListByBoth, 200, 200},
	}
	for _, tt := range tests {
		t.Run("by "+string(tt.method), func(t *testing.T) {
			a := start(t, sandbox.Options{Accounts: 2, ListMethod: tt.method})
			if got := a.call(http.MethodGet, "reseller", "").status; got != tt.get {
				t.Errorf("GET = %d, want %d", got, tt.get)
			}
			if got := a.call(http.MethodPost, "reseller", "").status; got != tt.post {
				t.Errorf("POST without a body = %d, want %d", got, tt.post)
			}
			if got := a.call(http.MethodPost, "reseller", `{"email":"a@b.example","company_id":"c","input_type":"Auto"}`); got.status != 200 {
				t.Errorf("POST with a body = %+v, want a creation", got)
			}
			if a.s.Len() != 3 {
				t.Errorf("accounts = %d, want 3", a.s.Len())
			}
		})
	}
}

func TestList_ofNone(t *testing.T) {
	if got := start(t, sandbox.Options{}).list(); got != "[]" {
		t.Errorf("list = %q, want []", got)
	}
}

func TestCreate(t *testing.T) {
	clock := time.Date(2026, 11, 22, 10, 0, 0, 500, time.UTC)
	a := start(t, sandbox.Options{Accounts: 1, Now: at(clock)})
	known := a.account(0).BillingGroup

	body := `{"email":"new@globex.example.com","company_id":"` + known.CompanyID +
		`","input_type":"Custom","notification":true,"password":"12345678","meta":{"invoice":true,"new_in_2027":1}}`
	a.wantStatus(a.call(http.MethodPost, "reseller", body), 200, succeeded)

	got := a.account(1)
	if len(got.UserID) != 16 {
		t.Errorf("user id = %q, want 16 characters", got.UserID)
	}
	want := wave.Reseller{
		UserID: got.UserID, Email: "new@globex.example.com", BillingGroup: known,
		Registered: clock.Truncate(time.Second),
		Meta:       wave.Meta{}.With("invoice", true).WithRaw("new_in_2027", []byte("1")),
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameMeta)); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	if e := a.journal(sandbox.OpCreate); !e.Applied || e.Status != 200 || string(e.Body) != body {
		t.Errorf("journal = %+v, want it applied with its body", e)
	}
}

func sameMeta(a, b wave.Meta) bool { return len(wave.Diff(a, b)) == 0 }

func TestCreate_withoutMetaTakesTheDefaults(t *testing.T) {
	for _, meta := range []string{``, `,"meta":null`} {
		a := start(t, sandbox.Options{})
		a.wantStatus(a.call(http.MethodPost, "reseller", `{"email":"a@x.example","company_id":"c1","input_type":"Auto","notification":false,"password":null`+meta+`}`), 200, succeeded)
		if got := a.account(0); !sameMeta(got.Meta, wave.Defaults()) {
			t.Errorf("%s: meta = %v, want the defaults", meta, got.Meta)
		}
	}
}

func TestCreate_refuses(t *testing.T) {
	const ok = `{"email":"new@globex.example.com","company_id":"c1","input_type":"Auto","notification":true,"password":null}`
	change := func(from, to string) string { return strings.Replace(ok, from, to, 1) }
	const duplicate = `{"code":"5005","message":"account function exception","description":"Customer id already exists."}`

	a := start(t, sandbox.Options{})
	a.wantStatus(a.call(http.MethodPost, "reseller", change("new@", "old@")), 200, succeeded)
	tests := []struct{ name, body, want string }{
		{"an email that exists", change("new@", "old@"), duplicate},
		{"an email that exists in other letters", change("new@", "OLD@"), duplicate},
		{"no email", change("new@globex.example.com", ""), ""},
		{"an email without a domain", change("@globex.example.com", ""), ""},
		{"an email with a name", change("new@globex.example.com", "New <new@globex.example.com>"), ""},
		{"a long email", change("new@", strings.Repeat("n", 240)+"@"), ""},
		{"no company", change("c1", ""), ""},
		{"an input type of its own", change("Auto", "auto"), ""},
		{"no input type", change(`"input_type":"Auto",`, ""), ""},
		{"Auto with a password", change(`null`, `"12345678"`), ""},
		{"Custom without a password", change("Auto", "Custom"), ""},
		{"a short password", change(`"Auto","notification":true,"password":null`, `"Custom","password":"1234567"`), ""},
		{"a long password", change(`"Auto","notification":true,"password":null`, `"Custom","password":"1234567890123456789"`), ""},
		{"a notification that is no boolean", change("true", `"true"`), ""},
		{"a meta that is no object", change(`"password":null`, `"meta":[]`), ""},
		{"no JSON", `{"email"`, ""},
		{"two documents", ok + ok, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := a.call(http.MethodPost, "reseller", tt.body)
			a.wantStatus(got, 400, tt.want)
			if !strings.HasPrefix(got.body, `{"code":"`) {
				t.Errorf("body = %s, want an error of the API", got.body)
			}
			if a.s.Len() != 1 {
				t.Errorf("accounts = %d, want 1", a.s.Len())
			}
		})
	}
	t.Run("a form", func(t *testing.T) {
		req := a.request(http.MethodPost, sandbox.BasePath+"reseller", ok, "Authorization", "Bearer "+a.token, "Content-Type", "text/plain")
		a.wantStatus(a.send(req), 400, "")
	})
}

func TestDelete(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 3})
	gone, stay := a.account(1), []wave.Reseller{a.account(0), a.account(2)}

	a.wantStatus(a.call(http.MethodDelete, "reseller/"+string(gone.UserID), ""), 200, succeeded)
	a.wantStatus(a.call(http.MethodDelete, "reseller/"+string(gone.UserID), ""), 404, "")

	if diff := cmp.Diff(stay, a.s.Accounts(), cmp.Comparer(sameMeta)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if strings.Contains(a.list(), string(gone.UserID)) {
		t.Error("the list still has the account")
	}
	a.wantStatus(a.call(http.MethodPost, "reseller", `{"email":"`+gone.Email+`","company_id":"c","input_type":"Auto"}`), 200, succeeded)
}

func TestReplacePassword(t *testing.T) {
	clock := time.Date(2026, 11, 22, 19, 0, 0, 0, japan)
	a := start(t, sandbox.Options{Accounts: 1, Now: at(clock)})
	id := a.account(0).UserID

	a.wantStatus(a.call(http.MethodPut, "reseller/"+string(id)+"/password", `{"input_type":"Auto","notification":true,"password":null}`), 200, succeeded)
	a.wantStatus(a.call(http.MethodPut, "reseller/"+string(id)+"/password", `{"input_type":"Custom","notification":false,"password":"パスワード１２３"}`), 200, succeeded)
	a.wantStatus(a.call(http.MethodPut, "reseller/"+string(id)+"/password", `{"input_type":"Custom","password":"short"}`), 400, "")

	want := []wave.NewPassword{{Notify: true, Input: wave.Auto}, {Input: wave.Custom, Password: "パスワード１２３"}}
	if diff := cmp.Diff(want, a.s.Passwords(id)); diff != "" {
		t.Errorf("passwords (-want +got):\n%s", diff)
	}
	got, _ := a.s.Get(id)
	if !got.PasswordUpdated.Equal(clock) {
		t.Errorf("password updated = %v, want %v", got.PasswordUpdated, clock)
	}
	if list := a.list(); !strings.Contains(list, `"password_update_time":"2026-11-22T19:00:00+09:00"`) || strings.Contains(list, "パスワード") {
		t.Errorf("list = %s, want the time and no password", list)
	}
}

func TestReplaceMeta_dropsWhatIsNotSent(t *testing.T) {
	clock := time.Date(2026, 11, 22, 19, 0, 0, 0, japan)
	a := start(t, sandbox.Options{Accounts: 1, Now: at(clock)})
	id := a.account(0).UserID

	a.wantStatus(a.call(http.MethodPut, "reseller/"+string(id)+"/meta", `{"meta":{"invoice":true,"open_api":"true"}}`), 200, succeeded)

	if list := a.list(); !strings.Contains(list, `"meta":{"invoice":true,"open_api":"true"}}`) ||
		!strings.Contains(list, `"update_time":"2026-11-22T19:00:00+09:00"`) {
		t.Errorf("list = %s, want only the two flags, and the time", list)
	}
	for _, body := range []string{`{}`, `{"meta":null}`, `{"meta":{"invoice":true,"invoice":false}}`, ``} {
		a.wantStatus(a.call(http.MethodPut, "reseller/"+string(id)+"/meta", body), 400, "")
	}
}

func TestUnknownAccount(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1})
	const want = `{"code":"5004","message":"account function exception","description":"Customer id does not exist."}`
	a.wantStatus(a.call(http.MethodDelete, "reseller/nobody", ""), 404, want)
	a.wantStatus(a.call(http.MethodPut, "reseller/nobody/meta", `{"meta":{}}`), 404, want)
	a.wantStatus(a.call(http.MethodPut, "reseller/nobody/password", `{"input_type":"Auto"}`), 404, want)
}

func TestPath_isDecodedOnce(t *testing.T) {
	a := start(t, sandbox.Options{})
	for i, id := range []wave.UserID{"a/b", "a%2Fb", "..", "あ", "a b", "a+b", "?"} {
		if err := a.s.AddAccount(wave.Reseller{UserID: id, Email: string(rune('a'+i)) + "@x.example"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"a%2Fb", "a%252Fb", "%2E%2E", "%E3%81%82", "a%20b", "a+b", "%3F"} {
		a.wantStatus(a.call(http.MethodDelete, "reseller/"+path, ""), 200, succeeded)
	}
	if a.s.Len() != 0 {
		t.Errorf("left: %v", a.s.Accounts())
	}
}

func TestRoutes_unknown(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1, BillingGroups: true})
	tests := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "nothing", 404, ""},
		{"GET", "", 404, ""},
		{"POST", "reseller/", 404, ""},
		{"PUT", "reseller/x/y", 404, ""},
		{"PUT", "reseller/x/meta/y", 404, ""},
		{"PUT", "reseller", 405, "POST"},
		{"GET", "reseller/x", 405, "DELETE"},
		{"POST", "reseller/x/meta", 405, "PUT"},
		{"DELETE", "reseller/x/password", 405, "PUT"},
		{"POST", "billinggroup", 405, "GET"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			got := a.call(tt.method, tt.path, "")
			a.wantStatus(got, tt.status, "")
			if allow := got.header.Get("Allow"); allow != tt.allow {
				t.Errorf("Allow = %q, want %q", allow, tt.allow)
			}
		})
	}
	if got := a.s.Count(sandbox.OpUnknown); got != len(tests) {
		t.Errorf("unknown requests = %d, want %d", got, len(tests))
	}
}

func TestBillingGroups(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1})
	a.wantStatus(a.call(http.MethodGet, "billinggroup", ""), 403, "")

	a = start(t, sandbox.Options{Accounts: 1, BillingGroups: true})
	got := a.call(http.MethodGet, "billinggroup", "")
	a.wantStatus(got, 200, "")
	g := a.account(0).BillingGroup
	want := `{"company_id":"` + g.CompanyID + `","billinggroup_id":"` + g.ID + `","billinggroup_name":"` + g.Name + `","name":"` + g.Name + `"}`
	if !strings.Contains(got.body, want) {
		t.Errorf("groups = %s, want %s among them", got.body, want)
	}
	if n := len(a.s.Groups()); n < 4 || strings.Count(got.body, "company_id") != n {
		t.Errorf("%d groups, want some without an account, and all of them in %s", n, got.body)
	}
}
