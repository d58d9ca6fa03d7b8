package waveapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"waveadmin/internal/fault"
)

// A StatusError is an answer other than success. It is the cause in a fault. Its
// text is for the log and holds no token, secret or password of ours.
type StatusError struct {
	Op     string // such as "replace meta"
	Method string
	Status int
	Code   string // of the API, such as "5005"; empty for none
	Body   string // its start
}

func (e *StatusError) Error() string {
	code := ""
	if e.Code != "" {
		code = ", code " + e.Code
	}
	return fmt.Sprintf("%s: %s answered with status %d%s: %q", e.Op, e.Method, e.Status, code, e.Body)
}

// HTTPStatus lets a package that does not import this one read the status.
func (e *StatusError) HTTPStatus() int { return e.Status }

// statusOf returns the HTTP status that err is about, or 0.
func statusOf(err error) int {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.Status
	}
	return 0
}

// lost is the fault of a call that left and has no readable answer.
func lost(k call, err error) *fault.Error {
	if k.read {
		return fault.New(fault.Unavailable, err)
	}
	return fault.New(fault.Uncertain, err)
}

// refused is the fault of an answer whose status is not 2xx.
func refused(k call, resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what came is better than nothing
	code, description := readError(body)
	e := &StatusError{
		Op: k.op, Method: k.method, Status: resp.StatusCode, Code: code,
		Body: clip(scrub(string(body), k.secrets...)),
	}
	f := fault.New(fault.Rejected, e)
	switch s := e.Status; {
	case s == http.StatusTooManyRequests: // taken as not executed
		f.Kind = fault.Busy
		f.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	case s < 200 || s >= 500:
		f = lost(k, e)
		if f.Kind == fault.Unavailable {
			f.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
		}
	case s < 400: // the API has no redirects, so this is not it: a wrong address, or a proxy's sign-in page
		f.Kind = fault.Denied
	case s == http.StatusUnauthorized, s == http.StatusForbidden, k.forToken:
		f.Kind = fault.Denied
	case s == http.StatusNotFound && k.named:
		f.Kind = fault.NotFound
	case s == http.StatusConflict && !k.read:
		f.Kind = fault.Conflict
	case code == "5005" && strings.EqualFold(strings.TrimSpace(description), "Customer id already exists."):
		f.Say = fault.Say("wave.customer_exists") // 5005 alone is any "account function exception"
	case code != "":
		f.Say = fault.Say("wave.rejected_code", "status", s, "code", code)
	default:
		f.Say = fault.Say("wave.rejected_status", "status", s)
	}
	return f
}

// readError reads the error body that the API documents:
//
//	{"code":"5005","message":"…","description":"…"}
//
// It returns nothing of a body that is something else, and no code that is not
// short and alphanumeric: people get to see it.
func readError(body []byte) (code, description string) {
	var doc struct {
		Code        jsontext.Value `json:"code"`
		Description jsontext.Value `json:"description"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return "", ""
	}
	code = plainText(doc.Code)
	if len(code) > 16 || strings.ContainsFunc(code, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		code = ""
	}
	return code, plainText(doc.Description)
}

// plainText returns a JSON string or number as text, "" for anything else.
func plainText(v jsontext.Value) string {
	switch v.Kind() {
	case '"':
		b, _ := jsontext.AppendUnquote(nil, v)
		return string(b)
	case '0':
		return string(v)
	}
	return ""
}

// maxRetryAfter is the longest pause that the API may ask of us.
const maxRetryAfter = 60 * time.Second

// retryAfter reads a Retry-After header, seconds or a date: 0 when it is absent,
// past or nonsense, and never more than maxRetryAfter.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header != "" && strings.Trim(header, "0123456789") == "" {
		s, err := strconv.Atoi(header)
		if err != nil || s > int(maxRetryAfter/time.Second) { // err: more than an int holds
			return maxRetryAfter
		}
		return time.Duration(s) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// clip returns the start of an answer that is kept for the log.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxErrorBody)], "\uFFFD") }
