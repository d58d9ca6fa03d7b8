package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/sandbox"
)

func TestJournal_hasEveryRequestInOrder(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 1, BillingGroups: true})
	id := string(a.account(0).UserID)
	a.call(http.MethodPost, "reseller", "")
	a.call(http.MethodGet, "billinggroup", "")
	a.call(http.MethodPut, "reseller/"+id+"/meta", `{"meta":{"a%":true}}`)
	a.call(http.MethodPut, "reseller/"+id+"/password", `{"input_type":"Auto"}`)
	a.call(http.MethodDelete, "reseller/"+id, "")
	a.call(http.MethodDelete, "reseller/x%2Fy", "")
	a.call(http.MethodPost, "reseller", `{}`)
	a.newToken()
	a.call(http.MethodGet, "x?a=b", "")

	type line struct {
		op, method, path, id string
		status               int
		applied              bool
		body                 string
	}
	base := sandbox.BasePath
	want := []line{
		{"list", "POST", base + "reseller", "", 200, false, ""},
		{"billinggroups", "GET", base + "billinggroup", "", 200, false, ""},
		{"meta", "PUT", base + "reseller/" + id + "/meta", id, 200, true, `{"meta":{"a%":true}}`},
		{"password", "PUT", base + "reseller/" + id + "/password", id, 200, true, `{"input_type":"Auto"}`},
		{"delete", "DELETE", base + "reseller/" + id, id, 200, true, ""},
		{"delete", "DELETE", base + "reseller/x%2Fy", "x/y", 404, false, ""},
		{"create", "POST", base + "reseller", "", 400, false, `{}`},
		{"token", "POST", sandbox.TokenPath, "", 200, false, tokenForm},
		{"unknown", "GET", base + "x", "", 404, false, ""},
	}
	var got []line
	for i, e := range a.s.Journal() {
		got = append(got, line{e.Op, e.Method, e.Path, e.UserID, e.Status, e.Applied, string(e.Body)})
		if e.Seq != i+2 || e.At.IsZero() || e.Fault { // the first was the token of start
			t.Errorf("entry %d: %+v", i, e)
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	if got := a.s.Count("delete"); got != 2 {
		t.Errorf("deletes = %d, want 2", got)
	}
}

func TestJournal_hasNoToken(t *testing.T) {
	a := start(t, sandbox.Options{})
	a.list()
	a.list()
	a.token = a.newToken()
	a.list()

	var seen []string
	for _, e := range a.s.Journal() {
		if b, _ := json.Marshal(e); strings.Contains(string(b), a.token) {
			t.Errorf("entry %+v shows the token", e)
		}
		if e.Op == sandbox.OpList {
			seen = append(seen, e.Header.Get("Authorization"))
		}
	}
	if len(seen) != 3 || seen[0] != seen[1] || seen[1] == seen[2] || !strings.HasPrefix(seen[0], "Bearer sha256:") {
		t.Errorf("authorizations = %q, want the same for the same token", seen)
	}
}

func TestJournal_reset(t *testing.T) {
	a := start(t, sandbox.Options{})
	a.list()
	a.s.ResetJournal()
	if got := a.s.Journal(); len(got) != 0 || a.s.Count(sandbox.OpList) != 0 {
		t.Errorf("journal = %v with %d lists, want none", got, a.s.Count(sandbox.OpList))
	}
	a.list()
	if e := a.journal(sandbox.OpList); e.Seq != 3 {
		t.Errorf("seq = %d, want it to go on with 3", e.Seq)
	}
}

func TestJournal_underLoad(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 8, Seed: 5})
	var wg sync.WaitGroup
	for i, account := range a.s.Accounts() {
		wg.Go(func() {
			for range 20 {
				a.call(http.MethodPut, "reseller/"+string(account.UserID)+"/meta", `{"meta":{"invoice":true}}`)
				a.call(http.MethodPost, "reseller", "")
				if err := a.s.SetFlag(account.UserID, "open_api", "true"); err != nil {
					t.Error(i, err)
				}
				a.s.Journal()
			}
		})
	}
	wg.Wait()
	for i, e := range a.s.Journal() {
		if e.Seq != i+2 || e.Status != 200 || e.Applied != (e.Op == sandbox.OpMeta) {
			t.Fatalf("entry %d = %+v", i, e)
		}
	}
	if m, l := a.s.Count(sandbox.OpMeta), a.s.Count(sandbox.OpList); m != 160 || l != 160 {
		t.Errorf("%d metas and %d lists, want 160 each", m, l)
	}
}
