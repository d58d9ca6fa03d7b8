package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	maxIDToken = 16 << 10
	maxSubject = 255
	iatPast    = 10 * time.Minute
	iatFuture  = 2 * time.Minute
)

// claims are what we take from an ID token and from userinfo. Odd values of the
// ones that are only shown are left out.
type claims struct {
	Subject string
	SID     string
	Name    string
	Email   string
	Groups  json.RawMessage // nil when there is no such claim
	// AuthTime is when the person proved who they are; zero when it is not said.
	AuthTime time.Time
	Issued   time.Time // the ID token
}

// verify returns the claims of a raw ID token after every check on it. go-oidc
// checks signature, issuer, audience and expiry and leaves the rest to us.
func (a *Auth) verify(ctx context.Context, d *discovery, raw, nonce, access string) (claims, *refusal) {
	if no := a.checkShape("id_token", raw); no != nil {
		return claims{}, no
	}
	token, all, no := a.checkSigned(ctx, d.verifier, raw)
	if no != nil {
		return claims{}, no
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return claims{}, untrusted("nonce", nil)
	case !validSubject(token.Subject):
		return claims{}, untrusted("sub", nil)
	case all["events"] != nil: // a logout token is no ID token
		return claims{}, untrusted("events", nil)
	case all["at_hash"] != nil && token.VerifyAccessToken(access) != nil:
		return claims{}, untrusted("at_hash", nil)
	}
	c := a.pick(token.Subject, all)
	c.Issued = token.IssuedAt
	return c, nil
}

// checkSigned checks what an ID token and a logout token have in common: the
// signature, who made it and for whom, and when.
func (a *Auth) checkSigned(ctx context.Context, v *oidc.IDTokenVerifier, raw string) (*oidc.IDToken, map[string]json.RawMessage, *refusal) {
	ctx, missing := withoutKeys(ctx)
	token, err := v.Verify(ctx, raw)
	if *missing {
		return nil, nil, down("keys", errNoKeys)
	}
	if _, expired := errors.AsType[*oidc.TokenExpiredError](err); expired {
		return nil, nil, untrusted("expired", err)
	}
	if err != nil {
		return nil, nil, untrusted("verify", err)
	}
	var all map[string]json.RawMessage
	if err := token.Claims(&all); err != nil {
		return nil, nil, untrusted("claims", err)
	}
	now := a.cfg.Now()
	switch {
	case !exactNames(all):
		return nil, nil, untrusted("claim_names", nil)
	case rsaBits(raw) < a.cfg.MinRSABits:
		return nil, nil, untrusted("rsa_key", fmt.Errorf("the key has %d bits", rsaBits(raw)))
	case token.Issuer != a.cfg.Issuer: // go-oidc makes an exception for Google
		return nil, nil, untrusted("issuer", nil)
	case !a.forUs(token.Audience, all["azp"]):
		return nil, nil, untrusted("audience", nil)
	case token.IssuedAt.Before(now.Add(-iatPast)) || token.IssuedAt.After(now.Add(iatFuture)):
		return nil, nil, untrusted("iat", nil)
	}
	return token, all, nil
}

// rsaBits returns the size of the RSA key that a good signature was made with, in whole
// bytes: the signature is as long. For other keys, whose size the algorithm fixes, it is
// more than anybody asks for.
func rsaBits(raw string) int {
	head, rest, _ := strings.Cut(raw, ".")
	_, signature, _ := strings.Cut(rest, ".")
	var header map[string]any // as in checkShape
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil || json.Unmarshal(text, &header) != nil {
		return 0
	}
	if alg, _ := header["alg"].(string); !strings.HasPrefix(alg, "RS") && !strings.HasPrefix(alg, "PS") {
		return math.MaxInt
	}
	return 8 * base64.RawURLEncoding.DecodedLen(len(signature))
}

// tokenTypes are the typ headers that a kind of token may have. Many providers
// call everything a JWT, or do not say.
var tokenTypes = map[string][]string{
	"id_token":     {"", "JWT"},
	"logout_token": {"", "JWT", "logout+jwt"},
}

// checkShape checks a token of a kind before its signature: that it is a compact
// JWS, not too large, of a type and an algorithm that it may have.
func (a *Auth) checkShape(kind, raw string) *refusal {
	if raw == "" {
		return untrusted(kind+"_missing", nil)
	}
	if len(raw) > maxIDToken {
		return untrusted(kind+"_too_large", nil)
	}
	head, _, _ := strings.Cut(raw, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	// The decoder takes line breaks as well.
	if err != nil || strings.Count(raw, ".") != 2 || strings.ContainsAny(raw, "\r\n") {
		return untrusted(kind+"_not_compact", err)
	}
	var header map[string]any // not a struct: those match names in any case
	if err := json.Unmarshal(text, &header); err != nil {
		return untrusted(kind+"_not_compact", err)
	}
	if typ, ok := header["typ"]; ok {
		if name, isText := typ.(string); !isText || !slices.Contains(tokenTypes[kind], name) {
			return untrusted("typ", fmt.Errorf("%.100v", typ))
		}
	}
	if alg, _ := header["alg"].(string); !slices.Contains(a.cfg.SigningAlgs, alg) {
		return untrusted("alg", fmt.Errorf("%.100v", header["alg"]))
	}
	return nil
}

// forUs reports whether a token with these claims was made for this client.
func (a *Auth) forUs(aud []string, rawAzp json.RawMessage) bool {
	var azp string
	if rawAzp != nil && json.Unmarshal(rawAzp, &azp) != nil {
		return false
	}
	alone := len(aud) == 1 && aud[0] == a.cfg.ClientID
	if azp != "" && azp != a.cfg.ClientID {
		return false
	}
	return alone || !a.cfg.StrictAudience && azp == a.cfg.ClientID && slices.Contains(aud, a.cfg.ClientID)
}

// exactNames reports whether no claim has the name of one that matters in other
// letters. encoding/json would read "Sub" for "sub".
func exactNames(all map[string]json.RawMessage) bool {
	for name := range all {
		for _, exact := range []string{"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "events", "auth_time", "jti", "sid"} {
			if name != exact && strings.EqualFold(name, exact) {
				return false
			}
		}
	}
	return true
}

func validSubject(s string) bool {
	return s != "" && len(s) <= maxSubject && utf8.ValidString(s) &&
		strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// pick returns what we use of all claims of subject.
func (a *Auth) pick(subject string, all map[string]json.RawMessage) claims {
	return claims{
		Subject: subject, SID: sidOf(all["sid"]), Name: shortText(all["name"]), Email: shortText(all["email"]),
		Groups: all[a.cfg.GroupsClaim], AuthTime: timeIn(all["auth_time"]),
	}
}

// sidOf returns a claim that names a session, to the letter: a logout token has the
// same. One that no logout token may have counts as none.
func sidOf(raw json.RawMessage) string {
	var s string
	if !optional(raw, &s) {
		return ""
	}
	return s
}

// shortText returns a claim that is a string of one short line, else "". It is without
// what turns text around: a name must not change how the words beside it read.
func shortText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil || len(s) > maxSubject || !printable(s) {
		return ""
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s))
}
