package sandbox

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// tokens are the access tokens that were issued and when they expire.
type tokens struct {
	mu      sync.Mutex
	expires map[string]time.Time
}

// RevokeTokens makes every token unknown, as a change of the client's secret
// would.
func (s *Sandbox) RevokeTokens() {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	clear(s.tokens.expires)
}

// ExpireTokens ends the life of every token now.
func (s *Sandbox) ExpireTokens() {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	for token := range s.tokens.expires {
		s.tokens.expires[token] = time.Time{}
	}
}

// issueToken answers a call of the token endpoint.
func (s *Sandbox) issueToken(c call) answer {
	form, err := readForm(c.header.Get("Content-Type"), c.body)
	if err != nil {
		return oauthError(http.StatusBadRequest, "invalid_request", err.Error())
	}
	if form.Get("grant_type") != "client_credentials" {
		return oauthError(http.StatusBadRequest, "unsupported_grant_type", "The grant type must be client_credentials.")
	}
	if !s.knowsClient(form.Get("client_id"), form.Get("client_secret")) {
		return oauthError(http.StatusUnauthorized, "invalid_client", "Client authentication failed.")
	}
	now := s.opt.Now()
	access := jwt(now, now.Add(s.opt.TokenLife))

	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	if s.tokens.expires == nil {
		s.tokens.expires = make(map[string]time.Time)
	}
	s.tokens.expires[access] = now.Add(s.opt.TokenLife)
	return jsonAnswer(http.StatusOK, struct {
		IDToken      string `json:"id_token"`
		TokenType    string `json:"token_type"`
		ExpiresIn    int    `json:"expires_in"`
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
	}{
		jwt(now, now.Add(s.opt.TokenLife)), "Bearer", int(s.opt.TokenLife.Seconds()),
		access, jwt(now, now.Add(30*24*time.Hour)),
	})
}

func (s *Sandbox) knowsClient(id, secret string) bool {
	if s.opt.ClientID == "" && id == "{client_id}" && secret == "{client_secret}" {
		return true // the document's sample, run as it is printed
	}
	return id == or(s.opt.ClientID, DemoClientID) && secret == or(s.opt.ClientSecret, DemoClientSecret)
}

// authorized reports whether the Authorization header holds a living token.
func (s *Sandbox) authorized(header string) bool {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	expires, ok := s.tokens.expires[token]
	return ok && s.opt.Now().Before(expires)
}

// readForm reads the fields of a form. The document's sample sends every field
// as a file of a multipart form, so a file counts as a field here. Fields in the
// query do not: a secret has no place in an address.
func readForm(contentType string, body []byte) (url.Values, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, err
	}
	if kind == "application/x-www-form-urlencoded" {
		return url.ParseQuery(string(body))
	}
	form := make(url.Values)
	for r := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		part, err := r.NextPart()
		if err == io.EOF {
			return form, nil
		}
		if err != nil {
			return nil, err
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		form.Add(part.FormName(), string(value))
	}
}

// jwt returns a random string in the form of a signed token. Nobody can verify
// it, and nobody should: to a client an access token is opaque.
func jwt(issued, expires time.Time) string {
	claims, _ := json.Marshal(map[string]any{
		"jti": rand.Text(), "iat": issued.Unix(), "exp": expires.Unix(), "scopes": []string{"openid"},
	})
	signature := make([]byte, 256)
	rand.Read(signature) // never fails
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"typ":"JWT","alg":"RS256"}`)) + "." + enc(claims) + "." + enc(signature)
}

func oauthError(status int, code, description string) answer {
	return jsonAnswer(status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, description})
}
