package kill

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"waveadmin/internal/wave"
)

// client is the browser of one person. The session outlives the servers.
type client struct {
	w      *world
	server *server
	jar    http.CookieJar
	http   *http.Client
}

// newClient returns a client of s with which person has signed in.
func (w *world) newClient(s *server, person string) *client {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	c := (&client{w: w, jar: jar}).at(s)
	w.people.AutoChoose(person)
	defer w.people.AutoChoose("")
	follow := *c.http
	follow.CheckRedirect = nil
	res, err := follow.Get(publicURL + "/resellers")
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(res.Body) // what came is better than nothing
		w.t.Fatalf("sign-in of %s ended with %d at %s: %s", person, res.StatusCode, res.Request.URL, body)
	}
	return c
}

// at returns the same client, but before another server.
func (c *client) at(s *server) *client {
	transport := &http.Transport{
		DisableKeepAlives: true, // a connection ends with the server
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr == strings.TrimPrefix(publicURL, "http://") {
				var err error
				if addr, err = s.address(); err != nil {
					return nil, err
				}
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}
	return &client{w: c.w, server: s, jar: c.jar, http: &http.Client{
		Jar: c.jar, Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what the server said to a form.
type answer struct {
	status int
	to     string // where it leads
}

// post sends a form. It fails when no answer came.
func (c *client) post(path string, form url.Values) (answer, error) {
	r, err := http.NewRequestWithContext(c.w.t.Context(), http.MethodPost, publicURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return answer{}, err
	}
	return answer{res.StatusCode, res.Header.Get("Location")}, nil
}

// setFlag saves one flag, as someone who saw it the other way round.
func (c *client) setFlag(id wave.UserID, key wave.Key, on bool) (answer, error) {
	form := url.Values{"was." + string(key): {"on"}}
	if on {
		form = url.Values{"was." + string(key): {"off"}, "is." + string(key): {"on"}}
	}
	return c.post("/resellers/"+string(id)+"/meta", form)
}

// A submission is a form that must count once. Its mark stands in what Wave gets,
// so that each call tells to which it belongs.
type submission struct{ mark string }

func newSubmission(n int64) submission { return submission{fmt.Sprintf("mark-%07d", n)} }

func (s submission) email() string { return s.mark + "@example.co.jp" }

func (s submission) create(c *client) (answer, error) {
	return c.post("/resellers", url.Values{
		"submit_id": {s.mark}, "email": {s.email()}, "company_id": {"company-1"}, "input_type": {"Auto"},
	})
}

// replacePassword sends the mark as the password.
func (s submission) replacePassword(c *client, id wave.UserID) (answer, error) {
	return c.post("/resellers/"+string(id)+"/password", url.Values{
		"submit_id": {s.mark}, "input_type": {"Custom"}, "password": {s.mark},
	})
}

func (c *client) remove(a wave.Reseller) (answer, error) {
	return c.post("/resellers/"+string(a.UserID)+"/delete", url.Values{"confirm": {a.Email}})
}
