package web

import (
	"errors"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/fault"
	"waveadmin/internal/i18n"
)

// TestCallback_failuresLeadOn: the page is about signing in, not about Wave, and
// none of its links is the callback, which is used up.
func TestCallback_failuresLeadOn(t *testing.T) {
	const again, other = "/auth/login?return_to=%2F", "/auth/login?prompt=login"
	tests := []struct {
		name  string
		err   error
		title string
		links []string
	}{
		{"the provider is down", &fault.Error{Kind: fault.Unavailable, Say: fault.Say("signin.provider_down")}, "Sign-in is not available", []string{again}},
		{"no role", &fault.Error{Kind: fault.Forbidden, Say: fault.Say("signin.no_role", "name", "Ken")}, "No access", []string{again, other}},
		{"cancelled", &fault.Error{Kind: fault.Forbidden, Say: fault.Say("signin.cancelled")}, "Not signed in", []string{again, other}},
		{"too late", &fault.Error{Kind: fault.Invalid, Say: fault.Say("signin.again")}, "Please sign in again", []string{again}},
		{"overtaken", &fault.Error{Kind: fault.Invalid, Say: fault.Say("signin.ended_meanwhile")}, "Please sign in again", []string{again}},
		{"not to be trusted", &fault.Error{Kind: fault.Invalid, Say: fault.Say("signin.refused")}, "The sign-in failed", []string{again}},
		{"the database is broken", errors.New("disk full"), "Something went wrong", []string{again}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSite(t, func(g groups) { g.anyone.get(callbackPath, fails(tt.err)) })
			heading, links := errorPage(t, s, "/auth/callback?code=used&state=used")
			if heading != tt.title {
				t.Errorf("title = %q, want %q", heading, tt.title)
			}
			if diff := cmp.Diff(tt.links, links); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
			_, sentence, title := describe(tt.err)
			for _, lang := range i18n.Languages {
				if !i18n.Has(lang, title) || !i18n.Has(lang, sentence.Key) {
					t.Errorf("%s lacks %q or %q", lang, title, sentence.Key)
				}
			}
		})
	}
}

// TestFail_retriesThePage: elsewhere the same address is worth another try, and
// who is signed in is not asked to be someone else.
func TestFail_retriesThePage(t *testing.T) {
	tests := []struct {
		kind  fault.Kind
		links []string
	}{
		{fault.Unavailable, []string{"", "/"}},
		{fault.Forbidden, []string{"/"}},
	}
	for _, tt := range tests {
		t.Run(tt.kind.String(), func(t *testing.T) {
			s := newTestSite(t, func(g groups) { g.viewer.get("/x", fails(fault.New(tt.kind, nil))) })
			if _, links := errorPage(t, s, "/x", "As: viewer"); !cmp.Equal(links, tt.links) {
				t.Errorf("links = %q, want %q", links, tt.links)
			}
		})
	}
}

// errorPage returns the heading of the page at target and where its buttons lead.
func errorPage(t *testing.T, s *testSite, target string, headers ...string) (heading string, links []string) {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(s.do(request("GET", target, headers...)).Body)
	if err != nil {
		t.Fatal(err)
	}
	heading = doc.Find(".notice h1").Text()
	if title := doc.Find("title").Text(); !strings.Contains(title, heading) {
		t.Errorf("the title of the page is %q, its heading %q", title, heading)
	}
	for _, a := range doc.Find(".notice a").EachIter() {
		links = append(links, a.AttrOr("href", "none"))
	}
	return heading, links
}
