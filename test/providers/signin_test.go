package providers

import (
	"net/http"
	"net/url"
	"testing"

	"waveadmin/internal/testkit"
)

// TestRoles: what someone may do is what the provider says of their groups, and each
// sign-in asks anew.
func TestRoles(t *testing.T) {
	each(t, func(t *testing.T, site *testkit.Site, p *provider) {
		account := string(site.Wave.Accounts()[0].UserID)
		save := url.Values{"was.invoice": {"off"}, "is.invoice": {"on"}}
		tests := []struct {
			who, groups string
			read, write int
		}{
			{"misaki", "the group of editors among others", 200, 303},
			{"sam", "the group of viewers", 200, 403},
			{"ken", "groups that look alike", 403, 401},
			{"aoi", "no group", 403, 401},
		}
		for _, tt := range tests {
			t.Run(tt.groups, func(t *testing.T) {
				v := newVisitor(t, site, p)
				end := v.signIn(tt.who, "/resellers")
				if end.status != tt.read || !end.at(site.URL) {
					t.Fatalf("sign-in ended with %d at %s, want %d: %s", end.status, end.url, tt.read, end.Text())
				}
				one, _ := p.people.get(tt.who)
				if !end.says(p.shows(one)) {
					t.Errorf("the page does not show %q: %s", p.shows(one), end.Text())
				}
				if got := v.post("/resellers/"+account+"/meta", save); got.status != tt.write {
					t.Errorf("a save: status %d, want %d: %s", got.status, tt.write, got.Text())
				}
			})
		}

		t.Run("moved to another group, and out of all", func(t *testing.T) {
			p.move("misaki", viewers)
			v := newVisitor(t, site, p)
			if end := v.signIn("misaki", "/resellers"); end.status != http.StatusOK {
				t.Fatalf("sign-in as a viewer: status %d", end.status)
			}
			if got := v.post("/resellers/"+account+"/meta", save); got.status != http.StatusForbidden {
				t.Errorf("a save of someone who was an editor: status %d, want 403", got.status)
			}
			p.move("misaki")
			if end := newVisitor(t, site, p).signIn("misaki", "/resellers"); end.status != http.StatusForbidden || !end.says("has no access to this tool") {
				t.Errorf("sign-in without a group: status %d: %s", end.status, end.Text())
			}
		})
	})
}

// TestSomeoneElse: who is not let in may sign in again as someone who is.
func TestSomeoneElse(t *testing.T) {
	each(t, func(t *testing.T, site *testkit.Site, p *provider) {
		v := newVisitor(t, site, p)
		refused := v.signIn("ken", "/resellers")
		again := refused.Find(`a[href*="prompt=login"]`)
		if again.Length() != 1 {
			t.Fatalf("no way to sign in as someone else: %s", refused.Text())
		}
		asked := v.open(site.URL + again.AttrOr("href", ""))
		if !asked.at(p.issuer) {
			t.Fatalf("led to %s, want to the provider's form", asked.url)
		}
		if end := v.prove(asked, "misaki"); end.status != http.StatusOK || !end.at(site.URL) {
			t.Errorf("ended with %d at %s", end.status, end.url)
		}
	})
}

// TestRefusals are the ways in which a person does not get in.
func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, site *testkit.Site, p *provider) {
		signedIn := func(v *visitor) bool { return v.open(site.URL + "/resellers").at(site.URL) }

		t.Run("a wrong password", func(t *testing.T) {
			v := newVisitor(t, site, p)
			asked := v.open(site.URL + "/resellers")
			end := v.submit(asked, asked.Find("form"), p.user, "misaki", p.password, "wrong")
			if !end.at(p.issuer) || signedIn(v) {
				t.Errorf("ended at %s", end.url)
			}
		})

		t.Run("consent withheld", func(t *testing.T) {
			if !p.asksConsent {
				return // it has no such page
			}
			v := newVisitor(t, site, p)
			asked := v.open(site.URL + "/resellers")
			one, _ := p.people.get("misaki")
			next := v.submit(asked, asked.Find("form"), p.user, "misaki", p.password, one.Password)
			end := v.submit(next, next.Find(`form:has([name="approval"][value="rejected"])`))
			if !end.at(p.issuer) || signedIn(v) { // Dex does not send the person back
				t.Errorf("ended with %d at %s: %s", end.status, end.url, end.Text())
			}
		})

		t.Run("the way back used twice, and by someone else", func(t *testing.T) {
			v := newVisitor(t, site, p)
			v.halt = atCallback(site)
			back := v.signIn("misaki", "/resellers").location
			v.halt = nil

			thief := newVisitor(t, site, p)
			if end := thief.open(back); end.status != http.StatusUnprocessableEntity || signedIn(thief) {
				t.Errorf("in another browser: status %d", end.status)
			}
			if end := v.open(back); end.status != http.StatusOK || !signedIn(v) {
				t.Errorf("once: status %d: %s", end.status, end.Text())
			}
			if end := v.open(back); end.status != http.StatusUnprocessableEntity {
				t.Errorf("twice: status %d", end.status)
			}
		})

		t.Run("a code that the provider never gave", func(t *testing.T) {
			v := newVisitor(t, site, p)
			v.halt = atCallback(site)
			back, err := url.Parse(v.signIn("misaki", "/resellers").location)
			if err != nil {
				t.Fatal(err)
			}
			v.halt = nil
			query := back.Query()
			query.Set("code", "made-up")
			back.RawQuery = query.Encode()
			if end := v.open(back.String()); end.status != http.StatusUnprocessableEntity || signedIn(v) {
				t.Errorf("status %d: %s", end.status, end.Text())
			}
		})
	})
}
