package waveapi_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"waveadmin/internal/fault"
	"waveadmin/internal/waveapi"
)

func TestNew_refuses(t *testing.T) {
	good := waveapi.Options{
		BaseURL: "https://api.example.com/m/ripple/", TokenURL: "https://login.example.com/ripple/access_token",
		ClientID: "demo", ClientSecret: clientSecret,
	}
	tests := map[string]func(*waveapi.Options){
		"no base URL":               func(o *waveapi.Options) { o.BaseURL = "" },
		"no token URL":              func(o *waveapi.Options) { o.TokenURL = "" },
		"a base URL without scheme": func(o *waveapi.Options) { o.BaseURL = "api.example.com" },
		"another scheme":            func(o *waveapi.Options) { o.BaseURL = "ftp://api.example.com" },
		"plain http":                func(o *waveapi.Options) { o.BaseURL = "http://api.example.com" },
		"plain http for the token":  func(o *waveapi.Options) { o.TokenURL = "http://login.example.com" },
		"plain http, nearly local":  func(o *waveapi.Options) { o.BaseURL = "http://localhost.example.com" },
		"a password in the URL": func(o *waveapi.Options) {
			o.BaseURL = "https://me:" + url.PathEscape(clientSecret) + "@api.example.com"
		},
		"no URL, with a password": func(o *waveapi.Options) { o.BaseURL = "https://me:" + clientSecret + "@api.example.com:port" },
		"a query":                 func(o *waveapi.Options) { o.BaseURL += "?a=b" },
		"no client id":            func(o *waveapi.Options) { o.ClientID = "" },
		"no secret":               func(o *waveapi.Options) { o.ClientSecret = "" },
		"another list method":     func(o *waveapi.Options) { o.ListMethod = "put" },
		"a negative rate":         func(o *waveapi.Options) { o.RatePerSecond = -1 },
		"a negative timeout":      func(o *waveapi.Options) { o.Timeout = -1 },
	}
	for name, edit := range tests {
		o := good
		edit(&o)
		if _, err := waveapi.New(o); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error = %v, want one without the secret", name, err)
		}
	}
	for _, base := range []string{"http://localhost:9080/m/ripple", "http://127.0.0.1:1", "http://[::1]:1", good.BaseURL} {
		o := good
		o.BaseURL = base
		if c, err := waveapi.New(o); err != nil {
			t.Errorf("%s: %v", base, err)
		} else {
			c.Close()
		}
	}
}

// TestSecrets lets the other end repeat everything that it got, and asserts that
// neither the secret nor the token nor a password reaches a log or an error.
func TestSecrets(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		if r.ParseMultipartForm(1<<10) == nil {
			fmt.Fprint(w, r.MultipartForm.Value, url.QueryEscape(clientSecret))
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Header, string(body), url.QueryEscape(string(body)))
	}
	echoHeader := func(w http.ResponseWriter, r *http.Request) { // as a broken header, which net/http quotes
		conn, _, _ := http.NewResponseController(w).Hijack()
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%s\r\n\r\n", strings.ReplaceAll(r.Header.Get("Authorization"), ":", ""))
		conn.Close()
	}
	tests := map[string]*vendor{
		"refused by the API":   {api: echo},
		"refused a token":      {token: echo},
		"no HTTP":              {api: echoHeader},
		"no success":           {api: func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }},
		"success":              {},
		"refused its token":    {api: status(401, accessToken)},
		"a token that is none": {token: success(`{"access_token":` + `"x","token_type":7,"expires_in":"` + accessToken + `"}`)},
	}
	for name, v := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				var o waveapi.Options
				c := v.start(t, func(opts *waveapi.Options) {
					opts.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
					o = *opts
				})
				for _, do := range merged(reads, writes) {
					if err := do(t.Context(), c); err != nil {
						fmt.Fprintf(&log, "%v %+v %s\n", err, err, fault.SentenceOf(err))
					}
				}
				logger := o.Log
				o.Log, o.Transport = nil, nil // JSON fails at these and would hide the rest
				logger.Info("start", "options", o, "client", c)
				if got := fmt.Sprintf("%+v", c); got != "waveapi.Client(http://localhost/m/ripple/)" {
					t.Errorf("a Client prints as %s", got)
				}
				for _, x := range []any{c, o, &o, struct{ C *waveapi.Client }{c}, struct{ o waveapi.Options }{o}.o} {
					fmt.Fprintf(&log, "%v %+v %#v %s %q %d\n", x, x, x, x, x, x)
				}
				for _, canary := range []string{"s3cret", accessToken, "pass word", "pass+word"} {
					if i := strings.Index(log.String(), canary); i >= 0 {
						t.Errorf("%q is in the log: …%s…", canary, log.String()[max(0, i-200):min(log.Len(), i+50)])
					}
				}
				if !strings.Contains(log.String(), `"op":"token"`) {
					t.Error("the log does not tell of the calls")
				}
			})
		})
	}
}

func TestScrub(t *testing.T) {
	for in, want := range map[string]string{
		`a"b<c in plain`:        `[redacted] in plain`,
		`{"x":"a\"b<c"}`:        `{"x":"[redacted]"}`,
		`{"x":"a\"b\u003cc"}`:   `{"x":"[redacted]"}`,
		`x=a%22b%3Cc&y=a%22b<c`: `x=[redacted]&y=a%22b<c`,
	} {
		if got := waveapi.Scrub(in, `a"b<c`); got != want {
			t.Errorf("scrub(%q) = %q, want %q", in, got, want)
		}
	}
	if got := waveapi.Scrub("text", ""); got != "text" {
		t.Errorf("without a secret: %q", got)
	}
}

// TestTransport goes over real sockets: a server whose certificate nobody signed
// gets nothing, and one that is not there neither.
func TestTransport(t *testing.T) {
	reached := false
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached = true
		io.WriteString(w, tokenAnswer(accessToken, 60))
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(srv.Close)
	c, err := waveapi.New(waveapi.Options{BaseURL: srv.URL, TokenURL: srv.URL, ClientID: "demo", ClientSecret: clientSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := meta(t.Context(), c); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error = %v, want Unavailable for the certificate", err)
	}
	if reached {
		t.Error("the secret was sent")
	}
	if v := waveapi.NewTransport().TLSClientConfig.MinVersion; v < 0x0303 {
		t.Errorf("TLS from %#x, want 1.2", v)
	}
}
