package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/auth"
)

// ticks is a stream that says something every second.
func ticks(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	c := http.NewResponseController(w)
	for {
		err := c.SetWriteDeadline(time.Now().Add(time.Minute))
		_, failed := io.WriteString(w, "data: "+strings.Repeat("tick ", 300)+"\n\n")
		if errors.Join(err, failed, c.Flush()) != nil {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

func ticking(g groups) { g.stream.get("/events", ticks) }

// opened is a stream that someone has open.
type opened struct {
	*limited
	leave context.CancelFunc
	ended chan struct{}
	mu    sync.Mutex
}

func (o *opened) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.limited.Write(b)
}

func (o *opened) SetWriteDeadline(t time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.limited.SetWriteDeadline(t)
}

func (o *opened) FlushError() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.limited.FlushError()
}

func (s *testSite) open(method string, headers ...string) *opened {
	ctx, leave := context.WithCancel(s.t.Context())
	o := &opened{limited: &limited{ResponseRecorder: httptest.NewRecorder()}, leave: leave, ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		s.handler.ServeHTTP(o, request(method, "/events", append(headers, "Accept: text/event-stream")...).WithContext(ctx))
	}()
	synctest.Wait()
	return o
}

// goesOn reports whether o is open. Time stands still meanwhile.
func (o *opened) goesOn() bool {
	synctest.Wait()
	select {
	case <-o.ended:
		return false
	default:
		return true
	}
}

func TestStreams_ends(t *testing.T) {
	tests := []struct {
		name string
		now  func() (auth.Actor, error) // what the session is from some moment on
		stop bool
		left bool
		end  bool
	}{
		{name: "nothing happens", now: func() (auth.Actor, error) { return auth.Actor{Subject: "viewer", Role: auth.Viewer}, nil }},
		{name: "the session is over", now: func() (auth.Actor, error) { return auth.Actor{}, nil }, end: true},
		{name: "the role is another one", now: func() (auth.Actor, error) { return auth.Actor{Subject: "viewer", Role: auth.NoRole}, nil }, end: true},
		{name: "nobody knows", now: func() (auth.Actor, error) {
			return auth.Actor{Subject: "viewer", Role: auth.Viewer}, errors.New("the database is away")
		}, end: true},
		{name: "the server stops", stop: true, end: true},
		{name: "the page is closed", left: true, end: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stopping, late := make(chan struct{}), atomic.Bool{}
				s := newTestSite(t, ticking, func(d *Deps) {
					d.Stopping = stopping
					d.ActorNow = func(r *http.Request) (auth.Actor, error) {
						if late.Load() && tt.now != nil {
							return tt.now()
						}
						return auth.ActorFrom(r.Context()), nil
					}
				})
				o := s.open("GET", "As: viewer", "Accept-Encoding: zstd")
				time.Sleep(10 * time.Minute)
				if !o.goesOn() {
					t.Fatal("it ended by itself")
				}
				o.mu.Lock()
				if n := len(o.flushed); n < 590 || o.flushed[n-1] <= o.flushed[n-2] || len(o.deadlines) < n-1 {
					t.Errorf("in ten minutes %d pieces were sent, with %d deadlines", n, len(o.deadlines))
				}
				o.mu.Unlock()
				if late.Store(true); tt.stop {
					close(stopping)
				}
				if tt.left {
					o.leave()
				}
				time.Sleep(askAgain)
				if got := !o.goesOn(); got != tt.end {
					t.Errorf("ended = %v, want %v", got, tt.end)
				}
				o.leave()
				<-o.ended
			})
		})
	}
}

// TestStreams_countApart: a person has two, whatever else they do, and the third page
// does without.
func TestStreams_countApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, arrived := make(chan struct{}), make(chan struct{}, maxInFlight)
		s := newTestSite(t, func(g groups) {
			ticking(g)
			g.viewer.get("/slow", func(w http.ResponseWriter, r *http.Request) error {
				arrived <- struct{}{}
				<-release
				return ok(w, r)
			})
		})
		var all []*opened
		for _, tt := range []struct {
			as, method string
			status     int
		}{{"viewer", "GET", 200}, {"viewer", "GET", 200}, {"viewer", "GET", 204}, {"editor", "GET", 200}} {
			o := s.open("GET", "As: "+tt.as)
			if all = append(all, o); o.Code != tt.status || o.goesOn() != (tt.status == 200) {
				t.Errorf("stream %d of %s = %d", len(all), tt.as, o.Code)
			}
		}
		answers := make(chan int, maxInFlight)
		for range maxInFlight {
			go func() { answers <- s.do(request("GET", "/slow", "As: viewer")).Code }()
		}
		synctest.Wait()
		if n := len(arrived); n != maxInFlight {
			t.Errorf("beside the streams %d pages are worked on, want %d", n, maxInFlight)
		}
		close(release)
		for range maxInFlight {
			if got := <-answers; got != 200 {
				t.Errorf("a page beside the streams = %d", got)
			}
		}
		all[0].leave()
		<-all[0].ended
		again := s.open("GET", "As: viewer")
		if again.Code != 200 {
			t.Errorf("after one of them was closed: %d", again.Code)
		}
		for _, o := range append(all, again) {
			o.leave()
			<-o.ended
		}
	})
}

func TestStreams_whoMay(t *testing.T) {
	s := newTestSite(t, ticking)
	for _, tt := range []struct {
		as, method, accept string
		status             int
	}{
		{"", "GET", "text/event-stream", 401}, // a browser would follow a redirect to the provider
		{"", "GET", "text/html", 303},
		{"none", "GET", "text/event-stream", 403},
		{"viewer", "POST", "text/event-stream", 405},
	} {
		w := s.do(request(tt.method, "/events", "As: "+tt.as, "Accept: "+tt.accept))
		if w.Code != tt.status || tt.status == 401 && w.Header().Get("Location")+w.Body.String() != "" {
			t.Errorf("%s for %q = %d, want %d\n%s", tt.method, tt.as, w.Code, tt.status, w.Body)
		}
	}
}

// TestStreams_head: nothing would ever come.
func TestStreams_head(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newTestSite(t, ticking).open("HEAD", "As: viewer")
		if o.goesOn() || o.Code != 200 || o.Body.Len() > 0 {
			t.Errorf("%d with %d bytes, and goes on: %v", o.Code, o.Body.Len(), o.goesOn())
		}
		o.leave()
		<-o.ended
	})
}

// TestStreams_areNoSlowRequests: they have metrics of their own, and one line in the log.
func TestStreams_areNoSlowRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMetrics()
		s := newTestSite(t, ticking, func(d *Deps) { d.Metrics = m })
		shows := func(want string) {
			t.Helper()
			w := httptest.NewRecorder()
			NewOps(slog.New(slog.DiscardHandler), nil, m).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
			if !strings.Contains(w.Body.String(), want+"\n") {
				t.Errorf("the metrics lack %s", want)
			}
			if strings.Contains(w.Body.String(), `request_duration_seconds_count{method="GET",route="/events",status="200"`) {
				t.Error("a stream counts as a request")
			}
		}
		one, two := s.open("GET", "As: viewer"), s.open("GET", "As: viewer")
		s.open("GET", "As: viewer")
		shows("waveadmin_http_streams 2")
		shows(`waveadmin_http_request_duration_seconds_count{method="GET",route="/events",status="204"} 1`)
		time.Sleep(2 * time.Minute)
		one.leave()
		two.leave()
		<-one.ended
		<-two.ended
		shows("waveadmin_http_streams 0")
		shows(`waveadmin_http_stream_duration_seconds_bucket{route="/events",le="60"} 0`)
		shows(`waveadmin_http_stream_duration_seconds_count{route="/events"} 2`)
		if n := strings.Count(s.log.String(), "level=INFO msg=request "); n != 3 {
			t.Errorf("%d lines for three requests:\n%s", n, s.log)
		}
	})
}

// TestStreams_outlastTheServersPatience: the limits that cut slow clients do not cut
// them.
func TestStreams_outlastTheServersPatience(t *testing.T) {
	const patience = 100 * time.Millisecond
	site := newTestSite(t, func(g groups) {
		g.stream.get("/events", func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Content-Type", "text/event-stream")
			c := http.NewResponseController(w)
			for r.Context().Err() == nil {
				_ = c.SetWriteDeadline(time.Now().Add(time.Minute))
				_, _ = io.WriteString(w, "data: 1\n\n")
				_ = c.Flush()
				time.Sleep(patience)
			}
			return nil
		})
	}, func(d *Deps) { d.Log = slog.New(slog.DiscardHandler) })
	srv := NewServer(site.handler, slog.New(slog.DiscardHandler))
	srv.ReadTimeout, srv.WriteTimeout = patience, patience
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = public
	r.Header.Set("As", "viewer")
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for n := range 2 * 10 {
		if !lines.Scan() {
			t.Fatalf("cut after %d lines: %v", n, lines.Err())
		}
	}
}
