package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"waveadmin/internal/sandbox"
)

func TestRate_overAllEndpointsInAnySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sandbox.New(sandbox.Options{Accounts: 1, Rate: 3})
		ask := func(method, path string) *httptest.ResponseRecorder {
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), method, path, nil))
			return rec
		}
		steps := []struct {
			after   time.Duration // since the step before
			allowed bool
		}{
			{0, true},
			{600 * time.Millisecond, true},
			{300 * time.Millisecond, true},
			{99 * time.Millisecond, false}, // the fourth within a second; it does not count
			{time.Millisecond, true},       // the first is a second ago
			{599 * time.Millisecond, false},
			{time.Millisecond, true},
			{time.Hour, true},
			{0, true},
			{0, true},
			{0, false},
		}
		for i, step := range steps {
			time.Sleep(step.after)
			paths := []string{sandbox.TokenPath, sandbox.BasePath + "reseller", sandbox.BasePath + "billinggroup", "/elsewhere"}
			got := ask(http.MethodPost, paths[i%len(paths)])
			if allowed := got.Code != http.StatusTooManyRequests; allowed != step.allowed {
				t.Errorf("call %d: status = %d, want allowed %t", i, got.Code, step.allowed)
			}
			if step.allowed {
				continue
			}
			if got.Header().Get("Retry-After") != "1" || got.Body.String() != `{"code":"1429","message":"rate limit exception","description":"Too many requests."}` {
				t.Errorf("call %d: %v %s", i, got.Header(), got.Body)
			}
			if e := s.Journal()[i]; e.Status != 429 || e.Applied {
				t.Errorf("journal = %+v, want 429", e)
			}
		}
	})
}
