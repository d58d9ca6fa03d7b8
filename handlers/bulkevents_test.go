package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"waveadmin/handlers"
	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/i18n"
	"waveadmin/internal/wave"
)

// script is a run whose two accounts end when a test says so.
type script struct {
	start time.Time
	ends  map[int]time.Duration // by place
	bad   int                   // place of one that fails
	away  time.Duration         // from when on it cannot be read; 0 for never
	email string
	pace  time.Duration // from when on it can be told; 0 for never
}

func (s *script) at(place int) change.State {
	switch end, ok := s.ends[place]; {
	case !ok || time.Since(s.start) < end:
		return change.Queued
	case place == s.bad:
		return change.Failed
	}
	return change.Done
}

func (s *script) Progress(_ context.Context, id string) (*bulk.Progress, error) {
	if s.away > 0 && time.Since(s.start) >= s.away {
		return nil, errors.New("the database is away")
	}
	p := &bulk.Progress{Plan: &bulk.Plan{ID: id, Source: "table"}, Run: &bulk.Run{PlanID: id, State: bulk.Running, Actor: misaki, Started: s.start}, Counts: bulk.Counts{}}
	for place := 1; place <= 2; place++ {
		p.Counts[s.at(place)]++
	}
	if s.pace > 0 && time.Since(s.start) >= s.pace {
		p.Pace = 0.5
	}
	if p.Counts.Left() == 0 {
		p.Run.State, p.Run.Finished = bulk.Done, s.start.Add(time.Hour)
	}
	return p, nil
}

func (s *script) Items(_ context.Context, _ string, state change.State, _, _ int) (out []bulk.Item, _ error) {
	for place := 1; place <= 2; place++ {
		if at := s.at(place); state == "" || state == at {
			id := wave.UserID(fmt.Sprintf("a-%d", place))
			out = append(out, bulk.Item{Place: place, Account: id, Email: s.email, State: at})
		}
	}
	return out, nil
}

// stream keeps when each event was sent.
type stream struct {
	*httptest.ResponseRecorder
	t     *testing.T
	start time.Time
	mu    sync.Mutex
	said  []string
	last  map[string]string // data by event
	left  bool
	until time.Time // the deadline
}

func (s *stream) SetWriteDeadline(t time.Time) error {
	s.until = t
	return nil
}

func (s *stream) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return 0, errors.New("nobody is there")
	}
	if left := time.Until(s.until); left < 5*time.Second || left > 30*time.Second {
		s.t.Errorf("an event has %v", left)
	}
	// As a browser reads it.
	name, data := "", []string{}
	for line := range strings.SplitSeq(string(b), "\n") {
		switch field, value, _ := strings.Cut(line, ": "); field {
		case "event":
			name = value
		case "data":
			data = append(data, value)
		case "":
		default:
			s.t.Errorf("a line of an event is %q", line)
		}
	}
	text := strings.Join(data, "\n")
	parts := ""
	for _, id := range regexp.MustCompile(`\sid="(bulk-progress|bulk-run-rows)"`).FindAllStringSubmatch(text, -1) {
		parts += " " + id[1]
	}
	s.said = append(s.said, fmt.Sprintf("%v %s%s", time.Since(s.start), name, parts))
	s.last[name] = text
	return len(b), nil
}

func TestBulkEvents(t *testing.T) {
	const head, both = " bulk-progress", " bulk-progress bulk-run-rows"
	tests := []struct {
		name   string
		query  string
		run    script
		close  time.Duration // the page is closed; 0 for never
		stop   time.Duration // its context ends
		want   []string
		status string // of the run, by the last event
	}{
		{
			name: "to the end", run: script{ends: map[int]time.Duration{1: 3500 * time.Millisecond, 2: 50 * time.Second}},
			want:   []string{"0s progress" + both, "4s progress" + both, "19s beat", "34s beat", "49s beat", "50s progress" + both, "50s end"},
			status: "done",
		},
		{
			name: "with a failure", run: script{ends: map[int]time.Duration{1: time.Second, 2: 2 * time.Second}, bad: 2},
			want:   []string{"0s progress" + both, "1s progress" + both, "2s progress" + both, "2s end"},
			status: "partly_failed",
		},
		{
			name: "over from the start", run: script{ends: map[int]time.Duration{1: 0, 2: 0}},
			want: []string{"0s progress" + both, "0s end"}, status: "done",
		},
		{
			name: "a filter that selects none", query: "?show=failed", run: script{ends: map[int]time.Duration{1: time.Second, 2: 3 * time.Second}},
			want:   []string{"0s progress" + both, "1s progress" + both, "3s progress" + both, "3s end"}, // the numbers beside the filters
			status: "done",
		},
		{
			name: "the table stays as it is", run: script{pace: 2 * time.Second}, stop: 5 * time.Second,
			want: []string{"0s progress" + both, "2s progress" + head}, status: "running",
		},
		{
			name: "the page is closed", run: script{}, close: 20 * time.Second,
			want: []string{"0s progress" + both, "15s beat"}, status: "running",
		},
		{
			name: "the session ends", run: script{}, stop: 2500 * time.Millisecond,
			want: []string{"0s progress" + both}, status: "running",
		},
		{
			name: "the database goes", run: script{away: 10 * time.Second},
			want: []string{"0s progress" + both}, status: "running",
		},
		{
			name: "an address with breaks", run: script{email: "a\r\nevent: end\rdata: b\n\n", ends: map[int]time.Duration{1: 0, 2: 0}},
			want: []string{"0s progress" + both, "0s end"}, status: "done",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := i18n.WithZone(i18n.WithLang(t.Context(), "en"), jst)
				ctx = auth.WithActor(ctx, auth.Actor{Issuer: "idp", Subject: "9", Name: "Sam", Role: auth.Viewer})
				if tt.stop > 0 {
					var stop context.CancelFunc
					ctx, stop = context.WithTimeout(ctx, tt.stop)
					defer stop()
				}
				tt.run.start = time.Now()
				s := &stream{ResponseRecorder: httptest.NewRecorder(), t: t, start: time.Now(), last: make(map[string]string)}
				if tt.close > 0 {
					time.AfterFunc(tt.close, func() { s.mu.Lock(); defer s.mu.Unlock(); s.left = true })
				}
				r := httptest.NewRequestWithContext(ctx, "GET", "/bulk/p-1/events"+tt.query, nil)
				r.SetPathValue("planID", "p-1")
				h := &handlers.Bulk{Looks: bulk.NewLooks(&tt.run)}
				if err := h.Events(s, r); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, s.said); diff != "" {
					t.Error(diff)
				}
				for name, want := range map[string]string{"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
					if got := s.Header().Get(name); got != want {
						t.Errorf("%s = %q", name, got)
					}
				}
				doc, err := goquery.NewDocumentFromReader(strings.NewReader(s.last["progress"]))
				if err != nil {
					t.Fatal(err)
				}
				box := doc.Find("#bulk-progress")
				if got := box.AttrOr("data-state", ""); got != tt.status {
					t.Errorf("the run is %q, want %q", got, tt.status)
				}
				over := tt.status != "running"
				if _, asks := box.Attr("hx-get"); asks == over {
					t.Errorf("the page asks = %v", asks)
				}
				if alert := box.Find("[role=alert]").Length() == 1; alert != (tt.status == "partly_failed") {
					t.Errorf("it is an alert = %v", alert)
				}
				if said := box.AttrOr("data-announce", "") != ""; said != (tt.status == "done") {
					t.Errorf("it is announced = %v", said)
				}
			})
		})
	}
}

func TestBulkEvents_ofNone(t *testing.T) {
	_, c := bulkSite(t)
	if p := c.Get("/bulk/none/events"); p.Status != 404 {
		t.Errorf("no plan: %d", p.Status)
	}
	plan := planned(t, c, map[string][]string{"user": {"bulk-0"}, "flag.open_api": {"on"}})
	if p := c.Get(plan.URL.Path + "/events"); p.Status != 404 {
		t.Errorf("a plan that has not run: %d", p.Status)
	}
}
