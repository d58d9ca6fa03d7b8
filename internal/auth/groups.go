package auth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// withGroups returns c with the groups of userinfo if the ID token had no such
// claim; the name and email of there fill gaps.
func (a *Auth) withGroups(ctx context.Context, d *discovery, c claims, token *oauth2.Token) (claims, *refusal) {
	if c.Groups != nil || d.oidc.UserInfoEndpoint() == "" {
		return c, nil
	}
	ctx, status := withStatus(ctx)
	info, err := d.oidc.UserInfo(oidc.ClientContext(ctx, a.provider.info), oauth2.StaticTokenSource(token))
	switch {
	case errors.Is(err, errJWT):
		return c, untrusted("userinfo_jwt", err)
	case err != nil && outage(*status):
		return c, down("userinfo", err)
	case err != nil:
		return c, untrusted("userinfo", err)
	}
	var all map[string]json.RawMessage
	if err := info.Claims(&all); err != nil || !exactNames(all) {
		return c, untrusted("userinfo", err)
	}
	if info.Subject != c.Subject {
		return c, untrusted("userinfo_sub", nil)
	}
	more := a.pick(c.Subject, all)
	c.Groups = more.Groups
	if c.Name == "" {
		c.Name = more.Name
	}
	if c.Email == "" {
		c.Email = more.Email
	}
	return c, nil
}

// roleOf returns the role of a groups claim: exact names, and nothing for a
// claim that is not a list of strings.
func (a *Auth) roleOf(raw json.RawMessage) Role {
	var groups []*string
	if json.Unmarshal(raw, &groups) != nil || slices.Contains(groups, nil) {
		return NoRole
	}
	role := NoRole
	for _, g := range groups {
		switch {
		case slices.Contains(a.cfg.EditorGroups, *g):
			return Editor
		case slices.Contains(a.cfg.ViewerGroups, *g):
			role = Viewer
		}
	}
	return role
}
