package auth_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
)

// FuzzCallback: no query and no cookies that the provider did not answer with sign
// anyone in. The provider is asked only about what it could have sent, every
// refusal is recorded once, and the attempt that it names is used up. STATE, ISS and
// COOKIE stand for what is right in this attempt; no code is right. Beside a right
// query the other one is what an attacker adds.
func FuzzCallback(f *testing.F) {
	for _, query := range []string{
		"state=STATE&code=c&iss=ISS", "state=STATE&code=c", "state=STATE&iss=ISS&error=access_denied", "state=STATE&state=STATE&code=c&iss=ISS",
		"state=STATE&code=c&code=&iss=ISS", "state=STATE&code=c&iss=ISS&iss=https://evil.example", "code=c", "state=&code=c", "state=STATE%00&code=c;iss=ISS",
		"state=STATE&iss=ISS&code=" + strings.Repeat("c", 9000), "state=STATE&iss=ISS&error=%0d%0aSet-Cookie:x&code=c", "state=STATE&code=%zz&iss=ISS",
	} {
		f.Add(query, "COOKIE", false)
		f.Add(query, "COOKIE; waveadmin-l-0000000000000000=x", true)
	}
	f.Add("state=STATE&code=c&iss=ISS", "COOKIEA", false)
	f.Add("", "COOKIE", true)
	audit := new(auditor)
	s := newSite(f, func(c *auth.Config) {
		c.Audit = audit
		c.Log = slog.New(slog.DiscardHandler)
	})
	if status, _ := s.browser(f).open("/auth/login"); status != http.StatusOK { // the provider is known from now on
		f.Fatalf("sign-in: %d", status)
	}
	audit.take()
	f.Fuzz(func(t *testing.T, query, cookies string, right bool) {
		if right {
			query, cookies = "state=STATE&code=c&iss=ISS&"+query, "COOKIE; "+cookies
		}
		state, cookie := s.attempt(t)
		query = strings.NewReplacer("STATE", state, "ISS", url.QueryEscape(s.cfg.Issuer)).Replace(query)
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/auth/callback", nil)
		r.URL.RawQuery = query
		r.Header.Set("Cookie", strings.ReplaceAll(cookies, "COOKIE", cookie))
		asked, w := s.idp.Counts()["/token"], httptest.NewRecorder()

		to, err := s.Callback(w, r)

		if to != "" || statusOf[fault.KindOf(err)]/100 != 4 {
			t.Errorf("%q with %q: %q, %v, want a refusal of what was sent", query, cookies, to, err)
		}
		if told := audit.take(); len(told) != 1 || !strings.HasPrefix(told[0], "refused: ") {
			t.Errorf("%q: the audit log has %q, want one refusal", query, told)
		}
		sent := r.URL.Query()
		held, _ := r.Cookie(strings.SplitN(cookie, "=", 2)[0])
		ours := held != nil && "waveadmin-l-"+cookieSuffix(cookie)+"="+held.Value == cookie
		one := func(name string) bool { return len(sent[name]) == 1 && sent.Get(name) != "" }
		could := ours && one("state") && sent.Get("state") == state && one("code") && one("iss") && sent.Get("iss") == s.cfg.Issuer && !sent.Has("error")
		if did := s.idp.Counts()["/token"] > asked; did != could {
			t.Errorf("%q with %q: the provider was asked: %v, want %v", query, cookies, did, could)
		}
		for _, set := range w.Result().Cookies() {
			if set.Name == "waveadmin" || set.MaxAge >= 0 {
				t.Errorf("%q: the cookie %v is set", query, set)
			}
		}
		if again := httptest.NewRequest("GET", "/auth/callback?state="+state+"&code=c&iss="+url.QueryEscape(s.cfg.Issuer), nil); ours && sent.Get("state") == state && one("state") {
			again.Header.Set("Cookie", cookie)
			asked = s.idp.Counts()["/token"]
			if _, err := s.Callback(httptest.NewRecorder(), again); err == nil || s.idp.Counts()["/token"] > asked {
				t.Errorf("%q: the attempt was not used up: %v", query, err)
			}
			audit.take()
		}
	})
}

func cookieSuffix(cookie string) string {
	name, _, _ := strings.Cut(cookie, "=")
	return strings.TrimPrefix(name, "waveadmin-l-")
}

// attempt begins to sign in and returns the state and the cookie of that.
func (s *site) attempt(t *testing.T) (state, cookie string) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.Begin(w, httptest.NewRequestWithContext(t.Context(), "GET", "/auth/login", nil)); err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || len(w.Result().Cookies()) != 1 {
		t.Fatalf("the attempt leads to %v with %v", to, w.Header())
	}
	c := w.Result().Cookies()[0]
	return to.Query().Get("state"), c.Name + "=" + c.Value
}

// FuzzCookie: the cookie that was given out is a session, and nothing else is,
// whatever its form; nothing that a browser sends is answered with a fault. COOKIE
// stands for the right one, in which the given bits are turned over.
func FuzzCookie(f *testing.F) {
	f.Add("waveadmin=COOKIE", uint16(0), byte(0))
	f.Add("waveadmin=COOKIE", uint16(85), byte(0x03)) // of the last letter not all bits are data
	f.Add("waveadmin=COOKIE", uint16(85), byte(0x0f))
	f.Add("waveadmin=COOKIE; waveadmin=x", uint16(3), byte(0x20))
	f.Add("waveadmin=x; waveadmin=COOKIE", uint16(0), byte(0))
	f.Add(`waveadmin="COOKIE"; a=b`, uint16(0), byte(0))
	f.Add("waveadmin=COOKIE=", uint16(0), byte(0))
	f.Add("__Host-waveadmin=COOKIE", uint16(0), byte(0))
	f.Add("waveadmin="+strings.Repeat("A", 9000), uint16(0), byte(0))
	s := newSite(f, func(c *auth.Config) { c.Log = slog.New(slog.DiscardHandler) })
	b := s.browser(f)
	if status, _ := b.open("/auth/login"); status != http.StatusOK {
		f.Fatalf("sign-in: %d", status)
	}
	right := b.cookies()["waveadmin"]
	if right == "" {
		f.Fatal("no session cookie")
	}
	site := s.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, auth.ActorFrom(r.Context()).Subject)
	}))
	f.Fuzz(func(t *testing.T, header string, at uint16, bits byte) {
		turned := []byte(right)
		turned[int(at)%len(turned)] ^= bits
		r := httptest.NewRequestWithContext(context.Background(), "GET", "/", nil)
		r.Header.Set("Cookie", strings.ReplaceAll(header, "COOKIE", string(turned)))
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)

		want := ""
		if c, err := r.Cookie("waveadmin"); err == nil && c.Value == right {
			want = "misaki"
		}
		if w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%q: %d %q, want 200 %q", r.Header.Get("Cookie"), w.Code, w.Body, want)
		}
	})
}
