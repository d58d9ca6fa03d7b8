package signin

import (
	"math"
	"strings"
	"testing"
	"time"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox/idp"
	"waveadmin/internal/testkit"
)

// TestIDToken: what is wrong with the token, apart from its key.
func TestIDToken(t *testing.T) {
	newWorld(t).run(t, []row{
		// shape
		{"none", token(func(a map[string]any) { delete(a, "id_token") }), "id_token_missing"},
		{"null", token(func(a map[string]any) { a["id_token"] = nil }), "id_token_missing"},
		{"a number", token(func(a map[string]any) { a["id_token"] = 7 }), "id_token_missing"},
		{"a list", token(func(a map[string]any) { a["id_token"] = []any{a["id_token"]} }), "id_token_missing"},
		{"empty", token(func(a map[string]any) { a["id_token"] = "" }), "id_token_missing"},
		{"in the general JSON form", idToken(inJSON), "id_token_not_compact"},
		{"in the flattened JSON form", idToken(flattened), "id_token_not_compact"},
		{"in the JSON form behind a space", idToken(func(c string) string { return " " + flattened(c) }), "id_token_not_compact"},
		{"of four parts", idToken(func(c string) string { return c + ".x" }), "id_token_not_compact"},
		{"of five parts, encrypted", idToken(func(string) string { return b64(`{"alg":"dir","enc":"A256GCM"}`) + "....x" }), "id_token_not_compact"},
		{"of two parts", idToken(func(c string) string { return c[:strings.LastIndex(c, ".")] }), "id_token_not_compact"},
		{"not base64", idToken(func(c string) string { return "%" + c }), "id_token_not_compact"},
		{"behind a line break", idToken(func(c string) string { return "\n" + c }), "id_token_not_compact"},
		{"no JSON", idToken(func(string) string { return "eA.eA.eA" }), "id_token_not_compact"},
		{"a header that is a list", idToken(func(c string) string { return b64(`["ES256"]`) + c[strings.Index(c, "."):] }), "id_token_not_compact"},
		{"of 16 KiB and more", claim("x", strings.Repeat("x", 16<<10)), "id_token_too_large"},
		{"of 900 KiB", claim("x", strings.Repeat("x", 700<<10)), "id_token_too_large"},
		{"with 5,000 claims", claims(func(c map[string]any) {
			for i := range 5000 {
				c["x"+strings.Repeat("y", i%50)+string(rune('a'+i%26))+time.Duration(i).String()] = i
			}
		}), "id_token_too_large"},
		{"close to 16 KiB", claim("x", strings.Repeat("x", 10<<10)), signedIn},
		// typ
		{"of no type", signing(func(s *idp.Signing) { delete(s.Header, "typ") }), signedIn},
		{"of the type of a logout token", header("typ", "logout+jwt"), "typ"},
		{"of the type of an access token", header("typ", "at+jwt"), "typ"},
		{"of a type that is a number", header("typ", 7), "typ"},
		{"of a type that is null", header("typ", nil), "typ"},
		// iss, sub, aud, azp
		{"without an issuer", without("iss"), "verify"},
		{"of two issuers", func(w *world) idp.Script { return claim("iss", []string{w.issuer(), "https://evil.example"})(w) }, "verify"},
		{"of the issuer with a slash", func(w *world) idp.Script { return claim("iss", w.issuer()+"/")(w) }, "verify"},
		{"of the issuer in capitals", func(w *world) idp.Script { return claim("iss", strings.ToUpper(w.issuer()))(w) }, "verify"},
		{"of an Iss beside iss", claim("Iss", "https://evil.example"), "claim_names"},
		{"of a subject that is empty", claim("sub", ""), "sub"},
		{"of a subject that is null", claim("sub", nil), "sub"},
		{"of a subject that is a number", claim("sub", 7), "verify"},
		{"of a subject of 256 characters", claim("sub", strings.Repeat("x", 256)), "sub"},
		{"of a subject with a line break", claim("sub", "misaki\nsam"), "sub"},
		{"of a subject with a NUL", claim("sub", "misaki\x00"), "sub"},
		{"of a subject that turns letters around", claim("sub", "misaki\u202esam"), "sub"},
		{"of a Sub beside sub", claim("Sub", "sam"), "claim_names"},
		{"for nobody", without("aud"), "verify"},
		{"for an empty list", claim("aud", []string{}), "verify"},
		{"for null", claim("aud", nil), "verify"},
		{"for an object", claim("aud", map[string]any{"waveadmin-demo": true}), "verify"},
		{"for us and another", func(w *world) idp.Script { return claim("aud", []string{w.clientID(), "other"})(w) }, "audience"},
		{"for us twice", func(w *world) idp.Script { return claim("aud", []string{w.clientID(), w.clientID()})(w) }, "audience"},
		{"for us with a space", func(w *world) idp.Script { return claim("aud", w.clientID()+" ")(w) }, "verify"},
		{"azp: made for another", claim("azp", "other"), "audience"},
		{"azp: made for a number", claim("azp", 7), "audience"},
		{"azp: made for a list with us in it", func(w *world) idp.Script { return claim("azp", []string{w.clientID()})(w) }, "audience"},
		{"azp: made for us", func(w *world) idp.Script { return claim("azp", w.clientID())(w) }, signedIn},
		// times
		{"expired a second ago", at("exp", -time.Second), "expired"},
		{"without an end", without("exp"), "expired"},
		{"with an end that is null", claim("exp", nil), "verify"},
		{"with an end that is a word", claim("exp", "tomorrow"), "verify"},
		{"with an end before all time", claim("exp", math.MinInt64), "expired"},
		{"not valid yet", at("nbf", time.Hour), "verify"},
		{"iat: 11 minutes ago", at("iat", -11*time.Minute), "iat"},
		{"iat: 9 minutes ago", at("iat", -9*time.Minute), signedIn},
		{"iat: in 3 minutes", at("iat", 3*time.Minute), "iat"},
		{"iat: in a minute", at("iat", time.Minute), signedIn},
		{"iat: in milliseconds", func(w *world) idp.Script { return claim("iat", w.clock.now().UnixMilli())(w) }, "iat"},
		{"iat: null", claim("iat", nil), "verify"},
		{"iat: zero", claim("iat", 0), "iat"},
		{"iat: a list", claim("iat", []int{1}), "verify"},
		// nonce
		{"without a nonce", without("nonce"), "nonce"},
		{"with an empty nonce", claim("nonce", ""), "nonce"},
		{"with a nonce that is null", claim("nonce", nil), "nonce"},
		{"with a nonce that is a list", claim("nonce", []string{"x"}), "verify"},
		{"with the nonce under another name", claims(func(c map[string]any) { c["Nonce"] = c["nonce"]; delete(c, "nonce") }), "claim_names"},
		// events: a logout token is no ID token
		{"events: of a logout", claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}), "events"},
		{"events: none in it", claim("events", map[string]any{}), "events"},
		{"events: null", claim("events", nil), "events"},
		// at_hash
		{"at_hash: of another access token", claim("at_hash", b64("0123456789abcdef")), "at_hash"},
		{"at_hash: empty", claim("at_hash", ""), "at_hash"},
		{"at_hash: half of it", claims(func(c map[string]any) { c["at_hash"] = c["at_hash"].(string)[:11] }), "at_hash"},
		{"at_hash: null", claim("at_hash", nil), "at_hash"},
		{"at_hash: a number", claim("at_hash", 7), "verify"},
		{"at_hash: another access token came", token(func(a map[string]any) { a["access_token"] = "x" }), "at_hash"},
		{"at_hash: none", without("at_hash"), signedIn}, // it is optional in the code flow
		// claims that are elsewhere
		{"distributed claims without a source", claim("_claim_names", map[string]any{"groups": "src"}), "verify"},
	})
}

// TestIDToken_forSeveralParties: with strict_audience off a token for others too is
// taken if it was made for us.
func TestIDToken_forSeveralParties(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Auth.StrictAudience = false })
	several := func(azp any) lie {
		return claims(func(c map[string]any) {
			c["aud"] = []string{"other", w.clientID()}
			if azp != nil {
				c["azp"] = azp
			}
		})
	}
	w.run(t, []row{
		{"made for us", several(w.clientID()), signedIn},
		{"made for another", several("other"), "audience"},
		{"not said for whom", several(nil), "audience"},
		{"without us", claim("aud", []string{"other", "another"}), "verify"},
	})
}

// TestTokenEndpoint: what comes instead of a token.
func TestTokenEndpoint(t *testing.T) {
	const path = "/token"
	newWorld(t).run(t, []row{
		{"it refuses the code", answer(path, 400, asJSON, `{"error":"invalid_grant","error_description":"evil eyJ"}`), "exchange"},
		{"it refuses us", answer(path, 401, asJSON, `{"error":"invalid_client"}`), "exchange"},
		{"it refuses with 200", answer(path, 200, asJSON, `{"error":"invalid_grant"}`), "exchange"},
		{"it fails", answer(path, 500, "text/html", `<script>evil</script>`), "down: exchange"},
		{"it is too busy", answer(path, 503, asJSON, `{}`), "down: exchange"},
		{"it hangs up", hangUp(path), "down: exchange"},
		{"it redirects with the code and our secret", answer(path, 307, "", ``), "exchange"},
		{"it redirects", answer(path, 302, "", ``), "exchange"},
		{"no JSON", answer(path, 200, asJSON, `<html>`), "exchange"},
		{"nothing", answer(path, 200, asJSON, ``), "exchange"},
		{"a list", answer(path, 200, asJSON, `[]`), "exchange"},
		{"2 MiB", answer(path, 200, asJSON, `{"access_token":"`+strings.Repeat("x", 2<<20)+`"}`), "exchange"},
		{"nested 100,000 deep", answer(path, 200, asJSON, strings.Repeat("[", 100_000)), "exchange"},
		{"no access token", token(func(a map[string]any) { delete(a, "access_token") }), "exchange"},
		{"a form without an ID token", answer(path, 200, "application/x-www-form-urlencoded", `access_token=x&token_type=Bearer`), "id_token_missing"},
	})
}

// TestUserInfo: it is asked when the ID token has no groups, and not believed more.
func TestUserInfo(t *testing.T) {
	const path = "/userinfo"
	info := func(status int, contentType, body string) lie {
		return askingUserinfo(answer(path, status, contentType, body))
	}
	newWorld(t).run(t, []row{
		{"groups are there", userinfo(nil), signedIn},
		{"of another person", userinfo(func(c map[string]any) { c["sub"] = "sam" }), "userinfo_sub"},
		{"of the same person in other letters", userinfo(func(c map[string]any) { c["sub"] = "Misaki" }), "userinfo_sub"},
		{"of nobody", userinfo(func(c map[string]any) { delete(c, "sub") }), "userinfo_sub"},
		{"of null", userinfo(func(c map[string]any) { c["sub"] = nil }), "userinfo_sub"},
		{"of a number", userinfo(func(c map[string]any) { c["sub"] = 7 }), "userinfo"},
		{"of two people", userinfo(func(c map[string]any) { c["Sub"] = "sam" }), "userinfo"},
		{"it fails", info(500, asJSON, `{}`), "down: userinfo"},
		{"it hangs up", askingUserinfo(hangUp(path)), "down: userinfo"},
		{"it refuses the access token", info(401, asJSON, `{}`), "userinfo"},
		{"it redirects with the access token", info(302, "", ``), "userinfo"},
		{"no JSON", info(200, asJSON, `x`), "userinfo"},
		{"null", info(200, asJSON, `null`), "userinfo_sub"},
		{"2 MiB", info(200, asJSON, `{"sub":"misaki","x":"`+strings.Repeat("x", 2<<20)+`"}`), "userinfo"},
		{"a JWT that is not signed", info(200, asJWT, unsigned("none")("x."+b64(`{"sub":"misaki","groups":["wave-editors"]}`)+".x")), "userinfo_jwt"},
		{"a JWT of the provider, for us", infoJWT(asJWT, nil), "userinfo_jwt"},
		{"a JWT of the provider, for another client", infoJWT(asJWT, func(c map[string]any) { c["aud"] = "someone-else" }), "userinfo_jwt"},
		{"a JWT of the provider, for nobody in particular", infoJWT(asJWT, func(c map[string]any) { delete(c, "aud") }), "userinfo_jwt"},
		{"a JWT of another issuer, by the provider's key", infoJWT(asJWT, func(c map[string]any) { c["iss"] = "https://evil.example" }), "userinfo_jwt"},
		{"a JWT in capitals and with a parameter", infoJWT("Application/JWT; charset=UTF-8", nil), "userinfo_jwt"},
		{"a JWT with a broken parameter", infoJWT("application/jwt; x=", nil), "userinfo_jwt"},
		{"a JWT that says it is JSON", infoJWT(asJSON, nil), "userinfo"},
	})
}

const asJWT = "application/jwt"

// infoJWT answers userinfo with a JWT that the provider has signed, of the claims of an
// editor and what alter makes of them.
func infoJWT(contentType string, alter func(c map[string]any)) lie {
	return func(w *world) idp.Script {
		w.IDP.Script(idp.Script{LogoutClaims: func(c map[string]any) { // the one token that it signs on demand
			delete(c, "events")
			c["groups"] = []string{idp.EditorGroup}
			if alter != nil {
				alter(c)
			}
		}})
		token := must(w.IDP.NewLogoutToken(testkit.Editor, ""))
		return askingUserinfo(answer("/userinfo", 200, contentType, token))(w)
	}
}
