package sandbox

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

const maxBody = 1 << 20 // of a request

// An answer is what a call is answered with. The pieces of body are shared and
// only read.
type answer struct {
	status  int
	header  http.Header
	body    [][]byte
	applied bool // the call changed something
}

func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPath) {
		s.control(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		write(w, apiError(http.StatusRequestEntityTooLarge, "1413", "request exception", "The request body was not read."))
		return
	}
	s.serve(w, r.Context(), s.route(r, body))
}

// serve journals, delays and fails a call as it is told to. The entry is
// complete before the first byte of the answer leaves, so who has the answer
// finds it in the journal.
func (s *Sandbox) serve(w http.ResponseWriter, ctx context.Context, c call) {
	e := s.journal.begin(c)
	if !s.rate.allow(time.Now()) {
		s.journal.finish(e, http.StatusTooManyRequests, false, false)
		write(w, tooMany())
		return
	}
	struck := s.faults.strike(c)

	ans, last, err := s.carryOut(ctx, c, struck)
	if err != nil { // the client left
		s.journal.finish(e, 0, ans.applied, len(struck) > 0)
		panic(http.ErrAbortHandler)
	}
	for _, f := range struck {
		for name, values := range f.Header {
			ans.header[http.CanonicalHeaderKey(name)] = values
		}
	}
	status := ans.status
	if last != nil && last.silent() {
		status = 0
	}
	s.journal.finish(e, status, ans.applied, len(struck) > 0)
	if last == nil || !last.breaks() {
		write(w, ans)
		return
	}
	last.breakOff(w, ctx, ans)
}

// carryOut does the call between the two halves of the latency, with the faults
// that struck it before and after. It returns the fault that ended the call, if
// one did, and fails when the client leaves.
func (s *Sandbox) carryOut(ctx context.Context, c call, struck []*activeFault) (answer, *activeFault, error) {
	if err := sleep(ctx, s.opt.Latency/2); err != nil {
		return answer{}, nil, err
	}
	last, err := s.faults.pass(ctx, struck, Before)
	if err != nil {
		return answer{}, nil, err
	}
	if last != nil && (c.writes() || last.Status != 0) {
		return last.instead(success()), last, nil
	}
	ans := s.handle(c)
	if last == nil {
		last, err = s.faults.pass(ctx, struck, After)
	}
	if err == nil {
		err = sleep(ctx, s.opt.Latency-s.opt.Latency/2)
	}
	if err == nil && last != nil {
		ans = last.instead(ans)
	}
	return ans, last, err
}

// handle does the call and answers it.
func (s *Sandbox) handle(c call) answer {
	switch {
	case c.op == OpToken:
		return s.issueToken(c)
	case !c.known:
		return apiError(http.StatusNotFound, "1404", "route exception", "There is no such endpoint.")
	case c.op == OpUnknown:
		a := apiError(http.StatusMethodNotAllowed, "1405", "route exception", "The endpoint does not have this method.")
		a.header.Set("Allow", c.allow)
		return a
	case !s.authorized(c.header.Get("Authorization")):
		a := apiError(http.StatusUnauthorized, "1401", "authentication exception", "The access token is unknown or has expired.")
		a.header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		return a
	}
	switch c.op {
	case OpList:
		return s.list()
	case OpCreate:
		return s.create(c)
	case OpDelete:
		return s.delete(c)
	case OpPassword:
		return s.replacePassword(c)
	case OpMeta:
		return s.replaceMeta(c)
	}
	return s.listBillingGroups()
}

func success() answer {
	return answer{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   [][]byte{[]byte(`{"status":"success"}`)},
	}
}

func jsonAnswer(status int, v any) answer {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own structs come here
	}
	return answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: [][]byte{b}}
}

// apiError answers in the form of the one error that the document shows, which
// has the code 5005. The other codes are ours.
func apiError(status int, code, message, description string) answer {
	return jsonAnswer(status, struct {
		Code        string `json:"code"`
		Message     string `json:"message"`
		Description string `json:"description"`
	}{code, message, description})
}

func tooMany() answer {
	a := apiError(http.StatusTooManyRequests, "1429", "rate limit exception", "Too many requests.")
	a.header.Set("Retry-After", "1")
	return a
}

// sleep returns early, with an error, when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
