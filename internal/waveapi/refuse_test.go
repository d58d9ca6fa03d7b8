package waveapi_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/fault"
	"waveadmin/internal/waveapi"
)

const documented = `{"code":"5005","message":"account function exception","description":"Customer id already exists."}`

// TestFaults says for each answer what kind of fault a read, the list of billing
// groups and a write make of it.
func TestFaults(t *testing.T) {
	tests := []struct {
		name                string
		api                 http.HandlerFunc
		list, groups, write fault.Kind
	}{
		{"400", status(400, ""), fault.Rejected, fault.Rejected, fault.Rejected},
		{"401 twice", status(401, ""), fault.Denied, fault.Denied, fault.Denied},
		{"403", status(403, ""), fault.Denied, fault.Denied, fault.Denied},
		{"404", status(404, ""), fault.Denied, fault.NotFound, fault.NotFound},
		{"405", status(405, ""), fault.Denied, fault.Rejected, fault.Rejected},
		{"408", status(408, ""), fault.Rejected, fault.Rejected, fault.Rejected},
		{"409", status(409, ""), fault.Rejected, fault.Rejected, fault.Conflict},
		{"422", status(422, "<html>"), fault.Rejected, fault.Rejected, fault.Rejected},
		{"429", status(429, ""), fault.Busy, fault.Busy, fault.Busy},
		{"500", status(500, ""), fault.Unavailable, fault.Unavailable, fault.Uncertain},
		{"501", status(501, ""), fault.Denied, fault.Unavailable, fault.Uncertain},
		{"503", status(503, ""), fault.Unavailable, fault.Unavailable, fault.Uncertain},
		{"301", status(301, "", "Location: /m/ripple/x"), fault.Denied, fault.Denied, fault.Denied},
		{"307", status(307, "", "Location: /m/ripple/x"), fault.Denied, fault.Denied, fault.Denied},
		{"204", status(204, ""), fault.Unavailable, fault.Unavailable, fault.Uncertain},
		{"an empty answer", success(""), fault.Unavailable, fault.Unavailable, fault.Uncertain},
		{"no JSON", success("<html>"), fault.Unavailable, fault.Unavailable, fault.Uncertain},
		{"null", success("null"), fault.Unavailable, fault.Unavailable, fault.Uncertain},
		{"not success", success(`{"status":"error"}`), fault.Unavailable, fault.Unavailable, fault.Uncertain},
		{"success under another name", success(`{"Status":"success"}`), fault.Unavailable, fault.Unavailable, fault.Uncertain},
		{"success twice", success(`{"status":"success","status":"success"}`), fault.Unavailable, fault.Unavailable, fault.Uncertain},
		{"broken off", dropped, fault.Unavailable, fault.Unavailable, fault.Uncertain},
	}
	for _, tt := range tests {
		for call, want := range map[string]fault.Kind{
			"list": tt.list, "groups": tt.groups,
			"meta": tt.write, "password": tt.write, "delete": tt.write, "create": tt.write,
		} {
			if call == "create" && want == fault.NotFound {
				want = fault.Rejected // it names no account that could be missing
			}
			t.Run(tt.name+"/"+call, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := (&vendor{api: tt.api}).start(t, nil)
					err := merged(reads, writes)[call](t.Context(), c)
					if err == nil || fault.KindOf(err) != want {
						t.Errorf("error = %v, want %v", err, want)
					}
				})
			})
		}
	}
}

func TestRejected_saysWhatIsSafeToSay(t *testing.T) {
	byStatus := fault.Say("wave.rejected_status", "status", 400)
	tests := []struct {
		name, body string
		want       fault.Text
	}{
		{"the documented one", documented, fault.Say("wave.customer_exists")},
		{"its code for something else", `{"code":"5005","description":"Quota."}`, fault.Say("wave.rejected_code", "status", 400, "code", "5005")},
		{"its text with another code", `{"code":"1","description":"Customer id already exists."}`, fault.Say("wave.rejected_code", "status", 400, "code", "1")},
		{"a number as code", `{"code":1234}`, fault.Say("wave.rejected_code", "status", 400, "code", "1234")},
		{"a code with markup", `{"code":"<b>1</b>"}`, byStatus},
		{"a long code", `{"code":"12345678901234567"}`, byStatus},
		{"a null code", `{"code":null,"description":{}}`, byStatus},
		{"a gateway's page", `<html>Request blocked</html>`, byStatus},
		{"nothing", ``, byStatus},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := (&vendor{api: status(400, tt.body)}).start(t, nil)
				err := create(t.Context(), c)
				if diff := cmp.Diff(tt.want, fault.SentenceOf(err)); diff != "" {
					t.Errorf("sentence (-want +got):\n%s", diff)
				}
				if e, ok := errors.AsType[*waveapi.StatusError](err); !ok || e.Body != tt.body || e.Op != "create" || e.Method != "POST" || e.HTTPStatus() != 400 {
					t.Errorf("cause = %+v, want a StatusError with the whole body", e)
				}
			})
		})
	}
}

var (
	retryNow   = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	retryCases = map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"7":                             7 * time.Second,
		" 7 ":                           7 * time.Second,
		"60":                            time.Minute,
		"61":                            time.Minute,
		"99999999999999999999":          time.Minute,
		"-1":                            0,
		"+5":                            0,
		"1.5":                           0,
		"soon":                          0,
		"７":                             0,
		"Wed, 01 Apr 2026 09:00:20 GMT": 20 * time.Second,
		"Wed, 01 Apr 2026 10:00:00 GMT": time.Minute,
		"Wed, 01 Apr 2026 08:00:00 GMT": 0,
	}
)

func TestRetryAfter(t *testing.T) {
	for header, want := range retryCases {
		if got := waveapi.RetryAfter(header, retryNow); got != want {
			t.Errorf("RetryAfter(%q) = %v, want %v", header, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for header := range retryCases {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if got := waveapi.RetryAfter(header, retryNow); got < 0 || got > time.Minute {
			t.Errorf("RetryAfter(%q) = %v, want 0 to 1 minute", header, got)
		}
	})
}

func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{documented, `{"code":5005}`, `{"code":"a","code":"b"}`, `<html>`, `{"code":"\u003c"}`, ``} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		code, _ := waveapi.ReadError(body)
		if len(code) > 16 || strings.Trim(code, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			t.Errorf("code = %q, want a short alphanumeric one", code)
		}
	})
}
