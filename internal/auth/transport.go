package auth

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

var (
	errBody = errors.New("the answer is too large")
	errJWT  = errors.New("the answer is a JWT")
)

// guard is the transport towards the provider: allowed addresses only, and
// bodies capped.
type guard struct {
	cfg  Config
	next http.RoundTripper
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.cfg.mayCall(r.URL) {
		return nil, fmt.Errorf("%s is not an address of the provider", r.URL.Host)
	}
	last, ok := r.Context().Value(statusKey{}).(*int)
	if !ok {
		last = new(int)
	}
	*last = 0
	resp, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	*last = resp.StatusCode
	resp.Body = &cappedBody{ReadCloser: resp.Body, left: providerBody}
	return resp, nil
}

// plain is a transport for userinfo that fails for an answer that is a JWT: go-oidc
// would take one whoever made it and for whomever, by any algorithm and with no ration
// of keys. TLS says who answers, and only a client that asks for it gets one.
type plain struct{ next http.RoundTripper }

func (p *plain) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "application/jwt" {
		resp.Body.Close()
		return nil, errJWT
	}
	return resp, nil
}

// cappedBody fails when there is more than left: a cut document would be read
// as a whole one.
type cappedBody struct {
	io.ReadCloser
	left int
}

func (b *cappedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errBody
	}
	return n, err
}
