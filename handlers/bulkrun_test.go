package handlers_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// started runs the plan of the form and returns its page.
func started(t *testing.T, c *testkit.Client, form url.Values) testkit.Page {
	t.Helper()
	p := planned(t, c, form)
	run := fields(t, p.Find("#bulk-form"))
	run.Set("reason", "決算前")
	p = c.Post(p.URL.Path+"/run", run)
	wantStatus(t, p, http.StatusOK)
	if p.Find(`[data-testid="bulk-progress"]`).Length() != 1 {
		t.Fatalf("the run leads to %s: %s", p.URL, short(p.Find("main")))
	}
	return p
}

// over waits for the run to be over.
func over(t *testing.T, c *testkit.Client, path string) testkit.Page {
	t.Helper()
	var p testkit.Page
	until(t, "the run is over", func() bool {
		p = c.Get(path)
		return p.Find(`[data-testid="bulk-progress"][hx-get]`).Length() == 0
	})
	return p
}

func TestBulkRun(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s, c := bulkSite(t)
	p := started(t, c, url.Values{"user": {"bulk-0", "bulk-1", "bulk-2", "gone"}, "flag.open_api": {"on"}})
	p = over(t, c, p.URL.Path)
	if got := p.Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", ""); got != "partly_failed" {
		t.Errorf("state = %q", got)
	}
	for id, want := range map[string]string{"bulk-0": "done", "bulk-1": "no_change", "bulk-2": "done", "gone": "failed"} {
		if got := p.Find(`tr[data-account="`+id+`"]`).AttrOr("data-state", ""); got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
	if n := len(writes(s)); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
	wantText(t, p, `[data-testid="bulk-how"]`, says("bulk.progress", "ended", 4, "total", 4, "percent", 100))
	wantText(t, p, "tr[data-account=gone]", says("bulk.item_gone"))
	wantText(t, p, ".top", "決算前")
	wantText(t, c.Get(p.URL.Path+"?show=failed"), `[data-testid="bulk-result"] tbody`, "gone")
	if n := c.Get(p.URL.Path + "?show=done").Find(`[data-testid="bulk-result"] tbody tr`).Length(); n != 2 {
		t.Errorf("%d accounts are done", n)
	}
	link, _ := p.Find("tr[data-account=bulk-0] .diff-line").Attr("href")
	record := c.Get(link)
	wantText(t, record, "main", says("source.bulk"))
	if record.Find(`main a[href="`+p.URL.Path+`"]`).Length() != 1 {
		t.Error("the record of a change does not lead to its run")
	}

	viewer := s.SignedIn(t, testkit.Viewer)
	seen := viewer.Get(p.URL.Path)
	if seen.Find(`[data-testid="bulk-result"] tbody tr`).Length() != 4 || seen.Find(`#bulk-progress form`).Length() != 0 {
		t.Errorf("a viewer sees %s", short(seen.Find("main")))
	}
	for _, part := range []string{"run", "pause", "resume", "cancel", "retry", "revert"} {
		if got := viewer.Post(p.URL.Path+"/"+part, url.Values{}); got.Status != http.StatusForbidden {
			t.Errorf("%s by a viewer = %d", part, got.Status)
		}
	}

	file := c.Get(p.URL.Path + "/result.csv")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.Body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 5 || rows[1][0] != "bulk-0" || rows[1][3] != says("outcome.done") || rows[4][4] != says("bulk.item_gone") {
		t.Errorf("the file is %q, %v", rows, err)
	}

	back := c.Post(p.URL.Path+"/revert", url.Values{})
	wantText(t, back, `[data-testid="bulk-sum"]`, says("bulk.sum", "accounts", "2", "flags", "1", "changes", "2"))
	form := fields(t, back.Find("#bulk-form"))
	form.Set("reason", "やり直し")
	over(t, c, c.Post(back.URL.Path+"/run", form).URL.Path)
	for id, want := range map[wave.UserID]wave.State{"bulk-0": wave.Off, "bulk-1": wave.On, "bulk-2": wave.Off} {
		if got := state(t, s, id, "open_api"); got != want {
			t.Errorf("taken back, %s is %v", id, got)
		}
	}
	again := c.Post(p.URL.Path+"/retry", url.Values{})
	wantText(t, again, `[data-testid="bulk-rows"] tbody`, "gone")
}

func TestBulkRun_asksFirst(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s, c := bulkSite(t)
	p := planned(t, c, url.Values{"user": {"bulk-0", "bulk-2"}, "flag.open_api": {"on"}})
	run := fields(t, p.Find("#bulk-form"))
	refused := c.Post(p.URL.Path+"/run", run)
	wantStatus(t, refused, http.StatusUnprocessableEntity)
	wantText(t, refused, "#reason-error", says("invalid.reason"))

	run.Set("reason", "決算前")
	run.Set("out", "2") // a box that nobody has seen the numbers of: without scripts
	moved := c.Post(p.URL.Path+"/run", run)
	wantStatus(t, moved, http.StatusConflict)
	wantText(t, moved, ".form-error", says("bulk.look_again"))
	wantText(t, moved, `[data-testid="bulk-sum"]`, says("bulk.sum", "accounts", "1", "flags", "1", "changes", "1"))
	if got := moved.Find("#reason").AttrOr("value", ""); got != "決算前" {
		t.Errorf("the reason came back as %q", got)
	}
	if n := len(writes(s)); n != 0 {
		t.Fatalf("%d calls before anything was run", n)
	}
	run = fields(t, moved.Find("#bulk-form"))
	p = c.Post(p.URL.Path+"/run", run)
	wantStatus(t, p, http.StatusOK)
	if twice := c.Post(p.URL.Path+"/run", run); twice.URL.Path != p.URL.Path || twice.Status != http.StatusOK {
		t.Errorf("pressed twice: %d at %s", twice.Status, twice.URL)
	}
	over(t, c, p.URL.Path)
	if n := len(writes(s)); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

func TestBulkRun_countIsTyped(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s, c := bulkSite(t)
	var users []string
	for n := range 50 {
		a := accountOf(fmt.Sprintf("many-%02d", n))
		if err := s.Wave.AddAccount(a); err != nil {
			t.Fatal(err)
		}
		users = append(users, fmt.Sprintf("many-%02d", n))
	}
	refresh(t, c)
	p := planned(t, c, url.Values{"user": users, "flag.open_api": {"on"}})
	run := fields(t, p.Find("#bulk-form"))
	run.Set("reason", "決算前")
	for _, typed := range []string{"", "5", "fifty"} {
		run.Set("count", typed)
		refused := c.Post(p.URL.Path+"/run", run)
		wantStatus(t, refused, http.StatusUnprocessableEntity)
		wantText(t, refused, "#count-error", says("bulk.count_wrong", "count", 50))
		if got := refused.Find("#count").AttrOr("value", ""); got != typed {
			t.Errorf("the field says %q, typed was %q", got, typed)
		}
	}
	run.Set("count", "50")
	p = over(t, c, c.Post(p.URL.Path+"/run", run).URL.Path)
	if got := p.Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", ""); got != "done" || len(writes(s)) != 50 {
		t.Errorf("state = %q after %d calls", got, len(writes(s)))
	}
}

func TestBulkRun_progressAndControl(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s, c := bulkSite(t)
	s.Wave.Fail(sandbox.Fault{Op: sandbox.OpMeta, Delay: time.Second})
	var users []string
	for n := range 40 {
		if err := s.Wave.AddAccount(accountOf(fmt.Sprintf("many-%02d", n))); err != nil {
			t.Fatal(err)
		}
		users = append(users, fmt.Sprintf("many-%02d", n))
	}
	refresh(t, c)
	p := started(t, c, url.Values{"user": users, "flag.open_api": {"on"}})
	ask, ok := p.Find("#bulk-progress").Attr("hx-get")
	if !ok || p.Find("#bulk-progress").AttrOr("hx-headers", "") == "" {
		t.Fatal("the page does not ask how the run goes")
	}
	c.Post(p.URL.Path+"/pause", url.Values{})
	fragment := c.Get(ask, htmx)
	if got := fragment.Find("#bulk-progress").AttrOr("data-state", ""); got != "paused" || fragment.Find(`#bulk-run-rows[hx-swap-oob]`).Length() != 1 {
		t.Errorf("paused, it says %q: %s", got, short(fragment.Find("body")))
	}
	wantText(t, fragment, "#bulk-progress", says("bulk.why_person", "name", editorName))
	if plain := c.Get(ask); plain.URL.Path != p.URL.Path {
		t.Errorf("without scripts it leads to %s", plain.URL)
	}
	n := len(writes(s))
	c.Post(p.URL.Path+"/resume", url.Values{})
	until(t, "more are sent", func() bool { return len(writes(s)) > n })
	c.Post(p.URL.Path+"/cancel", url.Values{})
	end := over(t, c, p.URL.Path)
	if got := end.Find("#bulk-progress").AttrOr("data-state", ""); got != "cancelled" {
		t.Errorf("cancelled, it says %q", got)
	}
	done := end.Find(`tr[data-state="done"]`).Length()
	if cancelled := end.Find(`tr[data-state="cancelled"]`).Length(); done+cancelled != 40 || done == 40 || len(writes(s)) != done {
		t.Errorf("%d are done, %d cancelled, %d calls", done, cancelled, len(writes(s)))
	}
	wantText(t, end, `[data-testid="bulk-how"]`, says("bulk.progress", "ended", done, "total", 40, "percent", done*100/40)) // and not 40
	last := c.Get(ask, htmx)
	if last.Find("#bulk-progress[hx-get]").Length() != 0 || last.Find("#bulk-progress").AttrOr("data-announce", "") == "" {
		t.Errorf("over, it says %s", short(last.Find("body")))
	}
}
