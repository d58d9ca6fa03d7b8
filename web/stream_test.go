package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// limited is the connection at the bottom: it knows its deadline and what was sent
// by each flush.
type limited struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
	flushed   []int // bytes there were
}

func (l *limited) SetWriteDeadline(t time.Time) error {
	l.deadlines = append(l.deadlines, t)
	return nil
}

func (l *limited) FlushError() error {
	l.flushed = append(l.flushed, l.Body.Len())
	return nil
}

func (l *limited) Flush() { _ = l.FlushError() }

// TestStream: a handler that sends pieces moves its deadline and sends each at once,
// through all that stands around it, packed or not.
func TestStream(t *testing.T) {
	site := newTestSite(t, func(g groups) {
		g.viewer.get("/file", func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			c := http.NewResponseController(w)
			for range 3 {
				err := c.SetWriteDeadline(time.Now().Add(time.Minute))
				_, failed := io.WriteString(w, strings.Repeat("a line\r\n", 400))
				if err := errors.Join(err, failed, c.Flush()); err != nil {
					return err
				}
			}
			return nil
		})
	})
	for _, accept := range []string{"", "gzip", "zstd"} {
		w := &limited{ResponseRecorder: httptest.NewRecorder()}
		site.handler.ServeHTTP(w, request("GET", "/file", "As: viewer", "Accept-Encoding: "+accept))
		if w.Code != http.StatusOK || len(w.deadlines) != 3 || w.Header().Get("Content-Encoding") != accept {
			t.Errorf("%q: %d, %d deadlines, packed as %q", accept, w.Code, len(w.deadlines), w.Header().Get("Content-Encoding"))
		}
		if len(w.flushed) < 3 || w.flushed[0] == 0 || w.flushed[1] <= w.flushed[0] {
			t.Errorf("%q: sent %v bytes by each flush", accept, w.flushed)
		}
		if accept == "gzip" {
			r, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			if all, err := io.ReadAll(r); err != nil || len(all) != 3*400*8 {
				t.Errorf("unpacked %d bytes (%v)", len(all), err)
			}
		}
	}
}

// TestStream_cut: an answer that fails after it has begun is logged and cut off.
func TestStream_cut(t *testing.T) {
	site := newTestSite(t, func(g groups) {
		g.viewer.get("/file", func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "a line\r\n")
			_ = http.NewResponseController(w).Flush()
			panic(errors.New("the database is gone"))
		})
	})
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("ended with %v, want the connection cut", v)
		}
		if !strings.Contains(site.log.String(), "the database is gone") {
			t.Error("why is not in the log")
		}
	}()
	site.do(request("GET", "/file", "As: viewer"))
}
