package providers

import (
	"net/http"
	"testing"

	"waveadmin/internal/testkit"
)

// TestSignOut_withoutScripts: the form ends the session here, and the page that comes
// then leads to the provider's own sign-out and back, if it has one.
func TestSignOut_withoutScripts(t *testing.T) {
	each(t, func(t *testing.T, site *testkit.Site, p *provider) {
		v := newVisitor(t, site, p)
		list := v.signIn("misaki", "/resellers")
		out := v.submit(list, list.Find(`form[action="/auth/logout"]`))
		if out.status != http.StatusOK || out.url.Path != "/auth/signed-out" {
			t.Fatalf("ended with %d at %s", out.status, out.url)
		}
		if next := v.open(site.URL + "/resellers"); !next.at(p.issuer) {
			t.Errorf("a page after it: %d at %s, want the provider's form", next.status, next.url)
		}

		link := out.Find(`a[href^="` + p.issuer + `"]`)
		if !p.endsSession {
			if link.Length() != 0 {
				t.Errorf("leads to %s, where nothing is", link.AttrOr("href", ""))
			}
			return
		}
		if back := v.open(link.AttrOr("href", "")); back.status != http.StatusOK || !back.at(site.URL+"/auth/signed-out") {
			t.Errorf("the provider's sign-out ended with %d at %s: %s", back.status, back.url, back.Text())
		}
	})
}

// TestOutage: without the provider people can sign out, but not in; one that comes back
// with other keys is taken for what it is.
func TestOutage(t *testing.T) {
	each(t, func(t *testing.T, site *testkit.Site, p *provider) {
		inside, between := newVisitor(t, site, p), newVisitor(t, site, p)
		list := inside.signIn("misaki", "/resellers")
		between.halt = atCallback(site)
		back := between.signIn("sam", "/resellers").location
		between.halt = nil

		p.stop()
		if end := between.open(back); end.status != http.StatusServiceUnavailable || !end.says("The sign-in service is not responding") {
			t.Errorf("a way back while it is down: status %d: %s", end.status, end.Text())
		}
		if end := inside.open(site.URL + "/resellers"); end.status != http.StatusOK {
			t.Errorf("a page of who is signed in: status %d", end.status)
		}
		if end := inside.submit(list, list.Find(`form[action="/auth/logout"]`)); end.url.Path != "/auth/signed-out" {
			t.Errorf("sign-out ended at %s", end.url)
		}

		p.start() // its keys were in memory
		if end := newVisitor(t, site, p).signIn("sam", "/resellers"); end.status != http.StatusOK || !end.at(site.URL) {
			t.Errorf("sign-in under new keys ended with %d at %s: %s", end.status, end.url, end.Text())
		}
	})
}
