package signin

import (
	"slices"
	"strings"
	"testing"

	"waveadmin/internal/config"
	"waveadmin/internal/i18n"
	"waveadmin/internal/sandbox/idp"
)

// TestGroups: a role comes from the exact name of a group in a list of names, and
// from nothing else.
func TestGroups(t *testing.T) {
	const editors, viewers = idp.EditorGroup, idp.ViewerGroup
	many := slices.Repeat([]string{"team-0123456789"}, 5000)
	groups := func(value any) lie { return claim("groups", value) }
	atUserinfo := func(value any) lie { return userinfo(func(c map[string]any) { c["groups"] = value }) }
	w := newWorld(t)
	w.run(t, []row{
		{"absent", userinfo(func(c map[string]any) { delete(c, "groups") }), "no_role"},
		{"null", groups(nil), "no_role"},
		{"null, though userinfo has them", func(w *world) idp.Script { return groups(nil)(w) }, "no_role"},
		{"a string", groups(editors), "no_role"},
		{"a string with a list in it", groups(`["` + editors + `"]`), "no_role"},
		{"names with commas between", groups("staff," + editors), "no_role"},
		{"names with spaces between", groups("staff " + editors), "no_role"},
		{"a number", groups(7), "no_role"},
		{"true", groups(true), "no_role"},
		{"an object", groups(map[string]any{editors: true}), "no_role"},
		{"a list of objects", groups([]any{map[string]any{"name": editors}}), "no_role"},
		{"a list of lists", groups([]any{[]string{editors}}), "no_role"},
		{"a list with a number", groups([]any{editors, 7}), "no_role"},
		{"a list with null", groups([]any{editors, nil}), "no_role"},
		{"an empty list", groups([]string{}), "no_role"},
		{"an empty name", groups([]string{""}), "no_role"},
		{"5,000 of them", groups(append(slices.Clone(many), editors)), "id_token_too_large"},
		{"5,000 of them at userinfo", atUserinfo(append(slices.Clone(many), editors)), signedIn},
		{"5,000 others at userinfo", atUserinfo(many), "no_role"},
		{"400 of them", groups(append(slices.Clone(many[:400]), editors)), signedIn},
		{"the one twice", groups([]string{editors, editors}), signedIn},
		{"both: the higher one counts", groups([]string{viewers, editors}), signedIn},
		// names that look alike
		{"in capitals", groups([]string{strings.ToUpper(editors), "Wave-Editors"}), "no_role"},
		{"with spaces", groups([]string{" " + editors, editors + " ", editors + "\n", "\t" + editors}), "no_role"},
		{"with more behind or before", groups([]string{editors + "2", "x" + editors, editors + "/sub", "/" + editors, editors + "@example.co.jp"}), "no_role"},
		{"a part of it", groups([]string{"wave", "editors", "wave-"}), "no_role"},
		{"with Cyrillic letters", groups([]string{"w\u0430ve-editors", "wave-\u0435ditors"}), "no_role"},
		{"in full width", groups([]string{"\uff57\uff41\uff56\uff45-editors"}), "no_role"},
		{"with another hyphen", groups([]string{"wave\u2010editors", "wave\u2011editors", "wave\u2212editors", "wave_editors"}), "no_role"},
		{"with a width of nothing in it", groups([]string{"wave-\u200beditors", "\ufeff" + editors, editors + "\u200d"}), "no_role"},
		{"with a NUL behind", groups([]string{editors + "\x00"}), "no_role"},
		{"with a wildcard", groups([]string{"*", "wave-*", ".*", "%"}), "no_role"},
		{"under another claim", claims(func(c map[string]any) { c["roles"] = c["groups"]; c["groups"] = []string{} }), "no_role"},
		{"under Groups", claims(func(c map[string]any) { c["Groups"] = c["groups"]; c["groups"] = []string{} }), "no_role"},
	})

	// A role is what it is, and no more.
	for _, tt := range []struct {
		name  string
		value any
		form  int // what the form of a new account answers
	}{
		{"the role of viewers", []string{viewers}, 403},
		{"the role of editors", []string{editors}, 200},
		{"the role of both", []string{viewers, editors}, 200},
	} {
		play(t, tt.name, func(t *testing.T) {
			for _, lang := range i18n.Languages {
				w.clock.add(1)
				w.IDP.Script(groups(tt.value)(w))
				p := w.person(t, lang)
				p.signIn()
				if page := p.open("/resellers/new"); page.status != tt.form {
					t.Errorf("the form of a new account answers %d, want %d", page.status, tt.form)
				}
			}
		})
	}
}

// TestGroups_ofAnotherClaim: the settings name the claim, letter by letter.
func TestGroups_ofAnotherClaim(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Auth.GroupsClaim = "https://example.co.jp/groups" })
	w.run(t, []row{
		{"under its name", claims(func(c map[string]any) { c["https://example.co.jp/groups"] = c["groups"] }), signedIn},
		{"under the usual name", honest, "no_role"},
	})
}
