package auth_test

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waveadmin/internal/fault"
	"waveadmin/internal/sandbox/idp"
)

func TestSignIn_givesTheRoleOfTheGroups(t *testing.T) {
	tests := []struct {
		person string
		want   string
	}{
		{"misaki", "/resellers?q=%E6%97%A5: 田中 美咲 is editor"},
		{"sam", "/resellers?q=%E6%97%A5: Sam Carter is viewer"},
	}
	s := newSite(t)
	for _, tt := range tests {
		t.Run(tt.person, func(t *testing.T) {
			s.idp.AutoChoose(tt.person)
			b := s.browser(t)

			status, body := b.open("/auth/login?return_to=" + url.QueryEscape("/resellers?q=%E6%97%A5"))

			if status != 200 || body != tt.want {
				t.Errorf("got %d %q, want 200 %q", status, body, tt.want)
			}
			if got := b.cookies(); len(got) != 2 || got["waveadmin"] == "" { // the other is the provider's
				t.Errorf("cookies = %v, want the session's and no login cookie", got)
			}
		})
	}
}

func TestSignIn_withoutARoleIsForbidden(t *testing.T) {
	s := newSite(t)
	s.idp.AutoChoose("ken")

	status, body := s.browser(t).open("/auth/login")

	if status != 403 || body != "signin.no_role" || s.rows(t, "sessions") != 0 {
		t.Errorf("got %d %q with %d sessions, want 403 and none", status, body, s.rows(t, "sessions"))
	}
	if say := fault.SentenceOf(s.fault); !slices.Contains(say.Args, any("佐藤 健")) {
		t.Errorf("the sentence has %v, want the name that was proved", say.Args)
	}
	if log := s.log.String(); !strings.Contains(log, `"subject":"ken"`) {
		t.Errorf("log = %s, want who it was", log)
	}
}

func TestSignIn_groups(t *testing.T) {
	many := slices.Repeat([]string{"team-with-a-long-name"}, 5000)
	inToken := func(value any) idp.Script {
		return idp.Script{Claims: func(c map[string]any) { c["groups"] = value }}
	}
	fromUserinfo := func(alter func(map[string]any)) idp.Script {
		return idp.Script{Claims: func(c map[string]any) { delete(c, "groups") }, UserInfo: alter}
	}
	tests := []struct {
		name   string
		script idp.Script
		want   string // role, or the reason of the refusal
	}{
		{"null", inToken(nil), "no_role"},
		{"a string that would match", inToken(idp.EditorGroup), "no_role"},
		{"a number", inToken(7), "no_role"},
		{"an object", inToken(map[string]any{idp.EditorGroup: true}), "no_role"},
		{"a list with a number in it", inToken([]any{idp.EditorGroup, 7}), "no_role"},
		{"a list with null in it", inToken([]any{idp.EditorGroup, nil}), "no_role"},
		{"other letters", inToken([]string{"Wave-Editors", " wave-editors", "wave-editors2"}), "no_role"},
		{"none", inToken([]string{}), "no_role"},
		{"both: the higher one counts", inToken([]string{idp.ViewerGroup, idp.EditorGroup}), "editor"},
		{"so many that the token is too large", inToken(many), "id_token_too_large"},
		{"so many, but at userinfo", fromUserinfo(func(c map[string]any) { c["groups"] = append(many, idp.ViewerGroup) }), "viewer"},
		{"only at userinfo", fromUserinfo(nil), "editor"},
		{"nowhere", fromUserinfo(func(c map[string]any) { delete(c, "groups") }), "no_role"},
		{"at userinfo of someone else", fromUserinfo(func(c map[string]any) { c["sub"] = "sam" }), "userinfo_sub"},
		{"at userinfo with a second Sub", fromUserinfo(func(c map[string]any) { c["Sub"] = "sam" }), "userinfo"},
	}
	s := newSite(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.idp.Script(tt.script)
			seen := len(s.log.reasons())

			status, body := s.browser(t).open("/auth/login")

			if reasons := s.log.reasons()[seen:]; len(reasons) > 0 {
				if reasons[0] != tt.want || status >= 500 {
					t.Errorf("refused with %d, %v, want %s", status, reasons, tt.want)
				}
			} else if !strings.HasSuffix(body, " is "+tt.want) {
				t.Errorf("got %d %q, want %s", status, body, tt.want)
			}
		})
	}
}

func TestSignIn_inTwoTabsAtOnce(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	first, second := b.stop("/auth/login?return_to=/first"), b.stop("/auth/login?return_to=/second")

	for _, tt := range []struct{ callback, want string }{{second, "/second"}, {first, "/first"}} {
		if status, body := b.open(tt.callback); status != 200 || !strings.HasPrefix(body, tt.want+":") {
			t.Errorf("got %d %q, want %s", status, body, tt.want)
		}
	}
	if got := s.rows(t, "sessions"); got != 1 {
		t.Errorf("%d sessions, want the second to replace the first", got)
	}
}

func TestSignIn_theSixthAttemptEndsTheOldest(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	var callbacks []string
	for range 6 {
		callbacks = append(callbacks, b.stop("/auth/login"))
		s.clock.Add(time.Second)
	}
	if got := len(b.cookies()); got != 5+1 { // and the provider's
		t.Errorf("%d cookies, want five login cookies", got)
	}
	if status, _ := b.open(callbacks[0]); status != 400 {
		t.Errorf("the oldest attempt answers %d, want 400", status)
	}
	if status, _ := b.open(callbacks[1]); status != 200 {
		t.Errorf("the second attempt answers %d, want 200", status)
	}
}

func TestSignIn_tellsTheProviderToAskAgain(t *testing.T) {
	s := newSite(t)
	for query, want := range map[string]string{"": "", "?prompt=login": "login", "?prompt=none": ""} {
		var got string
		s.idp.Script(idp.Script{Respond: rememberPrompt(&got)})
		s.browser(t).open("/auth/login" + query)
		if got != want {
			t.Errorf("%q: prompt = %q, want %q", query, got, want)
		}
	}
}

func TestSignIn_replacesTheSession(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	b.open("/auth/login")
	before := b.cookies()["waveadmin"]

	b.open("/auth/login")

	if after := b.cookies()["waveadmin"]; after == before {
		t.Error("the session kept its id")
	}
	b.setCookie("waveadmin", before)
	if _, body := b.open("/"); body != "/:  is none" {
		t.Errorf("the old session still says %q", body)
	}
}

func TestSignIn_manyAtOnce(t *testing.T) {
	s := newSite(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			b := s.browser(t)
			if status, body := b.open("/auth/login?return_to=/x"); status != 200 || !strings.HasPrefix(body, "/x:") {
				t.Errorf("got %d %q", status, body)
			}
			if _, next := b.open("/auth/logout"); next == "" {
				t.Error("signing out does not lead to the provider")
			}
		})
	}
	wg.Wait()
	if got := s.rows(t, "sessions"); got != 0 {
		t.Errorf("%d sessions are left", got)
	}
}
