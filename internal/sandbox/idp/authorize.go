package idp

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sessionCookie remembers who signed in, for prompt=none.
const sessionCookie = "sandbox-idp"

// request is an authorization request whose client and redirect URI are known
// to be good, so its errors may go back to the client.
type request struct {
	url.Values
	redirectURI string
}

// read returns the request of a query, or answers 400: an unknown client or
// address must never be redirected to.
func (p *Provider) read(w http.ResponseWriter, query url.Values) (request, bool) {
	redirectURI := query.Get("redirect_uri")
	if query.Get("client_id") != p.o.ClientID || !slices.Contains(p.o.RedirectURIs, redirectURI) {
		http.Error(w, "unknown client_id or redirect_uri", http.StatusBadRequest)
		return request{}, false
	}
	return request{query, redirectURI}, true
}

// problem returns the OAuth error of a request, or "".
func (q request) problem() string {
	switch {
	case q.Get("response_type") != "code":
		return "unsupported_response_type"
	case !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		return "invalid_scope"
	case q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43:
		return "invalid_request"
	}
	return ""
}

// authorize answers GET /authorize: with the page to choose a person from, or at
// once when the client asked for prompt=none or a test chose already.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q, ok := p.read(w, r.URL.Query())
	if !ok {
		return
	}
	if problem := q.problem(); problem != "" {
		p.refuse(w, r, q, problem)
		return
	}
	p.mu.Lock()
	auto := p.auto
	p.mu.Unlock()
	if q.Get("prompt") == "none" {
		at, ok := p.session(r, q.Get("max_age"))
		if !ok {
			p.refuse(w, r, q, "login_required")
			return
		}
		p.grant(w, r, q, at)
		return
	}
	if person, ok := p.person(auto); ok {
		p.signIn(w, r, q, person)
		return
	}
	p.showPage(w, r, q)
}

// choose answers POST /authorize, a click on the page.
func (p *Provider) choose(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	q, ok := p.read(w, r.URL.Query())
	if !ok {
		return
	}
	person, ok := p.person(r.PostFormValue("person"))
	switch problem := q.problem(); {
	case problem != "":
		p.refuse(w, r, q, problem)
	case !ok:
		p.refuse(w, r, q, "access_denied")
	default:
		p.signIn(w, r, q, person)
	}
}

// signIn starts a session of person and goes back with a code.
func (p *Provider) signIn(w http.ResponseWriter, r *http.Request, q request, person Person) {
	at := login{person, p.o.Now(), rand.Text()}
	id := rand.Text()
	p.mu.Lock()
	p.sessions[id] = at
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: id, Path: p.path + "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	p.grant(w, r, q, at)
}

// session returns the login of the browser, unless it is older than maxAge.
func (p *Provider) session(r *http.Request, maxAge string) (login, bool) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return login{}, false
	}
	p.mu.Lock()
	at, ok := p.sessions[c.Value]
	p.mu.Unlock()
	if limit, err := strconv.Atoi(maxAge); err == nil && p.o.Now().Sub(at.at) > time.Duration(limit)*time.Second {
		return login{}, false
	}
	return at, ok
}

func (p *Provider) grant(w http.ResponseWriter, r *http.Request, q request, at login) {
	code := p.keep(p.codes, grant{
		login: at, redirectURI: q.redirectURI, challenge: q.Get("code_challenge"), nonce: q.Get("nonce"),
		expires: p.o.Now().Add(codeLife),
	})
	p.back(w, r, q, url.Values{"code": {code}})
}

func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, q request, problem string) {
	p.back(w, r, q, url.Values{"error": {problem}})
}

// back sends the browser to the client with answer, the state, and the issuer
// of RFC 9207.
func (p *Provider) back(w http.ResponseWriter, r *http.Request, q request, answer url.Values) {
	answer.Set("iss", p.o.Issuer)
	if state := q.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if alter := p.scripted().Callback; alter != nil {
		alter(answer)
	}
	http.Redirect(w, r, q.redirectURI+"?"+answer.Encode(), http.StatusSeeOther)
}
