package signin

import (
	"net/url"
	"strings"
	"testing"

	"waveadmin/internal/sandbox/idp"
)

// TestCallback: what the browser brings back is not what the provider sends.
func TestCallback(t *testing.T) {
	set := func(name, value string) lie { return callback(func(q url.Values) { q.Set(name, value) }) }
	drop := func(name string) lie { return callback(func(q url.Values) { q.Del(name) }) }
	add := func(name, value string) lie { return callback(func(q url.Values) { q.Add(name, value) }) }
	failed := func(code string) lie {
		return callback(func(q url.Values) { q.Del("code"); q.Set("error", code) })
	}
	w := newWorld(t)
	w.run(t, []row{
		// state
		{"no state", drop("state"), "login_cookie"},
		{"an empty state", set("state", ""), "login_cookie"},
		{"another state", set("state", "x"), "login_cookie"},
		{"two states", add("state", "x"), "state_repeated"},
		{"the state twice", callback(func(q url.Values) { q.Add("state", q.Get("state")) }), "state_repeated"},
		{"the state in small letters", callback(func(q url.Values) { q.Set("state", strings.ToLower(q.Get("state"))) }), "login_cookie"},
		{"the state and more", callback(func(q url.Values) { q.Set("state", q.Get("state")+"x") }), "login_cookie"},
		{"a state of 10,000 characters", set("state", strings.Repeat("x", 10_000)), "login_cookie"},
		{"a state that is a cookie of ours", set("state", "../waveadmin"), "login_cookie"},
		// iss, RFC 9207
		{"iss: another provider's", set("iss", "https://evil.example"), "callback_iss"},
		{"iss: with a slash", callback(func(q url.Values) { q.Set("iss", q.Get("iss")+"/") }), "callback_iss"},
		{"iss: none, though the provider sends it", drop("iss"), "callback_iss"},
		{"iss: empty", set("iss", ""), "callback_iss"},
		{"iss: two", add("iss", "https://evil.example"), "iss_repeated"},
		// error
		{"the person cancelled", failed("access_denied"), "access_denied"},
		{"cancelled, but with a code", set("error", "access_denied"), "access_denied"},
		{"cancelled, says another provider", callback(func(q url.Values) {
			q.Set("error", "access_denied")
			q.Set("iss", "https://evil.example")
		}), "callback_iss"},
		{"login_required", failed("login_required"), "provider_error"},
		{"server_error", failed("server_error"), "provider_error"},
		{"an error with a script", failed("<script>evil</script>"), "provider_error"},
		{"an error of 10,000 characters", failed(strings.Repeat("x", 10_000)), "provider_error"},
		{"an empty error beside a code", set("error", ""), "provider_error"},
		{"two errors", callback(func(q url.Values) { q["error"] = []string{"access_denied", "x"} }), "error_repeated"},
		{"an error that describes itself", callback(func(q url.Values) {
			q.Set("error", "server_error")
			q.Set("error_description", "call evil at 0120-000-000")
			q.Set("error_uri", "https://evil.example")
		}), "provider_error"},
		// code
		{"no code", drop("code"), "code_missing"},
		{"an empty code", set("code", ""), "code_missing"},
		{"a made-up code", set("code", "evil"), "exchange"},
		{"two codes", add("code", "evil"), "code_repeated"},
		{"a code of 10,000 characters", set("code", strings.Repeat("x", 10_000)), "exchange"},
		{"a code with a line break", callback(func(q url.Values) { q.Set("code", q.Get("code")+"\r\nX: y") }), "exchange"},
		// tokens that belong to other flows
		{"an ID token in the address", callback(func(q url.Values) { q.Del("code"); q.Set("id_token", "eyJ.eyJ.x") }), "code_missing"},
		{"an access token in the address", callback(func(q url.Values) { q.Del("code"); q.Set("access_token", "x") }), "code_missing"},
		{"a whole answer in a JWT", callback(func(q url.Values) {
			for name := range q {
				q.Del(name)
			}
			q.Set("response", "eyJ.eyJ.x")
		}), "login_cookie"},
		{"more than there should be", callback(func(q url.Values) { q.Set("session_state", "x"); q.Set("x", "y") }), signedIn},
	})
	play(t, "by POST, as response_mode=form_post would", func(t *testing.T) {
		p := w.person(t, "ja")
		u := must(url.Parse(p.stop("/auth/login")))
		if page := p.do("POST", u.Path, u.Query()); page.status != 405 || p.isSignedIn() {
			t.Errorf("got %d, want 405", page.status)
		}
	})
}

// TestCallback_iss: a provider that does not send iss in its answers is not asked
// for it, but what is there must be right.
func TestCallback_iss(t *testing.T) {
	quiet := func(iss string) lie {
		return func(w *world) (s idp.Script) {
			s.Callback = func(q url.Values) {
				if q.Del("iss"); iss != "" {
					q.Set("iss", iss)
				}
			}
			return s
		}
	}
	w := newWorld(t)
	w.IDP.Script(discovery(func(doc map[string]any) { delete(doc, "authorization_response_iss_parameter_supported") })(w))
	w.person(t, "en").signIn() // which discovers
	w.run(t, []row{
		{"none", quiet(""), signedIn},
		{"the right one", quiet(w.issuer()), signedIn},
		{"another one", quiet("https://evil.example"), "callback_iss"},
	})
}

// TestReturnTo: wherever a link to the sign-in says to go on to, the person stays
// here.
func TestReturnTo(t *testing.T) {
	w := newWorld(t)
	own := must(url.Parse(w.URL))
	for _, to := range []string{
		"https://evil.example", "http://evil.example/", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example",
		"\\\\evil.example", "/\\/evil.example", "\\/evil.example", "/%2Fevil.example", "/%5Cevil.example", "/%09/evil.example", "/\t/evil.example",
		"/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", " //evil.example", "/.//evil.example", "/./evil.example", "/..//evil.example",
		"/x/..//evil.example", "/x/%2E%2E//evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example", "//evil.example@" + own.Host,
		w.URL + "@evil.example", w.URL + ".evil.example", w.URL + "/presets", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)",
		"data:text/html,<script>alert(1)</script>", "vbscript:x", "/\u2028/evil.example", "/\x00/evil.example", "//evil\u3002example", "/\u200b/evil.example",
		"?x=//evil.example", "#//evil.example", "/presets#//evil.example", "/;//evil.example", "/auth/logout", "/auth/login?return_to=//evil.example",
		"/%61uth/login", "/x/../auth/callback", "/a\r\nSet-Cookie: evil=1", "/" + strings.Repeat("x", 2000), "", "evil", "/%zz", "/\xff",
	} {
		play(t, strings.ToValidUTF8(to, "?")[:min(len(strings.ToValidUTF8(to, "?")), 60)], func(t *testing.T) {
			w.clock.add(1)
			p := w.person(t, "ja")
			callback := p.stop("/auth/login?return_to=" + url.QueryEscape(to))
			p.http.CheckRedirect = stay
			page := p.open(callback)
			got := page.header.Get("Location")
			u, err := own.Parse(got)
			if err != nil || page.status != 303 {
				t.Fatalf("got %d to %q (%v)", page.status, got, err)
			}
			if u.Scheme != own.Scheme || u.Host != own.Host || u.User != nil || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") ||
				strings.ContainsAny(got, "\\\t\r\n") || strings.HasPrefix(u.Path+"/", "/auth/") {
				t.Errorf("leads to %q", got)
			}
			if len(page.header.Values("Set-Cookie")) != 2 { // the attempt is over, the session begins
				t.Errorf("cookies = %q", page.header.Values("Set-Cookie"))
			}
		})
	}
}
