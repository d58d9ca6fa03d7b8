package waveapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"waveadmin/internal/fault"
)

const (
	maxList      = 512 << 20 // bytes of a list that are read
	maxAnswer    = 64 << 10  // of any other answer
	maxErrorBody = 4 << 10   // of a refusal that are kept for the log

	maxRepeats = 3
	pauseBase  = 200 * time.Millisecond
	pauseCap   = 5 * time.Second
)

var errTimeout = errors.New("no answer in time")

// A call is one request with what is known about it.
type call struct {
	op          string // for the log
	method      string
	url         *url.URL
	body        []byte // nil for none
	contentType string
	read        bool                                   // changes nothing: may be done twice
	named       bool                                   // 404 says that the thing asked for is not there
	forToken    bool                                   // to the token endpoint: without a token
	secrets     []secret                               // that an answer might repeat
	limit       int64                                  // bytes of a good answer
	decode      func(status int, body io.Reader) error // of a 2xx answer
}

// do does k and repeats it as far as that cannot do it twice and the budget allows.
// The loop is plain, without a library: whether to repeat, and after what pause,
// hangs on the fault, and a call must never be repeated by a default that someone
// else chose. A circuit breaker belongs here, around send.
func (c *Client) do(ctx context.Context, k call) error {
	c.budget.earn()
	refreshed := false
	for attempt := 1; ; attempt++ {
		var tok token
		var err error
		if !k.forToken {
			if tok, err = c.tokens.get(ctx); err != nil {
				return fmt.Errorf("%s: %w", k.op, err) // the fetch was repeated already
			}
		}
		err = c.send(ctx, k, tok, attempt)
		if !k.forToken && statusOf(err) == http.StatusUnauthorized {
			if refreshed {
				c.tokens.stuck()
				return err
			}
			refreshed = true
			if c.tokens.invalidate(tok.gen) {
				continue // once, and only with a new token: no matter for the budget
			}
		}
		pause, again := pauseBefore(err, attempt)
		if !again || endsWithin(ctx, pause) {
			return err
		}
		if !c.budget.spend() {
			c.log.WarnContext(ctx, "wave call not repeated: too many were", "op", k.op, "attempt", attempt)
			return err
		}
		if sleep(ctx, pause) != nil {
			return err
		}
	}
}

// pauseBefore reports whether and after how long a call that failed with err is
// repeated: only if it surely was not done. Reads say so whenever they fail.
func pauseBefore(err error, attempt int) (time.Duration, bool) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || attempt > maxRepeats || f.Kind != fault.Unavailable && f.Kind != fault.Busy {
		return 0, false
	}
	if statusOf(err) == http.StatusNotImplemented {
		return 0, false // nor will it be in a second
	}
	return f.RetryAfter + rand.N(min(pauseBase<<(attempt-1), pauseCap)), true
}

func endsWithin(ctx context.Context, d time.Duration) bool {
	end, ok := ctx.Deadline()
	return ok && time.Until(end) <= d
}

// send does k once, as soon as the rate allows it.
func (c *Client) send(ctx context.Context, k call, tok token, attempt int) (err error) {
	k.secrets = append(k.secrets[:len(k.secrets):len(k.secrets)], tok.header, tok.access)
	if err := c.pace.wait(ctx); err != nil {
		return fault.New(fault.Unavailable, fmt.Errorf("%s: not sent: %w", k.op, err))
	}
	start, status := time.Now(), 0
	defer func() { c.logCall(ctx, k, attempt, status, time.Since(start), err) }()

	callCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(c.timeout, func() { cancel(errTimeout) })
	defer timer.Stop()

	var sent delivery
	req, err := k.request(sent.watch(callCtx), tok)
	if err != nil {
		return fmt.Errorf("%s: %w", k.op, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if context.Cause(callCtx) == errTimeout {
			err = errTimeout // "context canceled" would blame the caller
		}
		if sent.unwritten() {
			return fault.New(fault.Unavailable, k.describe("not sent", err))
		}
		return lost(k, k.describe("no answer", err))
	}
	defer resp.Body.Close()
	status = resp.StatusCode
	if status < 200 || status > 299 {
		return refused(k, resp)
	}
	if k.limit > maxAnswer {
		timer.Reset(4 * c.timeout) // a long list may take longer to arrive than to begin
	}
	if err := k.decode(status, http.MaxBytesReader(nil, resp.Body, k.limit)); err != nil {
		if context.Cause(callCtx) == errTimeout {
			err = errTimeout
		}
		return lost(k, k.describe(fmt.Sprintf("status %d", status), err))
	}
	return nil
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

func (c *Client) logCall(ctx context.Context, k call, attempt, status int, took time.Duration, err error) {
	level, attrs := slog.LevelDebug, []slog.Attr{
		slog.String("op", k.op), slog.String("method", k.method), slog.Int("status", status),
		slog.Duration("duration", took), slog.Int("attempt", attempt),
	}
	if err != nil {
		level, attrs = slog.LevelInfo, append(attrs, slog.Any("error", err))
	}
	c.log.LogAttrs(ctx, level, "wave call", attrs...)
}

// A delivery knows whether a request left. With net/http's Transport it is sure
// once RoundTrip has failed: that waits for its writer to end.
type delivery struct{ asked, wrote atomic.Bool }

func (d *delivery) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { // also before net/http's own repetition, which follows only on nothing written
			d.asked.Store(true)
			d.wrote.Store(false)
		},
		WroteHeaders: func() { d.wrote.Store(true) },
	})
}

// unwritten reports whether surely no complete request left. A transport that
// does not tell leaves it open.
func (d *delivery) unwritten() bool { return d.asked.Load() && !d.wrote.Load() }
