package waveapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"waveadmin/internal/fault"
)

var errTimeout = errors.New("no answer in time")

// exchange sends k and reads the answer, and calls left when it is written. Status is 0
// when none began; broken says that it is not whole.
func (c *Client) exchange(ctx context.Context, k call, tok token, left func()) (status int, broken bool, err error) {
	callCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(c.timeout, func() { cancel(errTimeout) })
	defer timer.Stop()

	sent := delivery{left: left}
	req, err := k.request(sent.watch(callCtx), tok)
	if err != nil {
		return 0, true, fmt.Errorf("%s: %w", k.op, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if context.Cause(callCtx) == errTimeout {
			err = errTimeout // "context canceled" would blame the caller
		}
		if sent.unwritten() {
			return 0, true, fault.New(fault.Unavailable, k.describe("not sent", err))
		}
		return 0, true, lost(k, k.describe("no answer", err))
	}
	defer resp.Body.Close()
	status = resp.StatusCode
	if status < 200 || status > 299 {
		return status, false, refused(k, resp)
	}
	body := &tracked{ReadCloser: resp.Body}
	if k.limit > maxAnswer { // a long list may take longer to arrive than to begin, as long as it goes on
		end := time.AfterFunc(4*c.timeout, func() { cancel(errTimeout) })
		defer end.Stop()
		timer.Reset(c.timeout)
		body.came = func() { timer.Reset(c.timeout) }
	}
	if err := k.decode(status, http.MaxBytesReader(nil, body, k.limit)); err != nil {
		if context.Cause(callCtx) == errTimeout {
			err = errTimeout
		}
		return status, body.failed, lost(k, k.describe(fmt.Sprintf("status %d", status), err))
	}
	return status, false, nil
}

// tracked reads a body, and knows whether it ended before its end.
type tracked struct {
	io.ReadCloser
	failed bool
	came   func() // called when some of it came, unless nil
}

func (t *tracked) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	t.failed = t.failed || err != nil && err != io.EOF
	if n > 0 && t.came != nil {
		t.came()
	}
	return n, err
}

// request returns k as a request. It never carries Idempotency-Key; see
// newTransport.
func (k call) request(ctx context.Context, tok token) (*http.Request, error) {
	var body io.Reader
	if k.body != nil {
		body = bytes.NewReader(k.body)
	}
	req, err := http.NewRequestWithContext(ctx, k.method, k.url.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "waveadmin")
	if k.contentType != "" {
		req.Header.Set("Content-Type", k.contentType)
	}
	if !k.forToken {
		req.Header.Set("Authorization", tok.header.reveal())
	}
	return req, nil
}

// describe adds what was going on to err. A server can make net/http and the JSON
// decoder repeat what it got, so secrets are taken out; the chain of causes then
// ends there.
func (k call) describe(what string, err error) error {
	if text := err.Error(); text != scrub(text, k.secrets...) {
		err = errors.New(scrub(text, k.secrets...))
	}
	return fmt.Errorf("%s: %s: %w", k.op, what, err)
}

// A delivery knows whether a request left. With net/http's Transport it is sure
// once RoundTrip has failed: that waits for its writer to end.
type delivery struct {
	asked, wrote atomic.Bool
	left         func() // told when a request was written
}

func (d *delivery) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { // also before net/http's own repetition, which follows only on nothing written
			d.asked.Store(true)
			d.wrote.Store(false)
		},
		WroteHeaders: func() {
			d.wrote.Store(true)
			d.left()
		},
	})
}

// unwritten reports whether surely no complete request left. A transport that
// does not tell leaves it open.
func (d *delivery) unwritten() bool { return d.asked.Load() && !d.wrote.Load() }
