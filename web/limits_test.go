package web

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
)

func TestReadForm(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	full := "a=" + strings.Repeat("x", maxFormBytes-2)
	tests := []struct {
		name, media, body string
		chunked           bool
		status            int
		says              string
	}{
		{"a form", form, "a=%E6%9D%B1", false, 200, "東"},
		{"a form with a charset", form + "; charset=UTF-8", "a=1", false, 200, "1"},
		{"no body at all", "", "", false, 200, ""},
		{"as much as may be", form, full, false, 200, "xxx"},
		{"one byte more", form, full + "x", false, 413, "送信されたデータが大きすぎます。"},
		{"one byte more, of no stated length", form, full + "x", true, 413, "送信されたデータが大きすぎます。"},
		{"too much that is no form", "application/json", full + "x", false, 413, "送信されたデータが大きすぎます。"},
		{"a broken escape", form, "a=%zz", false, 422, "リクエストを読み取れませんでした。"},
		{"a file", "multipart/form-data; boundary=x", "--x--", false, 422, "リクエストを読み取れませんでした。"},
		{"JSON", "application/json", `{"a":1}`, false, 422, "リクエストを読み取れませんでした。"},
		{"text, of no stated length", "text/plain", "a=1", true, 422, "リクエストを読み取れませんでした。"},
	}
	s := newTestSite(t, func(g groups) {
		g.editor.post("/form", func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.WriteString(w, r.PostForm.Get("a"))
			return err
		})
	})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request("POST", "/form", "As: editor", "Accept-Language: ja", "Content-Type: "+tt.media)
			r.Body, r.ContentLength = body(tt.body)
			if tt.chunked {
				r.ContentLength = -1
			}
			w := s.do(r)
			if w.Code != tt.status {
				t.Errorf("status = %d, want %d", w.Code, tt.status)
			}
			if !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("the answer does not say %q:\n%.500s", tt.says, w.Body)
			}
		})
	}
}

func TestInFlight(t *testing.T) {
	tanaka, sato := auth.Actor{Subject: "tanaka"}, auth.Actor{Subject: "sato"}
	full := func(t *testing.T, f *inFlight) (leave []func()) {
		for range maxInFlight {
			l, err := f.enter(t.Context(), tanaka)
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, l)
		}
		return leave
	}
	start := func() *inFlight { return &inFlight{slots: make(map[auth.Actor]*slots)} }

	t.Run("a ninth waits until one ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := start()
			leave := full(t, f)
			entered := make(chan func())
			go func() {
				l, err := f.enter(t.Context(), tanaka)
				if err != nil {
					t.Error(err)
				}
				entered <- l
			}()
			synctest.Wait()
			select {
			case <-entered:
				t.Fatal("the ninth did not wait")
			default:
			}
			leave[0]()
			leave[0] = <-entered
			for _, l := range leave {
				l()
			}
			if len(f.slots) != 0 {
				t.Errorf("%d entries are left, want none", len(f.slots))
			}
		})
	})

	t.Run("a ninth is refused after a while", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := start()
			full(t, f)
			before := time.Now()
			_, err := f.enter(t.Context(), tanaka)
			if !fault.Is(err, fault.Busy) || fault.SentenceOf(err).Key != "error.in_flight" {
				t.Errorf("err = %v, want a fault.Busy that says error.in_flight", err)
			}
			if waited := time.Since(before); waited != maxWait {
				t.Errorf("waited %v, want %v", waited, maxWait)
			}
		})
	})

	t.Run("another person does not wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := start()
			full(t, f)
			before := time.Now()
			if _, err := f.enter(t.Context(), sato); err != nil || time.Since(before) > 0 {
				t.Errorf("err = %v after %v, want none at once", err, time.Since(before))
			}
		})
	})

	t.Run("who leaves no longer waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := start()
			full(t, f)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := f.enter(ctx, tanaka); err != context.Canceled {
				t.Errorf("err = %v, want context.Canceled", err)
			}
			if users := f.slots[tanaka].users; users != maxInFlight {
				t.Errorf("%d are counted, want %d", users, maxInFlight)
			}
		})
	})
}

// TestInFlight_throughTheRouter: one person's requests share their slots over
// sessions; a handler that panics gives its slot back.
func TestInFlight_throughTheRouter(t *testing.T) {
	s := newTestSite(t, func(g groups) {
		g.viewer.get("/panic", func(http.ResponseWriter, *http.Request) error { panic("x") })
	})
	for range maxInFlight + 1 {
		if w := s.do(request("GET", "/panic", "As: viewer")); w.Code != 500 {
			t.Fatalf("status = %d, want 500 each time", w.Code)
		}
	}
}

// TestInFlight_overRoutes: whatever a person asks for counts together.
func TestInFlight_overRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arrived, release := make(chan string, 2*maxInFlight), make(chan struct{})
		slow := func(w http.ResponseWriter, r *http.Request) error {
			arrived <- r.URL.Path
			<-release
			return ok(w, r)
		}
		s := newTestSite(t, func(g groups) {
			g.viewer.get("/a", slow)
			g.editor.get("/b", slow)
		})
		answers := make(chan int, 2*maxInFlight)
		for range maxInFlight {
			for _, target := range []string{"/a", "/b"} {
				go func() { answers <- s.do(request("GET", target, "As: editor")).Code }()
			}
		}
		synctest.Wait()
		if n := len(arrived); n != maxInFlight {
			t.Errorf("%d are worked on, want %d", n, maxInFlight)
		}
		close(release)
		for range 2 * maxInFlight {
			if got := <-answers; got != 200 {
				t.Errorf("status = %d", got)
			}
		}
	})
}
