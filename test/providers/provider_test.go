package providers

import (
	"testing"

	"waveadmin/internal/config"
	"waveadmin/internal/testkit"
)

const clientID, clientSecret = "waveadmin", "a secret of this client alone"

// provider is a running OpenID provider with what differs between them.
type provider struct {
	*process
	people *people
	// tell makes the provider know of a change of people.
	tell   func()
	scopes []string

	user, password string // names of the fields of its form
	shows          func(person) string
	asksConsent    bool // whether the site may know who someone is
	endsSession    bool // has an address for signing out
}

func (p *provider) move(username string, groups ...string) {
	p.people.move(username, groups...)
	p.tell()
}

// kinds are the providers that every test goes through.
var kinds = map[string]func(t *testing.T, site string) *provider{"dex": newDex, "zitadel": newZitadel}

// newDex starts Dex, which asks a directory with real passwords and groups. Groups come
// in the ID token. Dex has no address for signing out.
func newDex(t *testing.T, site string) *provider {
	t.Helper()
	all, address := newPeople(), freeAddress(t)
	issuer := "http://" + address + "/dex"
	settings := writeJSON(t, t.TempDir(), "dex.json", map[string]any{ // which is YAML too
		"issuer":  issuer,
		"storage": map[string]any{"type": "memory"},
		"web":     map[string]any{"http": address},
		"staticClients": []any{map[string]any{
			"id": clientID, "secret": clientSecret, "name": "waveadmin", "redirectURIs": []string{site + "/auth/callback"},
		}},
		"connectors": []any{map[string]any{
			"type": "atlassian-crowd", "id": "crowd", "name": "Staff",
			"config": map[string]any{"baseURL": newCrowd(t, all), "clientID": crowdUser, "clientSecret": crowdPassword},
		}},
	})
	p := &provider{
		process: newProcess(t, issuer, dexProgram.binary(t), "serve", settings),
		people:  all, tell: func() {},
		scopes: []string{"openid", "email", "profile", "groups"},
		user:   "login", password: "password", asksConsent: true,
		shows: func(one person) string { return one.Username },
	}
	p.start()
	return p
}

// newZitadel starts the library of Zitadel. Groups come from userinfo alone.
func newZitadel(t *testing.T, site string) *provider {
	t.Helper()
	all, address, dir := newPeople(), freeAddress(t), t.TempDir()
	tell := func() { writeJSON(t, dir, "people.json", all.list()) }
	tell()
	issuer := "http://" + address
	settings := writeJSON(t, dir, "settings.json", map[string]any{
		"Listen": address, "Issuer": issuer, "ClientID": clientID, "ClientSecret": clientSecret,
		"RedirectURI": site + "/auth/callback", "PostLogoutURI": site + "/auth/signed-out",
		"People": dir + "/people.json",
	})
	p := &provider{
		process: newProcess(t, issuer, zitadelProgram.binary(t), settings),
		people:  all, tell: tell,
		scopes: []string{"openid", "email", "profile"},
		user:   "username", password: "password", endsSession: true,
		shows: person.name,
	}
	p.start()
	return p
}

// start runs the site with one kind of provider in front of it.
func start(t *testing.T, newProvider func(t *testing.T, site string) *provider) (*testkit.Site, *provider) {
	t.Helper()
	var p *provider
	site := testkit.Start(t, testkit.Options{Accounts: 5, Config: func(cfg *config.Config) {
		p = newProvider(t, cfg.Server.PublicURL)
		cfg.Auth.Issuer, cfg.Auth.ClientID, cfg.Auth.ClientSecret = p.issuer, clientID, config.NewSecret(clientSecret)
		cfg.Auth.Scopes = p.scopes
		cfg.Auth.Roles = config.Roles{Viewer: []string{viewers}, Editor: []string{editors}}
	}})
	return site, p
}

// each runs a test with every kind of provider.
func each(t *testing.T, test func(t *testing.T, site *testkit.Site, p *provider)) {
	for name, newProvider := range kinds {
		t.Run(name, func(t *testing.T) {
			site, p := start(t, newProvider)
			test(t, site, p)
		})
	}
}
