package waveapi

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// newTransport returns the transport of a Client that is given none. It speaks
// HTTP/1.1 only: with it, net/http itself repeats a PUT, POST or DELETE in one
// case alone, when nothing of it was written to a connection that turned out to be
// closed. (Never set Idempotency-Key: then it repeats them in other cases too.)
// A GET it repeats once when a connection breaks that was used before; the pacer
// does not see that one.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		Protocols:              protocols,
		MaxConnsPerHost:        64,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        30 * time.Second, // shorter than the servers in front of the API keep theirs
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// endpoint parses a configured address and refuses one that would leak the token:
// plain http is for loopback hosts only.
func endpoint(what, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("wave API: %s is no URL", what) // its text may hold a password, and err repeats it
	}
	switch {
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("wave API: %s: want https://host/path", what)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("wave API: %s: must hold no user, query or fragment", what)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("wave API: %s %s: plain http is for loopback hosts only", what, u)
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
