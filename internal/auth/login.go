package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	loginLife = 10 * time.Minute
	maxLogins = 5 // attempts at once, one a tab
	// maxLoginBytes bounds their cookies together: a proxy in front may take no more
	// than 8 KiB of them, and another site can begin attempts.
	maxLoginBytes = 6000
	skew          = time.Minute // between the clocks of our own machines
)

// login is one attempt to sign in. It lives in a cookie of its own, so several
// tabs do not disturb each other.
type login struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // of PKCE
	ReturnTo string    `json:"r"`
	At       time.Time `json:"t"`
	Again    again     `json:"a,omitempty"`
	Person   string    `json:"p,omitempty"` // who is to come back; empty for whoever
}

// Begin sends the browser to the provider with a new attempt, which comes back
// to the path in return_to. With prompt=login in the query the provider is told
// to ask again who it is. With step_up=1 whoever is signed in is to prove again who
// they are, and with check=1 their role is asked for: the session then goes on under a
// new id. It fails with fault.Unavailable while the provider has never answered.
func (a *Auth) Begin(w http.ResponseWriter, r *http.Request) error {
	d, err := a.provider.discovered(r.Context())
	if err != nil {
		return a.refuse(r, down("discovery", err))
	}
	query := r.URL.Query()
	l := login{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		ReturnTo: ReturnTo(query.Get("return_to")), At: a.cfg.Now(), Again: a.againIn(query),
	}
	if who := ActorFrom(r.Context()); l.Again == stepUp && who.Subject != "" {
		l.Person = personMark(who)
	}
	name := a.loginCookie(l.State)
	text, err := asJSON(l)
	if err != nil {
		return err
	}
	sealed := a.logins.seal(text, name)
	a.dropOldest(w, r, len(name)+len(sealed))
	a.setCookie(w, name, sealed, loginLife)

	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(l.Verifier), oidc.Nonce(l.Nonce)}
	if query.Get("prompt") == "login" {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	http.Redirect(w, r, d.oauth.AuthCodeURL(l.State, append(options, l.options()...)...), http.StatusSeeOther)
	return nil
}

// takeLogin returns the attempt that state belongs to and deletes its cookie.
func (a *Auth) takeLogin(w http.ResponseWriter, r *http.Request, state string) (login, bool) {
	name := a.loginCookie(state)
	c, err := r.Cookie(name)
	if err != nil {
		return login{}, false
	}
	a.dropCookie(w, name)
	return a.openLogin(c)
}

// openLogin returns the attempt in a cookie, if it is ours and not too old.
func (a *Auth) openLogin(c *http.Cookie) (login, bool) {
	var l login
	text, ok := a.logins.open(c.Value, c.Name)
	if !ok || json.Unmarshal(text, &l) != nil {
		return login{}, false
	}
	age := a.cfg.Now().Sub(l.At)
	return l, age > -skew && age < loginLife
}

// dropOldest makes room for one more attempt, whose cookie has this size. What does not
// open counts as oldest.
func (a *Auth) dropOldest(w http.ResponseWriter, r *http.Request, size int) {
	type attempt struct {
		name string
		at   time.Time
		size int
	}
	var all []attempt
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, a.cookieName("-l-")) {
			l, _ := a.openLogin(c)
			all = append(all, attempt{c.Name, l.At, len(c.Name) + len(c.Value)})
			size += len(c.Name) + len(c.Value)
		}
	}
	slices.SortFunc(all, func(x, y attempt) int { return x.at.Compare(y.at) })
	for n, old := range all {
		if len(all)-n < maxLogins && size <= maxLoginBytes {
			break
		}
		a.dropCookie(w, old.name)
		size -= old.size
	}
}

// dropAttempts ends the attempts of this browser, and what was typed before one.
func (a *Auth) dropAttempts(w http.ResponseWriter, r *http.Request) {
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, a.cookieName("-l-")) || c.Name == a.keptCookie() {
			a.dropCookie(w, c.Name)
		}
	}
}

func (a *Auth) loginCookie(state string) string { return a.cookieName("-l-") + hashOf(state)[:16] }

// hashOf returns the hex SHA-256 of s.
func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
