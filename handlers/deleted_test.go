package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// deleted is a site where an account was deleted that had invoices and a function
// that the catalogue lacks, and not the dashboard graph.
func deleted(t *testing.T) (*testkit.Site, *testkit.Client, string) {
	t.Helper()
	s := testkit.Start(t, testkit.Options{Accounts: 3})
	c := s.SignedIn(t, testkit.Editor)
	a := accountOf("acme")
	a.Meta = a.Meta.With("invoice", true).With("dashboard_graph", false).With("new_in_2027", true)
	appear(t, s, c, a)
	wantStatus(t, c.Post("/resellers/acme/delete", url.Values{"confirm": {a.Email}}), http.StatusOK)
	return s, c, newest(t, c, "acme")
}

// TestGone: what is recorded of a deleted account can be read by all, and its
// address still says that it is not there.
func TestGone(t *testing.T) {
	s, editor, id := deleted(t)
	viewer := s.SignedIn(t, testkit.Viewer)
	for _, c := range []*testkit.Client{editor, viewer} {
		for path, status := range map[string]int{"": 404, "/history": 200} {
			p := c.Get("/resellers/acme" + path)
			wantStatus(t, p, status)
			wantText(t, p, "h1", "acme@example.co.jp")
			wantText(t, p, ".notice-line", strings.Split(says("gone.by", "name", editorName, "time", ""), " at ")[0])
			wantText(t, p, ".on-groups", "Invoices")
			wantText(t, p, ".on-groups", "new_in_2027")
			if strings.Contains(shown(p.Find(".on-groups")), "Dashboard graph") {
				t.Error("it did not have the dashboard graph on")
			}
			if got := ids(p.Selection); len(got) != 2 || got[0] != id {
				t.Errorf("the history is %v", got)
			}
			if n := p.Find(`a[href="/resellers/new?from_change=` + id + `"]`).Length(); (n == 1) != (c == editor) {
				t.Errorf("%d ways to issue it again", n)
			}
		}
		for _, path := range []string{"/details", "/password", "/delete"} {
			if p := c.Get("/resellers/acme" + path); c == editor && p.Status != http.StatusNotFound {
				t.Errorf("%s = %d", path, p.Status)
			}
		}
		for _, path := range []string{"", "/history"} { // of which nothing is recorded
			p := c.Get("/resellers/nobody" + path)
			wantStatus(t, p, http.StatusNotFound)
			wantText(t, p, "main", says("error.no_account"))
		}
	}
	wantText(t, editor.Get("/changes/"+id), `[data-testid="issue-again"]`, says("again.do"))
	if p := viewer.Get("/changes/" + id); p.Status != http.StatusOK || p.Find(`[data-testid="issue-again"]`).Length() > 0 {
		t.Errorf("a viewer gets %d, with a way to a form", p.Status)
	}
}

// TestIssueAgain: the form has the account as it was, and makes it anew.
func TestIssueAgain(t *testing.T) {
	s, c, id := deleted(t)
	p := c.Get("/resellers/new?from_change=" + id)
	wantStatus(t, p, http.StatusOK)
	wantText(t, p, `[data-testid="seeded"]`, "acme@example.co.jp")
	wantText(t, p, `[data-testid="seeded"]`, "new_in_2027")
	form := fields(t, p.Find("#create-form"))
	if form.Get("email") != "acme@example.co.jp" || form.Get("company_id") != "k-acme" || form.Get("password") != "" || form.Get("input_type") != "Auto" {
		t.Errorf("the form has %v", form)
	}
	wantStatus(t, c.Post("/resellers", form), http.StatusOK)
	for _, a := range s.Wave.Accounts() {
		if a.Email != "acme@example.co.jp" {
			continue
		}
		if want := wave.Defaults().With("invoice", true).With("dashboard_graph", false); len(wave.Diff(want, a.Meta)) > 0 || a.BillingGroup.CompanyID != "k-acme" {
			t.Errorf("issued %+v: %v", a, wave.Diff(want, a.Meta))
		}
		return
	}
	t.Error("it was not issued")
}
