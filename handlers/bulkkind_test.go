package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/testkit"
)

func TestBulkRun_deletesAndResets(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s, c := bulkSite(t)
	a, _ := s.Wave.Get("bulk-1")
	for _, tt := range []struct {
		what, about, sum, row string
		op                    string
	}{
		{"password", says("bulk.about_password"), says("bulk.sum_password", "count", 2), says("bulk.row_password"), sandbox.OpPassword},
		{"delete", says("bulk.about_delete"), says("bulk.sum_delete", "count", 2), says("bulk.row_delete", "count", a.Meta.CountOn()), sandbox.OpDelete},
	} {
		form := url.Values{"user": {"bulk-0", "bulk-1", "bulk-2"}, "what": {tt.what}}
		wantText(t, c.Get("/bulk/new?"+form.Encode()), ".what-"+tt.what, tt.about)
		p := planned(t, c, form)
		wantText(t, p, `[data-testid="bulk-harm"]`, tt.about)
		f := fields(t, p.Find("#bulk-form"))
		f["out"] = []string{"3"}
		left := c.Post(p.URL.Path+"/leave", f)
		wantText(t, left, `[data-testid="bulk-sum"]`, tt.sum)
		wantText(t, left, `tr[data-account="bulk-1"]`, tt.row)
		f = fields(t, left.Find("#bulk-form"))
		f["out"] = []string{"3"}
		f.Set("reason", "解約")
		refused := c.Post(p.URL.Path+"/run", f) // though they are few, the number must be typed
		wantStatus(t, refused, http.StatusUnprocessableEntity)
		wantText(t, refused, "#count-error", says("bulk.count_wrong", "count", 2))
		f.Set("count", "2")
		done := over(t, c, c.Post(p.URL.Path+"/run", f).URL.Path)
		if got := done.Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", ""); got != "done" || s.Wave.Count(tt.op) != 2 {
			t.Errorf("%s: state = %q after %d calls", tt.what, got, s.Wave.Count(tt.op))
		}
		wantText(t, done, "#bulk-progress", says("bulk.ended_"+tt.what, "count", 2))
		if done.Find(`[data-testid="bulk-revert"]`).Length() != 0 {
			t.Errorf("%s can be taken back", tt.what)
		}
	}
	if _, there := s.Wave.Get("bulk-0"); there {
		t.Error("the account is not deleted")
	}
	if _, there := s.Wave.Get("bulk-2"); !there {
		t.Error("the account that was left out is deleted")
	}
}

func TestBulkRun_scheduled(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s, c := bulkSite(t)
	p := planned(t, c, url.Values{"user": {"bulk-0", "gone"}, "flag.open_api": {"on"}})
	f := fields(t, p.Find("#bulk-form"))
	f.Set("reason", "夜間")
	for text, say := range map[string]string{"tomorrow": says("bulk.at_malformed"), "2020-01-01T10:00": says("bulk.at_past")} {
		f.Set("at", text)
		refused := c.Post(p.URL.Path+"/run", f)
		wantStatus(t, refused, http.StatusUnprocessableEntity)
		wantText(t, refused, "#at-error", say)
		if got := refused.Find("#at").AttrOr("value", ""); got != text {
			t.Errorf("the field holds %q, want %q", got, text)
		}
	}
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().In(tokyo).Add(48 * time.Hour)
	f.Set("at", at.Format("2006-01-02T15:04"))
	waits := c.Post(p.URL.Path+"/run", f)
	wantStatus(t, waits, http.StatusOK)
	if got := waits.Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", ""); got != "scheduled" {
		t.Errorf("state = %q", got)
	}
	wantText(t, waits, "#bulk-progress", at.Format("15:04"))
	wantText(t, waits, `[data-testid="bulk-cancel"]`, says("bulk.cancel_whole"))
	wantText(t, waits, `[data-testid="bulk-how"]`, says("bulk.target_count", "count", 2))
	if waits.Find("progress").Length() != 0 || !strings.Contains(waits.Find("#bulk-progress").AttrOr("data-announce", ""), at.Format("15:04")) {
		t.Errorf("what has not begun goes on: %s", short(waits.Find("#bulk-progress")))
	}
	listed := c.Get("/bulk")
	wantText(t, listed, `[data-testid="bulk-list"] tr[data-state=scheduled]`, says("bulk.state_scheduled"))
	wantText(t, listed, `[data-testid="bulk-list"] tr[data-state=scheduled]`, at.Format("15:04"))
	// It has not begun, so the file is called by when it was asked for.
	file := c.Get(waits.URL.Path + "/result.csv").Header.Get("Content-Disposition")
	name := func(t time.Time) string { return "bulk-" + t.In(tokyo).Format("20060102") + "-" }
	if !strings.Contains(file, name(at.Add(-48*time.Hour))) && !strings.Contains(file, name(time.Now())) { // midnight may lie between
		t.Errorf("the result is called %s", file)
	}
	ended := over(t, c, c.Post(p.URL.Path+"/cancel", url.Values{}).URL.Path)
	if got := ended.Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", ""); got != "cancelled" || len(writes(s)) != 0 {
		t.Errorf("cancelled: state = %q after %d calls", got, len(writes(s)))
	}
	wantText(t, ended, "#bulk-progress .notice-line", says("bulk.cancelled_before", "name", editorName))
	if n := ended.Find("#bulk-progress .notice-line").Length(); n != 1 {
		t.Errorf("it says %d times that it was cancelled", n)
	}
}

func TestBulkRun_approved(t *testing.T) {
	t.Parallel() // most of the time it waits for lists
	s := testkit.Start(t, testkit.Options{Accounts: 3, Config: func(c *config.Config) { c.UI.Approval = "runs" }})
	a := accountOf("bulk-0")
	a.Meta = a.Meta.With("open_api", false)
	if err := s.Wave.AddAccount(a); err != nil {
		t.Fatal(err)
	}
	asks, other, viewer := s.SignedIn(t, testkit.Editor), s.SignedIn(t, testkit.Second), s.SignedIn(t, testkit.Viewer)
	refresh(t, asks)
	request := func() testkit.Page {
		p := planned(t, asks, url.Values{"user": {"bulk-0"}, "flag.open_api": {"on"}})
		wantText(t, p, `[data-testid="bulk-run"]`, says("bulk.do_request"))
		f := fields(t, p.Find("#bulk-form"))
		f.Set("reason", "依頼")
		return asks.Post(p.URL.Path+"/run", f)
	}
	p, void := request(), request()
	wantText(t, p, `[data-testid="bulk-asked"]`, says("bulk.approve_own"))
	if p.Find(`[data-testid="bulk-approve"], [data-testid="bulk-run"], input[name=out]:not([disabled])`).Length() != 0 {
		t.Errorf("who asked can go on: %s", short(p.Find("main")))
	}
	if viewer.Get(p.URL.Path).Find(`[data-testid="bulk-asked"] form`).Length() != 0 {
		t.Error("a viewer can decide")
	}
	seen := other.Get(p.URL.Path)
	mark := seen.Find(`[data-testid="bulk-asked"] input[name=mark]`).AttrOr("value", "")
	for who, c := range map[string]*testkit.Client{"who asked": asks, "a viewer": viewer} {
		if got := c.Post(p.URL.Path+"/approve", url.Values{"mark": {mark}}); got.Status != http.StatusForbidden {
			t.Errorf("approved by %s = %d", who, got.Status)
		}
	}
	wantText(t, other.Get("/"), `[data-testid="attention"]`, says("overview.runs_waiting", "count", 2))
	if len(writes(s)) != 0 {
		t.Fatal("it began")
	}
	done := over(t, other, other.Post(p.URL.Path+"/approve", url.Values{"mark": {mark}}).URL.Path)
	if got := done.Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", ""); got != "done" || len(writes(s)) != 1 {
		t.Errorf("approved: state = %q after %d calls", got, len(writes(s)))
	}
	mark = other.Get(void.URL.Path).Find(`[data-testid="bulk-asked"] input[name=mark]`).AttrOr("value", "")
	ended := other.Post(void.URL.Path+"/approve", url.Values{"mark": {mark}}) // the account is as wanted by now
	wantText(t, ended, "#bulk-progress", says("bulk.why_void", "count", 1))
	if got := ended.Find(`[data-testid="bulk-progress"]`).AttrOr("data-state", ""); got != "cancelled" || len(writes(s)) != 1 {
		t.Errorf("void: state = %q after %d calls", got, len(writes(s)))
	}
}
