package waveapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
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
// else chose.
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
		if !again || endsWithin(ctx, pause) || c.breakerOf(k).rest() > 0 {
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

// send does k once, as soon as the rate allows it, and not at all while its end is
// away.
func (c *Client) send(ctx context.Context, k call, tok token, attempt int) error {
	k.secrets = append(k.secrets[:len(k.secrets):len(k.secrets)], tok.header, tok.access)
	b := c.breakerOf(k)
	if rest := b.rest(); rest > 0 {
		return away(k, rest) // without a wait for the rate
	}
	left, err := c.pace.wait(ctx, c.patient(ctx))
	if err != nil {
		return fault.New(fault.Unavailable, fmt.Errorf("%s: not sent: %w", k.op, err))
	}
	defer left()
	probe, rest := b.enter()
	if rest > 0 {
		return away(k, rest)
	}
	start := time.Now()
	status, broken, err := c.exchange(ctx, k, tok, left)
	if status == http.StatusTooManyRequests && !k.forToken {
		if allowed, slowed := c.pace.slow(ctx); slowed {
			c.log.WarnContext(ctx, "wave says that calls come too fast", "op", k.op, "calls_a_second_now", allowed)
		}
	}
	v := wellBeing
	switch {
	case err != nil && ctx.Err() != nil:
		v = noVerdict
	case broken || status >= 500 && status != http.StatusNotImplemented: // 501 is about the call
		v = failing
	}
	switch opened, closed := b.leave(probe, v); {
	case opened:
		c.log.WarnContext(ctx, "wave is away: calls fail without being sent", "op", k.op, "until_next_try", breakerPause)
	case closed:
		c.log.InfoContext(ctx, "wave is back", "op", k.op)
	}
	c.logCall(ctx, k, attempt, status, time.Since(start), err)
	return err
}

// breakerOf returns the breaker of the end that k goes to: tokens come from another
// host than the API, and either can be away alone.
func (c *Client) breakerOf(k call) *breaker {
	if k.forToken {
		return &c.login
	}
	return &c.api
}

func away(k call, rest time.Duration) error {
	return &fault.Error{Kind: fault.Unavailable, RetryAfter: rest, Err: fmt.Errorf("%s: %w", k.op, errAway)}
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
