package app_test

import (
	"net/http"
	"net/url"
	"testing"

	"waveadmin/internal/app"
	"waveadmin/internal/db/dbtest"
	"waveadmin/internal/testkit"
)

// Each step with a shared view is an event in the chain; what someone keeps for
// themselves is none.
func TestAudit_ofViews(t *testing.T) {
	dbtest.OnEach(t, func(t *testing.T, e dbtest.Engine) {
		s, cfg := start(t, e, new(logs))
		c := s.SignedIn(t, testkit.Editor)
		post := func(path string, form url.Values) testkit.Page {
			p := c.Post(path, form)
			if p.Status != http.StatusOK {
				t.Fatalf("%s = %d", path, p.Status)
			}
			return p
		}
		post("/views", url.Values{"name": {"自分用"}, "list": {"q=secret"}})
		id := post("/views", url.Values{"name": {"差分"}, "list": {"drift=1"}, "shared": {"1"}}).URL.Query().Get("view")
		post("/views/"+id+"/query", url.Values{"list": {"drift=1&q=a"}})
		post("/views/"+id+"/delete", url.Values{})
		_, events := export(t, cfg)
		var got []string
		for _, e := range events {
			if e.Kind != "view" {
				continue
			}
			step := e.ActorName
			for _, side := range []string{"before", "after"} {
				facts, _ := e.Details[side].(map[string]any)
				name, _ := facts["name"].(string)
				query, _ := facts["query"].(string)
				step += " " + side + ":" + name + "?" + query
			}
			got = append(got, step)
		}
		want := []string{
			"田中 美咲 before:? after:差分?drift=1", "田中 美咲 before:差分?drift=1 after:差分?drift=1&q=a", "田中 美咲 before:差分?drift=1&q=a after:?",
		}
		if len(got) != len(want) {
			t.Fatalf("events %q, want %q", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("event %d is %q, want %q", i, got[i], want[i])
			}
		}
		if report, err := app.VerifyAudit(t.Context(), cfg, nil); err != nil || !report.OK() {
			t.Errorf("verify: %+v, %v", report, err)
		}
	})
}
