package waveapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
)

// tokenForm is what the token endpoint asks for.
type tokenForm struct {
	url    *url.URL
	id     string
	secret secret
}

const (
	maxTokenLife = 7 * 24 * time.Hour // longer is no promise to build on
	maxTokenLen  = 16 << 10           // of the header; servers refuse longer ones
)

// fetchToken asks for a new token.
//
//	POST {token_url}
//
// The form is multipart because the API's reference says so, although the
// vendor's own client sends it URL-encoded.
func (c *Client) fetchToken(ctx context.Context, form tokenForm) (token, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, field := range [][2]string{
		{"grant_type", "client_credentials"},
		{"client_id", form.id},
		{"client_secret", form.secret.reveal()},
		{"scope", "openid"},
	} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return token{}, fmt.Errorf("token: %w", err) // a buffer takes all
		}
	}
	if err := w.Close(); err != nil {
		return token{}, fmt.Errorf("token: %w", err)
	}

	var tok token
	err := c.do(ctx, call{
		op: "token", method: http.MethodPost, url: form.url, read: true, forToken: true,
		body: body.Bytes(), contentType: w.FormDataContentType(),
		secrets: []secret{form.secret},
		limit:   maxAnswer,
		decode: func(_ int, r io.Reader) (err error) {
			tok, err = readToken(r, time.Now())
			return err
		},
	})
	return tok, err
}

// readToken reads the answer of the token endpoint. Its errors never repeat what
// they complain about.
func readToken(r io.Reader, now time.Time) (token, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return token{}, err
	}
	var answer struct {
		Type    string  `json:"token_type"`
		Access  string  `json:"access_token"`
		Expires float64 `json:"expires_in"` // seconds
	}
	switch err := json.Unmarshal(b, &answer); {
	case err != nil:
		return token{}, errors.New("not the documented JSON")
	case !visible(answer.Type) || !visible(answer.Access):
		return token{}, errors.New("token_type or access_token is empty or does not fit a header")
	case len(answer.Type)+len(answer.Access) > maxTokenLen:
		return token{}, errors.New("the token is too long")
	case answer.Expires < 1:
		return token{}, errors.New("expires_in is missing or less than a second")
	}
	life := maxTokenLife
	if answer.Expires < maxTokenLife.Seconds() {
		life = time.Duration(answer.Expires * float64(time.Second))
	}
	return token{
		header:  hide(answer.Type + " " + answer.Access),
		access:  hide(answer.Access),
		renew:   now.Add(life * 8 / 10),
		expires: now.Add(life),
	}, nil
}

// visible reports whether s is one or more visible ASCII characters.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
