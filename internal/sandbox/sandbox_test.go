package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// api is a sandbox behind a real server, with a token for it.
type api struct {
	t     *testing.T
	s     *sandbox.Sandbox
	url   string
	token string
}

// start serves a sandbox with o until the test ends. Its journal is empty.
func start(t *testing.T, o sandbox.Options) *api {
	t.Helper()
	s := sandbox.New(o)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	a := &api{t: t, s: s, url: srv.URL}
	a.token = a.newToken()
	s.ResetJournal()
	return a
}

const tokenForm = "grant_type=client_credentials&client_id=demo&client_secret=demo-secret&scope=openid"

func (a *api) newToken() string {
	a.t.Helper()
	got := a.send(a.request(http.MethodPost, sandbox.TokenPath, tokenForm, "Content-Type", "application/x-www-form-urlencoded"))
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(got.body), &body); err != nil || body.AccessToken == "" {
		a.t.Fatalf("token: %+v: %v", got, err)
	}
	return body.AccessToken
}

func (a *api) request(method, path, body string, header ...string) *http.Request {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

// reply is an answer, or the error in its place.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

// send does not reuse connections: a broken one would be repeated by net/http.
func (a *api) send(req *http.Request) reply {
	a.t.Helper()
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(body), err}
}

// call asks the API with the token; path is below its base.
func (a *api) call(method, path, body string) reply {
	a.t.Helper()
	req := a.request(method, sandbox.BasePath+path, body, "Authorization", "Bearer "+a.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return a.send(req)
}

// control posts to the switchboard.
func (a *api) control(path, body string) reply {
	a.t.Helper()
	return a.send(a.request(http.MethodPost, "/_sandbox/"+path, body, "Content-Type", "application/json"))
}

// list returns the account list as it is written.
func (a *api) list() string {
	a.t.Helper()
	got := a.call(http.MethodPost, "reseller", "")
	if got.status != http.StatusOK || got.err != nil {
		a.t.Fatalf("list: %+v", got)
	}
	return got.body
}

func (a *api) account(i int) wave.Reseller {
	a.t.Helper()
	return a.s.Accounts()[i]
}

// wantStatus compares an answer's status, and its body unless body is empty.
func (a *api) wantStatus(got reply, status int, body string) {
	a.t.Helper()
	if got.err != nil || got.status != status || body != "" && got.body != body {
		a.t.Errorf("answer = %d %s (%v), want %d %s", got.status, got.body, got.err, status, body)
	}
}

const succeeded = `{"status":"success"}`

// journal returns the one entry for op.
func (a *api) journal(op string) sandbox.Entry {
	a.t.Helper()
	var found []sandbox.Entry
	for _, e := range a.s.Journal() {
		if e.Op == op {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		a.t.Fatalf("%d entries for %s, want 1", len(found), op)
	}
	return found[0]
}

// japan is where the API writes its times.
var japan = time.FixedZone("", 9*60*60)

// at returns a clock that stands.
func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// tokenOf asks the handler itself, for tests in a bubble.
func tokenOf(t *testing.T, s *sandbox.Sandbox) string {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, sandbox.TokenPath, strings.NewReader(tokenForm))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	return body.AccessToken
}
