package sandbox

import (
	"net/http"
	"net/url"
	"strings"

	"waveadmin/internal/wave"
)

// Operations of the API, as Entry and Fault name them.
const (
	OpToken         = "token"
	OpList          = "list"
	OpCreate        = "create"
	OpDelete        = "delete"
	OpPassword      = "password"
	OpMeta          = "meta"
	OpBillingGroups = "billinggroups"
	OpUnknown       = "unknown" // no endpoint of the API, or not with this method
)

// A call is a request that was read.
type call struct {
	op     string
	id     wave.UserID // of the account that the path names
	method string
	path   string // as it was sent
	header http.Header
	body   []byte
	known  bool   // the path is an endpoint
	allow  string // methods of that endpoint
}

// writes reports whether the call asks for a change.
func (c call) writes() bool {
	switch c.op {
	case OpCreate, OpDelete, OpPassword, OpMeta:
		return true
	}
	return false
}

// route finds out what r asks for. Each segment of the path is decoded once, so
// an id may hold any character.
func (s *Sandbox) route(r *http.Request, body []byte) call {
	path := r.URL.EscapedPath()
	c := call{op: OpUnknown, method: r.Method, path: path, header: r.Header, body: body}
	if path == TokenPath {
		return c.endpoint(map[string]string{"POST": OpToken})
	}
	rest, ok := strings.CutPrefix(path, BasePath)
	if !ok {
		return c
	}
	segments := strings.Split(rest, "/")
	for i, segment := range segments {
		decoded, err := url.PathUnescape(segment)
		if err != nil {
			return c
		}
		segments[i] = decoded
	}
	if len(segments) > 1 {
		c.id = wave.UserID(segments[1])
	}
	switch {
	case len(segments) == 1 && segments[0] == "billinggroup":
		return c.endpoint(map[string]string{"GET": OpBillingGroups})
	case segments[0] != "reseller":
	case len(segments) == 1:
		return c.endpoint(s.collection(len(body) > 0))
	case len(segments) == 2 && c.id != "":
		return c.endpoint(map[string]string{"DELETE": OpDelete})
	case len(segments) == 3 && segments[2] == "password":
		return c.endpoint(map[string]string{"PUT": OpPassword})
	case len(segments) == 3 && segments[2] == "meta":
		return c.endpoint(map[string]string{"PUT": OpMeta})
	}
	return c
}

// collection returns the methods of the endpoint that creates and lists: a POST
// without a body lists, if listing by POST is on.
func (s *Sandbox) collection(body bool) map[string]string {
	methods := map[string]string{"POST": OpCreate}
	if s.opt.ListMethod != ListByGet && !body {
		methods["POST"] = OpList
	}
	if s.opt.ListMethod != ListByPost {
		methods["GET"] = OpList
	}
	return methods
}

// endpoint marks c as one of an endpoint with these methods.
func (c call) endpoint(methods map[string]string) call {
	c.known = true
	for _, m := range []string{"DELETE", "GET", "POST", "PUT"} {
		if _, ok := methods[m]; !ok {
			continue
		}
		if c.allow != "" {
			c.allow += ", "
		}
		c.allow += m
	}
	if op, ok := methods[c.method]; ok {
		c.op = op
	}
	return c
}
